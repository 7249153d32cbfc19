"""Polynomials in several unknowns with integer coefficients: exact, immutable, in normal form, so equality is identity.

A monomial is the sorted tuple of its unknowns, each as often as its power: ``a*a*b`` is ``("a", "a", "b")``, 1 is
``()``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TypeAlias

from dynconstraints.solver.limits import MOST_TERMS

Monomial: TypeAlias = tuple[str, ...]


class TooLarge(ArithmeticError):  # noqa: N818  (it is a limit, not an error)
    """A product or a substitution has more terms than the work on it would be worth."""


class Polynomial:
    """A finite sum of integer multiples of monomials; no coefficient is 0."""

    __slots__ = ("_hash", "terms")

    def __init__(self, terms: Mapping[Monomial, int]) -> None:
        self.terms = {monomial: c for monomial, c in terms.items() if c}
        self._hash: int | None = None
        if len(self.terms) > MOST_TERMS:
            raise TooLarge

    @classmethod
    def constant(cls, value: int) -> Polynomial:
        """The polynomial that is ``value`` everywhere."""
        return cls({(): value})

    @classmethod
    def unknown(cls, name: str) -> Polynomial:
        """The unknown by itself."""
        return cls({(name,): 1})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Polynomial) and self.terms == other.terms

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash(frozenset(self.terms.items()))
        return self._hash

    def __bool__(self) -> bool:
        """Whether it is other than 0."""
        return bool(self.terms)

    def __repr__(self) -> str:
        return " + ".join("*".join((str(c), *m)) for m, c in sorted(self.terms.items())) or "0"

    def __neg__(self) -> Polynomial:
        return self.scaled(-1)

    def __add__(self, other: Polynomial | int) -> Polynomial:
        total = dict(self.terms)
        for monomial, c in ({(): other} if isinstance(other, int) else other.terms).items():
            total[monomial] = total.get(monomial, 0) + c
        return Polynomial(total)

    def __sub__(self, other: Polynomial | int) -> Polynomial:
        return self + (-other)

    def __mul__(self, other: Polynomial) -> Polynomial:
        if other.is_constant:
            return self.scaled(other.value)
        total: dict[Monomial, int] = {}
        for left, c in self.terms.items():
            for right, d in other.terms.items():
                monomial = tuple(sorted(left + right)) if left and right else left or right
                total[monomial] = total.get(monomial, 0) + c * d
        return Polynomial(total)

    def __pow__(self, exponent: int) -> Polynomial:
        power = Polynomial.constant(1)
        for _ in range(exponent):
            power = power * self
        return power

    def scaled(self, factor: int) -> Polynomial:
        """``factor`` times this."""
        return Polynomial({monomial: factor * c for monomial, c in self.terms.items()})

    def times(self, monomial: Monomial, factor: int = 1) -> Polynomial:
        """``factor * monomial`` times this."""
        return Polynomial({tuple(sorted(m + monomial)): factor * c for m, c in self.terms.items()})

    def over(self, monomial: Monomial) -> Polynomial:
        """This divided by a monomial that divides each of its terms."""
        return Polynomial({quotient_of(m, monomial) or (): c for m, c in self.terms.items()}) if monomial else self

    @property
    def is_constant(self) -> bool:
        """Whether no unknown occurs."""
        return not self.terms or (len(self.terms) == 1 and () in self.terms)

    @property
    def value(self) -> int:
        """The constant term."""
        return self.terms.get((), 0)

    @property
    def is_linear(self) -> bool:
        """Whether no unknown is multiplied by an unknown."""
        return all(len(monomial) <= 1 for monomial in self.terms)

    @property
    def unknowns(self) -> frozenset[str]:
        """The unknowns that occur."""
        return frozenset(name for monomial in self.terms for name in monomial)

    @property
    def content(self) -> int:
        """The greatest common divisor of the coefficients, but for the constant term; 0 for a constant."""
        return math.gcd(*(c for monomial, c in self.terms.items() if monomial))

    def units(self) -> Iterator[tuple[str, int]]:
        """The unknowns that occur once, alone, with coefficient 1 or -1: those that an equation can be solved for."""
        for monomial, c in self.terms.items():
            if len(monomial) == 1 and c in (1, -1) and sum(monomial[0] in m for m in self.terms) == 1:
                yield monomial[0], c

    def without(self, name: str) -> Polynomial:
        """This without its linear term in ``name``."""
        return Polynomial({monomial: c for monomial, c in self.terms.items() if monomial != (name,)})

    def at(self, values: Mapping[str, int]) -> int:
        """The value where each unknown has the given value."""
        return sum(c * math.prod(values[name] for name in monomial) for monomial, c in self.terms.items())

    def substituted(self, images: Mapping[str, Polynomial]) -> Polynomial:
        """Each unknown replaced by its image, all at once; those without one stay."""
        if not any(name in images for monomial in self.terms for name in monomial):
            return self
        total: dict[Monomial, int] = {}
        for monomial, c in self.terms.items():
            replaced = Polynomial({tuple(name for name in monomial if name not in images): c})
            for name in monomial:
                if name in images:
                    replaced = replaced * images[name]
            for m, d in replaced.terms.items():
                total[m] = total.get(m, 0) + d
        return Polynomial(total)

    def divided(self, divisor: Polynomial) -> tuple[Polynomial, Polynomial]:
        """``(q, r)`` with ``self == divisor*q + r``, and no coefficient of ``r`` above the divisor's leading term
        divisible.

        By a constant, the coefficients of ``r`` are remainders, with the divisor's sign. By a polynomial, ordinary long
        division on the leading monomial, the greatest of the highest degree. The divisor is not 0.
        """
        if divisor.is_constant:
            d = divisor.value
            return (
                Polynomial({m: c // d for m, c in self.terms.items()}),
                Polynomial({m: c % d for m, c in self.terms.items()}),
            )
        lead = max(divisor.terms, key=lambda m: (len(m), m))
        lead_coefficient = divisor.terms[lead]
        quotient: dict[Monomial, int] = {}
        rest, remainder = self, Polynomial({})
        while rest:
            monomial = max(rest.terms, key=lambda m: (len(m), m))
            c = rest.terms[monomial]
            cofactor = quotient_of(monomial, lead)
            times = c // lead_coefficient if cofactor is not None else 0
            if cofactor is None or times == 0:
                left = c
            else:
                quotient[cofactor] = quotient.get(cofactor, 0) + times
                rest = rest - divisor.times(cofactor, times)
                left = rest.terms.get(monomial, 0)
            remainder = remainder + Polynomial({monomial: left})
            rest = rest - Polynomial({monomial: left})
        return Polynomial(quotient), remainder


def quotient_of(monomial: Monomial, divisor: Monomial) -> Monomial | None:
    """The monomial divided by another, or None where that leaves a remainder."""
    rest = list(monomial)
    for name in divisor:
        if name not in rest:
            return None
        rest.remove(name)
    return tuple(rest)
