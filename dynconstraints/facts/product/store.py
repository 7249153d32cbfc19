"""What is known of the atoms: ranges of monomials, linear relations between them, polynomials that are not 0.

The three tighten each other: each relation bounds its monomials by the ranges of the others, and a range that an atom
must have says something of what is inside it. That runs until nothing changes or a limit is reached; it may stop at any
time, for what is known is true at every moment.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import TypeAlias

from dynconstraints.facts.domains import intervals
from dynconstraints.facts.domains.difference_bounds import with_edge
from dynconstraints.facts.domains.intervals import EVERYTHING, Range
from dynconstraints.facts.limits import CORRELATED_TERMS, END_BITS, NARROWINGS, REMEMBERED_RANGES, SPLITS
from dynconstraints.facts.product import atom_polynomials as poly
from dynconstraints.facts.product.atom_polynomials import Monomial, Polynomial
from dynconstraints.facts.product.normal_form import Atom, Normaliser

Form: TypeAlias = frozenset[tuple[Monomial, int]]
"""A polynomial without its constant, as a key."""


@dataclass(slots=True)
class ConstraintStore:
    """A set of assignments, enclosed.

    Each of them is in all ranges, satisfies all relations (``p >= 0``) and makes none of ``nonzero`` 0. ``empty`` where
    there is none. The tuples by name say where to look again: relations, atoms and products that the name is in.
    """

    rows: Mapping[str, Polynomial]
    ranges: dict[Monomial, Range] = field(default_factory=dict)
    relations: dict[str, Polynomial] = field(default_factory=dict)
    nonzero: dict[str, Polynomial] = field(default_factory=dict)
    forms: dict[Form, Range] = field(default_factory=dict)
    by_name: dict[str, tuple[str, ...]] = field(default_factory=dict)
    nested: dict[str, tuple[Monomial, ...]] = field(default_factory=dict)
    trims: dict[Monomial, tuple[Polynomial, ...]] = field(default_factory=dict)
    edges: dict[str, tuple[tuple[str, int], ...]] = field(default_factory=dict)
    empty: bool = False
    normal: Normaliser = field(init=False)
    _memo: dict[frozenset[tuple[Monomial, int]], Range] = field(init=False, default_factory=dict)
    _inner: dict[Monomial, Range] = field(init=False, default_factory=dict)
    narrowed: dict[Monomial, int] = field(init=False, default_factory=dict)
    _queue: deque[str | Monomial] = field(init=False, default_factory=deque)
    _queued: set[str | Monomial] = field(init=False, default_factory=set)

    def __post_init__(self) -> None:
        self.normal = Normaliser(self.rows, self.range_of)

    def copy(self) -> ConstraintStore:
        """A copy to assume more in; what is assumed there is not known here."""
        other = replace(self, **{name: getattr(self, name).copy() for name in _COPIED})
        other.normal.atoms = self.normal.atoms  # what a key stands for is the same everywhere
        return other

    # What is known

    def range_of(self, p: Polynomial) -> Range:
        """An enclosure of the polynomial's values."""
        if len(p) <= 1:
            for monomial, coefficient in p.items():
                return intervals.scale(self.monomial(monomial), coefficient)
            return (0, 0)
        key = frozenset(p.items())
        known = self._memo.get(key)
        if known is None:
            if len(self._memo) > REMEMBERED_RANGES:
                self._memo.clear()
            known = self._memo[key] = self._related(p, self._correlated(p, SPLITS))
        return known

    def _related(self, p: Polynomial, bounds: Range) -> Range:
        """The bounds, met with what a relation says of the very same form."""
        form, factor, offset = _form(p)
        known = self.forms.get(form)
        if known is None:
            return bounds
        met = intervals.meet(bounds, intervals.add(intervals.scale(known, factor), (offset, offset)))
        return bounds if intervals.is_empty(met) else met

    def monomial(self, monomial: Monomial) -> Range:
        """An enclosure of the monomial's values."""
        if not monomial:
            return (1, 1)
        known = self.ranges.get(monomial, EVERYTHING)
        if len(monomial) == 1 and monomial[0] not in self.normal.atoms:
            return known
        inner = self._inner.get(monomial)
        if inner is None:
            self._inner[monomial] = EVERYTHING  # what an atom's own range would ask for while it is computed
            inner = self._inner[monomial] = self._structural(monomial)
        met = intervals.meet(known, inner)
        return known if intervals.is_empty(met) else met

    def _structural(self, monomial: Monomial) -> Range:
        if len(monomial) > 1:
            result: Range = (1, 1)
            for key in dict.fromkeys(monomial):
                result = intervals.multiply(result, intervals.power(self.monomial((key,)), monomial.count(key)))
            return result
        atom = self.normal.atoms[monomial[0]]
        match atom.kind:
            case "quotient":
                return intervals.floor_divide(self.range_of(atom.arguments[0]), self.range_of(atom.arguments[1]))
            case "positive":
                return intervals.greatest(self.range_of(atom.arguments[0]), (0, 0))
            case "at least" | "zero":
                return (0, 1)
            case _:
                return _opaque(monomial[0])

    def interval(self, p: Polynomial) -> Range:
        """The sum of the monomials' ranges."""
        low: int | None = 0
        high: int | None = 0
        for monomial, coefficient in p.items():
            a, b = self.monomial(monomial) if monomial else (1, 1)
            if coefficient < 0:
                a, b = b, a
            low = None if low is None or a is None else low + coefficient * a
            high = None if high is None or b is None else high + coefficient * b
        return (low, high)

    def _correlated(self, p: Polynomial, splits: int) -> Range:
        """The interval, met with what the atoms of the polynomial say of each other."""
        result = self.interval(p)
        if len(p) == 1 or len(p) > CORRELATED_TERMS:
            return result
        tried = 0
        for monomial in sorted(p):
            if tried >= splits:
                break
            for key in monomial:
                atom = self.normal.atoms.get(key)
                if atom is None:
                    continue
                other = self._cases(p, key, atom, monomial, splits)
                if other is not None:
                    tried += 1
                    result = intervals.meet(result, other)
                    break
        return result

    def _cases(self, p: Polynomial, key: str, atom: Atom, monomial: Monomial, splits: int) -> Range | None:
        match atom.kind:
            case "positive":
                without = {m: c for m, c in p.items() if key not in m}
                within = {poly.without(m, (key,)) or (): c for m, c in p.items() if key in m}
                if any(key in m for m in within):
                    return None
                swapped = poly.add(without, poly.multiply(within, atom.arguments[0]))
                return intervals.join(self._correlated(without, splits - 1), self._correlated(swapped, splits - 1))
            case "at least" | "zero":
                off = {m: c for m, c in p.items() if key not in m}
                on = poly.add(off, {poly.without(m, (key,)) or (): c for m, c in p.items() if key in m})
                return intervals.join(self._correlated(off, splits - 1), self._correlated(on, splits - 1))
            case "quotient" if len(monomial) == 1:
                return self._with_remainder(p, atom, monomial, splits)
            case _:
                return None

    def _with_remainder(self, p: Polynomial, atom: Atom, monomial: Monomial, splits: int) -> Range | None:
        """With ``m = gcd(k, c)`` and ``q = u // (c//m)``: ``k*(u // c)`` is ``k/m*q - k/m*(q % m)``."""
        divisor = poly.value_of(atom.arguments[1])
        if divisor is None:
            return None
        rest = {m: c for m, c in p.items() if m != monomial}
        modulus = math.gcd(p[monomial], divisor)
        if modulus == 1:
            return self._rationally(rest, p[monomial], atom.arguments[0], divisor, splits)
        times = p[monomial] // modulus
        inner = self.normal.quotient_by(atom.arguments[0], divisor // modulus)
        total = poly.add(rest, inner, times)
        if len(total) > len(rest) + 1:
            return None
        return intervals.add(self._correlated(total, splits - 1), intervals.scale((0, modulus - 1), -times))

    def _rationally(self, rest: Polynomial, factor: int, u: Polynomial, c: int, splits: int) -> Range | None:
        """``c*(rest + factor*(u // c))`` is ``c*rest + factor*u - factor*(u % c)``; divided by c, rounded inwards."""
        if not any(m in rest for m in u if m):
            return None
        total = self._correlated(poly.add(poly.scale(rest, c), u, factor), splits - 1)
        low, high = intervals.add(total, intervals.scale((0, c - 1), -factor))
        return (None if low is None else -(-low // c), None if high is None else high // c)

    def is_nonzero(self, p: Polynomial) -> bool:
        """Whether the polynomial is known to be nowhere 0."""
        if not p:
            return False
        low, high = self.range_of(p)
        if (low is not None and low > 0) or (high is not None and high < 0):
            return True
        if poly.content(p) and p.get((), 0) % poly.content(p):
            return True
        if _unsigned(p) in self.nonzero:
            return True
        if len(p) == 1:
            ((monomial, _),) = p.items()
            return len(monomial) > 1 and all(self.is_nonzero(poly.atom(key)) for key in monomial)
        return False

    # Learning

    def assume_at_least(self, p: Polynomial) -> None:
        """``p >= 0``."""
        low, high = self.range_of(p)
        if high is not None and high < 0:
            self.empty = True
        if self.empty or (low is not None and low >= 0):
            return
        _, p = poly.primitive(p)
        if len(p) - (() in p) == 1:
            self._tighten(p)
            return
        key = poly.show(p)
        if key not in self.relations:
            self.relations[key] = p
            form, factor, offset = _form(p)  # factor is 1 or -1
            bound = (-offset, None) if factor > 0 else (None, offset)
            self.forms[form] = intervals.meet(self.forms.get(form, EVERYTHING), bound)
            self._memo.clear()
            self._inner.clear()
            for name in self.normal.names(p):
                self.by_name[name] = (*self.by_name.get(name, ()), key)
            if (edge := difference(p)) is not None:
                with_edge(self.edges, *edge)
            self._enqueue(key)

    def assume_zero(self, p: Polynomial) -> None:
        """``p == 0``."""
        if p.get((), 0) % (poly.content(p) or 1):
            self.empty = True
        self.assume_at_least(p)
        self.assume_at_least(poly.scale(p, -1))

    def assume_nonzero(self, p: Polynomial) -> None:
        """``p != 0``."""
        if not p:
            self.empty = True
        if not p or self.is_nonzero(p):
            return
        self._distinguish(p)
        if len(p) == 1:
            for monomial in p:
                for key in dict.fromkeys(monomial):
                    self._distinguish(poly.atom(key))

    def _distinguish(self, p: Polynomial) -> None:
        self.nonzero[_unsigned(p)] = p
        monomials = [m for m in p if m]
        if len(monomials) == 1:
            self.trims[monomials[0]] = (*self.trims.get(monomials[0], ()), p)
            self._trim(p)

    def _trim(self, p: Polynomial) -> None:
        """Move an end of a range off the value where ``c*monomial + d``, which is not 0, would be."""
        ((monomial, coefficient),) = ((m, c) for m, c in p.items() if m)
        value, rest = divmod(-p.get((), 0), coefficient)
        low, high = self.monomial(monomial)
        if not rest and value in (low, high):
            self.narrow(monomial, (value + 1 if value == low else low, value - 1 if value == high else high))

    def propagate(self) -> None:
        """Let everything tighten everything else, within the limits."""
        while self._queue and not self.empty:
            work = self._queue.popleft()
            self._queued.discard(work)
            if isinstance(work, str):
                self._tighten(self.relations[work])
            else:
                self._inside(work, self.monomial(work))

    def _enqueue(self, work: str | Monomial) -> None:
        """Look again at a relation, or at what is inside a monomial."""
        if work not in self._queued:
            self._queued.add(work)
            self._queue.append(work)

    def _tighten(self, p: Polynomial) -> None:
        """Bound each monomial of ``p >= 0`` by the greatest values of the others."""
        greatest: dict[Monomial, int | None] = {}
        for monomial, coefficient in p.items():
            end = self.monomial(monomial)[coefficient > 0]
            greatest[monomial] = None if end is None else coefficient * end
        unbounded = [m for m, end in greatest.items() if end is None]
        total = sum(end for end in greatest.values() if end is not None)
        if len(unbounded) > 1:
            return
        if not unbounded and total < 0:
            self.empty = True
            return
        for monomial in unbounded or [m for m in p if m]:
            others = total - (greatest[monomial] or 0)
            coefficient = p[monomial]
            if coefficient > 0:
                self.narrow(monomial, (-(others // coefficient), None))
            else:
                self.narrow(monomial, (None, others // -coefficient))
            if self.empty:
                return

    def narrow(self, monomial: Monomial, bounds: Range) -> None:
        """The monomial's value is within the bounds."""
        old = self.monomial(monomial)
        new = intervals.meet(old, bounds)
        if new == old:
            return
        if intervals.is_empty(new):
            self.empty = True
            return
        rounds = self.narrowed[monomial] = self.narrowed.get(monomial, 0) + 1
        if rounds > NARROWINGS or (rounds > 1 and _bits(new) > END_BITS):
            return
        self.ranges[monomial] = new
        self._memo.clear()
        self._inner.clear()
        if len(monomial) > 1 or monomial[0] in self.normal.atoms:
            self._enqueue(monomial)
        for name in sorted(self.normal.names({monomial: 1})):
            for key in self.by_name.get(name, ()):
                self._enqueue(key)
            if monomial != (name,):
                outside = self.nested.get(name, ())
                if monomial not in outside:
                    self.nested[name] = (*outside, monomial)
            else:
                for outer in self.nested.get(name, ()):
                    self._enqueue(outer)
        for p in self.trims.get(monomial, ()):
            self._trim(p)

    def _inside(self, monomial: Monomial, bounds: Range) -> None:
        """What the range of an atom or product says of what is inside."""
        low, high = bounds
        if len(monomial) > 1:
            for key in dict.fromkeys(monomial):
                self._factor((key,), self.monomial(poly.without(monomial, (key,)) or ()), bounds)
            if high is not None and high >= 0 and len(monomial) % 2 == 0 and len(set(monomial)) == 1:
                root = _root(high, len(monomial))
                self.narrow((monomial[0],), (-root, root))
            return
        atom = self.normal.atoms.get(monomial[0]) if len(monomial) == 1 else None
        if atom is None:
            return
        u = atom.arguments[0] if atom.arguments else poly.ZERO
        match atom.kind:
            case "quotient":
                v = atom.arguments[1]
                least, _ = self.range_of(v)
                if least is not None and least > 0:
                    if low is not None:
                        self.assume_at_least(poly.add(u, v, -low))
                    if high is not None:
                        self.assume_at_least(poly.shift(poly.add(poly.scale(v, high + 1), u, -1), -1))
            case "positive":
                if low is not None and low > 0:
                    self.assume_at_least(poly.shift(u, -low))
                if high is not None:
                    self.assume_at_least(poly.shift(poly.scale(u, -1), high))
            case "at least":
                self.assume_at_least(u if low == 1 else poly.shift(poly.scale(u, -1), -1))
            case "zero":
                (self.assume_zero if low == 1 else self.assume_nonzero)(u)
            case _:
                return

    def _factor(self, one: Monomial, other: Range, bounds: Range) -> None:
        """Bound x by ``low <= x*y <= high`` where ``y >= 1``."""
        least, most = other
        if least is None or least < 1:
            return
        low, high = bounds
        if high is not None:
            self.narrow(one, (None, high // least if high >= 0 else -1 if most is None else high // most))
        if low is not None:
            self.narrow(one, (-(-low // least) if low <= 0 else 1 if most is None else -(-low // most), None))


_COPIED = tuple(f.name for f in fields(ConstraintStore) if f.init and f.default_factory is dict)
"""What a copy of a store has of its own; the rest is shared, or begins empty."""


def difference(p: Polynomial) -> tuple[str, str, int] | None:
    """x, y and c where ``p >= 0`` is ``x <= y + c``."""
    rising = [m for m, c in p.items() if m and c == 1 and len(m) == 1]
    falling = [m for m, c in p.items() if m and c == -1 and len(m) == 1]
    if len(rising) != 1 or len(falling) != 1 or len(p) - (() in p) != 2:
        return None
    return falling[0][0], rising[0][0], p.get((), 0)


def _unsigned(p: Polynomial) -> str:
    """The key of a polynomial up to a constant factor, for what is 0 where its multiples are."""
    g = math.gcd(*p.values())
    sign = 1 if p[poly.leading(p)] > 0 else -1
    return poly.show({m: c // (g * sign) for m, c in p.items()})


def _bits(bounds: Range) -> int:
    """The length of the longer end."""
    return max((end.bit_length() for end in bounds if end is not None), default=0)


def _root(value: int, degree: int) -> int:
    """The greatest integer whose power is not above the value; Newton's iteration from above."""
    root = 1 << -(-value.bit_length() // degree)
    while root**degree > value:
        root = ((degree - 1) * root + value // root ** (degree - 1)) // degree
    return root


def _form(p: Polynomial) -> tuple[Form, int, int]:
    """The polynomial as ``factor*form + offset``, where the form is primitive and its leading coefficient positive."""
    factor = poly.content(p)
    if p[poly.leading(p)] < 0:
        factor = -factor
    return frozenset((m, c // factor) for m, c in p.items() if m), factor, p.get((), 0)


def _opaque(key: str) -> Range:
    if key.startswith("["):
        return (0, 1)
    return (0, None) if key.startswith(("gcd(", "lcm(")) else EVERYTHING
