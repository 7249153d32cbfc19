"""The reduced product of the domains: what is known of a set of constraints, without a solver."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from dynconstraints.facts import cases, columns, congruences, differences, enclosure, ranges, sampling
from dynconstraints.facts import polynomial as poly
from dynconstraints.facts.affine import NOTHING, linear_facts
from dynconstraints.facts.definitions import Rows, rows_of, with_definitions
from dynconstraints.facts.knowledge import Knowledge
from dynconstraints.facts.lattice import Contradiction, Lattice
from dynconstraints.facts.ranges import Range
from dynconstraints.facts.truth import learn, learn_not, possible
from dynconstraints.ir.evaluate import truth_of, value_of
from dynconstraints.ir.fold import names_in_order
from dynconstraints.ir.nodes import Add, Formula, Int, Name, Not, Relation, Term, comparison

_ROUNDS = 3
"""How often the analysis starts again with disjunctions settled, so that their equalities join the lattice."""


def analyse(constraints: Sequence[Formula]) -> State:
    """What follows from the constraints, as far as the domains see. Sound: every satisfying assignment is in it."""
    names = tuple(dict.fromkeys(name for c in constraints for name in names_in_order(c)))
    settled: tuple[Formula, ...] = ()
    for _ in range(_ROUNDS):
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
        return State(constraints, names, None, {}, Knowledge({}, empty=True), ()), ()
    rows = with_definitions(rows_of(lattice, names) if facts else {}, every)
    known, pending, last = cases.learnt(rows, every)
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
    known: Knowledge = field(compare=False, repr=False)
    pending: tuple[Formula, ...] = field(compare=False, repr=False)

    @property
    def is_empty(self) -> bool:
        """Whether it is known that no assignment satisfies the constraints; False means that it is not known."""
        return self.known.empty

    def truth(self, formula: Formula) -> bool | None:
        """True: under every satisfying assignment the formula is defined and true. False: it is true under none."""
        if self.is_empty:
            return True
        verdict = possible(self.known, formula).verdict
        if verdict is not None:
            return verdict
        return cases.decide(self, formula).verdict

    def candidates(self, seed: int = 0) -> tuple[Mapping[str, int], ...]:
        """Assignments of the names that satisfy all constraints, various and few; none where none was found."""
        if self.is_empty:
            return ()
        return tuple(self._drawn(self.names, seed)) if seed else self._models

    @cached_property
    def _models(self) -> tuple[Mapping[str, int], ...]:
        return () if self.is_empty else tuple(self._drawn(self.names, 0))

    @property
    def has_candidates(self) -> bool:
        """Whether an assignment was found that satisfies the constraints; False means that it is not known."""
        return sampling.some(self.known, self.names, self.constraints) is not None or bool(self._models)

    def seen(self, formula: Formula) -> Sequence[bool | None]:
        """What the formula is under each of the candidates; names that are not the set's take small values."""
        table: dict[str, columns.Column] = {n: [m[n] for m in self._models] for n in self.names}
        size = len(self._models)
        for position, name in enumerate(n for n in names_in_order(formula) if n not in table):
            table[name] = [(j + position) * (3 * position + 1) % 11 - 4 for j in range(size)]
        return columns.truths(formula, table, size)

    def witnesses(self, formula: Formula, seed: int = 0) -> tuple[Mapping[str, int] | None, Mapping[str, int] | None]:
        """Two assignments that satisfy the constraints: the formula is true under the first, and not under the second.

        None where none was found, which says nothing.
        """
        names = tuple(dict.fromkeys((*self.names, *names_in_order(formula))))
        drawn = self._models if names == self.names else self._drawn(names, seed)
        truths = [truth_of(formula, model) for model in drawn]
        holds_at = next((m for m, truth in zip(drawn, truths, strict=True) if truth), None)
        fails_at = next((m for m, truth in zip(drawn, truths, strict=True) if not truth), None)
        if holds_at is None:
            holds_at = self._where(names, (formula,), seed, lambda known: learn(known, formula))
        if fails_at is None:
            fails_at = self._where(names, (Not(formula),), seed, lambda known: learn_not(known, formula))
        return holds_at, fails_at

    def _drawn(self, names: Sequence[str], seed: int) -> Sequence[Mapping[str, int]]:
        return sampling.models(self.known, self.pending, names, self.constraints, seed)

    def _where(
        self, names: Sequence[str], more: Sequence[Formula], seed: int, condition: Callable[[Knowledge], list[Formula]]
    ) -> Mapping[str, int] | None:
        known = self.known.copy()
        pending = condition(known)
        known.propagate()
        if known.empty:
            return None
        constraints = (*self.constraints, *more)
        return next(iter(sampling.models(known, (*self.pending, *pending), names, constraints, seed)), None)

    def least_values(self, lower: Mapping[str, int]) -> dict[str, int] | None:
        """The least values, none below those given, that keep the differences known between names; None if none do."""
        return differences.least_values(self.known.edges, lower)

    def range_of(self, term: Term) -> Range:
        """Ends, both inclusive, that hold the term's values wherever it is defined; None for no end known."""
        bounds = self.known.range_of(self.known.normal.term(term))
        outside = enclosure.range_of(term, self._range_known, self.truth)
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
        other = enclosure.congruence_of(term, self._congruence_of_name)
        return congruences.meet(normal, other) or normal

    def values_of(self, term: Term) -> frozenset[int] | None:
        """A set that holds the term's values wherever it is defined, if its names have few; None otherwise."""
        found = None if self.is_empty else cases.points(self, term)
        if found is None:
            return None
        table, size, _ = found
        return frozenset(v for v in columns.values(term, table, size) if v is not None)

    def attains(self, term: Term, value: int, seed: int = 0) -> Mapping[str, int] | None:
        """An assignment that satisfies the constraints and gives the term the value; None where none was found.

        An end of :meth:`range_of` that is attained is tight.
        """
        query = comparison(term, Relation.EQ, Int(value))
        for model in self._models:
            if all(name in model for name in names_in_order(term)) and value_of(term, model) == value:
                return model
        names = tuple(dict.fromkeys((*self.names, *names_in_order(term))))
        return self._where(names, (query,), seed, lambda known: learn(known, query))

    def _range_known(self, term: Name | Add) -> Range:
        return self.known.range_of(self.known.normal.term(term))

    def _congruence_of_name(self, name: str) -> tuple[int, int]:
        row = self.rows.get(name)
        return (1, 0) if row is None else congruences.congruence(poly.content(row), row.get((), 0))


def _met(a: Range, b: Range) -> Range:
    """The intersection; one of two that contradict each other, which happens only where nothing is defined."""
    met = ranges.meet(a, b)
    return a if ranges.is_empty(met) else met
