"""Programs by chance for proofs of coverage: over sizes and ints, half of them broken into several graphs.

Each is Python source with a world of its own (globals, an object with state, helpers that torch leaves to eager), so a
failure prints as a case to freeze. What crosses a break is of every kind: tensors of other sizes, numbers, texts,
flags, containers, functions, closures, state.
"""

from __future__ import annotations

import itertools
import math
import random
from dataclasses import dataclass, replace
from typing import Any

import torch

from dynconstraints import ConstraintSystem, DynamicInt, name_dims

HEAD = """
import random
import torch
import torch._dynamo
import torch.nn.functional as F

COUNT = 0
FLAG = False
ACT = torch.relu
TABLE = {"scale": 2, "size": 0}
SEEN = []

class State:
    pass

state = State()
state.scale, state.calls, state.last, state.flag, state.buffer = 2, 0, 0, False, torch.ones(3)

def inner(t):
    t = t * 2
    print(end="")
    return t + 1

def whole(t, a):
    return t * a if a % 2 == 0 else t - a

@torch._dynamo.disable
def log(*values):
    pass

@torch._dynamo.disable
def zeros(n):
    return torch.zeros(int(n) + 1)

@torch._dynamo.disable
def flag(n):
    return int(n) > 4

@torch._dynamo.disable
def text(n):
    return "x" * int(n)

@torch._dynamo.disable
def maybe(n):
    return None if int(n) > 4 else 1

@torch._dynamo.disable
def function(n):
    return torch.relu if int(n) > 4 else torch.tanh

@torch._dynamo.disable
def dtype(n):
    return torch.float32 if int(n) > 4 else torch.float64

@torch._dynamo.disable
def listed(n):
    return [1] * int(n)

@torch._dynamo.disable
def mapped(n):
    return {i: 1 for i in range(int(n))}

@torch._dynamo.disable
def half(n):
    return int(n) / 2

@torch._dynamo.disable
def sized(n):
    return torch.Size((int(n), 2))

@torch._dynamo.disable
def set_global(n):
    global FLAG, ACT
    FLAG = int(n) > 4
    ACT = torch.relu if FLAG else torch.tanh

@torch._dynamo.disable
def set_state(n):
    state.flag = int(n) > 4
    TABLE["size"] = int(n)
"""

WHOLE = (
    "t = t * 2 + 1",
    "t = t + k",
    "t = t * y.sum()",
    "t = torch.cat([t, y])",
    "t = t[: t.shape[0] // 2 + 1]",
    "t = t[1:]",
    "t = F.pad(t, (0, (-t.shape[0]) % 4))",
    "t = t.view(-1, 2).sum(1) if t.shape[0] % 2 == 0 else t",
    "t = t + torch.ones(t.shape[0])",
    "t = t.view(-1, 1).expand(-1, 3).sum(1)",
    "t = (t[:, None] * y[None, :]).sum(0)",
    "t = (t[:, None] * y[None, :]).t().flatten()",
    "a = t.shape[0]",
    "a = a * 2 + 1",
    "a = a + k",
    "t = t * a",
    "t = whole(t, a)",
    "b = t.shape[0] > 5",
    "t = t + 1 if b else t - 1",
    "t = t + 1 if k > 3 else t - 1",
    "t = t + 1 if t.shape[0] == y.shape[0] else t",
    "v = [t, y, a]",
    "v = {'t': t, 'a': t.shape[0], 's': 'w'}",
    "v = (t.size(), t.dtype, None, 'n')",
    "t = t * len(v)",
    "v = (a, {'b': [a, k]}); t = t + v[1]['b'][0]",
    "s = 'big' if k > 5 else 's'",
    "t = t * len(s)",
    "f = torch.relu if k % 2 == 0 else torch.tanh",
    "t = f(t)",
    "t = t * state.scale",
    "t = t + 1 if state.flag else t",
    "t = t + state.buffer.sum()",
    "t = ACT(t)",
    "t = t + TABLE['scale']",
    "t = t.new_zeros(t.size()) + t",
    "with torch.no_grad(): t = t * 2",
    "g = lambda q: q + a",
    "t = g(t)",
    "t = t.t().contiguous()",
    "t = t.clone().add_(1)",
    "z = t[:, None] * y",
    "t = z.sum(1) if z.dim() > 1 else z",
    "z = z * 2",
    "z = z.t()",
    "v = x.shape",
    "z = y.new_zeros(v)",
    "z = x[x.shape[0] // 2 :]",
    "z = y[None, :].expand(3, -1)",
    "x.add_(0)",
)
STATE = (
    "state.calls += 1",
    "t = t + state.calls",
    "state.last = t.shape[0]",
    "t = t * state.last",
    "state.buffer = t",
    "TABLE['size'] = t.shape[0]",
    "t = t + TABLE['size']",
    "SEEN.append(1)",
    "t = t + len(SEEN)",
    "global COUNT; COUNT += 1",
    "t = t + COUNT",
    "torch.set_grad_enabled(False)",
)
BREAKS = (
    *("print(end='')", "torch._dynamo.graph_break()", "print(t.shape[0], end='')", "print('t', end='')"),
    *("log()", "log(t)", "log(t.shape[0])", "print(end='')", "torch._dynamo.graph_break()", "print(t, end='')"),
    *("t = t[t >= 1]", "t = t.nonzero().flatten() * 1.0", "t = t.unique()", "t = t * len(t.tolist())", "t.nonzero()"),
    *("w = t.sum().item()", "w = t.sum().item(); t = t * w", "w = int(t.numel()); t = t + len(str(w))"),
    *("b = t.shape[0] > 5; print(end='')", "s = str(t.shape[0]); t = t * len(s)", "s = str(k)"),
    "if t.sum() > 9: t = t + 1",
    "if t.sum() > 9: t = t[1:]",
    *("t = t + zeros(a).sum()", "z = zeros(k)", "b = flag(a)", "t = t + 1 if flag(t.shape[0]) else t"),
    *("s = text(k)", "v = listed(a)", "v = mapped(k)", "v = sized(t.shape[0])", "t = t + half(a)", "f = function(k)"),
    *("t = t if maybe(k) is None else t * 2", "t = t.to(dtype(a)).float()", "set_global(a)", "set_state(k)"),
    *("t = inner(t)", "t = t + inner(y).sum()", "set_global(k); t = t + 1 if FLAG else t", "set_state(a); t = ACT(t)"),
    "for i in range(2): print(end=''); t = t + i",
    "t = t + random.random()",
    "t = t + torch.rand(t.shape[0])",
    *("t = t * 2 + t.sum().item()", "t = torch.cat([t, t[t >= 1]])", "t = t * k + len(t.tolist()) * t.shape[0]"),
    *("t = (t + zeros(k).sum()) * t.shape[0]", "a = a + (t.sum().item() > 3)", "b = bool((t > 3).any()); t = t + b"),
    *("v = [t.shape[0], print(end='')]; t = t + v[0]", "v = (k, print(t, end=''), y.sum()); t = t * v[2]"),
    *("s = s + str(t.shape[0])", "z = t.nonzero(); t = t + z.shape[0]", "t = inner(inner(t)) + inner(y).sum()"),
    *("with torch.no_grad(): print(end=''); t = t + 1", "t = t + sum(t.tolist())", "t = t + max(zeros(a).tolist())"),
)
DECLARED = (
    ("1 <= n <= 9", "1 <= m <= 4"),
    ("n % 2 == 0", "2 <= n <= 12", "m == 3"),
    ("n in {2, 3, 8}", "m in {2, 5}"),
    ("n == 2*m", "1 <= m <= 6"),
    ("m <= n", "2 <= m", "n <= 6"),
    ("0 <= n <= 6", "0 <= m <= 2"),
    ("n % 4 == 0", "4 <= n <= 24", "2 <= m <= 3"),
    ("n == m", "1 <= m <= 7"),
)
MOST = 12
"""Assignments of a domain that are run."""


