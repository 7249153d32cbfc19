"""The reduced product: every fact holds on every model that brute force finds in a box."""

import pytest
import strategies
from hypothesis import given
from hypothesis import strategies as st

from dynconstraints.facts.product.analysis import analyse
from dynconstraints.ir import evaluate_columns
from dynconstraints.ir.evaluate import holds
from dynconstraints.ir.nodes import Int, Mod, Name, Relation, comparison, total
from dynconstraints.ir.nodes import product as times
from dynconstraints.syntax.parser import parse

NAMES = ("a", "b")
BOX, SIZE = evaluate_columns.box({name: range(-9, 10) for name in NAMES})

small = st.integers(-6, 6)
affine = st.builds(
    lambda x, y, c: total((times((Int(x), Name("a"))), times((Int(y), Name("b"))), Int(c))), small, small, small
)
usual = st.one_of(
    st.builds(comparison, affine, st.sampled_from(Relation), st.builds(Int, small)),
    st.builds(lambda e, m, r: comparison(Mod(e, Int(m)), Relation.EQ, Int(r)), affine, small.filter(bool), small),
)
anything = strategies.formulas(NAMES, max_leaves=4, constants=6)
simple = strategies.formulas(NAMES, max_leaves=2, constants=6, conditionals=False)
systems = st.lists(st.one_of(usual, usual, anything), max_size=4)


def formulas(*texts):
    return [parse(text).formula for text in texts]


def term(text):
    return parse(f"({text}) == 0").formula.operands[0]


def models(constraints):
    """Columns of the box's points that satisfy the constraints; columns agree with the evaluator by their own test."""
    kept = [all(row) for row in zip(*(evaluate_columns.truths(c, BOX, SIZE) for c in constraints), strict=True)] or [
        True
    ] * SIZE
    return {n: [v for v, k in zip(BOX[n], kept, strict=True) if k] for n in NAMES}, sum(kept)


@given(systems, st.one_of(usual, anything))
def test_verdicts_hold_on_every_model(constraints, query):
    """Implied means true, and refuted not true, under every assignment of the box that satisfies the constraints."""
    state = analyse(constraints)
    table, size = models(constraints)
    if state.is_empty:
        assert not size
        return
    truths = set(evaluate_columns.truths(query, table, size))
    match state.truth(query):
        case True:
            assert truths <= {True}
        case False:
            assert True not in truths


@given(systems, strategies.terms(NAMES, max_leaves=4, constants=6))
def test_ranges_and_congruences_hold_on_every_model(constraints, expression):
    """Each model's value is inside, wherever the term is defined."""
    state = analyse(constraints)
    table, size = models(constraints)
    assert not (state.is_empty and size)
    low, high = state.range_of(expression)
    modulus, remainder = state.congruence_of(expression)
    few = state.values_of(expression)
    for value in {v for v in evaluate_columns.values(expression, table, size) if v is not None}:
        assert low is None or low <= value
        assert high is None or value <= high
        assert (value - remainder) % modulus == 0 if modulus else value == remainder
        assert few is None or value in few


@given(systems)
def test_candidates_satisfy_the_constraints(constraints):
    """By the evaluator, each of them."""
    for model in analyse(constraints).candidates:
        assert all(holds(c, model) for c in constraints)


@given(st.lists(st.one_of(usual, simple), max_size=4), st.one_of(usual, simple), st.randoms(use_true_random=False))
def test_no_order_of_the_constraints_gives_a_contrary_verdict(constraints, query, random):
    """Orders may see more or less, but never the opposite."""
    one = analyse(constraints)
    shuffled = list(constraints)
    random.shuffle(shuffled)
    other = analyse(shuffled)
    if not one.is_empty and not other.is_empty and models(constraints)[1]:
        assert {one.truth(query), other.truth(query)} != {True, False}


@pytest.mark.parametrize(
    ("constraints", "expression", "expected"),
    [
        (["0 <= a <= 31", "a % 4 == 0"], "a", (0, 28)),
        (["a <= 3", "a % 7 == 5"], "a", (None, -2)),
        (["s0 % 32 == 0", "1 <= s0 <= 1024", "s1 == 2*s0"], "s1 + 1", (65, 2049)),
        (["10 <= x < 25"], "x // 5", (2, 4)),
        (["a in {1, 64, 128}"], "a", (1, 128)),
        (["a == 1 or 8 <= a <= 64"], "a", (1, 64)),
        (["max(a, 2) <= 9", "abs(a) >= 0"], "a", (None, 9)),
        (["a*b == 64", "a >= 1", "b >= 1"], "a", (1, 64)),
        (["a*a <= 100"], "a", (-10, 10)),
        ([f"0 <= a <= {2**70}", "a % 3 == 1"], "a", (1, 2**70)),
        (["a > 5 => b > 10", "a == 6"], "b", (11, None)),
        (["-5 <= x <= 1000", "0 <= b <= 1000", "0 <= y <= 1"], "max(x, 0)*b + y", (0, 1000001)),
        (["-5 <= x <= 1000", "0 <= b <= 1000", "0 <= y <= 1"], "(b if x > 0 else 0) + y", (0, 1001)),
    ],
)
def test_ranges_are_tightened_together(constraints, expression, expected):
    """Ranges, residues, relations, sets and disjunctions close each other."""
    assert analyse(formulas(*constraints)).range_of(term(expression)) == expected


@pytest.mark.parametrize(
    "constraints",
    [
        ["a <= 3", "a >= 0", "a % 7 == 5"],
        ["a < b", "b < c", "c < a"],
        ["a > 10", "a < 5"],
        ["a % 4 == 1", "a % 2 == 0"],
        ["a in {1, 2}", "a > 2"],
        ["a // 0 == 1"],
        ["false"],
    ],
)
def test_contradictions_are_seen(constraints):
    """Without a solver."""
    assert analyse(formulas(*constraints)).is_empty


@pytest.mark.parametrize(
    ("constraints", "query", "verdict"),
    [
        (["a % b == 0", "b > 0", "c % b == 0"], "(a + c) % b == 0", True),
        ([], "x // y * y + x % y == x", None),
        (["y != 0"], "x // y * y + x % y == x", True),
        ([], "x == x or 1 // x == 2", True),
        (["s0 % 32 == 0"], "s0 % 16 == 0", True),
        (["s0 % 32 == 0"], "s0 != 33", True),
        (["s0 % 32 == 0"], "s0 % 64 == 0", None),
    ],
)
def test_verdicts_of_the_domains(constraints, query, verdict):
    """True only where the query is defined too; None where it is open."""
    assert analyse(formulas(*constraints)).truth(parse(query).formula) is verdict
