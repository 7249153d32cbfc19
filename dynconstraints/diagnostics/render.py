"""Diagnostic -> text with carets, plain or coloured."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby

from dynconstraints.diagnostics.cells import Line, printable, window
from dynconstraints.diagnostics.diagnostic import Diagnostic, Label
from dynconstraints.diagnostics.source import Source, Span

_INDENT = "    "
_ADVICE = "  help: "
_MOST_LINES = 6
_STYLES = {"error": "1;31", "warning": "1;33", "note": "1;36", "help": "1;32", "place": "1;34", "bold": "1"}

_Paint = Callable[[str, str], str]


def render(diagnostic: Diagnostic, *, color: bool = False, columns: int = 120, wraps: bool = False) -> str:
    """The diagnostic as text of several lines, without a final newline.

    Source lines longer than ``columns`` are clipped around what the carets mark; notes and helps are broken between
    words where it ``wraps``, as at a terminal, and stay one line each where not, as for a log. Control characters
    and lone surrogates are spelled out, so the text can be written anywhere. ``color`` adds ANSI escapes.
    """
    paint = _coloured if color else _plain
    lines = [_title(diagnostic, paint)]
    for source, labels in groupby(diagnostic.labels, key=lambda label: label.source):
        lines.extend(_source(source, list(labels), diagnostic.severity, columns - len(_INDENT), paint))
    width = columns - len(_ADVICE) if wraps else None
    lines.extend(f"  {paint('note', 'note')}: {_broken(_text(note), width)}" for note in diagnostic.notes)
    lines.extend(f"  {paint('help', 'help')}: {_broken(_text(help_), width)}" for help_ in diagnostic.help)
    return "\n".join(lines)


def place(source: Source, offset: int) -> str:
    """Where a character of the source is, as a user finds it: origin, file and line; empty where none is known."""
    line, column = source.position(offset)
    if source.file is None:
        return _text(source.origin or "")
    file = _text(source.file)
    return f"{file}:{line}:{column}" if source.origin is None else f"{_text(source.origin)}  at {file}:{line}"


def _title(diagnostic: Diagnostic, paint: _Paint) -> str:
    severity = paint(diagnostic.severity, f"{diagnostic.severity}[{diagnostic.code}]")
    return f"{severity}: {paint('bold', _text(diagnostic.message))}"


def _source(source: Source, labels: list[Label], severity: str, columns: int, paint: _Paint) -> Iterator[str]:
    """The labels on one source: where it is, and each line that they touch once, with carets under it."""
    at = place(source, labels[0].span.start)
    if at:
        yield f"  {paint('place', '-->')} {at}"
    marks = sorted((mark for label in labels for mark in _marks(source.text, label)), key=lambda mark: mark[0])
    for (start, stop), group in groupby(marks, key=lambda mark: mark[0]):
        yield from _line(source.text[start:stop], [mark[1:] for mark in group], severity, columns, paint)


def _line(text: str, marks: list[tuple[int, int, str]], severity: str, columns: int, paint: _Paint) -> Iterator[str]:
    line = Line.of(text)
    spans = [(*line.columns(start, stop), known) for start, stop, known in marks]
    first, last = min(s[0] for s in spans), max(s[1] for s in spans)
    shown, moved, _ = window(line.text, first, last, columns)
    yield f"{_INDENT}{shown}".rstrip()
    for row in _rows(spans):
        yield _INDENT + _carets(row, moved - first, columns, severity, paint)


def _rows(spans: list[tuple[int, int, str]]) -> list[list[tuple[int, int, str]]]:
    """One row of carets for the spans about which nothing is said, one more for each of the others."""
    silent = [span for span in spans if not span[2]]
    return ([silent] if silent else []) + [[span] for span in spans if span[2]]


def _carets(row: list[tuple[int, int, str]], shift: int, columns: int, severity: str, paint: _Paint) -> str:
    signs = ""
    for start, stop, _ in sorted(row):
        start, stop = min(start + shift, columns - 1), min(stop + shift, columns)
        signs += " " * (start - len(signs)) + "^" * (stop - max(start, len(signs)))
    blank = len(signs) - len(signs.lstrip())
    known = _text(row[0][2])
    return " " * blank + paint(severity, signs.lstrip()) + (f"{_INDENT}{known}" if known else "")


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
    return "\n".join(printable(line) for line in text.split("\n"))


def _broken(text: str, width: int | None) -> str:
    """The text in lines of at most so many characters, but for longer words; the later ones stand below the first."""
    if width is None or len(text) <= width:
        return text
    lines = [""]
    for word in text.split(" "):
        if lines[-1] and len(lines[-1]) + 1 + len(word) > width:
            lines.append(word)
        else:
            lines[-1] += f" {word}" if lines[-1] else word
    return ("\n" + " " * len(_ADVICE)).join(lines)


def _plain(style: str, text: str) -> str:  # noqa: ARG001  # the other painter needs the style
    return text


def _coloured(style: str, text: str) -> str:
    return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if text else text
