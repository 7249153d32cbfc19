"""Calls of torch with a float, each by every spelling, type and corner value: what eager gives for them is the oracle.

A call is the text of a program of tensors and of the float ``a``; ``w`` is written into. The tensors hold zeros of
either sign, infinities and NaN, and have 35 elements: eager computes the last few of them by other code than the rest.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import torch
import torch.nn.functional as F

DTYPES = (
    torch.float32,
    torch.float64,
    torch.float16,
    torch.bfloat16,
    torch.int64,
    torch.int32,
    torch.uint8,
    torch.bool,
    torch.complex64,
    torch.complex128,
)
VALUES = (
    *(0.5, 0.0, -0.0, -1.0, 0.1, 2.0, 1e-310, 5e-324, 1.9999999999999998, 16777217.0, 65504.0),
    *(65510.0, 3.3895313892515355e38, 3.4028235e38, 1e39, -1e308),
)
NONFINITE = (math.inf, -math.inf, math.nan)

_BINARY = ("mul", "remainder", "fmod", "copysign", "xlogy", "add", "sub", "div", "pow", "float_power", "floor_divide")
_BINARY += ("eq", "ne", "lt", "le", "gt", "ge", "multiply", "subtract", "divide", "true_divide", "less", "less_equal")
_BINARY += ("greater", "greater_equal", "not_equal", "clamp_min", "clamp_max")
_OPERATORS = ("+", "-", "*", "/", "%", "**", "//", "<", "<=", ">", ">=", "==", "!=")
_IN_PLACE = ("iadd", "isub", "imul", "itruediv", "imod", "ipow", "ifloordiv")
_PRODUCTS = {"addmm": "s, l, r", "addmv": "c, x, v", "addr": "x, c, v", "baddbmm": "bs, bl, br"}
_PRODUCTS |= {"addbmm": "s, bl, br"}
_LISTS = ("add", "sub", "mul", "div", "pow", "clamp_min", "clamp_max", "maximum", "minimum")
_OTHERS = """
torch.add(x, y, alpha=a)    x.sub(y, alpha=a)    w.add_(y, alpha=a)    torch.rsub(x, a)    torch.add(x, a, alpha=2)
torch.sub(a, x)    torch.rsub(x, y, alpha=a)    w.sub_(y, alpha=a)    torch.add(x, a, alpha=a)    x.rsub(a)
torch.add(y, 2, alpha=a)    torch.sub(x, y, alpha=a)    torch.div(x, a, rounding_mode='floor')
x.div(a, rounding_mode='trunc')    torch.addcmul(x, y, z, value=a)    x.addcmul(y, z, value=a)
w.addcmul_(y, z, value=a)    torch.addcdiv(x, y, z, value=a)    x.addcdiv(y, z, value=a)    w.addcdiv_(y, z, value=a)
torch.lerp(x, y, a)    x.lerp(y, weight=a)    w.lerp_(y, a)    torch.clamp(x, a)    x.clamp(max=a)    x.clamp(a, 1.0)
w.clamp_(min=a)    torch.clip(x, -1.0, a)    x.clip(a, a)    w.clip_(max=a)    torch.where(m, x, a)
torch.where(m, a, x)    x.where(m, a)    torch.where(m, a, 0.5)    x.masked_fill(m, a)    torch.masked_fill(x, m, a)
w.masked_fill_(m, a)    F.hardtanh(x, -1.0, a)    F.hardtanh(x, a, 1.0)    F.hardtanh(w, a, a, True)
F.leaky_relu(x, a)    F.leaky_relu(w, a, True)    F.elu(x, a)    F.elu(w, a, True)    F.celu(x, a)
F.celu(w, a, inplace=True)    torch.celu(x, a)    F.softplus(x, a)    F.softplus(x, 1.0, a)    F.threshold(x, a, 0.5)
F.threshold(x, 0.5, a)    F.threshold(w, a, a, True)    F.hardshrink(x, a)    x.hardshrink(a)    F.softshrink(x, a)
F.pad(x, (1, 2), value=a)    F.pad(x, (1, -2, 0, 1), 'constant', a)    torch.nan_to_num(x, a)
x.nan_to_num(posinf=a)    x.nan_to_num(0.0, a, a)    w.nan_to_num_(a)    torch.full_like(x, a)    x.new_full((3,), a)
w.fill_(a)    torch.fill(x, a)    torch.full((3,), a, dtype=x.dtype)    torch.full((3,), a)
torch.full(size=(2,), fill_value=a)    torch.tensor(a, dtype=x.dtype)    torch.tensor([a, 1.0])    torch.as_tensor(a)
torch.scalar_tensor(a)    torch.tensor(a)    torch.full_like(x, a, dtype=torch.float16)    assigned(w, 0, a)
assigned(w, m, a)    assigned(w, (slice(None), 1), a)    x.index_fill(0, i, a)    w.index_fill_(1, i, a)
x.scatter(0, j, a)    w.scatter_(1, j, a)    torch.index_fill(x, 0, i, a)    torch.scatter(x, 0, j, a)
x.std(-1, correction=a)    torch.var(x, 0, correction=a)    torch.quantile(x, a)    torch.nanquantile(x, a, dim=1)
torch.renorm(x, a, 0, 1.0)    x.renorm(2.0, 0, a)    torch.logit(x, a)    torch.linalg.vector_norm(x, a)
torch.norm(x, a)    x.norm(a, 1)    torch.dist(x, y, a)    torch.cdist(x, y, a)    F.pairwise_distance(x, y, a)
F.cosine_similarity(x, y, eps=a)    torch.isclose(x, y, a, a)    x.isclose(y, atol=a)    torch.trapezoid(x, dx=a)
torch.special.xlog1py(x, a)    torch.special.zeta(x, a)    torch.special.xlogy(x, a)    torch.bucketize(a, u)
torch.searchsorted(u, a)    torch.fake_quantize_per_tensor_affine(x, a, 0, 0, 255)    F.normalize(x, a)
F.normalize(x, eps=a)    F.cosine_embedding_loss(x, y, i.new_ones(5), a)    F.hinge_embedding_loss(x, y, a)
F.margin_ranking_loss(x, y, z, a)    F.multi_margin_loss(x, k, margin=a)    F.triplet_margin_loss(x, y, z, a)
F.poisson_nll_loss(x, y, eps=a, log_input=False)    F.local_response_norm(g, 2, a)    F.lp_pool1d(g[0], a, 2)
F.lp_pool2d(g, a, 2)    x.index_add(0, i, y[:2], alpha=a)    w.index_add_(0, i, y[:2], alpha=a)
F.huber_loss(x, y, delta=a)    F.huber_loss(x, y, 'none', a)    F.smooth_l1_loss(x, y, beta=a)
F.smooth_l1_loss(x, y, reduction='none', beta=a)    F.cross_entropy(x, k, label_smoothing=a)
F.cross_entropy(x, k, y[0], label_smoothing=a)    F.layer_norm(x, (7,), eps=a)    F.layer_norm(x, (7,), v, v, a)
F.rms_norm(x, (7,), v, a)    F.group_norm(g, 2, eps=a)    F.batch_norm(x, None, None, training=True, eps=a)
F.batch_norm(x, v, v, eps=a)    F.batch_norm(x, v.clone(), v.clone(), training=True, momentum=a)
torch.batch_norm(x, None, None, v, v, True, 0.1, a, False)    F.scaled_dot_product_attention(q, q, q, scale=a)
F.scaled_dot_product_attention(q, q, q, is_causal=True, scale=a)
F.scaled_dot_product_attention(q, q, q, bm, scale=a)
F.scaled_dot_product_attention(q, q, q, scale=a, enable_gqa=True)    F.dropout(x, a)    F.dropout(x, a, False)
F.dropout(w, a, inplace=True)    F.dropout2d(g, a)    w.normal_(a, 1.0)    w.normal_(0.5, a)    w.uniform_(a, 1.0)
w.uniform_(-1.0, a)    w.exponential_(a)    w.bernoulli_(a)    F.gumbel_softmax(x, a)
F.gumbel_softmax(x, a, hard=True)    torch._foreach_add([x, y], [y, x], alpha=a)
torch._foreach_add_([w], [y], alpha=a) or w    torch._foreach_lerp([x, y], [y, x], a)
torch._foreach_addcmul([x], [y], [z], a)    torch._foreach_addcdiv([x, y], [y, z], [z, x], a)
torch._foreach_addcdiv_([w], [y], [z], a) or w    torch._foreach_pow(a, [x, y])
torch._foreach_lerp_([w], [y], a) or w    torch._foreach_addcmul_([w], [y], [z], a) or w    F.dropout1d(g[0], a)
F.dropout1d(g[0, 0], a)    F.dropout3d(g, a)    F.dropout3d(g[None], a)    F.dropout2d(g[0], a)
w.renorm_(2.0, 0, a)    w.logit_(a)
"""


def _calls() -> Iterator[str]:
    for name in _BINARY:
        yield f"torch.{name}(x, a)"
        yield f"torch.{name}(a, x)"
        yield f"x.{name}(a)"
        yield f"torch.{name}(x, a, out=torch.empty_like(x))"
        if hasattr(torch.Tensor, f"{name}_"):
            yield f"w.{name}_(a)"
    for name in ("mul", "div", "pow", "eq", "remainder"):
        yield f"torch.{name}(x, {'exponent' if name == 'pow' else 'other'}=a)"
        yield f"torch.{name}(x[0, 0], a)"
    for sign in _OPERATORS:
        yield f"x {sign} a"
        yield f"a {sign} x"
        yield f"x[1, 3] {sign} a"
    for name in _IN_PLACE:
        yield f"operator.{name}(w, a)"
    for name, operands in _PRODUCTS.items():
        first, rest = operands.split(", ", 1)
        yield f"torch.{name}({operands}, beta=a)"
        yield f"torch.{name}({operands}, alpha=a)"
        yield f"{first}.{name}({rest}, beta=a, alpha=a)"
        yield f"{first}.clone().{name}_({rest}, beta=a)"
    for name in _LISTS:
        yield f"torch._foreach_{name}([x, y], a)"
        yield f"torch._foreach_{name}_([w], a) or w"
    yield from (text.strip() for line in _OTHERS.strip().splitlines() for text in line.split("  ") if text.strip())


CALLS = tuple(_calls())
"""Every call, by its text."""

TAKEN_APART = frozenset({"torch._foreach_lerp_([w], [y], a) or w"})
"""Of them what Dynamo makes other operations of, with a constant as well, which round in half precision."""


def tensors(dtype: torch.dtype) -> SimpleNamespace:
    """What the calls are given, the same at every call."""
    made = torch.Generator().manual_seed(3)

    def draw(*size: int) -> torch.Tensor:
        numbers = torch.randn(size, generator=made, dtype=torch.float64) * 3
        if dtype.is_complex:
            return torch.complex(numbers, numbers.flip(-1)).to(dtype)
        if dtype == torch.bool:
            return numbers > 0
        return numbers.abs().to(dtype) if dtype == torch.uint8 else numbers.to(dtype)

    def special(*size: int) -> torch.Tensor:
        found = draw(*size)
        if dtype.is_floating_point or dtype.is_complex:
            corners = [0.0, -0.0, math.inf, -math.inf, math.nan, 1.0, -1.0, torch.finfo(dtype).max]
            found.view(-1)[: len(corners)] = torch.tensor(corners, dtype=torch.float64).to(dtype)
            found.view(-1)[-2:] = torch.tensor([-0.0, math.inf])
        else:
            found.view(-1)[:2] = torch.tensor([0, 1])
        return found

    x = special(5, 7)
    sizes = {"s": (5, 6), "l": (5, 4), "r": (4, 6), "c": (5,), "bs": (2, 5, 6), "bl": (2, 5, 4), "br": (2, 4, 6)}
    sizes |= {"g": (2, 4, 6, 6), "q": (1, 2, 8, 8), "bm": (8, 8)}
    return SimpleNamespace(
        x=x,
        w=x.clone(),
        y=special(5, 7).flip(0),
        z=draw(5, 7),
        v=draw(7),
        u=draw(9).sort().values if not dtype.is_complex else draw(9),
        m=torch.arange(35).view(5, 7) % 3 == 0,
        i=torch.tensor([0, 2]),
        j=torch.tensor([[0, 2, 1], [1, 1, 4]]),
        k=torch.tensor([0, 6, 2, 2, 1]),
        **{name: draw(*size) for name, size in sizes.items()},
    )


_NAMES = (*"xwyzvumijkslrc", "bs", "bl", "br", "g", "q", "bm")


def assigned(x: torch.Tensor, index: Any, a: float) -> torch.Tensor:
    """The tensor, with the float at the index."""
    x[index] = a
    return x


def program(call: str) -> Callable[..., Any]:
    """The call as a function of tensors, and of the float."""
    space = {"torch": torch, "F": F, "operator": operator, "assigned": assigned}
    exec(f"def program({', '.join(_NAMES)}, a):\n    return {call}", space)
    return space["program"]  # type: ignore[return-value]


def outcome(run: Callable[..., Any], dtype: torch.dtype, a: float) -> list[torch.Tensor] | Exception:
    """What it gives, and what it leaves in the tensor that it may write into; or what it raises."""
    t = tensors(dtype)
    torch.manual_seed(0)
    try:
        found = run(*(getattr(t, name) for name in _NAMES), a)
    except Exception as error:  # any: the other side has to raise, too
        return error
    return [*(found if isinstance(found, list | tuple) else (found,)), t.w]


def same(found: Any, expected: Any) -> bool:
    """The same types, sizes and bits, signs of zero among them; NaN is NaN."""
    if isinstance(expected, Exception) or isinstance(found, Exception):
        return isinstance(expected, Exception) and isinstance(found, Exception)
    return len(found) == len(expected) and all(map(_same_bits, found, expected))


def _same_bits(one: torch.Tensor, other: torch.Tensor) -> bool:
    if one.dtype != other.dtype or one.shape != other.shape:
        return False
    if one.is_complex():
        one, other = torch.view_as_real(one), torch.view_as_real(other)
    if not one.is_floating_point():
        return torch.equal(one, other)
    alike = (one == other) & (torch.signbit(one) == torch.signbit(other))
    return bool((alike | (one.isnan() & other.isnan())).all())
