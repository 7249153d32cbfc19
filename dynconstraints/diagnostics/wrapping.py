"""Text in lines that fit, broken between words."""

from __future__ import annotations

import re

from dynconstraints.diagnostics.cells import width

_SPACE = re.compile(r"(?<! =) (?!= )")  # none of those in ``s0 = 64``


def wrapped(text: str, columns: int, indent: int = 0, first: int | None = None) -> str:
    """The text with each of its lines broken so as to end within ``columns``, but for words that are longer.

    The first line starts in the column ``first``, ``indent`` where that is not given; later ones are indented.
    """
    return ("\n" + " " * indent).join(
        line
        for number, part in enumerate(text.split("\n"))
        for line in _broken(part, columns - indent, columns - (first if first is not None and not number else indent))
    )


def _broken(text: str, room: int, first: int) -> list[str]:
    if width(text) <= first:
        return [text]
    lines, left = [""], first
    for word in _SPACE.split(text):
        if lines[-1] and width(word) + 1 > left:
            lines.append(word)
            left = room - width(word)
        else:
            added = f" {word}" if lines[-1] else word
            lines[-1] += added
            left -= width(added)
    return lines
