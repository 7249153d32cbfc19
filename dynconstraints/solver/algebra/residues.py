"""The values that a polynomial takes modulo a constant, by listing the residues of its unknowns.

``P(x) mod m`` depends on ``x mod m`` only, and by the Chinese remainder theorem a residue modulo ``m`` is the tuple
of its residues modulo the prime powers of ``m``; unknowns take residues modulo different primes independently. So the
values modulo ``m`` are all combinations of those modulo its prime powers, unless an unknown is known to be one of a
few values: then all of the modulus is listed at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import product
from math import gcd, prod

from dynconstraints.solver.algebra.polynomial import Polynomial
from dynconstraints.solver.limits import RESIDUE_ASSIGNMENTS, RESIDUE_VALUES

_CERTAIN = 2**32  # what is below and has no factor below 2**16 is a prime


def values_modulo(
    polynomial: Polynomial,
    modulus: int,
    known: Mapping[str, tuple[int, ...]] | None = None,
    equations: Sequence[Polynomial] = (),
) -> frozenset[int] | None:
    """A set that holds every value of the polynomial modulo ``modulus > 0``; None where listing is too much work.

    ``known`` gives all the values that an unknown can have, ``equations`` are 0. Without both the set is exact.
    """
    listed = {name: values for name, values in (known or {}).items() if name in polynomial.unknowns}
    if listed:
        return _listed(polynomial, modulus, listed)
    parts: dict[int, frozenset[int]] = {}
    for power in prime_powers(modulus):
        found = _listed(_reduced(polynomial, power, equations) if equations else polynomial, power, {})
        if found is None:
            return None
        parts[power] = found
    if prod(len(found) for found in parts.values()) > RESIDUE_VALUES:
        return None
    return frozenset(_combined(dict(zip(parts, combination, strict=True))) for combination in product(*parts.values()))


def _listed(polynomial: Polynomial, modulus: int, known: Mapping[str, tuple[int, ...]]) -> frozenset[int] | None:
    reduced = Polynomial({m: c % modulus for m, c in polynomial.terms.items()})
    names = sorted(reduced.unknowns)
    choices = [known.get(name, range(modulus)) for name in names]
    if prod(len(c) if isinstance(c, tuple) else modulus for c in choices) > RESIDUE_ASSIGNMENTS:
        return None  # a range longer than a machine word has no len()
    return frozenset(reduced.at(dict(zip(names, values, strict=True))) % modulus for values in product(*choices))


def _reduced(polynomial: Polynomial, modulus: int, equations: Sequence[Polynomial]) -> Polynomial:
    """The polynomial without monomials that equations give in terms of others, modulo the modulus."""
    for equation in equations:
        units = [m for m, c in equation.terms.items() if m and gcd(c, modulus) == 1]
        lead = max(units, key=lambda m: (len(m), m), default=None)
        if lead is not None and lead in polynomial.terms:
            factor = polynomial.terms[lead] * pow(equation.terms[lead], -1, modulus)
            polynomial = Polynomial({m: c % modulus for m, c in (polynomial - equation.scaled(factor)).terms.items()})
    return polynomial


def _combined(residues: Mapping[int, int]) -> int:
    """The residue modulo the product of coprime moduli that has the given residue modulo each."""
    modulus = prod(residues)
    return sum(r * (modulus // m) * pow(modulus // m, -1, m) for m, r in residues.items()) % modulus


@lru_cache(maxsize=1024)
def prime_powers(number: int) -> tuple[int, ...]:
    """The prime powers whose product is ``number >= 1``, by trial division; what is left undivided at 2**16 counts as
    one.

    The factors are coprime even then, which is all that residues need.
    """
    return tuple(_prime_powers(number))


def divisors_of(number: int, most: int) -> tuple[int, ...] | None:
    """The positive divisors of ``number >= 1``, ascending; None where it is large or they are more than ``most``."""
    if number >= _CERTAIN:
        return None
    found = [1]
    for power in prime_powers(number):
        prime = next((p for p in range(2, 2**16) if power % p == 0), power)
        exponent = next(e for e in range(64) if prime**e == power)
        found = [d * prime**e for d in found for e in range(exponent + 1)]
        if len(found) > most:
            return None
    return tuple(sorted(found))


def _prime_powers(number: int) -> Iterator[int]:
    p = 2
    while p * p <= number and p < 2**16:
        power = 1
        while number % p == 0:
            number //= p
            power *= p
        if power > 1:
            yield power
        p += 1
    if number > 1:
        yield number
