"""Minima and maxima that a guard leaves one value: numbers in later sizes, and guards as they were."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from itertools import permutations, product

import pytest
import sympy
import torch
import torch.nn.functional as F
from compiled import Compiled, explain

from dynconstraints import dynamic_int_constraints, name_dims
from dynconstraints.pytorch.install.observe import observe
from dynconstraints.pytorch.oracle import decide, min_max

WHOLE_WINDOWS = ["h % 7 == 0", "w % 7 == 0", "h >= 7", "w >= 7"]


def windows(x: torch.Tensor) -> torch.Tensor:
    """Swin's own way: windows of 7, or of the image where that is smaller, padded to whole windows, and back."""
    b, h, w, c = x.shape
    k = min(h, w) if min(h, w) <= 7 else 7
    y = F.pad(x, (0, 0, 0, (k - w % k) % k, 0, (k - h % k) % k))
    hp, wp = y.shape[1:3]
    y = y.view(b, hp // k, k, wp // k, k, c).permute(0, 1, 3, 2, 4, 5).reshape(-1, k * k, c).softmax(1)
    y = y.view(b, hp // k, wp // k, k, k, c).permute(0, 1, 3, 2, 4, 5).reshape(b, hp, wp, c)
    return y[:, :h, :w].contiguous() + x


def largest_guard(compiled: Compiled) -> int:
    return max(len(guard) for guards in compiled.guards for guard in guards)


@pytest.mark.parametrize("backend", ["eager", "aot_eager", pytest.param("inductor", marks=pytest.mark.inductor)])
def test_an_image_as_large_as_one_window_takes_no_longer_than_another(backend: str) -> None:
    """Each size that depends on min(h, w) was a longer expression than the last, and torch took a minute over them."""
    compiled = Compiled(windows, backend=backend)
    for height, width in [(7, 14), (7, 7), (14, 21), (14, 7), (7, 21), (21, 14)]:
        x = torch.randn(2, height, width, 4)
        with dynamic_int_constraints(WHOLE_WINDOWS):
            torch.testing.assert_close(compiled(name_dims(x, {1: "h", 2: "w"})), windows(x))
    assert compiled.graphs <= 4
    assert largest_guard(compiled) < 120


def padded(x: torch.Tensor) -> torch.Tensor:
    h, w = x.shape
    k = min(h, w) if min(h, w) <= 7 else 7
    y = F.pad(x, (0, (k - w % k) % k, 0, (k - h % k) % k))
    return y.view(y.shape[0] // k, k, -1, k).sum((1, 3))


@pytest.mark.parametrize("settled", [True, False])
def test_without_the_number_the_sizes_grow(settled: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the test above can fail."""
    compiled = Compiled(padded)
    if not settled:
        monkeypatch.setattr(min_max, "_settle", lambda *_: None)
    with dynamic_int_constraints(WHOLE_WINDOWS):
        compiled(name_dims(torch.ones(7, 14), {0: "h", 1: "w"}))
    assert (largest_guard(compiled) < 120) == settled


def serves_all(program: Callable[[torch.Tensor], torch.Tensor], sizes: list[tuple[int, int]], *more: str) -> bool:
    compiled = Compiled(program)
    right = []
    for size in sizes:
        x = torch.randn(size)
        with dynamic_int_constraints(["h >= 2", "w >= 2", *more]):
            right.append(torch.equal(compiled(name_dims(x, {0: "h", 1: "w"})), program(x)))
    return all(right)


PROGRAMS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "least at its bound": lambda x: x * min(x.shape) if min(x.shape) <= 2 else x + min(x.shape),
    "greatest at its bound": lambda x: x * max(x.shape) if max(x.shape) >= 4 else x + max(x.shape),
    "above its bound": lambda x: x * min(x.shape) if min(x.shape) > 2 else x + min(x.shape),
    "equal": lambda x: x * min(x.shape) if min(x.shape) == 3 else x + min(x.shape),
    "both equal": lambda x: x * min(x.shape) if max(x.shape) <= min(x.shape) else x + max(x.shape),
    "asked twice": lambda x: x * (min(x.shape) if min(x.shape) <= 3 else 0) + (min(x.shape) if min(x.shape) < 3 else 1),
    "against a number": lambda x: x[: min(x.shape[0], 3), : min(3, x.shape[1])] * min(2, *x.shape),
    "least of a sum": lambda x: x + 1 if min(x.shape[0] + 1, x.shape[1]) == 2 else x - min(x.shape[0] + 1, x.shape[1]),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_graphs_serve_what_their_guards_say(name: str) -> None:
    """Every size from 2 to 4, in orders that begin with each of them."""
    sizes = list(product((2, 3, 4), repeat=2))
    for first in range(len(sizes)):
        assert serves_all(PROGRAMS[name], sizes[first:] + sizes[:first], "h <= 4", "w <= 4")


@pytest.mark.parametrize("sizes", list(permutations([(2, 3), (3, 3), (3, 2)])), ids=str)
def test_the_guard_that_settles_a_minimum_stays(sizes: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not simplified by what it says itself; where it is, a graph for min(h, w) = 2 serves all."""
    program = PROGRAMS["least at its bound"]
    assert serves_all(program, list(sizes))
    if min(sizes[0]) == 2:
        monkeypatch.setattr(min_max, "kept", lambda _: nullcontext())
        assert not serves_all(program, list(sizes))


def test_the_report_tells_of_the_guard_that_settles_a_minimum() -> None:
    """It is no more proved from itself there than while guards are printed."""
    x = name_dims(torch.ones(2, 3), {0: "h", 1: "w"}, constraints=["h >= 2", "w >= 2"])
    report = explain(PROGRAMS["least at its bound"], x)
    assert report.covers_domain is False
    assert [r.condition for r in report.graphs[0].remaining] == ["min(h, w) <= 2"]
    assert report.counterexample is not None
    assert min(report.counterexample.values()) > 2


@pytest.mark.parametrize(("length", "answer"), [(10, sympy.true), (100, None)])
def test_long_questions_are_torchs(length: int, answer: sympy.Basic | None) -> None:
    """A proof about thousands of parts takes seconds, and an expression that torch made long is asked about often."""
    with observe() as frames, dynamic_int_constraints(["n >= 2"]):
        Compiled(lambda x: x + 1)(name_dims(torch.ones(6), {0: "n"}))
    facts = frames[0].facts
    assert facts is not None
    (parameter,) = facts.parameters.values()
    total = sympy.Add(*(sympy.Mod(parameter.symbol, modulus) for modulus in range(3, 3 + length)))
    assert decide.decide(facts.env, sympy.Ge(total, 0, evaluate=False)) == answer
