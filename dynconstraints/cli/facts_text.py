"""What is known of expressions, in the constraint language and as JSON data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dynconstraints.diagnostics.frozen import Frozen
from dynconstraints.ir.nodes import Compare, Formula, Int, Mod, Name, Relation, Term, comparison
from dynconstraints.ir.printer import show
from dynconstraints.solver.reals.literals import literal

if TYPE_CHECKING:
    from dynconstraints.solver.queries.bounds import Congruence, Range
    from dynconstraints.solver.queries.facts_report import Facts


class Known(Frozen):
    """The range and the congruence of one expression."""

    term: Term
    range: Range
    congruence: Congruence
    is_real: bool = False

    def lines(self) -> Iterator[str]:
        """Constraints that say it, each marked where a better one may hold."""
        span, rest = self.range, self.congruence
        if rest.modulus == 0:
            yield show(comparison(self.term, Relation.EQ, Int(rest.remainder)))
            return
        bounds = _between(self.term, span)
        if bounds is None and rest.modulus == 1:
            yield f"{show(self.term)} may be any {'number' if self.is_real else 'integer'}{_mark(rest.is_tight)}"
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
            **({"open": {"lower": span.lower_is_open, "upper": span.upper_is_open}} if self.is_real else {}),
            "modulus": rest.modulus,
            "remainder": rest.remainder,
            "tight": tight,
        }


def known_of(facts: Facts, reals: frozenset[str] = frozenset()) -> tuple[Known, ...]:
    """What the facts say of each name."""
    return tuple(Known(Name(name), facts.ranges[name], facts.congruences[name], name in reals) for name in facts)


def _between(term: Term, span: Range) -> Formula | None:
    below = Relation.LT if span.lower_is_open else Relation.LE
    above = Relation.LT if span.upper_is_open else Relation.LE
    if span.lower is not None and span.upper is not None:
        return Compare((literal(span.lower), term, literal(span.upper)), (below, above))
    if span.lower is not None:
        return comparison(term, Relation.GT if span.lower_is_open else Relation.GE, literal(span.lower))
    return None if span.upper is None else comparison(term, above, literal(span.upper))


def _mark(tight: bool) -> str:
    return "" if tight else "  # perhaps not tight"
