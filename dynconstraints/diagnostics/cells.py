"""How wide text is on a terminal: tabs, wide and combining characters, and what must not reach a terminal at all."""

from __future__ import annotations

import unicodedata

from dynconstraints.diagnostics.frozen import Frozen

TAB = 4
_ELLIPSIS = "…"


def printable(text: str) -> str:
    """The text with control characters, lone surrogates and invisible ones spelled out, as in ``\\x00``."""
    return text if text.isascii() and text.isprintable() else "".join(_shown(c, 0) for c in text)


def width(text: str) -> int:
    """How many columns a printable text takes."""
    return len(text) if text.isascii() else sum(_width(character) for character in text)


def shortened(text: str, limit: int = 80) -> str:
    """The text, or its beginning and an ellipsis where it has more than ``limit`` characters."""
    return text if len(text) <= limit else text[: limit - 1] + _ELLIPSIS


class Line(Frozen):
    """A line laid out in columns: ``edges[i]`` is the column where its i-th character starts, the last one its end."""

    text: str
    edges: tuple[int, ...]

    @classmethod
    def of(cls, text: str) -> Line:
        """The layout of a text without line ends; tabs go to multiples of TAB."""
        if text.isascii() and text.isprintable():
            return cls(text, tuple(range(len(text) + 1)))
        shown, edges = [], [0]
        for character in text:
            piece = _shown(character, edges[-1])
            shown.append(piece)
            edges.append(edges[-1] + width(piece))
        return cls("".join(shown), tuple(edges))

    def columns(self, start: int, stop: int) -> tuple[int, int]:
        """The columns that the characters from start to stop take, one column at least."""
        last = len(self.edges) - 1
        first = self.edges[min(start, last)]
        return first, max(first + 1, self.edges[min(stop, last)])


def window(text: str, start: int, stop: int, columns: int) -> tuple[str, int, int]:
    """The part of a printable text that shows the columns from start to stop in ``columns`` of space, and where in it.

    Where the text has more, an ellipsis stands for what is cut off at either side.
    """
    if width(text) <= columns:
        return text, start, stop
    room = columns - 2
    shown = min(stop - start, room)
    left = max(0, start - (room - shown) // 2)
    left = min(left, max(0, width(text) - room))
    piece, skipped = _between(text, left, left + room)
    before = _ELLIPSIS if left else ""
    after = _ELLIPSIS if left + room < width(text) else ""
    start, stop = start - left + len(before) - skipped, min(stop, left + room) - left + len(before) - skipped
    return before + piece + after, start, max(start + 1, stop)


def _between(text: str, left: int, right: int) -> tuple[str, int]:
    """The characters that lie within the columns, and how many columns the first one starts after ``left``."""
    if text.isascii():
        return text[left:right], 0
    kept: list[str] = []
    column = skipped = 0
    for character in text:
        if left <= column and column + _width(character) <= right:
            if not kept:
                skipped = column - left
            kept.append(character)
        column += _width(character)
    return "".join(kept), skipped


def _shown(character: str, column: int) -> str:
    if character == "\t":
        return " " * (TAB - column % TAB)
    if character.isprintable() or character == "\u3000" or unicodedata.category(character) in ("Mn", "Me", "Mc"):
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _width(character: str) -> int:
    if character < "\u0300":
        return 1
    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
