"""Where all that the frames of a program look at comes from: the question that a proof of coverage stands on.

The function's own frame looks at what the call brings. The rest of it after a graph break looks at what the code before
hands over; that is the same for all that is declared, or has names, only where `Handed` says so. Whatever else runs in
eager, or is compiled by itself, is not followed: it may do anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import CodeType

from dynconstraints.pytorch._torch.compilation import most_graphs
from dynconstraints.pytorch._torch.shape_env import plain_source
from dynconstraints.pytorch._torch.trace import parts_of_source
from dynconstraints.pytorch.guards.narrowing import extra_guards, open_guards
from dynconstraints.pytorch.install.observe import Frame, Frames, Left
from dynconstraints.pytorch.reports.model import Doubt
from dynconstraints.pytorch.tracing.break_effects import NUMBER, Break
from dynconstraints.pytorch.tracing.trace_record import Change, Look, Trace


@dataclass(frozen=True)
class Undeclared:
    """A variable of the rest of a function, what is known of it, and what it held in the call that was traced."""

    variable: str
    known: str
    held: str

    @property
    def condition(self) -> str:
        """That it holds the same."""
        return f"{'a value from before the graph break' if self.is_unnamed else self.variable} {self.held}"

    @property
    def text(self) -> str:
        """What the report says of it."""
        what = self.known if self.is_unnamed else f"{self.variable}, {self.known}"
        return f"the rest after the graph break looks at {what}, which nothing declares"

    @property
    def is_unnamed(self) -> bool:
        """Whether the user has no variable for it."""
        return self.variable.startswith("___stack")


class Inputs:
    """The frames of one program, which starts with the code ``root``; ``are_settings_kept`` by its calls."""

    def __init__(self, frames: Frames, root: CodeType | None, are_settings_kept: bool) -> None:
        self.frames = frames
        self.root = root
        self.are_settings_kept = are_settings_kept
        self._faults: dict[tuple[CodeType | None, str], str | None] = {}

    def undeclared(self, frame: Frame | Left) -> list[Undeclared]:
        """The variables that a frame looks at and that may hold something else in other calls."""
        found: dict[str, Undeclared] = {}
        if frame.trace is None:
            return []
        for look in frame.trace.looks:
            fault = None if look.variable is None else self._fault(frame.code, look.variable)
            if look.variable and fault is not None and not (fault == NUMBER and _is_named_here(frame, look)):
                found[look.variable] = Undeclared(look.variable, fault, frame.trace.held.get(look.variable, ""))
        return list(found.values())

    def is_reached(self, frame: Frame) -> bool:
        """Whether each call that fails a guard of the frame is known to have a graph compiled anew, there or before."""
        is_empty = frame.trace is not None and frame.trace.broke is not None and not frame.trace.computes
        times = sum(other.code is frame.code for other in self.frames)
        if is_empty or times >= most_graphs() or frame.code is self.root:
            return not is_empty and times < most_graphs()
        before = self._before(frame.code)
        if not before or any(self._faults_of_names(frame)):
            return False
        seen = {other.code for other in self.frames}
        siblings = [other for other in self.frames if other.code is before[0].code]
        alone = all([code for code in _rest(other) if code in seen] == [frame.code] for other in siblings)
        return alone and all(self.is_reached(other) for other in before)

    def doubts(self) -> Iterator[Doubt]:
        """Why no proof is to be had, whatever the guards on declared names say; the first in the program's order."""
        if not self.are_settings_kept:
            yield Doubt("the program leaves torch's settings changed, such as whether it records gradients", None)
        for frame in self._in_order:
            yield from self._doubts_of(frame)
        for frame in self.frames:
            if not self._is_of_program(frame.code):
                name = "?" if frame.code is None else frame.code.co_name
                yield Doubt(f"{name} is compiled by itself, and what it is given is not followed", None)
        yield from self._changes()

    @cached_property
    def _in_order(self) -> list[Frame | Left]:
        order = list(dict.fromkeys(frame.code for frame in self.frames))
        every: list[Frame | Left] = [*self.frames, *self.frames.left]
        mine = [frame for frame in every if self._is_of_program(frame.code)]
        return sorted(mine, key=lambda f: order.index(f.code) if f.code in order else len(order))

    def _is_of_program(self, code: CodeType | None) -> bool:
        return code is self.root or bool(self._before(code))

    def _before(self, code: CodeType | None) -> list[Frame]:
        """The frames that go on with the code."""
        return [frame for frame in self.frames if code in _rest(frame)]

    def _fault(self, code: CodeType | None, variable: str) -> str | None:
        """What a variable holds that may differ from call to call; None where it is known to be what it is in all."""
        if code is self.root or variable.startswith("__nested_"):  # what torch hands to itself, empty here
            return None
        key = code, variable
        if key not in self._faults:
            self._faults[key] = None  # a frame that goes on with itself
            self._faults[key] = self._found_fault(code, variable)
        return self._faults[key]

    def _found_fault(self, code: CodeType | None, variable: str) -> str | None:
        before = self._before(code)
        known = [frame.trace for frame in before if frame.trace is not None]
        if not known or len(known) < len(before):
            return "a value that is not followed"
        handed = [trace.handed.get(variable) for trace in known]
        first = handed[0]
        if first is None or any(other != first for other in handed):
            return _given(known) if variable.startswith("___stack") else "a value that is not followed"
        faults = (self._fault(frame.code, name) for frame in before for name in sorted(first.variables))
        return first.unknown or next((fault for fault in faults if fault is not None), None)

    def _faults_of_names(self, frame: Frame) -> Iterator[str]:
        """What is not known of the variables that declare the frame's names."""
        for look in frame.trace.looks if frame.trace is not None else ():
            if look.kind == "declared" and look.variable is not None and not _is_named_here(frame, look):
                fault = self._fault(frame.code, look.variable)
                if fault is not None:
                    yield fault

    def _doubts_of(self, frame: Frame | Left) -> Iterator[Doubt]:
        lines = [f.trace.broke.line for f in self._before(frame.code) if f.trace is not None and f.trace.broke]
        line = next(iter(lines), None)
        for undeclared in self.undeclared(frame):
            yield Doubt(undeclared.text, line)
        if frame.trace is None:
            if isinstance(frame, Left) or frame.code is not self.root:
                name = "?" if frame.code is None else frame.code.co_name
                yield Doubt(f"torch leaves {_function(name)} to eager, and what that does is not followed", line)
            return
        if isinstance(frame, Left) and _depends_on_sizes(frame):
            yield Doubt("it depends on sizes whether anything is left to compile", line)
        if frame.trace.broke is not None and isinstance(frame, Frame):
            yield from self._doubts_of_break(frame, frame.trace.broke)

    def _doubts_of_break(self, frame: Frame, broke: Break) -> Iterator[Doubt]:
        rest = _rest(frame)
        if len(rest) > 1:
            yield Doubt("data decide which way the program takes", broke.line)
        elif not broke.is_harmless or (not rest and not broke.returns):
            yield Doubt(f"{broke.action} is left to eager, and may change what graphs are guarded by", broke.line)
        elif any(code not in {f.code for f in (*self.frames, *self.frames.left)} for code in rest):
            yield Doubt("the rest of the program was not looked at", broke.line)

    def _changes(self) -> Iterator[Doubt]:
        """What the program changes and is guarded by: the next call finds it changed."""
        traces = [frame.trace for frame in self._in_order if frame.trace is not None]
        for changing in traces:
            for change in changing.changes:
                for trace in traces:
                    if any(change.touches(look, trace is changing) for look in trace.looks):
                        yield Doubt(f"the program changes {_plain(change)}, which it is guarded by", change.line)
                        break


