"""Intervals of reals with open and closed ends."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from fractions import Fraction

from dynconstraints.diagnostics.frozen import Frozen
from dynconstraints.ir.nodes import Compare, Formula, Name, Relation
from dynconstraints.solver.limits import SAMPLED_DISTANCE
from dynconstraints.solver.reals.literals import Number, literal, plain, shown


class Interval(Frozen):
    """The numbers from ``lower`` to ``upper``, None for no end; an end that is open does not belong to it."""

    lower: Number | None = None
    upper: Number | None = None
    lower_is_open: bool = False
    upper_is_open: bool = False

    def below(self, bound: Number, *, is_open: bool) -> Interval:
        """The part of it that is at most, or less than, the bound."""
        if self.upper is not None and (self.upper, not self.upper_is_open) <= (bound, not is_open):
            return self
        return self.changed(upper=bound, upper_is_open=is_open)

    def above(self, bound: Number, *, is_open: bool) -> Interval:
        """The part of it that is at least, or greater than, the bound."""
        if self.lower is not None and (self.lower, self.lower_is_open) >= (bound, is_open):
            return self
        return self.changed(lower=bound, lower_is_open=is_open)

    def of_integers(self) -> Interval:
        """The integers in it, between closed ends."""
        lower, upper = self.lower, self.upper
        if lower is not None:
            lower = math.floor(lower) + 1 if self.lower_is_open else math.ceil(lower)
        if upper is not None:
            upper = math.ceil(upper) - 1 if self.upper_is_open else math.floor(upper)
        return Interval(lower, upper)

    def plain(self) -> Interval:
        """The same, its ends as floats where floats hold them."""
        lower, upper = (None if end is None else plain(end, is_real=True) for end in (self.lower, self.upper))
        return Interval(lower, upper, self.lower_is_open, self.upper_is_open)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is in it."""
        if self.lower is None or self.upper is None:
            return False
        return self.lower > self.upper or (self.lower == self.upper and (self.lower_is_open or self.upper_is_open))

    @property
    def member(self) -> Number:
        """Some number in it; an end where one belongs to it. It must not be empty."""
        if self.lower is not None and not self.lower_is_open:
            return self.lower
        if self.upper is not None and not self.upper_is_open:
            return self.upper
        if self.lower is None:
            return 0 if self.upper is None else self.upper - 1
        return self.lower + 1 if self.upper is None else (Fraction(self.lower) + self.upper) / 2

    def formulas(self, name: str) -> Iterator[Formula]:
        """That the name is in it, in the language; an end that no float holds is left out."""
        below = Relation.GT if self.lower_is_open else Relation.GE
        above = Relation.LT if self.upper_is_open else Relation.LE
        for end, relation in ((self.lower, below), (self.upper, above)):
            if end is not None and Fraction(float(end)) == end:
                yield Compare((Name(name), literal(end)), (relation,))

    def near(self, rng: random.Random) -> Number:
        """A random number in it: an end now and then, else one of few digits between them."""
        lower, upper = self.lower, self.upper
        if lower is None:
            lower = -SAMPLED_DISTANCE if upper is None else upper - SAMPLED_DISTANCE
        if upper is None:
            upper = lower + SAMPLED_DISTANCE
        if upper == self.upper and not self.upper_is_open and not rng.randrange(8):
            return upper
        return Fraction(float(lower + (Fraction(upper) - lower) * Fraction(rng.randrange(1, 1024), 1024)))

    def __str__(self) -> str:
        left = "(-oo" if self.lower is None else f"{'(' if self.lower_is_open else '['}{shown(self.lower)}"
        right = "oo)" if self.upper is None else f"{shown(self.upper)}{')' if self.upper_is_open else ']'}"
        return f"{left}, {right}"
