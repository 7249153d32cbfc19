"""The reduced product: every fact holds on every model that brute force finds in a box."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import strategies
from dynconstraints.facts.state import analyse
from dynconstraints.ir.evaluate import holds, truth_of, value_of
from dynconstraints.ir.nodes import Int, Mod, Name, Relation, comparison, total, product as times
from dynconstraints.syntax.parser import parse

NAMES = ("a", "b")
BOX = [dict(zip(NAMES, point, strict=True)) for point in product(range(-9, 10), repeat=2)]

small = st.integers(-6, 6)
affine = st.builds(
    lambda x, y, c: total((times((Int(x), Name("a"))), times((Int(y), Name("b"))), Int(c))), small, small, small
)
usual = st.one_of(
    st.builds(comparison, affine, st.sampled_from(Relation), st.builds(Int, small)),
    st.builds(lambda e, m, r: comparison(Mod(e, Int(m)), Relation.EQ, Int(r)), affine, small.filter(bool), small),
)
anything = strategies.formulas(NAMES, max_leaves=4, constants=6)
systems = st.lists(st.one_of(usual, usual, anything), max_size=4)


def formulas(*texts):
    return [parse(text).formula for text in texts]


def term(text):
    return parse(f"({text}) == 0").formula.operands[0]


@settings(max_examples=400)
@given(systems, st.one_of(usual, anything))
def test_verdicts_hold_on_every_model(constraints, query):
    """Implied means true, and refuted not true, under every assignment of the box that satisfies the constraints."""
    state = analyse(constraints)
    models = [point for point in BOX if all(holds(c, point) for c in constraints)]
    if state.is_empty:
        assert not models
        return
    verdict = state.truth(query)
    truths = {truth_of(query, model) for model in models}
    if verdict is True:
        assert truths <= {True}
    if verdict is False:
        assert True not in truths


@settings(max_examples=400)
@given(systems, strategies.terms(NAMES, max_leaves=4, constants=6))
def test_ranges_and_congruences_hold_on_every_model(constraints, expression):
    """Each model's value is inside, wherever the term is defined."""
    state = analyse(constraints)
    low, high = state.range_of(expression)
    modulus, remainder = state.congruence_of(expression)
    for point in BOX:
        if all(holds(c, point) for c in constraints):
            assert not state.is_empty
            value = value_of(expression, point)
            if value is not None:
                assert low is None or low <= value
                assert high is None or value <= high
                assert (value - remainder) % modulus == 0 if modulus else value == remainder