def _given(known: Sequence[Trace]) -> str:
    """What an unnamed value may be: the result of what ran in eager, or one from before it."""
    gives = {trace.broke.gives for trace in known if trace.broke is not None}
    return gives.pop() or "a value that is not followed" if len(gives) == 1 else "a value that is not followed"


def _depends_on_sizes(frame: Left) -> bool:
    facts = frame.facts
    return facts is not None and (any(extra_guards(facts)) or any(open_guards(facts)))


def _rest(frame: Frame) -> tuple[CodeType, ...]:
    return () if frame.trace is None else frame.trace.rest


def _is_named_here(frame: Frame | Left, look: Look) -> bool:
    """Whether the program names the number with `bind`, in this frame."""
    if frame.facts is None:
        return False
    given = frame.facts.computed.expressions
    return any(p.name in given and parts_of_source(p.source)[0] == look.variable for p in frame.facts.places)


def _function(name: str) -> str:
    """The function's name, of the rest of one after a break, too."""
    if not name.startswith("torch_dynamo_resume_in_"):
        return name
    return f"the rest of {name.removeprefix('torch_dynamo_resume_in_').rpartition('_at_')[0]}"


def _plain(change: Change) -> str:
    whole = plain_source(change.source)
    return f"{whole}.{min(change.names)}" if change.names else whole