@dataclass(frozen=True)
class Case:
    """A program, its declaration, the calls that are explained, and assignments to try after them."""

    source: str
    constraints: tuple[str, ...]
    calls: tuple[dict[str, int], ...]
    domain: tuple[dict[str, int], ...]
    is_broken: bool
    rank: int
    is_view: bool

    def program(self) -> Any:
        """The function, in a world of its own."""
        space: dict[str, Any] = {"__name__": "programs"}
        exec(compile(HEAD + self.source, "<case>", "exec"), space)
        return space["program"]

    def arguments(self, values: dict[str, int], named: bool = True) -> tuple[Any, ...]:
        """Tensors over n and m, and m as a number."""
        n, m = values["n"], values["m"]
        sizes = (n,) if self.rank == 1 else (n, m)
        whole = torch.arange(float(math.prod(sizes)))
        x = whole.view(sizes) if self.is_view else whole.view(sizes).clone()
        y = torch.ones(m)
        if not named:
            return x, y, m
        return name_dims(x, dict(enumerate("nm"[: self.rank]))), name_dims(y, {0: "m"}), DynamicInt(m, name="m")

    def raises(self, values: dict[str, int]) -> bool:
        """Whether eager refuses the call."""
        try:
            self.program()(*self.arguments(values, named=False))
        except (RuntimeError, IndexError, TypeError, ValueError, ZeroDivisionError):
            return True
        finally:
            torch.set_grad_enabled(True)
        return False


def case_of(seed: int) -> Case | None:
    """None for a program that raises on all of its domain."""
    choose = random.Random(seed)
    is_broken, is_view, rank = seed % 2 == 1, seed % 5 == 1, choose.choice([1, 1, 1, 2])
    lines = choose.choices(WHOLE, k=choose.randint(2, 6))
    for more, most in ((BREAKS, 3 if is_broken else 0), (STATE, 1 if choose.random() < 0.2 else 0)):
        for _ in range(choose.randint(min(most, 1), most)):
            lines.insert(choose.randint(0, len(lines)), choose.choice(more))
    start = ["t = x" if rank == 1 else "t = x.flatten()", "a, b, s, f, v, z, g = k, True, '', torch.sin, (), y, abs"]
    source = "\n    ".join(["def program(x, y, k):", *start, *lines, "return t.sum() * k + len(s)"])
    constraints = choose.choice(DECLARED)
    holds = ConstraintSystem(constraints).compile()
    domain = [{"n": n, "m": m} for n, m in itertools.product(range(25), range(8)) if holds({"n": n, "m": m})]
    domain = choose.sample(domain, min(len(domain), MOST))
    case = Case(source, constraints, (), tuple(domain), is_broken, rank, is_view)
    fine = [values for values in domain if not case.raises(values)]
    if not fine:
        return None
    calls = choose.sample(fine, min(len(fine), choose.choice([1, 1, 1, 2])))
    return replace(case, calls=tuple(calls), domain=tuple(fine))
