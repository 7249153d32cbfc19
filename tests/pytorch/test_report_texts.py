"""The report of `explain` as a stranger reads it: whole texts of programs of several kinds."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import torch._dynamo as dynamo
from compiled import explain, explain_calls

from dynconstraints import DynamicInt, bind, name_dims
from dynconstraints.pytorch.reports.report import Report

X = torch.ones(3)


def declared(value: int, constraint: str = "n > 0") -> DynamicInt:
    return DynamicInt(value, name="n", constraints=constraint)


class Rows(torch.nn.Module):
    """Sums of rows of seven."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.view(x.shape[0], -1, 7).sum(-1) if x.shape[1] > 70 else x.sum(1, keepdim=True)


class Model(torch.nn.Module):
    """A module in a module."""

    def __init__(self) -> None:
        super().__init__()
        self.rows = Rows()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.rows(x)[:, :1]


def branching(n: int, x: torch.Tensor) -> torch.Tensor:
    if n > 100:
        return x * 2
    return x * n if n % 2 == 0 else x - n


def breaking(count: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    n = bind("n", count.item(), constraints="n % 4 == 0")
    return x * n if n % 2 == 0 else x


def looping(n: int, x: torch.Tensor) -> torch.Tensor:
    for _ in range(n):
        x = x + 1
    return x


def resuming(n: int, x: torch.Tensor) -> torch.Tensor:
    y = x + n
    dynamo.graph_break()
    return y + 1 if n > 8 else y


@torch.compiler.disable
def opaque(n: int) -> int:
    return int(n)


def forgetting(n: int, x: torch.Tensor) -> torch.Tensor:
    y = x * opaque(n)
    dynamo.graph_break()
    return y * 2


def losing(n: int, x: torch.Tensor) -> torch.Tensor:
    y = x * n
    return y + opaque(n) + n


def generating(n: int, x: torch.Tensor) -> Iterator[torch.Tensor]:
    yield x * n


async def waiting(n: int, x: torch.Tensor) -> torch.Tensor:
    return x * n


def image() -> torch.Tensor:
    constraints = ["width % 7 == 0", "width > 0", "batch > 0"]
    return name_dims(torch.ones(4, 84), {0: "batch", 1: "width"}, constraints=constraints)


TEXTS: list[tuple[str, Callable[[], Report], str]] = [
    (
        "a module in a module",
        lambda: explain(Model(), image()),
        """\
Model: 1 graph under eager
graph 1, forward at FILE, compiled for batch = 4, width = 84
  batch is x.size(0)
  width is x.size(1)
  declared: width % 7 == 0
    name_dims(x, {0: "batch", 1: "width"})  at FILE
  declared: width > 0
    name_dims(x, {0: "batch", 1: "width"})  at FILE
  declared: batch > 0
    name_dims(x, {0: "batch", 1: "width"})  at FILE
  lattice: batch = k_batch
  lattice: width = 7*k_width
  lattice: k_batch in 1..oo
  lattice: k_width in 1..oo
  beyond the declaration: width >= 77
    FILE in forward: LINE
    compiles anew for batch = 4, width = 70
    either declare width >= 77, or have another graph for width <= 70
not the whole domain: under eager batch = 4, width = 70 compiles anew""",
    ),
    (
        "several graphs",
        lambda: explain_calls(branching, [(declared(n, "0 < n <= 200"), X) for n in (64, 150)]),
        """\
branching: 2 graphs under eager
graph 1, branching at FILE, compiled for n = 64
  n is the number n
  declared: 0 < n <= 200
    DynamicInt(64, name="n")  at FILE
  lattice: n = k_n
  lattice: k_n in 1..200
  beyond the declaration: n <= 100
    FILE in branching: LINE
    compiles anew for n = 101
    either declare n <= 100, or have another graph for n >= 101
  beyond the declaration: n % 2 == 0
    FILE in branching: LINE
    compiles anew for n = 63
    either declare n % 2 == 0, or have another graph for n % 2 != 0
graph 2, branching at FILE, compiled for n = 150
  n is the number n
  declared: 0 < n <= 200
    DynamicInt(150, name="n")  at FILE
  lattice: n = k_n
  lattice: k_n in 1..200
  beyond the declaration: n >= 101
    FILE in branching: LINE
    compiles anew for n = 100
    either declare n >= 101, or have another graph for n <= 100
who serves what of branching at FILE
  graph 1: n <= 100 and n % 2 == 0
  graph 2: n >= 101
  none of them: n = 99
not the whole domain: under eager n = 99 compiles anew""",
    ),
    (
        "a value taken out of a tensor at a break",
        lambda: explain(breaking, torch.tensor(8), X),
        """\
breaking: 2 graphs under eager
graph 1, breaking at FILE
  graph break: item(...)
    FILE in breaking: LINE
graph 2, breaking from FILE on, compiled for n = 8
  n is bind("n", 8)  at FILE
  declared: n % 4 == 0
    bind("n", 8)  at FILE
  lattice: n = 4*k_n
  lattice: k_n in -oo..oo
proved: under eager the graphs serve every input that the declaration allows,
dtypes, contiguous layouts and undeclared sizes being as here""",
    ),
    (
        "a constant",
        lambda: explain(looping, declared(4, "1 <= n <= 8"), X),
        """\
looping: 1 graph under eager
graph 1, looping at FILE, compiled for n = 4
  n is the number n
  declared: 1 <= n <= 8
    DynamicInt(4, name="n")  at FILE
  lattice: n = k_n
  lattice: k_n in 1..8
  beyond the declaration: n == 4
    it forces n to one value
    FILE in looping: LINE
    compiles anew for n = 3
    either have a graph for each n, or declare n == 4
not the whole domain: under eager n = 3 compiles anew""",
    ),
    (
        "the rest after a break",
        lambda: explain(resuming, declared(4), X),
        """\
resuming: 2 graphs under eager
graph 1, resuming at FILE, compiled for n = 4
  n is the number n
  declared: n > 0
    DynamicInt(4, name="n")  at FILE
  lattice: n = k_n
  lattice: k_n in 1..oo
  graph break: graph_break(...)
    FILE in resuming: LINE
graph 2, resuming from FILE on, compiled for n = 4
  n is the number n
  declared: n > 0
    DynamicInt(4, name="n")  at FILE
  lattice: n = k_n
  lattice: k_n in 1..oo
  beyond the declaration: n <= 8
    FILE in resuming: LINE
    compiles anew for n = 9
    either have another graph for n >= 9, or declare n <= 8
not the whole domain: under eager n = 9 compiles anew""",
    ),
    (
        "a number that lost its name",
        lambda: explain(losing, declared(4), X),
        """\
losing: 2 graphs under eager
graph 1, losing at FILE, compiled for n = 4
  n is the number n
  declared: n > 0
    DynamicInt(4, name="n")  at FILE
  lattice: n = k_n
  lattice: k_n in 1..oo
  graph break: opaque(...)
    FILE in losing: LINE
graph 2, losing from FILE on, compiled for n = 4
  n is the number n
  declared: n > 0
    DynamicInt(4, name="n")  at FILE
  lattice: n = k_n
  lattice: k_n in 1..oo
  also on what is not declared: a value from before the graph break == 4
not known whether under eager these cover the declared domain: opaque(...) is left to eager,
    and may change what graphs are guarded by
    FILE in losing: LINE""",
    ),
    (
        "nothing that the rest looks at is declared",
        lambda: explain(forgetting, declared(4), X),
        """\
forgetting: 3 graphs under eager
graph 1, forgetting at FILE, compiled for n = 4
  n is the number n
  declared: n > 0
    DynamicInt(4, name="n")  at FILE
  lattice: n = k_n
  lattice: k_n in 1..oo
  graph break: opaque(...)
    FILE in forgetting: LINE
graph 2, forgetting from FILE on
  graph break: graph_break(...)
    FILE in forgetting: LINE
graph 3, forgetting from FILE on
not known whether under eager these cover the declared domain: opaque(...) is left to eager,
    and may change what graphs are guarded by
    FILE in forgetting: LINE""",
    ),
    (
        "a generator",
        lambda: explain(generating, declared(4), X),
        """\
generating: 0 graphs under eager
nothing was compiled: torch.compile leaves this to run in eager, as it does
    generators""",
    ),
    (
        "a coroutine",
        lambda: explain(waiting, declared(4), X),
        """\
waiting: 1 graph under eager
graph 1, waiting at FILE, compiled for n = 4
  n is the number n
  declared: n > 0
    DynamicInt(4, name="n")  at FILE
  lattice: n = k_n
  lattice: k_n in 1..oo
proved: under eager the graph serves every input that the declaration allows,
dtypes, contiguous layouts and undeclared sizes being as here""",
    ),
]


@pytest.mark.parametrize(("make", "expected"), [t[1:] for t in TEXTS], ids=[t[0] for t in TEXTS])
def test_a_report_reads_so(make: Callable[[], Report], expected: str) -> None:
    """Torch's own guards, times and the places of files aside."""
    assert plain(str(make())) == " ".join(expected.split())


def plain(text: str) -> str:
    text = re.sub(r"  guard:.*\n(      .*\n)*|  oracle: .*\n", "", text)
    text = re.sub(rf"\S*{Path(__file__).name}:\d+", "FILE", text)
    return " ".join(re.sub(r"(?m)(FILE in \w+:) .*$", r"\1 LINE", text).split())


def test_a_number_out_of_an_argument_is_a_part_of_the_domain() -> None:
    """Torch guards it as it does numbers of the call; a branch on it, or on what it is made into, is no proof."""

    def at_once(count: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        n = bind("n", count.item(), constraints="n % 4 == 0")
        return x * n if n % 2 == 0 and n <= 100 else x

    def made(count: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        n = bind("n", 2 * count.item(), constraints="n % 4 == 0")
        return x * n if n <= 100 else x

    with dynamo.config.patch(capture_scalar_outputs=True):
        report = explain(at_once, torch.tensor(8), X)
        assert [r.condition for r in report.graphs[0].remaining] == ["n <= 100"]
        assert report.covers_domain is False
        assert explain(made, torch.tensor(8), X).covers_domain is None


def test_no_call_is_told() -> None:
    """As suggest tells it."""
    with pytest.raises(ValueError, match="there is no call"):
        explain_calls(branching, [])


def test_what_a_call_raises_is_raised() -> None:
    """Before anything is reported."""

    def refused(n: int, x: torch.Tensor) -> Any:
        return x.view(-1, 2) * n

    with pytest.raises(RuntimeError, match=r"\[-1, 2\]"):
        explain(refused, declared(4), X)
