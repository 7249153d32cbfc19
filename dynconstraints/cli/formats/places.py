"""Where a label is, in the terms that programs want: a file, lines and columns from 1, the characters meant."""

from __future__ import annotations

import os
from dataclasses import dataclass

from dynconstraints.diagnostics.diagnostic import Label


@dataclass(frozen=True, slots=True)
class Place:
    """A region of a text. Columns count code points; the end is exclusive. ``file`` is None for an argument."""

    file: str | None
    origin: str | None
    line: int
    column: int
    end_line: int
    end_column: int
    snippet: str


def place_of(label: Label) -> Place:
    """The place of a label; a file below the working directory by its relative path, with forward slashes."""
    source, span = label.source, label.span
    line, column = source.position(span.start)
    end_line, end_column = source.position(span.stop)
    file = None if source.file is None else shown_path(source.file)
    return Place(file, source.origin, line, column, end_line, end_column, source.text[span.start : span.stop])


def shown_path(path: str) -> str:
    """The path relative to the working directory where it is below it, else as it is; with forward slashes."""
    relative = os.path.relpath(path) if os.path.isabs(path) else os.path.normpath(path)
    return (path if relative.startswith("..") else relative).replace(os.sep, "/")
