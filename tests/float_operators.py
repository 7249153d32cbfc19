"""Operations that take a float, each as a small program: what the sweep under Inductor runs, type by type.

A program is a function of tensors of one type and of the float. What it gives, and the gradients of its tensors, are
compared with eager's for each of twenty values.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import torch
import torch._dynamo as dynamo
import torch.nn.functional as F
from torch._dynamo.testing import CompileCounterWithBackend

from dynconstraints import DynamicFloat

DTYPES = (torch.float32, torch.float64, torch.bfloat16, torch.float16)


def tensors(dtype: torch.dtype) -> SimpleNamespace:
    """Tensors of the type, the same ones at every call, each with a gradient."""
    made = torch.Generator().manual_seed(0)
    sizes = {
        "x": (8, 24),
        "y": (8, 24),
        "square": (8, 8),
        "row": (24,),
        "column": (8,),
        "left": (8, 16),
        "right": (16, 24),
        "batch": (3, 8, 24),
        "lefts": (3, 8, 16),
        "rights": (3, 16, 24),
        "image": (2, 4, 6, 6),
        "q": (2, 4, 16, 8),
        "k": (2, 4, 16, 8),
        "v": (2, 4, 16, 8),
    }
    found = {name: torch.randn(size, generator=made).to(dtype).requires_grad_() for name, size in sizes.items()}
    return SimpleNamespace(**found, classes=torch.arange(8), mask=torch.arange(24) % 3 == 0)


@dataclass(frozen=True)
class Operator:
    """A program, and the range of the float, ends left out.

    ``constant`` says why it has a graph a value, ``apart`` why it may be further from eager in half precision than a
    graph with the constant is.
    """

    program: Callable[[Any, Any], Any]
    low: float = 0.05
    high: float = 2.5
    constant: str | None = None
    apart: str | None = None

    @property
    def values(self) -> list[float]:
        """Twenty, none with few digits."""
        step = (self.high - self.low) / 20
        return [self.low + step * (i + math.pi / 7) for i in range(20)]


def _assigned(t: Any, a: Any) -> Any:
    z = t.x.clone()
    z *= a
    z[0] = a
    z[:, t.mask] = a
    return z.add_(t.y, alpha=a).clamp_(max=a)


OPERATORS = {
    "x * a": Operator(lambda t, a: t.x * a),
    "x + a": Operator(lambda t, a: t.x + a),
    "x - a": Operator(lambda t, a: t.x - a),
    "a - x": Operator(lambda t, a: a - t.x),
    "x / a": Operator(lambda t, a: t.x / a),
    "a / x": Operator(lambda t, a: a / (t.x.abs() + 1)),
    "x ** a": Operator(lambda t, a: t.x.abs() ** a),
    "a ** x": Operator(lambda t, a: a**t.x),
    "x % a": Operator(lambda t, a: (t.x + 5) % a),
    "fmod": Operator(lambda t, a: torch.fmod(t.x, a)),
    "comparisons": Operator(
        lambda t, a: (t.x > a, t.x >= a, a < t.x, t.x == a, t.x != a, torch.where(t.x <= a, t.x, t.y))
    ),
    "add alpha": Operator(lambda t, a: torch.add(t.x, t.y, alpha=a)),
    "sub alpha": Operator(lambda t, a: t.x.sub(t.y, alpha=a)),
    "addmm": Operator(lambda t, a: torch.addmm(t.x, t.left, t.right, beta=a, alpha=a + 1)),
    "addmv": Operator(lambda t, a: torch.addmv(t.column, t.x, t.row, beta=a, alpha=a + 1)),
    "addr": Operator(lambda t, a: torch.addr(t.x, t.column, t.row, beta=a, alpha=a + 1)),
    "baddbmm": Operator(lambda t, a: torch.baddbmm(t.batch, t.lefts, t.rights, beta=a, alpha=a + 1)),
    "addcmul": Operator(lambda t, a: torch.addcmul(t.x, t.y, t.row, value=a)),
    "addcdiv": Operator(lambda t, a: torch.addcdiv(t.x, t.y, t.row.abs() + 1, value=a)),
    "clamp": Operator(lambda t, a: t.x.clamp(-a, a) + t.y.clamp(max=a) + torch.clamp_min(t.x, a)),
    "full": Operator(lambda t, a: t.x * torch.full((24,), a, dtype=t.x.dtype)),
    "full_like": Operator(lambda t, a: torch.full_like(t.x, a) * t.y + t.x.new_full((24,), a)),
    "tensor": Operator(lambda t, a: torch.tensor(a, dtype=t.x.dtype) * t.x),
    "in place": Operator(_assigned),
    "masked_fill": Operator(lambda t, a: t.x.masked_fill(t.mask, a)),
    "where": Operator(lambda t, a: torch.where(t.x > 0, t.x, a) + torch.where(t.x > 0, a, t.y)),
    "lerp": Operator(lambda t, a: torch.lerp(t.x, t.y, a), 0.05, 1.2),
    "leaky_relu": Operator(lambda t, a: F.leaky_relu(t.x, a)),
    "elu": Operator(lambda t, a: F.elu(t.x, a)),
    "celu": Operator(lambda t, a: F.celu(t.x, a)),
    "hardtanh": Operator(lambda t, a: F.hardtanh(t.x, -a, a)),
    "threshold": Operator(lambda t, a: F.threshold(t.x, a, -a)),
    "softplus": Operator(lambda t, a: F.softplus(t.x, a, 1 + a)),
    "hardshrink": Operator(lambda t, a: F.hardshrink(t.x, a)),
    "softshrink": Operator(lambda t, a: F.softshrink(t.x, a)),
    "gelu of a product": Operator(lambda t, a: F.gelu(t.x * a)),
    "softmax of a product": Operator(lambda t, a: torch.softmax(t.x * a, -1)),
    "softmax with a temperature": Operator(lambda t, a: torch.log_softmax(t.x / a, -1)),
    "attention": Operator(lambda t, a: F.scaled_dot_product_attention(t.q, t.k, t.v, scale=a)),
    "causal attention": Operator(lambda t, a: F.scaled_dot_product_attention(t.q, t.k, t.v, is_causal=True, scale=a)),
    "layer_norm eps": Operator(lambda t, a: F.layer_norm(t.x, (24,), t.row, t.row, eps=a), 1e-6, 0.5),
    "rms_norm eps": Operator(lambda t, a: F.rms_norm(t.x, (24,), t.row, eps=a), 1e-6, 0.5),
    "group_norm eps": Operator(lambda t, a: F.group_norm(t.image, 2, eps=a), 1e-6, 0.5),
    "batch_norm eps": Operator(lambda t, a: F.batch_norm(t.image, None, None, training=True, eps=a), 1e-6, 0.5),
    "huber delta": Operator(lambda t, a: F.huber_loss(t.x, t.y, delta=a)),
    "smooth_l1 beta": Operator(lambda t, a: F.smooth_l1_loss(t.x, t.y, beta=a)),
    "label smoothing": Operator(lambda t, a: F.cross_entropy(t.x, t.classes, label_smoothing=a), 0.01, 0.99),
    "pad": Operator(lambda t, a: F.pad(t.x, (1, 2), value=a)),
    "nan_to_num": Operator(lambda t, a: torch.nan_to_num(t.x.log(), nan=a)),
    "std correction": Operator(lambda t, a: t.x.std(-1, correction=a)),
    "norm": Operator(lambda t, a: torch.linalg.vector_norm(t.x, a, -1)),
    "normalize": Operator(lambda t, a: F.normalize(t.x, p=a)),
    "cdist": Operator(lambda t, a: torch.cdist(t.square.float(), t.square.float() + 1, p=a)),
    "quantile": Operator(lambda t, a: t.x.float().quantile(a / 3, dim=-1)),
    "floor division": Operator(lambda t, a: t.x.detach() // a * t.y),
    "interpolate": Operator(
        lambda t, a: F.interpolate(t.image, scale_factor=a), 1.0, 2.0, constant="the size depends on it"
    ),
    "schedule": Operator(lambda t, a: t.x * (0.1 * (1 + math.cos(math.pi * a)) / 2 + math.sqrt(a) * max(a, 0.3))),
    "focal loss": Operator(
        lambda t, a: -((1 - t.x.sigmoid()) ** a * F.logsigmoid(t.x)).mean(),
        apart="the power rounds as in eager, which errs to one side, and what surrounds it as in Inductor",
    ),
    "dropout": Operator(lambda t, a: F.dropout(t.x, a), 0.0, 1.0),
    "normal_": Operator(lambda t, a: torch.empty_like(t.x).normal_(a, a)),
    "uniform_": Operator(lambda t, a: torch.empty_like(t.x).uniform_(-a, a)),
}
"""Every operation by a name that the table has."""


Outcome = list[torch.Tensor]
"""What a program gives, and then the gradients of its tensors."""

LEVELS = ("bits", "close", "like", "apart")
"""Equal to eager bit for bit; within the tolerance of torch.testing; no further than the constant is; further."""


def outcome(program: Callable[[Any, Any], Any], dtype: torch.dtype, a: float) -> Outcome:
    t = tensors(dtype)
    torch.manual_seed(0)
    found = program(t, a)
    found = found if isinstance(found, tuple) else (found,)
    roots = [f for f in found if f.requires_grad]
    weights = [(torch.arange(f.numel()).view(f.shape) % 5 - 2).to(f.dtype) for f in roots]
    leaves = [v for v in vars(t).values() if v.requires_grad]
    grads = torch.autograd.grad(roots, leaves, weights, allow_unused=True) if roots else ()
    return [*(f.detach() for f in found), *(g for g in grads if g is not None)]


def level(found: Outcome, expected: Outcome) -> str:
    """One of the first two levels, or the last."""
    try:
        for one, other in zip(found, expected, strict=True):
            torch.testing.assert_close(one, other, equal_nan=True)
    except AssertionError:
        return "apart"
    same = all(torch.equal(one.nan_to_num(), other.nan_to_num()) for one, other in zip(found, expected, strict=True))
    return "bits" if same else "close"


@dataclass(frozen=True)
class Cell:
    """An operator for a type: how many graphs twenty values made, and the worst level that one of them had."""

    graphs: int
    level: str

    def __str__(self) -> str:
        return f"{self.graphs}; {self.level}"


def swept(operator: Operator, dtype: torch.dtype, most: int = 3) -> Cell:
    """Twenty values under Inductor, or as many as make more than ``most`` graphs; with constants for the worst."""
    dynamo.reset()
    counter = CompileCounterWithBackend("inductor")
    compiled = torch.compile(operator.program, backend=counter)
    levels: dict[float, str] = {}
    for value in operator.values:
        found = outcome(compiled, dtype, DynamicFloat(value, name="a"))
        levels[value] = level(found, outcome(operator.program, dtype, value))
        if counter.frame_count > most:
            break
    graphs, apart = counter.frame_count, [value for value, found in levels.items() if found == "apart"]
    if not apart:
        return Cell(graphs, max(levels.values(), key=LEVELS.index))
    return Cell(graphs, "like" if any(_constant_is_apart(operator, dtype, v) for v in apart[:3]) else "apart")


def _constant_is_apart(operator: Operator, dtype: torch.dtype, value: float) -> bool:
    dynamo.reset()
    constant = torch.compile(lambda t, _: operator.program(t, value))
    return level(outcome(constant, dtype, 0.0), outcome(operator.program, dtype, value)) == "apart"
