"""Greatest common divisors and least common multiples of polynomials within a case.

Euclid's algorithm works on polynomials as on numbers: ``gcd(p, q)`` is ``gcd(p - k*q, q)`` for any ``k``. What it does
not reduce to a single argument gets a fresh ``g`` that divides every argument and, by Bézout's identity, is a
combination of them; so whatever divides all arguments divides ``g``. A least common multiple is the product over that.
"""

from __future__ import annotations

from functools import reduce
from itertools import permutations
from math import gcd, lcm

from dynconstraints.ir.nodes import Function
from dynconstraints.solver.algebra.polynomial import Monomial, Polynomial
from dynconstraints.solver.algebra.residues import values_modulo
from dynconstraints.solver.limits import GCD_PAIRS, GCD_RESIDUES, GCD_ROUNDS
from dynconstraints.solver.tableau.branch import Case, Sign
from dynconstraints.solver.tableau.division import UnknownSign, divide, divided

Arguments = tuple[Polynomial, ...]


def gcd_of(case: Case, arguments: Arguments) -> Polynomial:
    """The greatest common divisor, 0 or more. Raises UnknownSign where a single argument is left of unknown sign."""
    arguments = tuple(sorted(_flattened(case, arguments), key=repr))
    asked = Function.GCD, arguments
    if asked not in case.calls:
        factor, reduced = _common(case, _reduced(tuple(map(case.image, arguments))))
        case.calls[asked] = _single(case, reduced) * Polynomial({factor: 1}) if reduced else Polynomial({})
    return case.image(case.calls[asked])


def simplify(case: Case) -> None:
    """Assume what follows for greatest common divisors from what was learnt since they were asked for."""
    for (_, arguments), value in tuple(case.calls.items()):
        reduced = _reduced(tuple(map(case.image, arguments)))
        if len(reduced) == 1:
            sign = 1 if case.proves(reduced[0]) else -1 if case.proves(-reduced[0]) else 0
            if sign:
                case.assume(value - reduced[0].scaled(sign), Sign.ZERO)
        elif len(reduced) == 2 and case.image(value) == Polynomial.constant(1):
            _coprime(case, *reduced)
            _coprime(case, *reversed(reduced))
    for (large, (_, arguments)), (small, _) in permutations(
        ((v, k) for k, v in tuple(case.calls.items())[:GCD_PAIRS]), 2
    ):
        _divides_all(case, case.image(large), arguments, case.image(small))


def _divides_all(case: Case, g: Polynomial, arguments: Arguments, d: Polynomial) -> None:
    """Where ``d`` divides all the arguments, it divides their greatest common divisor ``g``."""
    if d.is_constant or g.is_constant or not divided(case, g, d)[1] or not case.nonzero(d):
        return
    if all(not divided(case, case.image(p), d)[1] for p in arguments):
        times = case.fresh()
        case.assume(times, Sign.NONNEGATIVE)
        case.assume(g - d * times, Sign.ZERO)


def _coprime(case: Case, s: Polynomial, t: Polynomial) -> None:
    """Euclid's lemma: where ``s*x == t*y`` and nothing divides both ``s`` and ``t``, ``t`` divides ``x``."""
    if s.is_constant or t.is_constant:
        return
    for equation in case.equations:
        x, rest = equation.divided(s)
        if rest and not rest.divided(t)[1] and x.divided(t)[1]:
            case.assume(x - t * case.fresh(), Sign.ZERO)
            return


def lcm_of(case: Case, arguments: Arguments) -> Polynomial:
    """The least common multiple, 0 or more. Raises UnknownSign where an argument's sign is not known."""
    return reduce(lambda p, q: _lcm(case, p, q), (_absolute(case, case.image(p)) for p in arguments))


def _lcm(case: Case, p: Polynomial, q: Polynomial) -> Polynomial:
    """Of two arguments that are 0 or more, their product over their greatest common divisor."""
    if not p or not q:
        return Polynomial({})
    for one in (p, q):
        if not case.proves(one - 1):
            raise UnknownSign(one)
    multiple = case.image(p * divide(case, q, gcd_of(case, (p, q)))[0])
    known = lcm(*(gcd(*one.terms.values()) for one in (p, q)))
    if any(c % known for c in multiple.terms.values()):
        case.assume(multiple - case.fresh().scaled(known), Sign.ZERO)
    return case.image(multiple)


def _absolute(case: Case, p: Polynomial) -> Polynomial:
    if case.proves(p):
        return p
    if case.proves(-p):
        return -p
    raise UnknownSign(p)


