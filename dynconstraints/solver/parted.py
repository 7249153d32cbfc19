"""Questions about a set that falls into independent parts: each is put to the parts whose names it mentions."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from dynconstraints.facts.stated import Stated, is_plain
from dynconstraints.ir.fold import names
from dynconstraints.ir.nodes import Formula, Node
from dynconstraints.ir.printer import in_order
from dynconstraints.solver.components import components
from dynconstraints.solver.limits import RLIMIT, Limited
from dynconstraints.solver.prepared import Prepared
from dynconstraints.solver.tableau import Model
from dynconstraints.solver.verdict import Implied, Open, Unknown, Verdict

_MOST_NEAR = 24


class Parted:
    """The conjunction of formulas as its independent parts, which share no name."""

    def __init__(self, formulas: Sequence[Formula]) -> None:
        self._formulas = tuple(formulas)
        self._prepared: dict[frozenset[int], Prepared] = {}
        self._empties: dict[int, Prepared | None] = {}

    @cached_property
    def formulas(self) -> tuple[Formula, ...]:
        """The formulas, once each, in an order that does not depend on how they were given."""
        return tuple(in_order(self._formulas))

    @cached_property
    def stated(self) -> Stated:
        """What they state of single names."""
        return Stated(self._formulas)

    @cached_property
    def names_of(self) -> dict[Formula, tuple[str, ...]]:
        """The names of each formula."""
        return {formula: tuple(sorted(names(formula))) for formula in self.formulas}

    @cached_property
    def groups(self) -> tuple[tuple[Formula, ...], ...]:
        """The formulas of each part."""
        return tuple(components(self.formulas, self.names_of))

    @cached_property
    def parts(self) -> tuple[Prepared, ...]:
        """The parts, each ready for questions."""
        return tuple(self._joined(frozenset({index})) for index in range(len(self.groups)))

    @cached_property
    def _group_of(self) -> dict[str, int]:
        return {name: i for i, group in enumerate(self.groups) for formula in group for name in self.names_of[formula]}

    def about(self, node: Node) -> Prepared:
        """The conjunction of the parts that the node speaks of."""
        return self._joined(self._spoken_of(node))

    def _spoken_of(self, node: Node) -> frozenset[int]:
        return frozenset(self._group_of[name] for name in names(node) if name in self._group_of)

    def about_all(self, node: Node, limit: int = RLIMIT) -> Prepared:
        """As ``about``; but where another part has no models, and so nothing has, that part."""
        prepared, empty = self.about(node), self._empty(limit)
        return prepared if empty is None or set(empty.names) & set(prepared.names) else empty

    def _empty(self, limit: int) -> Prepared | None:
        """The first part that has no models, if one has none."""
        if limit not in self._empties:
            self._empties[limit] = next((part for part in self.parts if part.model(limit) is None), None)
        return self._empties[limit]

    def _joined(self, chosen: frozenset[int]) -> Prepared:
        if chosen not in self._prepared:
            self._prepared[chosen] = Prepared([formula for index in sorted(chosen) for formula in self.groups[index]])
        return self._prepared[chosen]

    def model(self, limit: int = RLIMIT) -> Model | Limited | None:
        """An assignment that satisfies all parts; None if one of them has none."""
        found = [part.model(limit) for part in self.parts]
        if None in found:
            return None
        model: Model = {}
        for some in found:
            if isinstance(some, Limited):
                return some
            model |= some or {}
        return dict(sorted(model.items()))

    def implies(self, query: Formula, limit: int = RLIMIT) -> Verdict:
        """Whether the query is true under all, some or none of the assignments that satisfy all parts."""
        if is_plain(query) and self.stated.implies(query):
            return Implied()
        prepared = self.about(query)
        if prepared.is_large and prepared.facts.truth(query) is None and self._near(prepared, query, limit):
            return Implied()
        verdict = prepared.implies(query, limit)
        spoken_of = self._spoken_of(query)
        if isinstance(verdict, Implied) or len(spoken_of) == len(self.groups):
            return verdict
        others = [part.model(limit) for index, part in enumerate(self.parts) if index not in spoken_of]
        if None in others:
            return Implied()
        return self._with_rest(verdict, others) if isinstance(verdict, Open) else verdict

    def _with_rest(self, verdict: Open, others: Sequence[Model | Limited | None]) -> Verdict:
        """The witnesses with values for the names of the other parts."""
        rest: Model = {}
        for other in others:
            if isinstance(other, Limited):
                return Unknown(other.reason)
            rest |= other or {}
        holds_at, fails_at = ({**rest, **witness} for witness in (verdict.holds_at, verdict.fails_at))
        return Open(dict(sorted(holds_at.items())), dict(sorted(fails_at.items())))

    def _near(self, prepared: Prepared, query: Formula, limit: int) -> bool:
        """Whether the formulas nearest to the query, through shared names, imply it by themselves."""
        reached, near = set(names(query)), dict[Formula, None]()
        while len(near) < _MOST_NEAR:
            more = [f for f in prepared.formulas if f not in near and reached.intersection(self.names_of[f])]
            if not more:
                break
            near.update(dict.fromkeys(more[: _MOST_NEAR - len(near)]))
            reached.update(*(self.names_of[f] for f in more))
        some = Prepared(list(near))
        return not some.is_large and isinstance(some.implies(query, limit), Implied)
