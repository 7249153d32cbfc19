"""Columns agree with the evaluator, assignment by assignment."""

import strategies
from hypothesis import given
from hypothesis import strategies as st

from dynconstraints.ir import evaluate_columns
from dynconstraints.ir.evaluate import truth_of, value_of

points = st.lists(strategies.assignments(bound=20), min_size=1, max_size=6)


def table(some):
    return {name: [p[name] for p in some] for name in strategies.NAMES}


@given(strategies.terms(), points)
def test_values_agree_with_the_evaluator(term, some):
    """Undefined values too."""
    assert list(evaluate_columns.values(term, table(some), len(some))) == [value_of(term, p) for p in some]


@given(strategies.formulas(), points)
def test_truths_agree_with_the_evaluator(formula, some):
    """Undefined truths too."""
    assert list(evaluate_columns.truths(formula, table(some), len(some))) == [truth_of(formula, p) for p in some]


def test_a_box_has_every_point_once():
    """The product of the ranges."""
    made, size = evaluate_columns.box({"a": range(2), "b": range(5, 8)})
    assert size == 6
    assert set(zip(made["a"], made["b"], strict=True)) == {(a, b) for a in range(2) for b in range(5, 8)}
