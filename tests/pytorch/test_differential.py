"""Programs by chance, compiled under what is declared of their sizes: equal to eager wherever the declaration holds."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import pytest
import torch
import torch._dynamo as dynamo
from hypothesis import HealthCheck, event, given, settings
from random_programs import LARGEST, Program, programs

from dynconstraints import ConstraintError, dynamic_int_constraints
from dynconstraints.pytorch.frame.frame_facts import FrameFacts

NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
SAMPLES, WRONG, LINES = (6, 2, 6) if NIGHTLY else (4, 1, 4)


@dataclass(frozen=True)
class Outcome:
    """What a call gave: its results and the gradients of its arguments, or what it raised."""

    results: tuple[Any, ...]
    error: Exception | None = None

    @classmethod
    def of(cls, function: Callable[..., Any], arguments: list[Any]) -> Outcome:
        leaves = [a for a in arguments if isinstance(a, torch.Tensor)]
        try:
            tensor, number = function(*arguments)
            weights = torch.arange(1.0, tensor.numel() + 1, dtype=tensor.dtype).view(tensor.shape)
            return cls((tensor, int(number), *torch.autograd.grad((tensor * weights).sum(), leaves, allow_unused=True)))
        except Exception as error:
            return cls((), error)


def check(program: Program, backend: str = "aot_eager") -> None:
    """Compiled as declared and eager agree on samples; what breaks the declaration raises, or is right undeclared."""
    dynamo.reset()
    eager, compiled = program.function, torch.compile(program.function, backend=backend, fullgraph=True)
    good = program.system.sample(SAMPLES)
    for seed, values in enumerate(good):
        with scope(program):
            found = Outcome.of(compiled, program.declared(values, seed))
        compare(program, values, found, Outcome.of(eager, program.plain(values, seed)), backend)
    bad = list(violating(program, good))
    for values in bad:
        with pytest.raises(ConstraintError), scope(program):
            compiled(*program.declared(values))
    for seed, values in enumerate([good[-1], *bad[:WRONG]]):
        arguments = program.plain(values, seed), program.plain(values, seed)
        compare(program, values, Outcome.of(compiled, arguments[0]), Outcome.of(eager, arguments[1]), backend)


def scope(program: Program) -> AbstractContextManager[Any]:
    return dynamic_int_constraints(program.constraints) if program.in_scope else nullcontext()


def violating(program: Program, good: list[dict[str, int]], most: int = 3) -> Iterator[dict[str, int]]:
    """Assignments next to good ones that break the declaration, by the evaluator."""
    seen = []
    for values in good:
        for name, step in ((n, s) for n in values for s in (1, -1, 2, LARGEST)):
            other = {**values, name: values[name] + step}
            sizes = [size for tensor in program.sizes(other) for size in tensor]
            if other not in seen and not program.system.holds(other) and min(*other.values(), *sizes) >= 0:
                seen.append(other)
                yield other
                break
        if len(seen) == most:
            return


def compare(program: Program, values: dict[str, int], found: Outcome, expected: Outcome, backend: str) -> None:
    if found.error is not None and expected.error is None:
        if torchs_own_failure(program, values, backend):
            event("torch itself does not compile it")
            return
        raise AssertionError(f"{values}: compiled raises") from found.error
    assert (found.error is None) == (expected.error is None), f"{values}: only eager raises {expected.error!r}"
    torch.testing.assert_close(
        found.results, expected.results, equal_nan=True, rtol=1e-9, atol=1e-9, msg=lambda m: f"{values}: {m}"
    )


def torchs_own_failure(program: Program, values: dict[str, int], backend: str) -> bool:
    """Whether the program raises with dynamic sizes of which nothing is declared, too."""
    compiled = torch.compile(program.function, backend=backend, fullgraph=True, dynamic=True)
    return Outcome.of(compiled, program.plain(values)).error is not None


@settings(
    max_examples=int(os.environ.get("DYNCONSTRAINTS_PROGRAMS", "2000" if NIGHTLY else "20")),
    suppress_health_check=list(HealthCheck),
)
@given(programs(LINES))
def test_compiled_programs_equal_eager_ones(program: Program) -> None:
    """Forward and backward, on samples of the declared domain and next to it."""
    check(program, os.environ.get("DYNCONSTRAINTS_BACKEND", "aot_eager"))


BRANCH_IN_A_GAP = Program(
    ("1 <= a <= 12", "a in {4, 6, 9}"), ("a",), (("a",),), ("x = t0 * 2 if i0 == 5 or i0 == 7 else t0", "return x, i0")
)


def test_the_comparison_notices_a_guard_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The branch is settled by a set that folds into no parameter; unguarded, 5 runs the graph of 4, 6 and 9."""
    check(BRANCH_IN_A_GAP, "eager")
    monkeypatch.setattr(FrameFacts, "residual", lambda facts: [])
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        check(BRANCH_IN_A_GAP, "eager")
