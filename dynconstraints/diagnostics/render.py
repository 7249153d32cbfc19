"""Diagnostic -> text with carets, plain or coloured."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby

from dynconstraints.diagnostics.cells import Line, printable, shortened, width, window
from dynconstraints.diagnostics.diagnostic import Diagnostic, Label
from dynconstraints.diagnostics.frozen import Frozen
from dynconstraints.diagnostics.source import Source, Span
from dynconstraints.diagnostics.wrapping import wrapped

_INDENT = "    "
_ADVICE = "  help: "
_MOST_LINES = 6
_LEAST_ROOM = 32  # columns for what is known at carets; where there are fewer beside them, it stands below
_LONGEST = 1_000  # characters of a text; what is longer, as the names of a large set are, says no more to a reader
_STYLES = {"error": "1;31", "warning": "1;33", "note": "1;36", "help": "1;32", "place": "1;34", "bold": "1"}

_Paint = Callable[[str, str], str]


def render(diagnostic: Diagnostic, *, color: bool = False, columns: int = 120, wraps: bool = False) -> str:
    """The diagnostic as text of several lines, without a final newline.

    Source lines longer than ``columns`` are clipped around what the carets mark. All else is broken between words where
    it ``wraps``, as at a terminal, and stays on its line where not, as for a log; very long texts are cut off. Control
    characters and lone surrogates are spelled out, so the text can be written anywhere. ``color`` adds ANSI escapes.
    """
    page = _Page(columns, wraps, _coloured if color else _plain)
    lines = [page.title(diagnostic)]
    for source, labels in groupby(diagnostic.labels, key=lambda label: label.source):
        lines.extend(page.source(source, list(labels), diagnostic.severity))
    lines.extend(page.advice("note", text) for text in diagnostic.notes)
    lines.extend(page.advice("help", text) for text in diagnostic.help)
    return "\n".join(lines)


def place(source: Source, offset: int) -> str:
    """Where a character of the source is, as a user finds it: origin, file and line; empty where none is known."""
    line, column = source.position(offset)
    if source.file is None:
        return _text(source.origin or "")
    file = _text(source.file)
    return f"{file}:{line}:{column}" if source.origin is None else f"{_text(source.origin)}  at {file}:{line}"


class _Page(Frozen):
    """Where a diagnostic is written to."""

    columns: int
    wraps: bool
    paint: _Paint

    def title(self, diagnostic: Diagnostic) -> str:
        """What is wrong."""
        severity = f"{diagnostic.severity}[{diagnostic.code}]"
        text = self._fitted(diagnostic.message, len(_INDENT), first=len(severity) + 2)
        return f"{self.paint(diagnostic.severity, severity)}: {self.paint('bold', text)}"

    def advice(self, kind: str, text: str) -> str:
        """A note, or a help."""
        return f"  {self.paint(kind, kind)}: {self._fitted(text, len(_ADVICE))}"

    def source(self, source: Source, labels: list[Label], severity: str) -> Iterator[str]:
        """The labels on one source: where it is, and each line that they touch once, with carets under it."""
        at = place(source, labels[0].span.start)
        if at:
            yield f"  {self.paint('place', '-->')} {at}"
        marks = sorted((mark for label in labels for mark in _marks(source.text, label)), key=lambda mark: mark[0])
        for (start, stop), group in groupby(marks, key=lambda mark: mark[0]):
            yield from self._line(source.text[start:stop], [mark[1:] for mark in group], severity)

    def _line(self, text: str, marks: list[tuple[int, int, str]], severity: str) -> Iterator[str]:
        line, columns = Line.of(text), self.columns - len(_INDENT)
        spans = [(*line.columns(start, stop), known) for start, stop, known in marks]
        first, last = min(s[0] for s in spans), max(s[1] for s in spans)
        shown, moved, _ = window(line.text, first, last, columns)
        yield f"{_INDENT}{shown}".rstrip()
        for row in _rows(spans):
            yield from self._carets(_signs(row, moved - first, columns), row[0][2], severity)

    def _carets(self, signs: str, known: str, severity: str) -> Iterator[str]:
        """The carets, and beside them what is known; below them where there is too little room for it."""
        blank = len(signs) - len(signs.lstrip())
        carets = _INDENT + " " * blank + self.paint(severity, signs.lstrip())
        start = 2 * len(_INDENT) + len(signs)
        if not known:
            yield carets
        elif not self.wraps or min(width(_text(known)), _LEAST_ROOM) <= self.columns - start:
            yield f"{carets}{_INDENT}{self._fitted(known, start)}"
        else:
            below = len(_INDENT) + min(blank, max(0, self.columns - len(_INDENT) - _LEAST_ROOM))
            yield carets
            yield " " * below + self._fitted(known, below)

    def _fitted(self, text: str, indent: int, first: int | None = None) -> str:
        return wrapped(_text(text), self.columns, indent, first) if self.wraps else _text(text)


def _rows(spans: list[tuple[int, int, str]]) -> list[list[tuple[int, int, str]]]:
    """One row of carets for the spans about which nothing is said, one more for each of the others."""
    silent = [span for span in spans if not span[2]]
    return ([silent] if silent else []) + [[span] for span in spans if span[2]]


def _signs(row: list[tuple[int, int, str]], shift: int, columns: int) -> str:
    signs = ""
    for start, stop, _ in sorted(row):
        start, stop = min(start + shift, columns - 1), min(stop + shift, columns)
        signs += " " * (start - len(signs)) + "^" * (stop - max(start, len(signs)))
    return signs


def _marks(text: str, label: Label) -> list[tuple[tuple[int, int], int, int, str]]:
    """What the label marks in each line that it touches; it speaks at the last one. A long middle is left out."""
    marks: list[tuple[tuple[int, int], int, int, str]] = []
    for start, stop in _lines(text, label.span):
        first = max(label.span.start, start)
        last = min(label.span.stop, stop)
        content = text[first:last]
        if content.strip() or not marks:
            first += len(content) - len(content.lstrip()) if content.strip() and marks else 0
            marks.append(((start, stop), first - start, last - start, ""))
    marks = marks if len(marks) <= _MOST_LINES else [*marks[: _MOST_LINES - 1], marks[-1]]
    where, first, last, _ = marks[-1]
    return [*marks[:-1], (where, first, last, label.text)]


def _lines(text: str, span: Span) -> Iterator[tuple[int, int]]:
    """Where the lines that a span touches start and stop, without their ends."""
    start = text.rfind("\n", 0, min(span.start, len(text))) + 1
    while True:
        end = text.find("\n", start)
        stop = len(text) if end < 0 else end
        yield start, stop - (text[start:stop].endswith("\r"))
        if end < 0 or end + 1 >= span.stop:
            return
        start = end + 1


def _text(text: str) -> str:
    return "\n".join(printable(line) for line in shortened(text, _LONGEST).split("\n"))


def _plain(style: str, text: str) -> str:  # noqa: ARG001  # the other painter needs the style
    return text


def _coloured(style: str, text: str) -> str:
    return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if text else text