def _flattened(case: Case, arguments: Arguments) -> Arguments:
    """With the arguments of a greatest common divisor in the place of one among them."""
    inner = {form: of for (_, of), value in case.calls.items() for form in (value, case.image(value))}
    return tuple(q for p in arguments for q in ((p,) if p.is_constant else inner.get(p, (p,))))


def _reduced(arguments: Arguments) -> Arguments:
    """Other arguments with the same common divisors: each smaller than the others can make it, none of them 0."""
    left = _distinct(arguments)
    for _ in range(GCD_ROUNDS):
        smaller = next(
            (
                (p, r)
                for p in left
                for q in left
                if p is not q
                for r in (p.divided(q)[1], -(-p).divided(q)[1])
                if _size(r) < _size(p)
            ),
            None,
        )
        if smaller is None:
            break
        left = _distinct(tuple(smaller[1] if p is smaller[0] else p for p in left))
    return left


def _distinct(arguments: Arguments) -> Arguments:
    """Without zeros and repetitions, the leading coefficients positive, in order."""
    signed = (p if p.terms[max(p.terms, key=lambda m: (len(m), m))] > 0 else -p for p in arguments if p)
    return tuple(sorted(dict.fromkeys(signed), key=repr))


def _size(p: Polynomial) -> tuple[int, int, int]:
    return max(map(len, p.terms), default=-1), len(p.terms), sum(map(abs, p.terms.values()))


def _common(case: Case, arguments: Arguments) -> tuple[Monomial, Arguments]:
    """A product of positive unknowns that divides all arguments, and the arguments over it."""
    monomials = [m for p in arguments for m in p.terms]
    if not monomials or () in monomials:
        return (), arguments
    factor = tuple(
        name
        for name in sorted(set(monomials[0]).intersection(*monomials[1:]))
        for _ in range(min(m.count(name) for m in monomials))
        if case.proves(Polynomial({(name,): 1, (): -1}))
    )
    return factor, tuple(p.over(factor) for p in arguments)


def _single(case: Case, arguments: Arguments) -> Polynomial:
    """The greatest common divisor of reduced arguments, of which there is one at least."""
    if len(arguments) == 1:
        return _absolute(case, arguments[0])
    content = gcd(*(c for p in arguments for c in p.terms.values()))
    arguments = tuple(Polynomial({m: c // content for m, c in p.terms.items()}) for p in arguments)
    key = Function.GCD, arguments
    if key not in case.calls:
        case.calls[key] = _made(case, arguments)
    return case.calls[key].scaled(content)


def _made(case: Case, arguments: Arguments) -> Polynomial:
    constants = [p.value for p in arguments if p.is_constant]
    if 1 in constants:
        return Polynomial.constant(1)
    if constants and len(arguments) == 2 and constants[0] <= GCD_RESIDUES:
        (other,) = (p for p in arguments if not p.is_constant)
        found = _by_residues(case, other, constants[0])
        if found is not None:
            return found
    case.lossy = True
    g = case.fresh()
    is_positive = constants or any(map(case.nonzero, arguments))
    case.assume(g - (1 if is_positive else 0), Sign.NONNEGATIVE)
    cofactors = tuple(case.fresh() for _ in arguments)
    for p, times in zip(arguments, cofactors, strict=True):
        if case.proves(p - 1):
            case.assume(times - 1, Sign.NONNEGATIVE)
        case.assume(p - g * times, Sign.ZERO)
    if is_positive:
        case.calls[Function.GCD, _distinct(tuple(map(case.image, cofactors)))] = Polynomial.constant(1)
    case.assume(sum((p * case.fresh() for p in arguments), -g), Sign.ZERO)
    return g


def _by_residues(case: Case, p: Polynomial, c: int) -> Polynomial | None:
    """``gcd(p, c)`` depends on ``p % c`` alone: one value, or a split into those that there are, for later."""
    known = {name: found for name in p.unknowns if (found := case.values_of(name)) is not None}
    residues = values_modulo(p, c, known)
    if residues is None:
        return None
    values = tuple(sorted({gcd(r, c) for r in residues}))
    if len(values) == 1:
        return Polynomial.constant(values[0])
    case.lossy = True
    g, times, q, r = (case.fresh() for _ in range(4))
    case.splits = (
        *case.splits,
        tuple(
            ((p - q.scaled(c) - s, Sign.ZERO), (r - s, Sign.ZERO), (g - gcd(s, c), Sign.ZERO)) for s in sorted(residues)
        ),
    )
    case.choices[min(g.unknowns)] = values
    case.assume(g - 1, Sign.NONNEGATIVE)
    case.assume(p - g * times, Sign.ZERO)
    return g
