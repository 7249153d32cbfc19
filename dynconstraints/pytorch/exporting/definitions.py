"""How the names of a program follow from its inputs, one after the other, and what the other sizes have to be then."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from dynconstraints.diagnostics.source import Source
from dynconstraints.facts.domains.linear_forms import affine_of
from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.fold import names as names_of
from dynconstraints.ir.fold import substitute_term
from dynconstraints.ir.nodes import FloorDiv, Int, Mul, Name, Relation, Term, comparison, negated, product, total
from dynconstraints.ir.printer import show
from dynconstraints.pytorch.exporting.contract import Contract
from dynconstraints.pytorch.exporting.places import Place
from dynconstraints.solver.verdicts import Implied


@dataclass(frozen=True)
class Definitions:
    """What code that checks a call without solving anything computes, and compares.

    A size is called as in ``x.shape[1]``, a number as in ``argument n``: no user's name is one of these. ``values`` are
    terms over sizes and earlier names.
    """

    contract: Contract

    @cached_property
    def values(self) -> Mapping[str, Term]:
        """What each name is; those that no size tells are left out."""
        return dict(self._solved[0])

    @cached_property
    def checked(self) -> tuple[Constraint, ...]:
        """The constraints whose names are known, and what the sizes that told nothing have to be."""
        known = {*self.values, *self.contract.floats}
        return (
            *(self._relation(place) for place in self._solved[1] if names_of(place.term) <= known),
            *(c for c in self.contract.system.constraints if known.issuperset(c.symbols)),
        )

    @cached_property
    def left(self) -> tuple[Constraint, ...]:
        """The constraints that take more than computing."""
        known = {*self.values, *self.contract.floats}
        relations = tuple(self._relation(p) for p in self._solved[1] if not names_of(p.term) <= known)
        return (*relations, *(c for c in self.contract.system.constraints if not known.issuperset(c.symbols)))

    def place_name(self, place: Place) -> str:
        """How a size is called."""
        path = self.contract.inputs[place.leaf].path
        return f"argument {path}" if place.dimension is None else f"{path}.shape[{place.dimension}]"

    @cached_property
    def places(self) -> Mapping[str, Place]:
        """The sizes by what they are called."""
        return {self.place_name(place): place for place in self._integers}

    @cached_property
    def _integers(self) -> tuple[Place, ...]:
        floats = self.contract.floats
        return tuple(p for p in self.contract.places if not (isinstance(p.term, Name) and p.term.id in floats))

    @cached_property
    def _solved(self) -> tuple[list[tuple[str, Term]], list[Place]]:
        values: list[tuple[str, Term]] = []
        waiting, told = list(self._integers), set[int]()
        while True:
            found = next(self._definitions({name for name, _ in values}, waiting, told), None)
            if found is None:
                others = [p for i, p in enumerate(waiting) if i not in told]
                return values, others
            index, name, term, is_all = found
            values.append((name, term))
            if is_all:
                told.add(index)

    def _definitions(
        self, known: set[str], waiting: list[Place], told: set[int]
    ) -> Iterator[tuple[int, str, Term, bool]]:
        """Names that a size tells next: one that is it, then one that is linear in it, then a factor of it."""
        open_ = [(i, p) for i, p in enumerate(waiting) if i not in told and not names_of(p.term) <= known]
        for i, place in open_:
            if isinstance(place.term, Name):
                yield i, place.term.id, Name(self.place_name(place)), True
        for i, place in open_:
            affine = affine_of(place.term)
            unknown = [(n, c) for n, c in (() if affine is None else affine.coefficients) if n not in known]
            if affine is not None and len(unknown) == 1:
                ((name, coefficient),) = unknown
                size = Name(self.place_name(place))
                parts = [product((Int(c), Name(n))) for n, c in affine.coefficients if n != name]
                rest = total((size, Int(-affine.constant), *map(negated, parts)))
                yield i, name, rest if coefficient == 1 else FloorDiv(rest, Int(coefficient)), False
        for i, place in open_:
            factors = place.term.factors if isinstance(place.term, Mul) else ()
            unknown_factors = [f for f in factors if not names_of(f) <= known]
            if len(unknown_factors) == 1 and isinstance(unknown_factors[0], Name):
                others = product(tuple(f for f in factors if f is not unknown_factors[0]))
                if self._is_positive(others):
                    yield i, unknown_factors[0].id, FloorDiv(Name(self.place_name(place)), others), False

    def _is_positive(self, term: Term) -> bool:
        positive = Constraint.of(comparison(term, Relation.GE, Int(1)))
        return isinstance(self.contract.system.implies(positive), Implied)

    def _relation(self, place: Place) -> Constraint:
        """That a size is what it is declared to be."""
        name = self.place_name(place)
        text = f"{name} == {show(place.term)}"
        return Constraint(comparison(Name(name), Relation.EQ, place.term), text, Source(text))

    def over_sizes(self, name: str) -> Term:
        """A name over sizes alone."""
        term = self.values[name]
        known = {n: self.over_sizes(n) for n in names_of(term) if n in self.values}
        return substitute_term(term, known)
