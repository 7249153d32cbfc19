"""What formulas say of one name once the names before it have values: a progression, or a few values of one.

A linear condition ``factor*name + rest``, whose factor and rest are polynomials over the names before, is solved for
the name: an equation leaves one value, an inequality a bound, a congruence a step. A quotient by a constant is two
bounds. What is not of that kind is left, to be checked at each value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import gcd

from dynconstraints.diagnostics.frozen import Frozen
from dynconstraints.ir.fold import conjuncts, names
from dynconstraints.ir.nodes import (
    Compare,
    FloorDiv,
    Formula,
    Int,
    Member,
    Mod,
    Name,
    Relation,
    SetOf,
    Term,
    comparison,
    product,
    total,
)
from dynconstraints.solver.algebra.factors import divisors
from dynconstraints.solver.algebra.polynomial import Polynomial
from dynconstraints.solver.tableau.lower_terms import difference

_Linear = tuple[Polynomial, Polynomial]
"""``factor*name + rest``."""


class Endless(Exception):  # noqa: N818  (it is a limit, not an error)
    """A name has infinitely many values, as far as is known."""


class Progression(Frozen):
    """The integers ``start + step*k`` from ``low`` to ``high``, both inclusive, None for no end."""

    low: int | None
    high: int | None
    step: int = 1
    start: int = 0

    def __contains__(self, value: int) -> bool:
        above = self.low is None or value >= self.low
        return above and (self.high is None or value <= self.high) and (value - self.start) % self.step == 0

    @property
    def is_large(self) -> bool:
        """Whether it is better not gone through, if there is another way."""
        return self.low is None or self.high is None or self.high - self.low > _LONG * self.step

    @property
    def values(self) -> range:
        """All of them, in order. Raises Endless where an end is missing."""
        if self.low is None or self.high is None:
            raise Endless
        return range(self.low + (self.start - self.low) % self.step, self.high + 1, self.step)


_LONG = 16
NO_VALUES = Progression(1, 0)


@dataclass(frozen=True)
class Level:
    """A name, and what is decided once it and the names before it have values.

    ``hull`` encloses all that it may have, and ``listed`` has them where a set does. Each of the equations is 0, each
    of the bounds at least 0, each congruence 0 modulo its number. Of each pair in ``multiples``, the first times the
    name divides the second. ``checked`` is what none of these says.
    """

    name: str
    hull: Progression
    listed: tuple[int, ...] | None
    equations: tuple[_Linear, ...]
    bounds: tuple[_Linear, ...]
    congruences: tuple[tuple[Polynomial, Polynomial, int], ...]
    multiples: tuple[tuple[Polynomial, Polynomial], ...]
    checked: tuple[Formula, ...]

    def options(self, before: Mapping[str, int]) -> Sequence[int]:
        """The values that the name may have after the names before it, in order."""
        for factor, rest in self.equations:
            f, r = factor.at(before), rest.at(before)
            if f:
                value, remainder = divmod(-r, f)
                is_listed = self.listed is None or value in self.listed
                return (value,) if remainder == 0 and is_listed and self._admits(value, before) else ()
            if r:
                return ()
        if self.listed is not None:
            return tuple(value for value in self.listed if self._admits(value, before))
        found = self._within(before)
        if found.is_large:
            for factor, multiple in self.multiples:
                f, m = factor.at(before), multiple.at(before)
                if (m % f if f else m) != 0:
                    return ()
                known = divisors(m // f) if f else None
                if known is not None:
                    return tuple(value for value in known if value in found)
        return found.values

    def _admits(self, value: int, before: Mapping[str, int]) -> bool:
        """Whether the other conditions allow the value."""
        return (
            value in self.hull
            and all(f.at(before) * value + r.at(before) == 0 for f, r in self.equations)
            and all(f.at(before) * value + r.at(before) >= 0 for f, r in self.bounds)
            and all((f.at(before) * value + r.at(before)) % m == 0 for f, r, m in self.congruences)
        )

    def _within(self, before: Mapping[str, int]) -> Progression:
        low, high, step, start = self.hull.low, self.hull.high, self.hull.step, self.hull.start
        for factor, rest in self.bounds:
            f, r = factor.at(before), rest.at(before)
            if f > 0:
                low = -(r // f) if low is None else max(low, -(r // f))
            elif f < 0:
                high = r // -f if high is None else min(high, r // -f)
            elif r < 0:
                return NO_VALUES
        for factor, rest, modulus in self.congruences:
            met = _met(start, step, factor.at(before), rest.at(before), modulus)
            if met is None:
                return NO_VALUES
            start, step = met
        return Progression(low, high, step, start)


def number_of(options: Sequence[int]) -> int:
    """How many there are; ``len`` counts no range of more than 63 bits."""
    if not isinstance(options, range):
        return len(options)
    return max(0, (options.stop - options.start + options.step - 1) // options.step)


def _met(start: int, step: int, factor: int, rest: int, modulus: int) -> tuple[int, int] | None:
    """``start + step*k`` where ``factor*x + rest`` is 0 modulo the modulus, as a progression; None for never."""
    common = gcd(factor * step, modulus)
    offset = factor * start + rest
    if offset % common:
        return None
    period = modulus // common
    first = -(offset // common) * pow(factor * step // common, -1, period) % period if period > 1 else 0
    return start + step * first, step * period


def level_of(formulas: Sequence[Formula], hull: Progression, order: Sequence[str]) -> Level:
    """What the formulas say of the last name of the order, the others having values."""
    name, known = order[-1], frozenset(order)
    own: list[Formula] = []
    multiples: list[_Linear] = []
    for formula in formulas:
        if name not in names(formula):
            continue
        for part in conjuncts(formula):
            if name not in names(part):
                continue
            if names(part) <= known:
                own.append(part)
            if (multiple := _multiple_of(part, name, known - {name})) is not None:
                multiples.append(multiple)
    return _sorted_out(name, hull, own, tuple(multiples))


def _sorted_out(name: str, hull: Progression, parts: Sequence[Formula], multiples: tuple[_Linear, ...]) -> Level:
    equations: list[_Linear] = []
    bounds: list[_Linear] = []
    congruences: list[tuple[Polynomial, Polynomial, int]] = []
    checked: list[Formula] = []
    allowed: tuple[int, ...] | None = None
    for part in parts:
        listed = _listed(part, name)
        if listed is not None:
            allowed = listed if allowed is None else tuple(sorted({*listed}.intersection(allowed)))
            continue
        for plain in _without_quotient(part):
            solved = _linear(plain, name)
            match plain, solved:
                case Compare(_, (Relation.EQ,)), (linear, 0):
                    equations.append(linear)
                case Compare(_, (Relation.EQ,)), (linear, modulus):
                    congruences.append((*linear, modulus))
                case Compare(_, (Relation.LE | Relation.LT | Relation.GE | Relation.GT as relation,)), (linear, 0):
                    bounds.append(_at_least(linear, relation))
                case _:
                    checked.append(plain)
    return Level(name, hull, allowed, tuple(equations), tuple(bounds), tuple(congruences), multiples, tuple(checked))


def _at_least(linear: _Linear, relation: Relation) -> _Linear:
    """``factor*name + rest`` is at least 0 just where the given one is so related to 0."""
    factor, rest = linear
    if relation in (Relation.LE, Relation.LT):
        factor, rest = -factor, -rest
    return (factor, rest - 1) if relation in (Relation.LT, Relation.GT) else (factor, rest)


def _listed(part: Formula, name: str) -> tuple[int, ...] | None:
    """The values of the name, in order, where the formula lists them."""
    match part:
        case Member(Name(other), SetOf(elements)) if other == name and all(isinstance(e, Int) for e in elements):
            return tuple(sorted({e.value for e in elements if isinstance(e, Int)}))
        case _:
            return None


def _without_quotient(part: Formula) -> Iterator[Formula]:
    """The formula, or inequalities that say the same of a quotient by a constant that is one of its sides."""
    match part:
        case Compare((FloorDiv(dividend, Int(d)), right), (relation,)) if d > 0 and relation is not Relation.NE:
            yield from _quotient(dividend, d, relation, right)
        case Compare((left, FloorDiv(dividend, Int(d))), (relation,)) if d > 0 and relation is not Relation.NE:
            yield from _quotient(dividend, d, relation.flipped, left)
        case _:
            yield part


def _quotient(dividend: Term, divisor: int, relation: Relation, other: Term) -> Iterator[Formula]:
    least = product((Int(divisor), other))
    above = total((least, Int(divisor)))
    if relation in (Relation.EQ, Relation.GE):
        yield comparison(dividend, Relation.GE, least)
    if relation in (Relation.EQ, Relation.LE):
        yield comparison(dividend, Relation.LT, above)
    if relation is Relation.GT:
        yield comparison(dividend, Relation.GE, above)
    if relation is Relation.LT:
        yield comparison(dividend, Relation.LT, least)


def _linear(formula: Formula, name: str) -> tuple[_Linear, int] | None:
    """The difference of both sides as ``factor*name + rest``, and 0, or the number it is taken modulo of."""
    match formula:
        case Compare((Mod(dividend, Int(modulus)), Int(rest)), (Relation.EQ,)) if 0 <= rest < modulus:
            found, of = difference(dividend, Int(rest)), modulus
        case Compare((left, right), _):
            found, of = difference(left, right), 0
        case _:
            return None
    if found is None or any(monomial.count(name) > 1 for monomial in found.terms):
        return None
    having = Polynomial({m: c for m, c in found.terms.items() if name in m})
    return (having.over((name,)), found - having), of


def solved_for(formula: Formula, name: str) -> _Linear | None:
    """``(factor, rest)`` of an equation ``factor*name + rest == 0``; None where the formula is no such equation."""
    match formula:
        case Compare((_, _), (Relation.EQ,)):
            solved = _linear(formula, name)
            return None if solved is None or solved[1] else solved[0]
        case _:
            return None


def _multiple_of(part: Formula, name: str, before: frozenset[str]) -> _Linear | None:
    """``(factor, multiple)`` over the names before it, of an equation all of whose other terms have name and factor."""
    match part:
        case Compare((Mod(dividend, Name(other)), Int(0)), (Relation.EQ,)) if other == name:
            whole = difference(dividend, Int(0)) if names(dividend) <= before else None
            return None if whole is None else (Polynomial.constant(1), whole)
        case Compare((left, right), (Relation.EQ,)):
            found = difference(left, right)
        case _:
            return None
    if found is None:
        return None
    rest = Polynomial({m: c for m, c in found.terms.items() if name not in m})
    having = [m for m in found.terms if name in m]
    if not rest or not having or not rest.unknowns <= before:
        return None
    common = [key for key in sorted(before) if all(key in m for m in having)]
    return Polynomial({tuple(common): 1}), rest
