"""Powers of two within a case, beside all powers of a box."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynconstraints.solver.algebra.polynomial import Polynomial
from dynconstraints.solver.tableau.branch import Case, Contradiction, OutOfFuel, Sign
from dynconstraints.solver.tableau.powers_of_two import is_power, settle, splits

POWERS = [2**k for k in range(9)]
BOX = [dict(zip("ab", values, strict=True)) for values in product(POWERS, repeat=2)]
A, B = Polynomial.unknown("a"), Polynomial.unknown("b")
linear = st.builds(
    lambda x, y, c: A.scaled(x) + B.scaled(y) + c, st.integers(-3, 3), st.integers(-3, 3), st.integers(-20, 20)
)
facts = st.lists(st.tuples(linear, st.sampled_from(Sign)), max_size=3)
MEANING = {Sign.ZERO: lambda v: v == 0, Sign.NONNEGATIVE: lambda v: v >= 0, Sign.NONZERO: lambda v: v != 0}


def case_of(powers: tuple[Polynomial, ...], given_: list[tuple[Polynomial, Sign]]) -> Case:
    """The case that those are powers, and what else is given. Raises Contradiction."""
    case = Case()
    case.powers = powers
    for p in powers:
        case.assume(p - 1, Sign.NONNEGATIVE)
    for p, sign in given_:
        case.assume(p, sign)
    return case


def models(given_: list[tuple[Polynomial, Sign]]) -> list[dict[str, int]]:
    """The powers of the box for which all is so."""
    return [values for values in BOX if all(MEANING[sign](p.at(values)) for p, sign in given_)]


def settle_thrice(case: Case) -> None:
    """Each time in the light of what followed before."""
    for _ in range(3):
        settle(case)


@given(facts)
def test_a_case_that_powers_of_two_satisfy_is_not_closed(given_: list[tuple[Polynomial, Sign]]) -> None:
    """Neither by what follows from the powers, nor is a model left out by the alternatives of a split."""
    try:
        case = case_of((A, B), given_)
        settle(case)
        found = splits(case)
    except Contradiction:
        assert not models(given_)
        return
    except OutOfFuel:
        return
    for values in models(given_):
        for split in found:
            if all(p.unknowns <= {"a", "b"} for atoms in split for p, _ in atoms):
                assert any(all(MEANING[sign](p.at(values)) for p, sign in atoms) for atoms in split)


@pytest.mark.parametrize(
    ("powers", "given_"),
    [
        ((A,), [(A - 5, Sign.NONNEGATIVE), (-A + 7, Sign.NONNEGATIVE)]),
        ((A,), [(A - B.scaled(3), Sign.ZERO), (B - 1, Sign.NONNEGATIVE)]),
        ((A.scaled(6),), []),
        ((A, A + 1), [(A - 2, Sign.NONNEGATIVE)]),
        ((A, B), [(A - B, Sign.NONNEGATIVE), (A - B.scaled(2) + 1, Sign.ZERO), (B - 2, Sign.NONNEGATIVE)]),
    ],
)
def test_what_no_power_of_two_satisfies_is_closed(powers, given_) -> None:
    """Between powers, with odd factors, odd above 1."""
    case = case_of(powers, given_)
    with pytest.raises(Contradiction):
        settle_thrice(case)


def test_products_and_multiples_of_powers_are_powers() -> None:
    """By powers of two alone; a sum that is one keeps being one when it is doubled."""
    case = case_of((A, B + 6), [])
    settle(case)
    assert is_power(case, A.scaled(8))
    assert is_power(case, A * A)
    assert is_power(case, B.scaled(2) + 12)
    assert not is_power(case, A.scaled(6))
    assert not is_power(case, A + 6)
    assert not is_power(case, B)
