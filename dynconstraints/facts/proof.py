"""Proofs of inequalities: ``p >= 0`` as a sum of known inequalities and a rest that the ranges settle.

A search over few multiples, not a decision procedure: what it finds is a proof, and finding none means nothing.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from dynconstraints.facts import polynomial as poly
from dynconstraints.facts.differences import least_bound
from dynconstraints.facts.knowledge import Knowledge, difference
from dynconstraints.facts.polynomial import Monomial, Polynomial

_STEPS = 32
"""How many sums one proof looks at, the shallow ones first."""
_TERMS = 24
"""The most terms of a sum that is looked at."""


def at_least(known: Knowledge, p: Polynomial) -> bool:
    """Whether ``p >= 0`` is proved."""
    low, _ = known.range_of(p)
    if low is not None and low >= 0:
        return True
    _, p = poly.primitive(p)
    edge = difference(p)
    if edge is not None and edge[0] in known.edges:
        bound = least_bound(known.edges, edge[0], edge[1])
        if bound is not None and bound <= edge[2]:
            return True
    return _Search(known).proves(p)


@dataclass(slots=True)
class _Search:
    known: Knowledge

    def proves(self, p: Polynomial) -> bool:
        """Breadth first over the inequalities that would be enough."""
        goals, seen, steps = deque([p]), {frozenset(p.items())}, _STEPS
        while goals:
            goal = goals.popleft()
            for enough in self.enough(goal):
                steps -= 1
                if steps < 0:
                    return False
                low, _ = self.known.range_of(enough)
                if low is not None and low >= 0:
                    return True
                key = frozenset(enough.items())
                if key not in seen and any(enough) and len(enough) <= _TERMS:
                    seen.add(key)
                    goals.append(enough)
        return False

    def enough(self, p: Polynomial) -> Iterator[Polynomial]:
        """Polynomials such that p is at least 0 where any of them is."""
        yield from self.cleared(p)
        for monomial, fact in self.useful(p):
            a, b = p[monomial], fact[monomial]
            common = math.gcd(a, b)
            # p is an integer: p >= 0 as soon as times*p > -times
            times = abs(b) // common
            rest = poly.add(poly.shift(poly.scale(p, times), times - 1), fact, -(abs(a) // common))
            yield poly.primitive(rest)[1]

    def cleared(self, p: Polynomial) -> Iterator[Polynomial]:
        """``v*p + v - 1`` for the divisor v >= 1 of a quotient that is in p by itself; p without a common factor."""
        shared = set.intersection(*(set(m) for m in p))
        for key in sorted(shared):
            low, _ = self.known.monomial((key,))
            if low is not None and low > 0:
                yield {poly.without(m, (key,)) or (): c for m, c in p.items()}
        for monomial in p:
            atom = self.known.normal.atoms.get(monomial[0]) if len(monomial) == 1 else None
            if atom is not None and atom.kind == "quotient" and poly.value_of(v := atom.arguments[1]) is None:
                low, _ = self.known.range_of(v)
                if low is not None and low > 0 and len(p) * len(v) <= _TERMS:
                    yield poly.shift(poly.add(poly.multiply(p, v), v), -1)

    def useful(self, p: Polynomial) -> Iterator[tuple[Monomial, Polynomial]]:
        """Facts that share a monomial with p, with the same sign, where p's own range has no good end."""
        for monomial in sorted(p, key=lambda m: (-len(m), m)):
            if not monomial:
                continue
            positive = p[monomial] > 0
            for fact in self.facts(monomial):
                if fact.get(monomial) and (fact[monomial] > 0) == positive:
                    yield monomial, fact
            for key in dict.fromkeys(monomial) if len(monomial) > 1 else ():
                for fact in self.multiplied(key, poly.without(monomial, (key,)) or ()):
                    if fact.get(monomial) and (fact[monomial] > 0) == positive:
                        yield monomial, fact

    def multiplied(self, key: str, other: Monomial) -> Iterator[Polynomial]:
        """Facts about the other monomial, times an atom whose sign is known."""
        low, high = self.known.monomial((key,))
        factor = 1 if low is not None and low >= 0 else -1 if high is not None and high <= 0 else 0
        if factor:
            for fact in (*self.facts(other), *self.ends(other)):
                yield poly.multiply(fact, {(key,): factor})

    def facts(self, monomial: Monomial) -> Iterator[Polynomial]:
        """Relations in which the monomial occurs, and what an atom's own meaning says of it."""
        known = self.known
        names = known.normal.names({monomial: 1})
        name = min(sorted(names), key=lambda n: len(known.by_name.get(n, ())), default=None)
        if name is not None:
            for key in known.by_name.get(name, ()):
                if monomial in known.relations[key]:
                    yield known.relations[key]
        for key in dict.fromkeys(monomial):
            atom = known.normal.atoms.get(key)
            if atom is None:
                continue
            if atom.kind == "quotient":
                u, v = atom.arguments
                low, _ = known.range_of(v)
                if low is not None and low > 0:
                    product = poly.multiply(v, poly.atom(key))
                    rest = poly.add(u, product, -1)
                    yield rest
                    yield poly.shift(poly.add(v, rest, -1), -1)
            elif atom.kind == "positive" and len(monomial) == 1:
                yield poly.add(poly.atom(key), atom.arguments[0], -1)

    def ends(self, monomial: Monomial) -> Iterator[Polynomial]:
        """The ends of the monomial's range as facts."""
        low, high = self.known.monomial(monomial)
        if low is not None:
            yield poly.shift({monomial: 1}, -low)
        if high is not None:
            yield poly.shift({monomial: -1}, high)
