"""Polynomials, residues, cones and quotients, each against plain evaluation at integers."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from dynconstraints.solver.algebra.polynomial import Polynomial, TooLarge
from dynconstraints.solver.algebra.positivity import PositivityProver
from dynconstraints.solver.algebra.residues import prime_powers, values_modulo
from dynconstraints.solver.tableau.branch import Case, Contradiction, OutOfFuel, Sign
from dynconstraints.solver.tableau.division import Undefined, UnknownSign, divide

NAMES = ("x", "y", "z")
monomials = st.lists(st.sampled_from(NAMES), max_size=2).map(lambda m: tuple(sorted(m)))
polynomials = st.dictionaries(monomials, st.integers(-6, 6), max_size=4).map(Polynomial)
values = st.fixed_dictionaries({name: st.integers(-7, 7) for name in NAMES})
BOX = [dict(zip(NAMES, v, strict=True)) for v in product(range(-3, 4), repeat=3)]


@given(p=polynomials, q=polynomials, at=values)
def test_ring_operations_are_those_of_the_values(p: Polynomial, q: Polynomial, at: dict[str, int]) -> None:
    """Sums, products, substitution; and a polynomial is zero only if it is empty."""
    assert (p + q).at(at) == p.at(at) + q.at(at)
    assert (p * q).at(at) == p.at(at) * q.at(at)
    assert (p - p).terms == {}
    inner = {**at, "x": q.at(at)}
    assert p.substituted({"x": q}).at(at) == p.at(inner)


@given(p=polynomials, d=polynomials.filter(bool), at=values)
def test_division_leaves_a_remainder(p: Polynomial, d: Polynomial, at: dict[str, int]) -> None:
    """``p == d*q + r`` everywhere, and an exact multiple leaves none."""
    q, r = p.divided(d)
    assert p.at(at) == d.at(at) * q.at(at) + r.at(at)
    assert not (p * d).divided(d)[1]


@given(p=polynomials, modulus=st.integers(1, 30))
def test_residues_are_exact(p: Polynomial, modulus: int) -> None:
    """Without knowledge of the unknowns, exactly the residues that occur."""
    found = values_modulo(p, modulus)
    if found is not None:
        names = sorted(p.unknowns)
        seen = {
            p.at(dict(zip(names, v, strict=True))) % modulus for v in product(range(min(modulus, 8)), repeat=len(names))
        }
        assert seen <= found
        if modulus <= 8:
            assert seen == found


@given(number=st.integers(1, 10**6))
def test_prime_powers_multiply_to_the_number(number: int) -> None:
    """They are pairwise coprime, too."""
    from math import gcd, prod

    powers = prime_powers(number)
    assert prod(powers) == number
    assert all(gcd(p, q) == 1 for i, p in enumerate(powers) for q in powers[:i])


@given(inequalities=st.lists(polynomials, max_size=4), goal=polynomials)
def test_cones_prove_only_what_holds(inequalities: list[Polynomial], goal: Polynomial) -> None:
    """No point of the box is in an empty set, nor breaks what is proved."""
    try:
        prover = PositivityProver(inequalities)
        empty, proved = prover.is_empty, prover.proves(goal)
    except TooLarge:
        return
    inside = [at for at in BOX if all(p.at(at) >= 0 for p in inequalities)]
    assert not (empty and inside)
    assert not proved or all(goal.at(at) >= 0 for at in inside)


@given(
    facts=st.lists(st.tuples(polynomials, st.sampled_from(Sign)), max_size=4), dividend=polynomials, divisor=polynomials
)
def test_cases_and_quotients_keep_every_point(
    facts: list[tuple[Polynomial, Sign]], dividend: Polynomial, divisor: Polynomial
) -> None:
    """A contradictory case has no point in the box, and a quotient that is a constant is the floor at each of them."""
    holds = {Sign.ZERO: lambda v: v == 0, Sign.NONNEGATIVE: lambda v: v >= 0, Sign.NONZERO: lambda v: v != 0}
    inside = [at for at in BOX if all(holds[sign](p.at(at)) for p, sign in facts)]
    case = Case()
    try:
        for p, sign in facts:
            case.assume(p, sign)
        quotient, remainder = divide(case, dividend, divisor)
    except Contradiction:
        assert not [at for at in inside if divisor.at(at)]
        return
    except Undefined:
        assert not any(divisor.at(at) for at in inside)
        return
    except (UnknownSign, TooLarge, OutOfFuel):
        return
    for at in inside:
        if quotient.is_constant:
            assert quotient.value == dividend.at(at) // divisor.at(at)
        if remainder.is_constant:
            assert remainder.value == dividend.at(at) % divisor.at(at)


def test_positivity_by_substitution() -> None:
    """``h*w > y*w + x`` for ``0 <= y < h`` and ``0 <= x < w``."""
    h, w, x, y = map(Polynomial.unknown, "hwxy")
    prover = PositivityProver([y, x, h - y - 1, w - x - 1])
    assert prover.proves(h * w - y * w - x - 1)
    assert not prover.proves(h * w - y * w - x - 2)
