"""A declared int costs no more in eager programs than upstream's, which knows nothing of names."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))

from eager import ARITHMETIC, AS_INT, TORCH, nanoseconds


@pytest.mark.parametrize(
    ("statements", "most"), [(ARITHMETIC, 1.0), (AS_INT, 1.2), (TORCH, 1.2)], ids=["arithmetic", "as an int", "torch"]
)
def test_a_declared_int_costs_no_more_than_upstreams(statements: tuple[str, ...], most: float) -> None:
    """The best of many short runs in turns; a statement that a busy machine spoilt is timed again."""
    for statement in statements:
        timed(statement, lambda times: times["declared"] <= most * times["upstream"])


@pytest.mark.parametrize(
    ("statement", "most"),
    [
        # torch takes upstream's int for a plain one here, and a look at the arguments alone is a fifth of the call.
        ("torch.full((v,), 1.0)", 1.6),
        ("torch.arange(v)", 2.0),
        ("x.new_zeros(v)", 1.3),
        ("x.view(v, -1)", 1.35),
        ("x.expand(v, -1, -1)", 1.35),
    ],
)
def test_naming_a_tensor_costs_less_than_making_it_again(statement: str, most: float) -> None:
    """Where a name is to be worked out."""
    timed(statement, lambda times: times["declared"] <= most * times["upstream"])


@pytest.mark.parametrize(
    ("statements", "most"),
    [
        (("torch.ones(v)", "torch.ones(v, 3)", "torch.arange(v)"), 1.4),
        (("torch.full((v,), 1.0)",), 1.5),
        (("x.view(v, -1)", "x.expand(v, -1, -1)", "x.new_zeros(v)"), 1.65),
    ],
    ids=["functions", "of a tuple", "methods"],
)
def test_constructors_that_name_cost_other_calls_a_look_at_their_arguments(
    statements: tuple[str, ...], most: float
) -> None:
    """Some hundred nanoseconds, beside what torch takes for a few elements; beside a view, half of it."""
    for statement in statements:
        timed(statement, lambda times: times["beside"] <= most * times["int"])


def timed(statement: str, good: Callable[[dict[str, float]], bool]) -> None:
    for _ in range(25):  # a busy machine has quiet moments
        times = nanoseconds(statement, number=300)
        if good(times):
            return
    pytest.fail(f"{statement}: {times}")
