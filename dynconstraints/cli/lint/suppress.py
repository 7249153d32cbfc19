"""Comments that take findings back: ``# dync: ignore[DC201]`` on a line that a finding points at."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dynconstraints.diagnostics.diagnostic import Diagnostic, Label
from dynconstraints.diagnostics.source import Source, Span

UNUSED = "DC901"

_COMMENT = re.compile(r"#\s*dync:\s*ignore\s*\[([^\]]*)\]")
_CODE = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Suppression:
    """One code in a comment of a line."""

    line: int
    code: str
    label: Label


def suppressions_in(source: Source, python: bool) -> tuple[Suppression, ...]:
    """The suppressions of a file; in Python only those in comments, not what looks like one in a string."""
    if "dync:" not in source.text:
        return ()
    return tuple(_in_python(source) if python else _in_lines(source))


def applied(
    findings: Iterable[Diagnostic], suppressions: Iterable[Suppression], *, complete: bool
) -> tuple[Diagnostic, ...]:
    """The findings that are not suppressed, then one for each suppression that suppressed nothing.

    Where the findings are not ``complete``, as without the solver, no suppression can be called unused.
    """
    suppressions, used, left = tuple(suppressions), set[Suppression](), []
    for finding in findings:
        hits = [one for one in suppressions if one.code == finding.code and one.line in _lines(finding)]
        used.update(hits)
        if not hits:
            left.append(finding)
    return (*left, *(_unused(one) for one in suppressions if complete and one not in used))


def _in_python(source: Source) -> Iterator[Suppression]:
    for token in tokenize.generate_tokens(io.StringIO(source.text).readline):
        if token.type == tokenize.COMMENT:
            start = _line_start(source.text, token.start[0]) + token.start[1]
            yield from _in_text(source, start, start + len(token.string))


def _in_lines(source: Source) -> Iterator[Suppression]:
    return _in_text(source, 0, len(source.text))


def _in_text(source: Source, start: int, stop: int) -> Iterator[Suppression]:
    for comment in _COMMENT.finditer(source.text, start, stop):
        for code in _CODE.finditer(source.text, comment.start(1), comment.end(1)):
            label = Label(source, Span(code.start(), code.end()))
            yield Suppression(source.position(code.start())[0], code[0], label)


def _line_start(text: str, line: int) -> int:
    start = 0
    for _ in range(line - 1):
        start = text.index("\n", start) + 1
    return start


def _lines(finding: Diagnostic) -> frozenset[int]:
    lines: set[int] = set()
    for label in finding.labels:
        first, last = (label.source.position(at)[0] for at in (label.span.start, label.span.stop))
        lines.update(range(first, last + 1))
    return frozenset(lines)


def _unused(suppression: Suppression) -> Diagnostic:
    message = f"unused suppression: nothing here is {suppression.code}"
    return Diagnostic(UNUSED, message, (suppression.label,), help=("remove it",), severity="warning")
