"""Which polynomials are never negative where some others aren't: a quick, incomplete proof by positive coefficients.

Each inequality ``x - rest >= 0`` with an unknown of its own is solved as ``x = rest + s`` with a slack ``s >= 0``. When
nothing can be solved any more, a polynomial over slacks whose coefficients are all non-negative is never negative:
``h*w - y*w - x - 1`` under ``0 <= y < h, 0 <= x < w`` becomes ``t + s*x + s*t + s``. What could not be solved for is
added in multiples, which cancel terms of the wrong sign, as in D. Handelman, *Representing polynomials by positive
linear functions*, Pacific J. Math. 132 (1988).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import prod

from dynconstraints.solver.algebra.polynomial import Monomial, Polynomial, TooLarge, quotient_of
from dynconstraints.solver.limits import CERTIFICATE_DEPTH, CERTIFICATE_STEPS


class _Steps:
    """How many more terms the attempts of one proof may have together."""

    def __init__(self, left: int) -> None:
        self.left = left

    def take(self, goal: Polynomial) -> bool:
        """Whether another attempt, at this goal, is within the allowance."""
        self.left -= 1 + len(goal.terms)
        return self.left >= 0


class PositivityProver:
    """Proves polynomials to be at least 0 at all assignments of integers at which every one of the given ones is.

    ``images`` maps the unknowns that were solved for to polynomials over slacks and the unknowns that were not; slacks
    are non-negative. ``rest`` are the inequalities that were left, over the same.
    """

    def __init__(self, inequalities: Iterable[Polynomial] = ()) -> None:
        self.images: dict[str, Polynomial] = {}
        self.slacks: frozenset[str] = frozenset()
        self.rest: tuple[Polynomial, ...] = ()
        self._highest: dict[str, int] = {}
        self._add(inequalities)

    def extended(self, inequalities: Iterable[Polynomial]) -> PositivityProver:
        """A prover for the part of these assignments where the given ones are at least 0, too."""
        prover = PositivityProver()
        prover.images, prover.slacks, prover.rest = dict(self.images), self.slacks, self.rest
        prover._add(inequalities)
        return prover

    @property
    def is_empty(self) -> bool:
        """Whether it is seen that the inequalities contradict each other; False says nothing."""
        steps = _Steps(CERTIFICATE_STEPS)
        return any(self._positive(-inequality - 1, steps) for inequality in self.rest)

    def proves(self, polynomial: Polynomial) -> bool:
        """Whether it is seen that the polynomial is at least 0 everywhere; False says nothing."""
        if polynomial.is_constant:
            return polynomial.value >= 0
        try:
            return (
                self._positive(self.image(polynomial), _Steps(CERTIFICATE_STEPS))
                or self.extended((-polynomial - 1,)).is_empty
            )
        except TooLarge:
            return False

    def shows(self, polynomial: Polynomial) -> bool:
        """As ``proves``, but only where the image has no term that can be negative."""
        return self._plain(self.image(polynomial))

    def image(self, polynomial: Polynomial) -> Polynomial:
        """The polynomial over slacks and the unknowns that were not solved for."""
        return polynomial.substituted(self.images)

    def highest(self, slack: str) -> int | None:
        """The most that the slack can be, where a constant bounds it."""
        return self._highest.get(slack)

    def _add(self, inequalities: Iterable[Polynomial]) -> None:
        pending = [*self.rest, *(self.image(p) for p in inequalities)]
        while True:
            pending = [tightened(p) for p in pending if not self._plain(p)]
            chosen = min(
                ((rank, i) for i, p in enumerate(pending) if (rank := self._rank(p)) is not None), default=None
            )
            if chosen is None:
                break
            inequality = pending.pop(chosen[1])
            name, sign = self._solvable(inequality)[0]
            slack = f"~{len(self.slacks) + 1}"
            others = inequality.without(name).scaled(-sign)
            image = {name: others + Polynomial({(slack,): sign})}
            self.slacks |= {slack}
            self.images = {other: old.substituted(image) for other, old in self.images.items()} | image
            pending = [p.substituted(image) for p in pending]
        self.rest = tuple(dict.fromkeys(pending))
        self._highest = dict(filter(None, map(self._bound, self.rest)))

    def _bound(self, inequality: Polynomial) -> tuple[str, int] | None:
        """The slack and the highest value of it, where the inequality is ``value - slack >= 0``."""
        unknowns = inequality.unknowns
        if len(inequality.terms) == 2 and len(unknowns) == 1 and unknowns <= self.slacks and inequality.value > 0:
            (name,) = unknowns
            if inequality.terms.get((name,)) == -1:
                return name, inequality.value
        return None

    def _solvable(self, inequality: Polynomial) -> list[tuple[str, int]]:
        """Unknowns to solve it for; a slack only where its image is never negative either."""
        found = [
            (name, sign)
            for name, sign in inequality.units()
            if name not in self.slacks or (sign == 1 and self._plain(-inequality.without(name)))
        ]
        return sorted(found, key=lambda unit: (-unit[1], unit[0]))

    def _rank(self, inequality: Polynomial) -> tuple[int, int, int] | None:
        """How soon to solve it: lower bounds by constants first, then what brings in the fewest terms."""
        solvable = self._solvable(inequality)
        return (-solvable[0][1], len(inequality.terms), inequality.value) if solvable else None

    def _plain(self, polynomial: Polynomial) -> bool:
        """Whether no term can be negative."""
        return all(c > 0 and self._never_negative(m) for m, c in polynomial.terms.items())

    def _never_negative(self, monomial: Monomial) -> bool:
        signed = [name for name in monomial if name not in self.slacks]
        return all(signed.count(name) % 2 == 0 for name in signed)

    def _positive(self, goal: Polynomial, steps: _Steps, depth: int = CERTIFICATE_DEPTH) -> bool:
        """Whether the image is a non-negative combination of what is known, found by cancelling a term at a time."""
        bad = [m for m, c in goal.terms.items() if c < 0 or not self._never_negative(m)]
        if not bad or self._bounded_below(goal, bad):
            return True
        if depth == 0:
            return False
        monomial = min(bad, key=lambda m: (-len(m), m))
        return any(self._positive(g, steps, depth - 1) for g in self._cancelled(goal, monomial) if steps.take(g))

    def _bounded_below(self, goal: Polynomial, bad: Sequence[Monomial]) -> bool:
        """Whether the constant term outweighs the most that the terms of the wrong sign can take away."""
        if goal.value <= 0:
            return False
        room = goal.value
        for monomial in bad:
            highest = [self._highest.get(name) for name in monomial]
            if None in highest or room < 0:
                return False
            room += goal.terms[monomial] * prod(h for h in highest if h is not None)
        return room >= 0

    def _cancelled(self, goal: Polynomial, monomial: Monomial) -> Iterator[Polynomial]:
        c = goal.terms[monomial]
        for inequality in self.rest:
            for own, d in inequality.terms.items():
                if len(own) > len(monomial):
                    continue
                cofactor = quotient_of(monomial, own) if own and c * d > 0 else None
                if cofactor is not None and self._never_negative(cofactor):
                    yield goal.scaled(abs(d)) - inequality.times(cofactor, abs(c))


def tightened(inequality: Polynomial) -> Polynomial:
    """The same inequality over the integers with the common factor of its coefficients divided out."""
    common = inequality.content
    if common <= 1:
        return inequality
    return Polynomial({m: c // common for m, c in inequality.terms.items()})
