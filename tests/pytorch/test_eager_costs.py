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


def timed(statement: str, good: Callable[[dict[str, float]], bool]) -> None:
    for _ in range(25):  # a busy machine has quiet moments
        times = nanoseconds(statement, number=300)
        if good(times):
            return
    pytest.fail(f"{statement}: {times}")
