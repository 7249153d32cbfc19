"""Who serves what: the graphs of one function against all that is declared, asked of the solver."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from dynconstraints.diagnostics.errors import ConstraintError
from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.nodes import Formula, Not, conjunction, disjunction
from dynconstraints.pytorch.reports.model import Graph, ResidualGuard
from dynconstraints.pytorch.reports.suggesting.implications import Implications
from dynconstraints.solver.verdicts import Implied, Sat
from dynconstraints.system import ConstraintSystem

_MOST_NEAR, _EFFORT = 4, 20_000
"""Of more names the nearest assignment is not looked for; nor with more than this effort of the solver's."""


@dataclass(frozen=True)
class Split:
    """The graphs of one function, and whether they serve all that is declared.

    ``counterexample`` is an assignment that none of them serves, where one is known. A part of the domain that several
    serve goes to the one that torch tries first.
    """

    code: str
    graphs: tuple[Graph, ...]
    covers_domain: bool | None
    counterexample: Mapping[str, int] | None

    @property
    def is_concerned(self) -> bool:
        """Whether the domain matters to the function: it looks at declared values, or may at what is made of them.

        One that does neither, such as what comes before the first graph break, is the same for all of the domain.
        """
        return any(graph.places or (graph.resumed and graph.undeclared) for graph in self.graphs)

    def as_data(self, graphs: Sequence[Graph]) -> dict[str, Any]:
        """The split as plain data, graphs by their index among all of the report."""
        return {
            "code": self.code,
            "covers_domain": self.covers_domain,
            "counterexample": None if self.counterexample is None else dict(self.counterexample),
            "parts": [
                {"graph": next(i for i, g in enumerate(graphs) if g is graph), "serves": serves(graph)}
                for graph in self.graphs
            ],
        }


def serves(graph: Graph) -> list[str]:
    """The conditions, beyond the declaration, under which the graph serves a call; none for all that is declared."""
    return [r.condition for r in graph.remaining] + list(graph.undeclared)


def split(graphs: Sequence[Graph]) -> Split:
    """What the graphs of one function serve together. The domain is that of the last."""
    *_, last = graphs
    if len(graphs) == 1:
        fails_at = next((r.fails_at for r in last.remaining if r.fails_at is not None), None)
        return Split(last.code, tuple(graphs), last.covers_domain, fails_at)
    served = disjunction(tuple(part for g in graphs if g.places and (part := _served(g, last.system)) is not None))
    if isinstance(last.system.implies(Constraint.of(served)), Implied):
        return Split(last.code, tuple(graphs), True, None)
    if not all(graph.is_reached for graph in graphs):
        return Split(last.code, tuple(graphs), None, None)
    outside = [_not_served(graph, last.system) for graph in graphs]
    found = within(last.system, conjunction(tuple(outside)), last.values)
    return Split(last.code, tuple(graphs), None if found is None else False, found)


def within(
    system: ConstraintSystem, formula: Formula, near: Mapping[str, int] | None = None
) -> Mapping[str, int] | None:
    """An assignment that satisfies the system and the formula, if one is found that ints and floats hold.

    The nearest to those values, where that is found easily.
    """
    asked = ConstraintSystem((*system, Constraint.of(formula)), reals=system.reals)
    found = asked.check()
    model = found.model if isinstance(found, Sat) else {}
    if not model or not all(isinstance(value, int | float) for value in model.values()):
        return None
    if near and not asked.reals and len(near) <= _MOST_NEAR:
        with suppress(ConstraintError):
            return asked.nearest({n: v for n, v in near.items() if n in asked.symbols}, _EFFORT)
    return model


def needed(system: ConstraintSystem, found: Sequence[ResidualGuard], values: Mapping[str, int]) -> list[ResidualGuard]:
    """The conditions without those that follow, under the system, from others, in their order.

    Those stay that leave a name one value, or that the language has no words for. ``values`` are those of the call.
    """
    asking = Implications([values])
    asked = {i: Constraint.of(r.true) for i, r in enumerate(found) if r.true is not None}
    loose = [i for i in asked if found[i].specialises is None]
    kept: list[int] = [i for i in asked if i not in loose]
    for index in sorted(loose, key=lambda i: len(found[i].condition)):  # short ones first: they settle most
        if not _implied(system, [asked[i] for i in kept], asked[index], asking):
            kept.append(index)
    for index in [i for i in kept if i in loose]:
        others = [i for i in kept if i != index]
        if _implied(system, [asked[i] for i in others], asked[index], asking):
            kept = others
    return [r for i, r in enumerate(found) if i in kept or i not in asked]


def _implied(system: ConstraintSystem, more: Sequence[Constraint], asked: Constraint, asking: Implications) -> bool:
    return asking.implied(ConstraintSystem((*system, *more), reals=system.reals), asked)


def _served(graph: Graph, domain: ConstraintSystem) -> Formula | None:
    """What is enough for the graph to serve a call in the domain; None where that is not known."""
    if graph.undeclared or any(r.true is None for r in graph.remaining):
        return None
    return conjunction((*_beyond(graph, domain), *(r.true for r in graph.remaining if r.true is not None)))


def _not_served(graph: Graph, domain: ConstraintSystem) -> Formula:
    """What is enough for the graph not to serve a call in the domain."""
    own = (Not(formula) for formula in _beyond(graph, domain))
    return disjunction((*own, *(r.false for r in graph.remaining if r.false is not None)))


def _beyond(graph: Graph, domain: ConstraintSystem) -> Iterable[Formula]:
    return [c.formula for c in graph.system if c not in domain.constraints]
