"""Ends of ranges: None is tight where the term has no lowest or highest value, and never where it has one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle import Meaning
from strategies import formulas, terms

from dynconstraints import ConstraintSystem
from dynconstraints.facts.product.analysis import analyse
from dynconstraints.ir.nodes import Int, Relation, comparison, negated
from dynconstraints.solver.search.unbounded_curves import UnboundedCurves

NAMES = ("a", "b")


@pytest.mark.parametrize(
    ("given_", "term", "low", "high"),
    [
        (["n >= 2"], "n // 4", 0, None),
        (["p >= 4", "p <= 10"], "min(v, p)", None, 10),
        (["n >= 0"], "(-n // 2 + 10) // 2", None, 5),
        (["n >= 1", "n <= 10", "0 <= b <= 10", "s <= 10"], "(n*b*20 + s) // (5*n)", None, 42),
        (["n >= 0"], "(n - 50) // 5 % 2 + (n - 50) // 20 * 4", -12, None),
        (["is_power_of_two(n)", "n > 4"], "n // 4", 2, None),
        (["is_power_of_two(n)"], "(n - 1) // 3", 0, None),
        (["is_power_of_two(n)", "is_power_of_two(m)", "m <= 64"], "n*m", 1, None),
        (["z == x*y", "x >= 1", "y >= 1"], "z", 1, None),
        (["x > y*y"], "x - y", 1, None),
        (["0 <= i < n", "0 <= d < 4"], "(d + 1)*n + i", 1, None),
        ([], "a // b", None, None),
        (["b > 0"], "a % b", 0, None),
        (["i >= 1", "1 <= n <= 12"], "i // n", 0, None),
        (["v <= 17"], "(-v if v < 5 else v)*2 if v < 5 else (-v if v < 5 else v) + 1", -8, None),
        (["a >= 0", "b >= 0", "a in range(0, 1000, 7)"], "a + b // 3", 0, None),
    ],
)
def test_both_ends_are_tight(given_: list[str], term: str, low: int | None, high: int | None) -> None:
    """Where there is an end it is attained, as the oracle confirms; where there is none, that is proved."""
    found = ConstraintSystem(given_).range(term)
    assert (found.lower, found.upper) == (low, high)
    assert found.lower_is_tight
    assert found.upper_is_tight
    for end in {low, high} - {None}:
        verdict = ConstraintSystem(given_).implies(f"({term}) != {end}")
        witness = verdict.fails_at
        assert Meaning(term)(witness) == end
        assert all(Meaning(text)(witness) is True for text in given_)


@given(
    given_=st.lists(formulas(NAMES, max_leaves=4, constants=9), max_size=2),
    term=terms(NAMES, max_leaves=5, constants=9),
    bound=st.integers(-30, 30),
)
def test_what_is_bounded_is_never_said_to_grow(given_, term, bound) -> None:
    """A term that the constraints keep at a bound is not found to pass it, whatever else they say."""
    for relation, end in ((Relation.GE, 0), (Relation.LE, 1)):
        every = (*given_, comparison(term, relation, Int(bound)))
        state = analyse(every)
        assert not UnboundedCurves(state, NAMES, every, state.candidates).grow(term if end else negated(term))


@pytest.mark.parametrize(
    ("given_", "term", "low", "high"),
    [
        ([f"x{i} + 2 <= x{i + 1}" for i in range(99)] + ["x0 >= 0"], "x40", 80, None),
        ([f"x{i} + 2 <= x{i + 1}" for i in range(99)] + ["x0 >= 0", "x99 <= 500"], "x40", 80, 382),
        ([f"c{i + 1} == c{i} + 32" for i in range(90)] + ["c0 % 64 == 0", "c0 >= 64"], "c7 + c0", 352, None),
    ],
)
def test_ends_of_large_connected_sets_are_tight(
    given_: list[str], term: str, low: int | None, high: int | None
) -> None:
    """Chains of a hundred names: models at hand attain the ends, curves prove that there is none."""
    found = ConstraintSystem(given_).range(term)
    assert (found.lower, found.upper, found.lower_is_tight, found.upper_is_tight) == (low, high, True, True)
