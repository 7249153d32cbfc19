"""What torch compiles inside a block: each frame with its facts and shape guards, as data."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from types import CodeType
from typing import Any

from dynconstraints.pytorch.frame.frame_facts import FrameFacts
from dynconstraints.pytorch.frame.restart import KEY
from dynconstraints.pytorch.tracing.trace_record import Trace, trace_of, trace_without_graph


@dataclass(frozen=True)
class Frame:
    """One compiled frame: the shape guards in torch's notation, and what was declared for it, if anything was.

    ``code`` is the function that it was compiled for, or the rest of one after a graph break. ``trace`` tells what it
    looks at and hands on.
    """

    guards: tuple[str, ...]
    facts: FrameFacts | None
    code: CodeType | None = None
    trace: Trace | None = None


@dataclass(frozen=True)
class Left:
    """A frame that torch traced, or tried to, and left to eager; ``trace`` where it only found nothing to compile."""

    code: CodeType
    facts: FrameFacts | None
    trace: Trace | None


class Frames(list[Frame]):
    """The frames that are compiled, in order, and those that are ``left`` to eager."""

    def __init__(self) -> None:
        super().__init__()
        self.left: list[Left] = []


@dataclass
class _Asked:
    """The frame that Dynamo is asked about, and how its trace ended, where that made no graph."""

    code: CodeType
    output: Any = None
    trace: Trace | None = None


_asked: ContextVar[_Asked | None] = ContextVar("dynconstraints_asked", default=None)
_collectors: ContextVar[tuple[Frames, ...]] = ContextVar("dynconstraints_collectors", default=())


@contextmanager
def observe() -> Iterator[Frames]:
    """Collect the frames that are compiled inside the block, in this thread or task, in order."""
    frames = Frames()
    token = _collectors.set((*_collectors.get(), frames))
    try:
        yield frames
    finally:
        _collectors.reset(token)


def is_observed() -> bool:
    """Whether anybody wants to know."""
    return bool(_collectors.get())


@contextmanager
def compiling(code: CodeType) -> Iterator[None]:
    """Tell that Dynamo is asked about the function."""
    token = _asked.set(_Asked(code))
    try:
        yield
    finally:
        _asked.reset(token)


def record(env: Any, guards: list[str]) -> None:
    """Hand a frame's guards to the blocks that observe; called when torch has printed them."""
    if is_observed():
        asked = _asked.get()
        code = None if asked is None else asked.code
        frame = Frame(tuple(guards), env.__dict__.get(KEY), code, trace_of(env))
        for frames in _collectors.get():
            frames.append(frame)


def note_unfinished(output: Any) -> None:
    """Keep, for `note_answer`, what a trace looked at that found nothing to compile; called at the end of each."""
    asked = _asked.get()
    if asked is not None:
        asked.output, asked.trace = output, trace_without_graph(output)


def note_answer(answer: Any) -> None:
    """Hand a frame that torch leaves to eager to the blocks that observe; called with what Dynamo says of it."""
    asked = _asked.get()
    if asked is not None and getattr(answer, "guarded_code", None) is None:
        facts = None if asked.output is None else asked.output.shape_env.__dict__.get(KEY)
        for frames in _collectors.get():
            frames.left.append(Left(asked.code, facts, asked.trace))
