"""The trace of an export: its ShapeEnv knows what the example declares, before its first size becomes a symbol."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import torch

from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.fold import names as names_of
from dynconstraints.ir.nodes import Name, Relation, comparison
from dynconstraints.pytorch._torch.dynamo import dynamo
from dynconstraints.pytorch._torch.exporting import dynamic_int
from dynconstraints.pytorch._torch.shape_env import source_name
from dynconstraints.pytorch.declarations.moments import FIRST_EXPORT, FIRST_FACTS
from dynconstraints.pytorch.exporting.example import Example, Place
from dynconstraints.pytorch.frame.frame_facts import FrameFacts
from dynconstraints.pytorch.frame.restart import KEY, RestartState, TraceInput, carrying_restarts, restart_state

_MOST_ATTEMPTS = 32


@dataclass(frozen=True)
class Traced:
    """An export that is under way: its example, and what the trace calls its inputs."""

    example: Example
    sources: Sequence[Any]


_current: ContextVar[Traced | None] = ContextVar("dynconstraints_exporting", default=None)


@contextmanager
def exporting(traced: Traced) -> Iterator[None]:
    """While open, ShapeEnvs that are made know the declaration."""
    token = _current.set(traced)
    try:
        yield
    finally:
        _current.reset(token)


def is_exported(env: Any) -> bool:
    """Whether the ShapeEnv is that of a program that is exported under a declaration."""
    facts: FrameFacts | None = getattr(env, "__dict__", {}).get(KEY)
    return facts is not None and facts.exported


def facts_of_export(env: Any) -> FrameFacts | None:
    """What the ShapeEnv knows, made where it is asked for its first symbol; None outside of such an export."""
    known: FrameFacts | None = env.__dict__.get(KEY)
    traced = _current.get()
    if known is not None or traced is None or env.tracked_fakes is None:
        return known
    return _known(env, traced)


def is_exporting() -> bool:
    """Whether such an export is under way in this thread or task."""
    return _current.get() is not None


def wrapped_int(builder: Any, value: Any) -> Any:
    """The variable of a declared int in a strict trace; None for anything else. Torch's own has to be a symbol."""
    env, source = builder.tx.output.shape_env, builder.source
    facts = facts_of_export(env)
    expr = None if facts is None else facts.dimensions.get(source_name(source))
    number = dynamic_int(value)
    if expr is None or number is None:
        return None
    d = dynamo()
    node = env.create_symintnode(expr, hint=number, source=source)
    env.tracked_fakes.append(d.TrackedFake(node, source, None))
    if not isinstance(node, torch.SymInt):
        return d.ConstantVariable.create(number)
    proxy = builder.tx.output.root_tracer.create_graph_input(
        re.sub(r"\W+", "_", source_name(source)), type(node), node, source=source
    )
    proxy.node.meta["grapharg"] = d.GraphArg(source, node, False, None, is_tensor=False, example_strong_ref=node)
    return d.SymNodeVariable.create(builder.tx, proxy, node)


def _known(env: Any, traced: Traced) -> FrameFacts:
    before, learnt = len(env.tracked_fakes), RestartState()
    for _ in range(_MOST_ATTEMPTS):
        with carrying_restarts():
            try:
                return _attempt(env, traced, learnt)
            except dynamo().Restart:
                learnt = restart_state()
        del env.tracked_fakes[before:]
    raise RuntimeError("the names of an export were met again and again")


def _attempt(env: Any, traced: Traced, learnt: RestartState) -> FrameFacts:
    from dynconstraints.pytorch.tracing.inputs import bind  # of use where something is traced

    example = traced.example
    reals = frozenset(example.floats) | learnt.reals
    constraints = (*example.constraints, *equal_terms(example.places), *learnt.constraints)
    FIRST_FACTS.come()
    FIRST_EXPORT.come()
    facts = FrameFacts.of_program(env, example.scope, constraints, example.call.bindings, reals)
    facts.admit(example.call.members)
    for entrance in (*learnt.early, *entrances(traced)):
        expr = bind(None, facts, entrance)
        facts.dimensions.setdefault(source_name(entrance.base), expr)
    for source in traced.sources:
        facts.offsets.add(source_name(_property(source, "STORAGE_OFFSET")))
    return facts


def entrances(traced: Traced) -> list[TraceInput]:
    """The declared sizes and ints as a trace meets them: names first, then what follows from them."""
    example, found = traced.example, []
    for place in example.places:
        value, source = example.leaves[place.leaf].value, traced.sources[place.leaf]
        if place.dimension is not None:
            base = _property(source, "SIZE", place.dimension)
            found.append(TraceInput(base, source, place.dimension, int(value.shape[place.dimension]), place.term, ()))
        elif not isinstance(value, float):
            found.append(TraceInput(source, source, None, int(value), place.term, ()))
    return sorted(found, key=lambda entrance: len(names_of(entrance.term)) - isinstance(entrance.term, Name))


def equal_terms(places: Sequence[Place]) -> list[Constraint]:
    """Sizes that are declared twice are both."""
    first: dict[tuple[int, int | None], Place] = {}
    found = []
    for place in places:
        other = first.setdefault((place.leaf, place.dimension), place)
        if other.term != place.term:
            found.append(Constraint.of(comparison(other.term, Relation.EQ, place.term)))
    return found


def _property(source: Any, kind: str, *index: int) -> Any:
    return dynamo().TensorPropertySource(source, getattr(dynamo().TensorProperty, kind), *index)
