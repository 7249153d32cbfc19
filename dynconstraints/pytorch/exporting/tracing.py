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
from dynconstraints.pytorch.declarations.declaration import Binding
from dynconstraints.pytorch.declarations.moments import FIRST_EXPORT, FIRST_FACTS
from dynconstraints.pytorch.declarations.scope import Scope
from dynconstraints.pytorch.exporting.example import Example
from dynconstraints.pytorch.exporting.places import Place
from dynconstraints.pytorch.frame.frame_facts import FrameFacts
from dynconstraints.pytorch.frame.restart import KEY, RestartState, TraceInput, carrying_restarts, restart_state

_MOST_ATTEMPTS = 32


@dataclass(frozen=True)
class TracedSize:
    """A declared size or int: its place, the example's value, and what the trace calls the input."""

    place: Place
    value: int
    source: Any

    def entrance(self) -> TraceInput:
        """The size as a trace meets it."""
        dimension = self.place.dimension
        base = self.source if dimension is None else _property(self.source, "SIZE", dimension)
        return TraceInput(base, self.source, dimension, self.value, self.place.term, ())


@dataclass(frozen=True)
class Traced:
    """What an export knows before anything is traced; ``reals`` are the names of floats."""

    sizes: tuple[TracedSize, ...]
    constraints: tuple[Constraint, ...]
    members: tuple[Binding, ...]
    scope: Scope
    reals: frozenset[str]

    @classmethod
    def of(cls, example: Example, sources: Sequence[Any]) -> Traced:
        """That of an example, given what the trace calls its inputs."""
        found = []
        for place in example.places:
            value = example.leaves[place.leaf].value
            size = value if place.dimension is None else value.shape[place.dimension]
            if not isinstance(size, float):
                found.append(TracedSize(place, int(size), sources[place.leaf]))
        return cls(tuple(found), example.constraints, example.call.members, example.scope, frozenset(example.floats))


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
    return facts_in(env, traced)


def leave_to_the_program(env: Any, printed: Sequence[list[str]]) -> None:
    """Take out the guards on declared sizes: the program checks them, and a frame inside of its trace has other names
    for its arguments."""
    declared = env.__dict__[KEY].dimensions
    for guards in printed:
        guards[:] = [guard for guard in guards if not any(text in guard for text in declared)]


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


def facts_in(env: Any, traced: Traced) -> FrameFacts:
    """What the ShapeEnv knows from now on. Raises the user's errors."""
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

    FIRST_FACTS.come()
    FIRST_EXPORT.come()
    constraints = (*traced.constraints, *_equal_terms(traced.sizes), *learnt.constraints)
    values = {member.name: member.value for member in traced.members}
    facts = FrameFacts.of_program(env, traced.scope, constraints, values, traced.reals | learnt.reals)
    facts.admit(traced.members)
    # Names first, then what follows from them.
    entrances = sorted(
        (s.entrance() for s in traced.sizes), key=lambda e: len(names_of(e.term)) - isinstance(e.term, Name)
    )
    for entrance in (*learnt.early, *entrances):
        expr = bind(None, facts, entrance)
        facts.dimensions.setdefault(source_name(entrance.base), expr)
    facts.offsets.update(
        source_name(_property(s.source, "STORAGE_OFFSET")) for s in traced.sizes if s.place.dimension is not None
    )
    return facts


def _equal_terms(sizes: Sequence[TracedSize]) -> list[Constraint]:
    """Sizes that are declared twice are both."""
    first: dict[tuple[int, int | None], Place] = {}
    found = []
    for place in (size.place for size in sizes):
        other = first.setdefault((place.leaf, place.dimension), place)
        if other.term != place.term:
            found.append(Constraint.of(comparison(other.term, Relation.EQ, place.term)))
    return found


def _property(source: Any, kind: str, *index: int) -> Any:
    return dynamo().TensorPropertySource(source, getattr(dynamo().TensorProperty, kind), *index)
