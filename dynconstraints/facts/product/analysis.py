"""The reduced product of the domains: what is known of a set of constraints, without a solver."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from dynconstraints.facts.domains import congruences, difference_bounds, intervals, transfer
from dynconstraints.facts.domains.intervals import Range
from dynconstraints.facts.domains.linear_equalities import Contradiction, Lattice
from dynconstraints.facts.domains.linear_forms import NOTHING, linear_facts
from dynconstraints.facts.limits import ANALYSES
from dynconstraints.facts.product import atom_polynomials as poly
from dynconstraints.facts.product import case_splits, models
from dynconstraints.facts.product.assume import abstract_truth
from dynconstraints.facts.product.store import ConstraintStore
from dynconstraints.facts.product.substitutions import Rows, rows_of, with_definitions
from dynconstraints.ir import evaluate_columns
from dynconstraints.ir.fold import names_in_order
from dynconstraints.ir.nodes import Add, Formula, Name, Term


def analyse(constraints: Sequence[Formula]) -> State:
    """What follows from the constraints, as far as the domains see. Sound: every satisfying assignment is in it."""
    names = tuple(dict.fromkeys(name for c in constraints for name in names_in_order(c)))
    settled: tuple[Formula, ...] = ()
    for _ in range(ANALYSES):
        state, more = _analysed(tuple(constraints), names, settled)
        if state.is_empty or not any(fact != NOTHING for fact in map(linear_facts, more)):
            break
        settled += more
    return state


def _analysed(
    constraints: tuple[Formula, ...], names: tuple[str, ...], settled: tuple[Formula, ...]
) -> tuple[State, tuple[Formula, ...]]:
    """The state, with what is settled known from the start, and the alternatives that are the last of theirs."""
    every = (*constraints, *settled)
    facts = [fact for c in every if (fact := linear_facts(c)) != NOTHING]
    lattice = Lattice.of(names, (e for f in facts for e in f.equalities), (c for f in facts for c in f.congruences))
    if isinstance(lattice, Contradiction):
        return State(constraints, names, None, {}, ConstraintStore({}, empty=True), ()), ()
    rows = with_definitions(rows_of(lattice, names) if facts else {}, every)
    known, pending, last = case_splits.assumed(rows, every)
    return State(constraints, names, lattice, rows, known, pending), tuple(f for f in last if f not in settled)


@dataclass(frozen=True)
class State:
    """What is known of the assignments that satisfy the constraints.

    ``lattice`` is None where the equalities and congruences contradict each other. Names that no constraint mentions
    are free. An answer never depends on what was asked before.
    """

    constraints: tuple[Formula, ...]
    names: tuple[str, ...]
    lattice: Lattice | None
    rows: Rows
    known: ConstraintStore = field(compare=False, repr=False)
    pending: tuple[Formula, ...] = field(compare=False, repr=False)

    @property
    def is_empty(self) -> bool:
        """Whether it is known that no assignment satisfies the constraints; False means that it is not known."""
        return self.known.empty

    def truth(self, formula: Formula) -> bool | None:
        """True: under every satisfying assignment the formula is defined and true. False: it is true under none."""
        if self.is_empty:
            return True
        return abstract_truth(self.known, formula).verdict

    @cached_property
    def candidates(self) -> tuple[Mapping[str, int], ...]:
        """Assignments of the names that satisfy all constraints, various and few; none where none was found."""
        return () if self.is_empty else tuple(models.models(self.known, self.pending, self.names, self.constraints))

    @property
    def has_candidates(self) -> bool:
        """Whether an assignment was found that satisfies the constraints; False means that it is not known."""
        return models.some(self.known, self.names, self.constraints) is not None or bool(self.candidates)

    def least_values(self, lower: Mapping[str, int]) -> dict[str, int] | None:
        """The least values, none below those given, that keep the differences known between names; None if none do."""
        return difference_bounds.least_values(self.known.edges, lower)

    def range_of(self, term: Term) -> Range:
        """Ends, both inclusive, that hold the term's values wherever it is defined; None for no end known."""
        if isinstance(term, Name) and self.rows.get(term.id) in (None, {(term.id,): 1}):
            bounds = self.known.monomial((term.id,))
            if None in bounds:  # no values to list, and no modulus: all that is known of a free name
                return bounds
        bounds = self.known.range_of(self.known.normal.term(term))
        outside = transfer.range_of(term, self._range_known, self.truth)
        bounds = _met(bounds, outside)
        if (values := self.values_of(term)) is not None:
            return (min(values), max(values)) if values else bounds
        modulus, remainder = self.congruence_of(term)
        low, high = bounds
        if modulus > 1:
            low = None if low is None else congruences.from_on((modulus, remainder), low)
            high = None if high is None else congruences.up_to((modulus, remainder), high)
        return (low, high)

    def congruence_of(self, term: Term) -> tuple[int, int]:
        """A modulus m and remainder r with ``term ≡ r (mod m)`` wherever it is defined; (0, c) for the constant c."""
        p = self.known.normal.term(term)
        normal = congruences.congruence(poly.content(p), p.get((), 0))
        other = transfer.congruence_of(term, self._congruence_of_name)
        return congruences.meet(normal, other) or normal

    def values_of(self, term: Term) -> frozenset[int] | None:
        """A set that holds the term's values wherever it is defined, if its names have few; None otherwise."""
        found = None if self.is_empty else case_splits.points(self, term)
        if found is None:
            return None
        table, size = found
        return frozenset(v for v in evaluate_columns.values(term, table, size) if v is not None)

    def _range_known(self, term: Name | Add) -> Range:
        return self.known.range_of(self.known.normal.term(term))

    def _congruence_of_name(self, name: str) -> tuple[int, int]:
        row = self.rows.get(name)
        return (1, 0) if row is None else congruences.congruence(poly.content(row), row.get((), 0))


def _met(a: Range, b: Range) -> Range:
    """The intersection; one of two that contradict each other, which happens only where nothing is defined."""
    met = intervals.meet(a, b)
    return a if intervals.is_empty(met) else met
