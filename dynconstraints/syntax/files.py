"""Files of constraints. ``*.dync``: one constraint a line, ``#`` comments; a trailing backslash continues a line.

``*.smt2``: a script of SMT-LIB over the integers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from os import PathLike, fspath

from dynconstraints.diagnostics.diagnostic import Diagnostic, Label
from dynconstraints.diagnostics.errors import ConstraintSyntaxError
from dynconstraints.diagnostics.source import Source, Span
from dynconstraints.ir.constraint import Constraint
from dynconstraints.syntax.content import content_of
from dynconstraints.syntax.parser import parse_in
from dynconstraints.syntax.smtlib import read_smtlib

_COMMENT = re.compile(r"#[^\n]*")
_BLANK_START = re.compile(r"(?:\s|\\\r?\n)*")
_LINE = re.compile(r"[^\n]*(?:\n|\Z)")


@dataclass(frozen=True)
class Listing:
    """What a file holds: the constraints that can be read, and the diagnostics of all that can't."""

    constraints: tuple[Constraint, ...]
    diagnostics: tuple[Diagnostic, ...]
    source: Source


def parse_file(path: str | PathLike[str]) -> Listing:
    """The constraints of a file in UTF-8. What can't be read, the file itself included, becomes a diagnostic."""
    name = fspath(path)
    try:
        content = content_of(name)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        message = f"the file {name} cannot be read: {reason}"
        return Listing((), (Diagnostic("DC141", message),), Source("", None, name))
    return parse_content(content, name)


def parse_content(content: bytes, file: str) -> Listing:
    """The constraints of a file: of a listing, or of a script of SMT-LIB where its name ends in ``.smt2``."""
    if not file.endswith(".smt2"):
        return parse_bytes(content, file=file)
    text = content.decode("utf-8-sig", errors="replace")
    try:
        return Listing(read_smtlib(text, file), (), Source(text, None, file))
    except ConstraintSyntaxError as error:
        return Listing((), (error.diagnostic,), Source(text, None, file))


def parse_bytes(content: bytes, *, origin: str | None = None, file: str | None = None) -> Listing:
    """The constraints of a listing in UTF-8, with or without a byte order mark."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        source = Source(content.decode("utf-8-sig", errors="replace"), origin, file)
        at = len(content[: error.start].decode("utf-8-sig"))
        label = Label(source, Span(at, at + 1), f"this is the byte 0x{content[error.start]:02x}")
        advice = "save the file as UTF-8"
        return Listing((), (Diagnostic("DC142", "this is not UTF-8", (label,), help=(advice,)),), source)
    return parse_lines(text, origin=origin, file=file)


def parse_lines(text: str, *, origin: str | None = None, file: str | None = None) -> Listing:
    """The constraints of a listing, with spans that count in the whole text."""
    source = Source(text, origin, file)
    constraints: list[Constraint] = []
    diagnostics: list[Diagnostic] = []
    for start, stop in _logical_lines(text):
        begin, end = _trimmed(text, start, stop)
        if stop == len(text) and text[end:].strip() == "\\":
            label = Label(source, Span(len(text.rstrip()) - 1, len(text.rstrip())))
            diagnostics.append(Diagnostic("DC143", "the last line is continued, and no line follows", (label,)))
        try:
            constraints.append(parse_in(source, text[begin:end], begin))
        except ConstraintSyntaxError as error:
            diagnostics.append(error.diagnostic)
    return Listing(tuple(constraints), tuple(diagnostics), source)


def _logical_lines(text: str) -> Iterator[tuple[int, int]]:
    """Where each constraint starts and stops: without its comment, with the lines that continue it."""
    start: int | None = None
    for match in _LINE.finditer(text):
        comment = _COMMENT.search(text, match.start(), match.end())
        stop = comment.start() if comment else match.end()
        content = text[match.start() : stop].rstrip("\r\n")
        first = match.start() if start is None else start
        if comment is None and content.endswith("\\") and match.end() < len(text):
            start = first
            continue
        start = None
        if text[first:stop].strip(" \t\f\r\n\\"):
            yield first, stop


def _trimmed(text: str, start: int, stop: int) -> tuple[int, int]:
    """The same, without the white space and the continuations at either end."""
    content = text[start:stop]
    first = _BLANK_START.match(content)
    last = len(content.rstrip())
    while last and content[last - 1] == "\\":
        last = len(content[: last - 1].rstrip())
    return start + (first.end() if first else 0), start + last
