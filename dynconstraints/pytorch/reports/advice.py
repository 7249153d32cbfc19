"""What to do about the conditions beyond a declaration: said as a person would, with what eager makes of them."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch

from dynconstraints.diagnostics.errors import ConstraintError
from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.nodes import Formula, Not, conjunction
from dynconstraints.ir.printer import show
from dynconstraints.pytorch._torch.eager import mapped
from dynconstraints.pytorch.frame.declared_inputs import signature_and_parameters
from dynconstraints.pytorch.guards.normal_guards import normal_form
from dynconstraints.pytorch.guards.plain_guards import opposite, plain_guards, share
from dynconstraints.pytorch.reports.coverage import within
from dynconstraints.pytorch.reports.eager_calls import EagerCall
from dynconstraints.pytorch.reports.model import Graph, ResidualGuard
from dynconstraints.pytorch.signatures.calls import items_of, known_call
from dynconstraints.pytorch.values.dynamic_int import standing_for
from dynconstraints.pytorch.values.named_dims import attach
from dynconstraints.system import ConstraintSystem


def in_plain_words(
    found: Sequence[ResidualGuard], system: ConstraintSystem, values: Mapping[str, int]
) -> list[ResidualGuard]:
    """The conditions in their plainest form beside each other, each with where it fails."""
    said = {i: r.true for i, r in enumerate(found) if r.true is not None and _is_exact(r)}
    plain = dict(zip(said, plain_guards(list(said.values()), system), strict=True))
    return [_said(r, plain[i], plain, system, values) if i in plain else r for i, r in enumerate(found)]


def in_normal_form(found: Iterable[ResidualGuard], system: ConstraintSystem) -> list[ResidualGuard]:
    """The conditions in normal form, each once: the solver is asked about them many times."""
    said: dict[object, ResidualGuard] = {}
    for guard in found:
        if guard.true is None or not _is_exact(guard):
            said[id(guard)] = guard
            continue
        normal = normal_form(guard.true, system)
        said.setdefault((normal, guard.specialises), replace(guard, true=normal, false=Not(normal)))
    return list(said.values())


def _is_exact(guard: ResidualGuard) -> bool:
    """Whether the opposite of what makes it true makes it false; of floats, which round, it doesn't."""
    return guard.true is not None and guard.false == Not(guard.true)


def _said(
    guard: ResidualGuard,
    formula: Formula,
    every: Mapping[int, Formula],
    system: ConstraintSystem,
    values: Mapping[str, int],
) -> ResidualGuard:
    fails_at = guard.fails_at
    if fails_at is not None and Constraint.of(formula).symbols and _holds(formula, fails_at):
        others = [other for other in every.values() if other is not formula]
        fails_at = within(system, conjunction((Not(formula), *others)), values) or fails_at
    is_one = guard.specialises is not None
    otherwise = None if is_one else show(opposite(formula, system))
    left = share(formula, system)
    return replace(
        guard,
        condition=guard.condition if is_one else show(formula),
        true=formula,
        false=Not(formula),
        fails_at=fails_at,
        otherwise=otherwise,
        is_smaller=left is not None and left.is_smaller,
    )


def _holds(formula: Formula, values: Mapping[str, int]) -> bool:
    constraint = Constraint.of(formula)
    return all(name in values for name in constraint.symbols) and constraint.holds(values)


