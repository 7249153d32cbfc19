"""Floor division of polynomials within a case: exact where the divisor is seen to divide, a fresh quotient otherwise.

``P == D*Q + R`` by polynomial division, so ``P // D == Q + R // D`` and ``P % D == R % D`` (Python's rounding makes
both hold for every sign). Where ``0 <= R < D`` is proved, ``R // D`` is 0. Otherwise fresh unknowns ``q, r`` with
``R == D*q + r`` and ``0 <= r < D`` stand for them, and for a literal ``D`` the residues of ``R`` say which ``r``
there are.
"""

from __future__ import annotations

from math import gcd

from dynconstraints.solver.algebra.polynomial import Monomial, Polynomial
from dynconstraints.solver.algebra.residues import values_modulo
from dynconstraints.solver.limits import DIVIDED_VALUES
from dynconstraints.solver.tableau.branch import Case, Contradiction, Sign


class Undefined(Exception):  # noqa: N818  (it is a result, not an error)
    """The divisor is 0."""


class UnknownSign(Exception):  # noqa: N818  (it asks for a case split)
    """The case does not say whether ``polynomial`` is negative, 0 or positive."""

    def __init__(self, polynomial: Polynomial) -> None:
        super().__init__(polynomial)
        self.polynomial = polynomial


def divide(case: Case, dividend: Polynomial, divisor: Polynomial) -> tuple[Polynomial, Polynomial]:
    """``(dividend // divisor, dividend % divisor)``, with what defines them assumed in the case.

    Raises Undefined for the divisor 0, UnknownSign where the case doesn't tell the divisor's sign, Contradiction
    where the case turns out to be empty.
    """
    p, d = case.image(dividend), case.image(divisor)
    if not d:
        raise Undefined
    if not d.is_constant and case.nonzero(d):
        quotient, rest = divided(case, p, d)
        if not rest:
            return quotient, rest
        p, d, factor = _cancelled(case, p, d)
        if factor:
            quotient, remainder = divide(case, p, d)
            return quotient, remainder.times(factor)
    if case.powers and {p, d} <= set(map(case.image, case.powers)) and not case.proves(d - p - 1):
        raise UnknownSign(p - d)  # the smaller of two powers of two divides the larger
    if case.proves(d - 1):
        return _by_positive(case, p, d)
    if case.proves(-d - 1):
        quotient, remainder = _by_positive(case, -p, -d)
        return quotient, -remainder
    raise UnknownSign(_unsettled(case, d))


def _unsettled(case: Case, d: Polynomial) -> Polynomial:
    """What the sign of a product hinges on: its first unknown of unknown sign."""
    if len(d.terms) == 1:
        for name in sorted(d.unknowns):
            unknown = Polynomial.unknown(name)
            if not case.proves(unknown - 1) and not case.proves(-unknown - 1):
                return unknown
    return d


def divided(case: Case, p: Polynomial, d: Polynomial) -> tuple[Polynomial, Polynomial]:
    """``(q, r)`` with ``p == d*q + r``, by polynomial division, and by what equations say is a multiple of ``d``."""
    quotient, rest = p.divided(d)
    for equation in case.equations if rest else ():
        times, multiple = equation.divided(d)  # multiple == -d*times
        if times and multiple:
            others, left = rest.divided(multiple)
            if len(left.terms) < len(rest.terms):
                quotient, rest = quotient - times * others, left
    return quotient, rest


def _cancelled(case: Case, p: Polynomial, d: Polynomial) -> tuple[Polynomial, Polynomial, Monomial]:
    """Both over a common nonzero ``u``: ``(u*P) // (u*D) == P // D``, ``(u*P) % (u*D) == u*(P % D)``."""
    monomials = [*p.terms, *d.terms]
    common = tuple(
        name
        for name in sorted(set(monomials[0]).intersection(*monomials[1:]))
        for _ in range(min(monomial.count(name) for monomial in monomials))
        if case.nonzero(Polynomial.unknown(name))
    )
    return p.over(common), d.over(common), common


def merge(case: Case) -> None:
    """Dividends that turned out to differ by multiples of the divisor, since they were divided, leave the same rest.

    Raises Contradiction.
    """
    if len(case.divisions) < 2:
        return
    known: dict[tuple[Polynomial, Polynomial], tuple[Polynomial, Polynomial]] = {}
    for (p, d), (quotient, remainder) in tuple(case.divisions.items()):
        divisor = case.image(d)
        if not divisor:  # though it was positive when it was divided by
            raise Contradiction
        times, rest = case.image(p).divided(divisor)
        first = known.setdefault((rest, divisor), (quotient - times, remainder))
        for value, same in zip(first, (quotient - times, remainder), strict=True):
            if value != same:
                case.assume(value - same, Sign.ZERO)


def _by_positive(case: Case, p: Polynomial, d: Polynomial) -> tuple[Polynomial, Polynomial]:
    if (p, d) in case.divisions:
        quotient, remainder = case.divisions[p, d]
    else:
        quotient, remainder = case.divisions[p, d] = _reduced(case, p, d)
    return case.image(quotient), case.image(remainder)


def _reduced(case: Case, p: Polynomial, d: Polynomial) -> tuple[Polynomial, Polynomial]:
    if _within(case, p, d):
        return Polynomial({}), p
    quotient, rest = divided(case, p, d)
    for shift in (0, 1, -1):
        moved = rest + d.scaled(shift) if shift else rest
        if _within(case, moved, d):
            return quotient - shift, moved
    common = gcd(*d.terms.values(), *(c for m, c in rest.terms.items() if m))
    if common > 1:
        return _without_common_factor(case, quotient, rest, d, common)
    q, r = _fresh(case, rest, d)
    return quotient + q, r


def _within(case: Case, p: Polynomial, d: Polynomial) -> bool:
    """Whether it is proved that ``0 <= p < d``."""
    if p.is_constant and d.is_constant:
        return 0 <= p.value < d.value
    return case.proves(d - p - 1) and case.proves(p)


def _without_common_factor(
    case: Case, quotient: Polynomial, rest: Polynomial, d: Polynomial, common: int
) -> tuple[Polynomial, Polynomial]:
    """``(g*P + c) // (g*D) == P // D`` and ``(g*P + c) % (g*D) == g*(P % D) + c``, for ``0 <= c < g``."""
    smaller, left = rest.divided(Polynomial.constant(common))
    q, r = _by_positive(case, smaller, Polynomial({m: c // common for m, c in d.terms.items()}))
    return quotient + q, r.scaled(common) + left


def _fresh(case: Case, rest: Polynomial, d: Polynomial) -> tuple[Polynomial, Polynomial]:
    q, r = case.fresh(), case.fresh()
    if d.is_constant:
        known = {name: found for name in rest.unknowns if (found := case.values_of(name)) is not None}
        values = values_modulo(rest, d.value, known, case.equations)
        if values is not None and len(values) == 1:
            r = Polynomial.constant(min(values))
        elif values is not None and len(values) < min(d.value, DIVIDED_VALUES):
            case.choices[min(r.unknowns)] = tuple(sorted(values))
    case.assume(r, Sign.NONNEGATIVE)
    case.assume(d - r - 1, Sign.NONNEGATIVE)
    case.assume(rest - d * q - r, Sign.ZERO)
    return q, r
