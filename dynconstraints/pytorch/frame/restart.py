"""What an attempt to trace a frame leaves to the next: a restart with what was learnt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.nodes import (
    Term,
)
from dynconstraints.pytorch._torch.dynamo import dynamo
from dynconstraints.pytorch.declarations.declaration import Binding
from dynconstraints.pytorch.frame.float_facts import Constant

KEY = "_dynconstraints"
"""The attribute under which a ShapeEnv, and a CompileContext, carry what is known."""


@dataclass(frozen=True)
class TraceInput:
    """A value as the trace meets it.

    ``base`` is the source of the number and ``source`` that of the object, a tensor's where ``dimension`` says which of
    its sizes is meant; ``term`` is what the value is held to, ``members`` the bindings behind it.
    """

    base: Any
    source: Any
    dimension: int | None
    value: int
    term: Term
    members: tuple[Binding, ...]
    by_signature: bool = False


@dataclass(frozen=True)
class RestartState:
    """What earlier attempts at a frame leave to the next: constraints in force, values to be met first, floats' names,
    floats that have to be constants, and parameters that the backend settles."""

    constraints: tuple[Constraint, ...] = ()
    early: tuple[TraceInput, ...] = ()
    reals: frozenset[str] = frozenset()
    constants: Mapping[str, Constant] = field(default_factory=dict)
    settled: frozenset[str] = frozenset()


_carried: ContextVar[list[RestartState] | None] = ContextVar("dynconstraints_carried", default=None)


@contextmanager
def carrying_restarts() -> Iterator[None]:
    """While open, what attempts leave is kept here as well: ahead of time, each has a context of its own."""
    token = _carried.set([])
    try:
        yield
    finally:
        _carried.reset(token)


def leave(state: RestartState) -> None:
    """Leave it to the next attempt at the frame that is being compiled."""
    context, carried = dynamo().CompileContext.try_get(), _carried.get()
    if context is not None:
        context.__dict__[KEY] = state
    if carried is not None:
        carried[:] = [state]


def restart_state() -> RestartState:
    """What earlier attempts at the frame that is being compiled have learnt."""
    context, carried = dynamo().CompileContext.try_get(), _carried.get()
    found = None if context is None else context.__dict__.get(KEY)
    if found is None and carried:
        found = carried[0]
    return RestartState() if found is None else found
