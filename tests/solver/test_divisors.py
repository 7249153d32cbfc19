"""Greatest common divisors and least common multiples of polynomials, beside those of Python's integers."""

from itertools import product
from math import gcd, lcm

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynconstraints.solver.algebra.polynomial import Polynomial
from dynconstraints.solver.tableau.branch import Case, Sign
from dynconstraints.solver.tableau.division import UnknownSign
from dynconstraints.solver.tableau.gcd import gcd_of, lcm_of

BOX = [dict(zip("ab", values, strict=True)) for values in product(range(1, 14), repeat=2)]
A, B = Polynomial.unknown("a"), Polynomial.unknown("b")
linear = st.builds(
    lambda x, y, c: A.scaled(x) + B.scaled(y) + c, st.integers(-4, 6), st.integers(-4, 6), st.integers(-6, 6)
)
polynomials = linear | st.builds(lambda p, q: p * q, linear, st.sampled_from([A, B, A + B]))


def positive() -> Case:
    """The case that both names are positive."""
    case = Case()
    for name in (A, B):
        case.assume(name - 1, Sign.NONNEGATIVE)
    return case


def over_names(p: Polynomial) -> bool:
    return p.unknowns <= {"a", "b"}


@pytest.mark.parametrize(("of", "number"), [(gcd_of, gcd), (lcm_of, lcm)])
@given(arguments=st.lists(polynomials, min_size=1, max_size=3))
def test_what_is_found_in_closed_form_is_right_everywhere(of, number, arguments: list[Polynomial]) -> None:
    """Polynomials over the names alone have the very values."""
    case = positive()
    try:
        found = of(case, tuple(arguments)) if of is gcd_of else lcm_of(case, tuple(arguments))
    except UnknownSign:
        return
    if over_names(found):
        for values in BOX:
            assert found.at(values) == number(*(p.at(values) for p in arguments))


@given(arguments=st.lists(polynomials, min_size=2, max_size=2), factor=st.integers(-3, 3))
def test_the_same_unknown_stands_for_equal_divisors_only(arguments: list[Polynomial], factor: int) -> None:
    """Another argument, moved by a multiple of the first, has the same divisor; where the case says so it is true."""
    case = positive()
    p, q = arguments
    try:
        one, other = gcd_of(case, (p, q)), gcd_of(case, (p + q.scaled(factor), q))
    except UnknownSign:
        return
    if one == other:
        for values in BOX:
            assert gcd(p.at(values), q.at(values)) == gcd(p.at(values) + factor * q.at(values), q.at(values))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((A.scaled(6), A.scaled(4)), A.scaled(2)),
        ((A, A + 1), Polynomial.constant(1)),
        ((A * B, B), B),
        ((Polynomial.constant(12), Polynomial.constant(18)), Polynomial.constant(6)),
        ((A.scaled(2) + 1, Polynomial.constant(2)), Polynomial.constant(1)),
        ((A, Polynomial({})), A),
    ],
)
def test_euclids_algorithm_on_polynomials(arguments, expected) -> None:
    """Common factors, neighbours, multiples, constants, zero."""
    assert gcd_of(positive(), arguments) == expected


def test_a_divisor_of_a_divisor_is_the_same_unknown() -> None:
    """``gcd(a, gcd(b, a))`` is ``gcd(a, b)``."""
    case = positive()
    inner = gcd_of(case, (B, A))
    assert gcd_of(case, (A, inner)) == gcd_of(case, (A, B))
