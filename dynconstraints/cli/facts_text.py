"""What is known of expressions, in the constraint language and as JSON data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dynconstraints.ir.nodes import Compare, Formula, Int, Mod, Name, Relation, Term, comparison
from dynconstraints.ir.printer import show

if TYPE_CHECKING:
    from dynconstraints.solver.bounds import Congruence, Range
    from dynconstraints.solver.summary import Facts


@dataclass(frozen=True, slots=True)
class Known:
    """The range and the congruence of one expression."""

    term: Term
    range: Range
    congruence: Congruence

    def lines(self) -> Iterator[str]:
        """Constraints that say it, each marked where a better one may hold."""
        span, rest = self.range, self.congruence
        if rest.modulus == 0:
            yield show(comparison(self.term, Relation.EQ, Int(rest.remainder)))
            return
        bounds = _between(self.term, span.lower, span.upper)
        if bounds is None and rest.modulus == 1:
            yield f"{show(self.term)} may be any integer{_mark(rest.is_tight)}"
        if bounds is not None:
            yield show(bounds) + _mark(span.lower_is_tight and span.upper_is_tight)
        if rest.modulus > 1:
            remainder = Mod(self.term, Int(rest.modulus))
            yield show(comparison(remainder, Relation.EQ, Int(rest.remainder))) + _mark(rest.is_tight)

    def data(self) -> dict[str, object]:
        """The same as JSON data."""
        span, rest = self.range, self.congruence
        tight = {"lower": span.lower_is_tight, "upper": span.upper_is_tight, "congruence": rest.is_tight}
        return {
            "expression": show(self.term),
            "lower": span.lower,
            "upper": span.upper,
            "modulus": rest.modulus,
            "remainder": rest.remainder,
            "tight": tight,
        }


def known_of(facts: Facts) -> tuple[Known, ...]:
    """What the facts say of each name."""
    return tuple(Known(Name(name), facts.ranges[name], facts.congruences[name]) for name in facts)


def _between(term: Term, lower: int | None, upper: int | None) -> Formula | None:
    if lower is not None and upper is not None:
        return Compare((Int(lower), term, Int(upper)), (Relation.LE, Relation.LE))
    if lower is not None:
        return comparison(term, Relation.GE, Int(lower))
    return None if upper is None else comparison(term, Relation.LE, Int(upper))


def _mark(tight: bool) -> str:
    return "" if tight else "  # perhaps not tight"
