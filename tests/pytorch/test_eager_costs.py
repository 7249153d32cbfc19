"""A declared int costs no more in eager programs than upstream's, which knows nothing of names."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))

from eager import ARITHMETIC, AS_INT, NAMING, TORCH, nanoseconds


@pytest.mark.parametrize(
    ("statements", "most"), [(ARITHMETIC, 1.0), (AS_INT, 1.2), (TORCH, 1.2)], ids=["arithmetic", "as an int", "torch"]
)
def test_a_declared_int_costs_no_more_than_upstreams(statements: tuple[str, ...], most: float) -> None:
    """The best of many short runs in turns; a statement that a busy machine spoilt is timed again."""
    for statement in statements:
        timed(statement, lambda times: times["declared"] <= most * times["upstream"])


def test_naming_a_tensor_costs_no_more_than_making_it_again() -> None:
    """Where torch takes upstream's int for a plain one, and a name is to be worked out."""
    for statement in NAMING[:3]:
        timed(statement, lambda times: times["declared"] <= 2.0 * times["upstream"])


@pytest.mark.parametrize(
    ("statements", "most"),
    [
        (("torch.ones(v)", "torch.ones(v, 3)", "torch.full((v,), 1.0)", "torch.arange(v)"), 1.5),
        (("x.view(v, -1)", "x.expand(v, -1, -1)", "x.new_zeros(v)"), 1.8),
    ],
    ids=["functions", "methods"],
)
def test_constructors_that_name_cost_other_calls_a_look_at_their_arguments(
    statements: tuple[str, ...], most: float
) -> None:
    """Half of what torch takes for a few elements, which is some hundred nanoseconds; of a view, rather more."""
    for statement in statements:
        timed(statement, lambda times: times["beside"] <= most * times["int"])


def timed(statement: str, good: Callable[[dict[str, float]], bool]) -> None:
    for _ in range(25):  # a busy machine has quiet moments
        times = nanoseconds(statement, number=300)
        if good(times):
            return
    pytest.fail(f"{statement}: {times}")
