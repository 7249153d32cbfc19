"""Questions about a set that falls into independent parts: each is put to the parts whose names it mentions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import TypeVar

from dynconstraints.facts.product.box import Box, is_plain
from dynconstraints.ir.fold import conjuncts, names
from dynconstraints.ir.nodes import Formula, Node
from dynconstraints.ir.printer import in_order
from dynconstraints.solver.limits import MOST_JOINED, NEAREST_FORMULAS, RLIMIT, Limited
from dynconstraints.solver.portfolio import Portfolio
from dynconstraints.solver.tableau.tableau import Model
from dynconstraints.solver.verdicts import Implied, Open, Refuted, Unknown, Verdict


class Partition:
    """The conjunction of formulas as its independent parts, which share no name."""

    def __init__(self, formulas: Sequence[Formula]) -> None:
        self._formulas = tuple(formulas)
        self._portfolios: dict[frozenset[int], Portfolio] = {}
        self._empties: dict[int, Portfolio | None] = {}

    @cached_property
    def formulas(self) -> tuple[Formula, ...]:
        """The formulas, once each, in an order that does not depend on how they were given."""
        return tuple(in_order(self._formulas))

    @cached_property
    def box(self) -> Box:
        """What they state of single names."""
        return Box(self._formulas)

    @cached_property
    def names_of(self) -> dict[Formula, tuple[str, ...]]:
        """The names of each formula."""
        return {formula: tuple(sorted(names(formula))) for formula in self.formulas}

    @cached_property
    def groups(self) -> tuple[tuple[Formula, ...], ...]:
        """The formulas of each part."""
        return tuple(components(self.formulas, self.names_of))

    @cached_property
    def parts(self) -> tuple[Portfolio, ...]:
        """The parts, each ready for questions."""
        return tuple(self._joined(frozenset({index})) for index in range(len(self.groups)))

    @cached_property
    def _group_of(self) -> dict[str, int]:
        return {name: i for i, group in enumerate(self.groups) for formula in group for name in self.names_of[formula]}

    def about(self, node: Node) -> Portfolio:
        """The conjunction of the parts that the node speaks of."""
        return self._joined(self._spoken_of(node))

    def _spoken_of(self, node: Node) -> frozenset[int]:
        return frozenset(self._group_of[name] for name in names(node) if name in self._group_of)

    def about_all(self, node: Node, limit: int = RLIMIT) -> Portfolio:
        """As ``about``; but where another part has no models, and so nothing has, that part."""
        portfolio, empty = self.about(node), self._empty(limit)
        return portfolio if empty is None or set(empty.names) & set(portfolio.names) else empty

    def _empty(self, limit: int) -> Portfolio | None:
        """The first part that has no models, if one has none."""
        if limit not in self._empties:
            self._empties[limit] = next((part for part in self.parts if part.model(limit) is None), None)
        return self._empties[limit]

    def _joined(self, chosen: frozenset[int]) -> Portfolio:
        if chosen not in self._portfolios:
            self._portfolios[chosen] = Portfolio(
                [formula for index in sorted(chosen) for formula in self.groups[index]]
            )
        return self._portfolios[chosen]

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
        if is_plain(query) and self.box.implies(query):
            return Implied()
        portfolio = self.about(query)
        if portfolio.is_large and portfolio.facts.truth(query) is None and self._near(portfolio, query, limit):
            return Implied()
        verdict = portfolio.implies(query, limit)
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

    def _near(self, portfolio: Portfolio, query: Formula, limit: int) -> bool:
        """Whether the formulas nearest to the query, through shared names, imply it by themselves."""
        reached, near = set(names(query)), dict[Formula, None]()
        while len(near) < NEAREST_FORMULAS:
            more = [f for f in portfolio.formulas if f not in near and reached.intersection(self.names_of[f])]
            if not more:
                break
            near.update(dict.fromkeys(more[: NEAREST_FORMULAS - len(near)]))
            reached.update(*(self.names_of[f] for f in more))
        some = Portfolio(list(near))
        return not some.is_large and isinstance(some.implies(query, limit), Implied)


T = TypeVar("T")


def components(items: Sequence[T], names_of: Mapping[T, Iterable[str]]) -> list[tuple[T, ...]]:
    """The items in the finest partition that keeps together those that share a name, each part in the given order.

    Items without names are parts of their own. Union-find by halving (R. Tarjan, J. van Leeuwen, *Worst-case analysis
    of set union algorithms*, J. ACM 31, 1984): nearly linear.
    """
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        while parent.setdefault(name, name) != name:
            parent[name] = name = parent[parent[name]]
        return name

    for item in items:
        first, *others = names_of[item] or ("",)
        for other in others:
            parent[root(other)] = root(first)
    parts: dict[object, list[T]] = {}
    for item in items:
        names = tuple(names_of[item])
        parts.setdefault(root(names[0]) if names else item, []).append(item)
    return [tuple(part) for part in parts.values()]


def joins_many(query: Formula) -> bool:
    """Whether the query joins so many conditions that they are better asked one by one."""
    return sum(1 for _ in conjuncts(query)) > MOST_JOINED


def implies_all(partition: Partition, query: Formula, limit: int = RLIMIT) -> Verdict:
    """Whether every condition that the query joins is true under all, some or none of the assignments.

    The query is implied where each condition is, and refuted where one is; where one is open, the assignment at which
    that fails is one at which the query fails.
    """
    unknown: Unknown | None = None
    for condition in conjuncts(query):
        verdict = partition.implies(condition, limit)
        match verdict:
            case Refuted():
                return verdict
            case Open(_, fails_at):
                return _somewhere(partition.formulas, query, fails_at, limit)
            case Unknown():
                unknown = unknown or verdict
    return unknown or Implied()


def _somewhere(formulas: Sequence[Formula], query: Formula, fails_at: Mapping[str, int], limit: int) -> Verdict:
    """Of a query that fails somewhere: whether it holds somewhere, too."""
    holds_at = Partition([*formulas, query]).model(limit)
    if holds_at is None:
        return Refuted()
    if isinstance(holds_at, Limited):
        return Unknown(holds_at.reason)
    return Open(holds_at, dict(sorted({**holds_at, **fails_at}.items())))
