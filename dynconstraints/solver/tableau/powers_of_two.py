"""Powers of two within a case: of two of them the smaller divides the larger, and so does every divisor be one.

A power of two is 1 or twice another one; an odd one is 1; a positive factor of one is one. What is known to be a power
is kept as a polynomial, and what is known to be none; the case is closed where the two meet.
"""

from __future__ import annotations

from functools import partial
from itertools import combinations
from math import gcd

from dynconstraints.solver.algebra.polynomial import Polynomial
from dynconstraints.solver.limits import HALVED_POWERS, MOST_POWERS, POWER_BITS
from dynconstraints.solver.tableau.branch import Case, Contradiction, Sign

Atoms = tuple[tuple[Polynomial, Sign], ...]


def is_power(case: Case, polynomial: Polynomial) -> bool:
    """Whether it is seen that the polynomial is a product of powers of two."""
    known = {
        min(p.unknowns)
        for p in _images(case)
        if p.terms.keys() <= {(name,) for name in p.unknowns} and len(p.terms) == 1
    }
    if len(polynomial.terms) != 1:
        common, primitive = _primitive(polynomial)
        return _is_power(common) and primitive in {_primitive(image)[1] for image in _images(case)}
    return polynomial.unknowns <= known and _is_power(*polynomial.terms.values())


def settle(case: Case) -> None:
    """Assume what follows from what is known to be a power of two. Raises Contradiction."""
    if not case.powers and not case.no_powers:
        return
    if case.prover.is_empty:  # everything is proved of nothing, and how far it is proved would take long
        raise Contradiction
    for p, q in combinations(case.powers, 2):
        for large, small in ((case.image(p), case.image(q)), (case.image(q), case.image(p))):
            if _are_apart(large, small) and case.proves(large - small):
                case.assume(large - small * _factor(case), Sign.ZERO)
    for p in _images(case):
        if not _is_power(gcd(*p.terms.values())):
            raise Contradiction
        _factors(case, p)
    for p in _images(case):
        _parity(case, case.image(p))
    if any(map(partial(_is_odd_multiple, case), case.equations)):
        raise Contradiction
    if any(is_power(case, case.image(p)) for p in case.no_powers):
        raise Contradiction


def splits(case: Case) -> tuple[tuple[Atoms, ...], ...]:
    """One split, if any is left: which of two powers is the larger; or whether one is 1, or more."""
    for p, q in combinations(map(case.image, case.powers), 2):
        if _are_apart(p, q):
            return ((((p - q, Sign.NONNEGATIVE),), ((q - p, Sign.NONNEGATIVE),)),)
    for p in _images(case):
        if p not in case.halved and len(case.halved) < HALVED_POWERS and not case.proves(p - 2):
            case.halved = (*case.halved, p)
            return ((((p - 1, Sign.ZERO),), ((p - 2, Sign.NONNEGATIVE),)),)
    return ()


def _images(case: Case) -> tuple[Polynomial, ...]:
    """The powers that are not constants, once each."""
    images = dict.fromkeys(map(case.image, (*case.powers, *case.power_factors)))
    for p in images:
        if p.is_constant and not _is_power(p.value):
            raise Contradiction
    return tuple(p for p in images if not p.is_constant)[:MOST_POWERS]


def _factors(case: Case, p: Polynomial) -> None:
    """The positive unknowns that divide a power, and what is left without them and without its content, are powers."""
    shared = set.intersection(*map(set, p.terms))
    unknowns = [name for name in sorted(shared) if case.proves(Polynomial({(name,): 1, (): -1}))]
    if len(p.terms) == 1 and len(next(iter(p.terms))) == 1:
        return
    rest = p
    for name in unknowns:
        while all(name in m for m in rest.terms):
            rest = rest.over((name,))
        _assume(case, Polynomial.unknown(name))
    if unknowns and not rest.is_constant:
        _assume(case, _primitive(rest)[1])


def _parity(case: Case, p: Polynomial) -> None:
    """An odd power is 1; what is at least ``2**k`` is a multiple of it."""
    if p.is_constant:
        return
    if p.value % 2 and not any(c % 2 for m, c in p.terms.items() if m):
        case.assume(p - 1, Sign.ZERO)
        return
    if len(p.terms) > 1 or len(next(iter(p.terms))) > 1 or not case.proves(p - 2):
        return
    exponent = 1
    while exponent < POWER_BITS and case.proves(p - 2**exponent - 1):
        exponent += 1
    if min(p.terms.values()) % 2**exponent:
        case.assume(p - _factor(case).scaled(2**exponent), Sign.ZERO)


def _factor(case: Case) -> Polynomial:
    """A fresh power of two."""
    factor = case.fresh()
    case.power_factors = (*case.power_factors, factor)
    case.assume(factor - 1, Sign.NONNEGATIVE)
    return factor


def _is_odd_multiple(case: Case, equation: Polynomial) -> bool:
    """Whether it says that an odd number divides a power of two times what it does not divide."""
    for monomial, c in equation.terms.items():
        others = gcd(*(d for m, d in equation.terms.items() if m != monomial))
        odd = others // (others & -others) if others else 1
        if c % odd and is_power(case, Polynomial({monomial: 1})):
            return True
    return False


def _are_apart(p: Polynomial, q: Polynomial) -> bool:
    """Whether neither is seen to divide the other."""
    return not p.is_constant and not q.is_constant and bool(p.divided(q)[1]) and bool(q.divided(p)[1])


def _primitive(p: Polynomial) -> tuple[int, Polynomial]:
    """The greatest integer that divides it, and what is left."""
    common = gcd(*p.terms.values())
    return common, Polynomial({m: c // common for m, c in p.terms.items()})


def _assume(case: Case, p: Polynomial) -> None:
    if p not in _images(case):
        case.power_factors = (*case.power_factors, p)


def _is_power(value: int) -> bool:
    return value > 0 and value & (value - 1) == 0