class Eager:
    """The calls of a report, tried in eager where its graphs fail."""

    def __init__(
        self,
        target: Callable[..., Any],
        calls: Iterable[tuple[tuple[Any, ...], Mapping[str, Any]]],
    ) -> None:
        self.calls = [
            EagerCall(target, *_named(target, args, kwargs), _labels(target, len(args))) for args, kwargs in calls
        ]

    def judged(self, graph: Graph) -> Graph:
        """The graph, its conditions with what eager makes of the values that they fail for."""
        call = self._of(graph.values)
        if call is None or not any(r.fails_at for r in graph.remaining):
            return graph
        return replace(graph, remaining=tuple(self._tried(r, graph, call) for r in graph.remaining))

    def failure(self, graph: Graph, values: Mapping[str, int]) -> str | None:
        """What eager raises for other values of a graph's names; None where nothing, or that isn't known."""
        call = self._of(graph.values)
        mine = _own(graph, values)
        return None if call is None or not _is_of_arguments(graph, mine, call) else call.failure(mine)

    def _tried(self, guard: ResidualGuard, graph: Graph, call: EagerCall) -> ResidualGuard:
        if guard.fails_at is None:
            return guard
        mine = _own(graph, guard.fails_at)
        if not _is_of_arguments(graph, mine, call):
            return guard
        if guard.specialises is not None:
            alone = {**graph.values, guard.specialises: mine.get(guard.specialises, 0)}
            forgotten = call.forgotten(guard.specialises, {n: alone[n] for n in mine})
            if forgotten:
                return replace(guard, forgotten=forgotten)
        return replace(guard, fails_in_eager=call.failure(mine))

    def _of(self, values: Mapping[str, int]) -> EagerCall | None:
        """The call that a graph was compiled for."""
        named = {name: value for name, value in values.items() if name.isidentifier()}
        return next((c for c in self.calls if named and all(c.values.get(n) == v for n, v in named.items())), None)


def _own(graph: Graph, values: Mapping[str, int]) -> dict[str, int]:
    """The values of the names that the graph looks at; those of expressions follow."""
    return {name: value for name, value in values.items() if name in graph.values and name.isidentifier()}


def _named(
    target: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> tuple[Sequence[Any], Mapping[str, Any]]:
    """The arguments of a trial, under the names that the target's signature gives them; the user's own stay as they
    are."""
    found = signature_and_parameters(target)
    if found is None:
        return args, kwargs
    signature, parameters = found
    try:
        items = items_of(signature, parameters.of_call(tuple(args), kwargs))
        call = known_call(signature, items)
    except ConstraintError:
        return args, kwargs
    tensors = {id(i.reached.value): i for i in items if None not in i.terms}
    numbers = {i.reached.path: i.terms[None] for i in items if None in i.terms and type(i.reached.value) is int}

    def named(value: Any) -> Any:
        item = tensors.get(id(value))
        if item is None:
            return value
        alias = value.detach().view_as(value)
        attach(alias, {d: term for d, term in item.terms.items() if d is not None}, call)
        return alias

    def number(name: str, value: Any) -> Any:
        return standing_for(numbers[name], value, call.members) if name in numbers else mapped(named, value)

    return (
        [number(name, value) for name, value in zip((*parameters.positional, *[""] * len(args)), args, strict=False)],
        {name: number(name, value) for name, value in kwargs.items()},
    )


def _labels(target: Callable[..., Any], number: int) -> list[str]:
    """What the function calls its positional arguments: its parameters, then items of the one that takes the rest."""
    called = target.forward if isinstance(target, torch.nn.Module) else target
    kinds = inspect.Parameter
    try:
        parameters = list(inspect.signature(called).parameters.values())
    except (TypeError, ValueError):  # a callable that tells none
        return [""] * number
    own = [p.name for p in parameters if p.kind in (kinds.POSITIONAL_ONLY, kinds.POSITIONAL_OR_KEYWORD)]
    rest = next((p.name for p in parameters if p.kind is kinds.VAR_POSITIONAL), "")
    return [*own, *(f"{rest}[{i}]" for i in range(number))][:number]


def _is_of_arguments(graph: Graph, values: Mapping[str, int], call: EagerCall) -> bool:
    """Whether the names that change stand on arguments of the call alone."""
    known = {label.partition("[")[0] for label in call.labels} | call.kwargs.keys()
    changed = {name for name, value in values.items() if graph.values.get(name) != value}
    roots: Iterator[str] = (place for place, name in graph.places if changed & set(re.findall(r"[^\W\d]\w*", name)))
    return all(re.split(r"\W", place)[0] in known for place in roots)
