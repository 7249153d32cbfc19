"""Calls that name other sizes than the calls before, by chance, over graph breaks: all are as eager, none is refused.

The names of each call are consistent in that call; which graphs serve it makes no difference.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch._dynamo as dynamo
from compiled import Compiled

from dynconstraints import DynamicInt, dynamic_int_constraints, name_dims

SEEDS = range(400 if os.environ.get("HYPOTHESIS_PROFILE") == "nightly" else 14)
NAMES = ("n", "n", "m", "w", None)


def inner(x: torch.Tensor) -> torch.Tensor:
    x = x * 2
    dynamo.graph_break()
    return x[1:] + 1


class Module(torch.nn.Module):
    def forward(self, x: torch.Tensor, y: torch.Tensor, *, k: int) -> torch.Tensor:
        x = x * 2 if k % 2 else x[1:]
        dynamo.graph_break()
        z = y + 1
        dynamo.graph_break()
        return x.sum() + z.sum() * k


def sliced(x: torch.Tensor, y: torch.Tensor, k: int) -> torch.Tensor:
    a = x.shape[0] + k
    x, y = x + 1, y[: y.shape[0] // 2 + 1]
    dynamo.graph_break()
    x = x * a
    dynamo.graph_break()
    return x.sum() + y.sum() + a * k


def one_of_two(*given: torch.Tensor, **more: int) -> torch.Tensor:
    x, y = given
    t = torch.cat([x, y]) if more["k"] > 3 else x * 2
    dynamo.graph_break()
    t, y = t * 2, y + 1
    print(end="")
    return t.sum() * y.sum() + more["k"]


def nested(x: torch.Tensor, y: torch.Tensor, k: int) -> torch.Tensor:
    z = inner(x).sum()
    w = inner(y) if k % 2 else inner(x)
    dynamo.graph_break()
    return w.sum() + z + y.shape[0]


def held(x: torch.Tensor, y: torch.Tensor, k: int) -> torch.Tensor:
    v = {"a": x * 2, "b": [y + 1, x.shape[0]]}
    dynamo.graph_break()
    u = v["b"][0] * v["b"][1]
    dynamo.graph_break()
    return (lambda q: q + k)(v["a"]).sum() + u.sum()


def looped(x: torch.Tensor, y: torch.Tensor, k: int) -> torch.Tensor:
    for _ in range(2):
        x = x[: x.shape[0] - 1] * 2
        y = torch.cat([y, x])
        dynamo.graph_break()
    return x.sum() + y.sum() * k


PROGRAMS: tuple[Callable[..., Any], ...] = (Module(), sliced, one_of_two, nested, held, looped)


def drawn(rng: random.Random) -> list[tuple[int, str | None]]:
    """Two sizes and a number, with names or without; a name has one value in a call."""
    values = {name: rng.randint(4, 9) for name in "nmw"}
    names = [rng.choice(NAMES) for _ in range(3)]
    return [(rng.randint(4, 9) if name is None else values[name], name) for name in names]


@pytest.mark.parametrize("seed", SEEDS)
def test_calls_are_eagers_whatever_the_calls_before_named(seed: int) -> None:
    """Five calls of one compiled program."""
    rng = random.Random(seed)
    program, backend = rng.choice(PROGRAMS), rng.choice(["eager", "aot_eager"])
    compiled = Compiled(program, fullgraph=False, backend=backend)
    with (
        dynamo.config.patch(recompile_limit=64),
        dynamic_int_constraints(["n >= 2", "m >= 2", "w >= 2", "n <= 99"]),
    ):
        for _ in range(5):
            *sizes, (k, name) = drawn(rng)
            plain = [torch.arange(float(size)) for size, _ in sizes]
            named = [x if n is None else name_dims(x.clone(), {0: n}) for x, (_, n) in zip(plain, sizes, strict=True)]
            found = compiled(*named, k=k if name is None else DynamicInt(k, name=name))
            assert torch.equal(found, program(*plain, k=k))
