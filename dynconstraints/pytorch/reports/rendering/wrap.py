"""The text of reports: no line wider than 80 columns, where its words allow it, but for whole lines of code."""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Iterable

COLUMNS = 80


def fitted(lines: Iterable[str]) -> str:
    """The lines as one text; what is too wide goes on, indented further."""
    return "\n".join(part for line in lines for part in _folded(line))


def code_line(indent: str, line: str) -> str:
    """A line of the user's as torch tells it (``code  # file:3 in f``): the place first, then the code.

    At a terminal as much as fits in one line; whole where it goes to a file, a pipe or a notebook.
    """
    code, mark, place = line.rpartition("  # ")
    text = indent + (f"{place}: {code}".removesuffix(": ") if mark else line)
    return text if len(text) <= COLUMNS or not _at_terminal() else text[: COLUMNS - 1] + "…"


_CODE = re.compile(r"\s+.+:\d+ in [^:]+: ")
"""How a line of code starts: it is not folded."""


def _at_terminal() -> bool:
    return sys.stdout is not None and sys.stdout.isatty()


def _folded(line: str) -> list[str]:
    if len(line) <= COLUMNS or _CODE.match(line):
        return [line]
    indent = line[: len(line) - len(line.lstrip())]
    further = indent + "    "
    return textwrap.wrap(
        line, COLUMNS, subsequent_indent=further, break_long_words=False, break_on_hyphens=False, drop_whitespace=True
    )
