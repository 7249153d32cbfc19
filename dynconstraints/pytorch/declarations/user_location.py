"""Where in the user's code something was said, and errors that say so."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import FrameType

from dynconstraints.diagnostics.diagnostic import Label
from dynconstraints.diagnostics.errors import ConstraintError
from dynconstraints.diagnostics.source import Source, Span
from dynconstraints.ir.constraint import Constraint


@dataclass(frozen=True, slots=True)
class Place:
    """What a user wrote and where: ``origin`` as he would read it (``DynamicInt(65, name="s0")``), its file and line.

    ``part`` is the part of the origin that is meant, where that isn't all of it.
    """

    origin: str
    file: str | None = None
    line: int = 1
    part: str = ""

    @property
    def where(self) -> str | None:
        """``train.py:14``, or None where it is not known."""
        return None if self.file is None else f"{self.file}:{self.line}"

    def __str__(self) -> str:
        return self.origin if self.file is None else f"{self.origin}  at {self.where}"

    def source(self, text: str) -> Source:
        """The text as something said at the place."""
        return Source(text, self.origin, self.file, self.line)

    def constraint(self, constraint: Constraint) -> Constraint:
        """The constraint as one said at the place, where its own source doesn't say better."""
        return (
            constraint
            if _is_placed(constraint.source)
            else replace(constraint, source=self.source(constraint.source.text))
        )

    def label(self, part: str, text: str = "") -> Label:
        """A label under the first occurrence of ``part`` in what the user wrote; under all of it if there is none."""
        start = self.origin.find(part)
        span = Span(start, start + len(part)) if start >= 0 else Span(0, len(self.origin))
        return Label(Source(self.origin, None, self.file, self.line), span, text)


def calling_place(origin: str) -> Place:
    """The place in the nearest frame outside this package. Costs about a microsecond."""
    return Place(origin, *calling_line())


def calling_line(beyond: tuple[str, ...] = ("dynconstraints.",)) -> tuple[str | None, int]:
    """File and line of the nearest frame outside this package, or of those whose names begin otherwise."""
    frame = _calling_frame(beyond)
    return (None, 1) if frame is None else (frame.f_code.co_filename, frame.f_lineno)


def calling_variables() -> Mapping[str, object]:
    """The local variables of that frame."""
    frame = _calling_frame()
    return {} if frame is None else frame.f_locals


def _calling_frame(beyond: tuple[str, ...] = ("dynconstraints.",)) -> FrameType | None:
    frame: FrameType | None = sys._getframe(2)  # noqa: SLF001  inspect.currentframe is the same, slower
    while frame is not None and frame.f_globals.get("__name__", "").startswith(beyond):
        frame = frame.f_back
    return frame


def located(error: ConstraintError, place: Place) -> ConstraintError:
    """The error, its labels said to be at the place where they don't know better."""
    labels = (
        x if _is_placed(x.source) else x.changed(source=place.source(x.source.text)) for x in error.diagnostic.labels
    )
    error.retold(error.diagnostic.changed(labels=tuple(labels)))
    return error


def _is_placed(source: Source) -> bool:
    return source.origin is not None or source.file is not None
