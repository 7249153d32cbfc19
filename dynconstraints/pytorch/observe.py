"""What torch compiles inside a block: each frame with its facts and shape guards, as data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import CodeType
from typing import Any

from dynconstraints.pytorch._compat import dynamo, source_name
from dynconstraints.pytorch.frame import KEY, FrameFacts


@dataclass(frozen=True)
class Frame:
    """One compiled frame: the shape guards in torch's notation, and what was declared for it, if anything was.

    ``code`` is the function that it was compiled for, or the rest of one after a graph break. ``constants`` are the
    ints of the call that declare nothing, and that the graph is compiled for.
    """

    guards: tuple[str, ...]
    facts: FrameFacts | None
    code: CodeType | None = None
    constants: Mapping[str, int] = field(default_factory=dict)


_code: ContextVar[CodeType | None] = ContextVar("dynconstraints_code", default=None)
_collectors: ContextVar[tuple[list[Frame], ...]] = ContextVar("dynconstraints_collectors", default=())


@contextmanager
def observe() -> Iterator[list[Frame]]:
    """Collect the frames that are compiled inside the block, in this thread or task, in order."""
    frames: list[Frame] = []
    token = _collectors.set((*_collectors.get(), frames))
    try:
        yield frames
    finally:
        _collectors.reset(token)


@contextmanager
def compiling(code: CodeType) -> Iterator[None]:
    """Tell that Dynamo is asked about the function."""
    token = _code.set(code)
    try:
        yield
    finally:
        _code.reset(token)


def record(env: Any, guards: list[str]) -> None:
    """Hand a frame's guards to the blocks that observe; called when torch has printed them."""
    for frames in _collectors.get():
        frames.append(Frame(tuple(guards), env.__dict__.get(KEY), _code.get(), env.__dict__.get(_CONSTANTS, {})))


def note_constants(output: Any) -> None:
    """Keep, for `record`, which plain ints of the call the trace took for constants; called when it is done."""
    if _collectors.get():
        guarded = {source_name(guard.originating_source) for guard in output.guards if guard.originating_source}
        ints = {name: value for name, value in output.local_scope.items() if type(value) is int}
        found = {n: v for n, v in ints.items() if source_name(dynamo().LocalSource(n)) in guarded}
        output.shape_env.__dict__[_CONSTANTS] = found


_CONSTANTS = f"{KEY}_constants"
