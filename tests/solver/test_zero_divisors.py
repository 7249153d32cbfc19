"""A contradiction that comes from a division by 0 names the divisor; no other does."""

import pytest

from dynconstraints import ConstraintSystem, InconsistentConstraintsError


def said(*constraints):
    """What is marked as a divisor that can only be 0."""
    error = ConstraintSystem(constraints).inconsistency()
    assert isinstance(error, InconsistentConstraintsError)
    labels = [label for label in error.diagnostic.labels if label.text]
    assert bool(labels) == bool(error.diagnostic.notes)
    return [label.source.text[label.span.start : label.span.stop] for label in labels]


@pytest.mark.parametrize(
    ("constraints", "divisor"),
    [
        (["s0 % 0 == 0"], "0"),
        (["s0 // (b - b) > 1"], "(b - b)"),
        (["s0 % a == 0", "a == 0"], "a"),
        (["s0 // a > 0", "0 <= a < 1", "s0 > 5"], "a"),
        (["divides(a, 3) and a == 0"], "a"),
        (["align_up(s0, 0*b) == 3"], "0*b"),
        (["ceildiv(s0, a) == 3", "a >= 0", "a <= 0"], "a"),
        (["s0 % 8 % 0 == 1"], "0"),
    ],
)
def test_a_divisor_that_can_only_be_0_is_named(constraints, divisor):
    """By itself, or because of the other constraints."""
    assert said(*constraints) == [divisor]


@pytest.mark.parametrize(
    "constraints",
    [["s0 > 3", "s0 < 2"], ["s0 % 4 == 5"], ["s0 % a == 0", "a < 0", "a > 3"], ["s0 // a == 3", "a == 2", "s0 < 5"]],
)
def test_other_contradictions_name_none(constraints):
    """Though they may divide; where the others contradict themselves, anything would be 0."""
    assert said(*constraints) == []
