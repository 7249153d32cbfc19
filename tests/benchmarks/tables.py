"""A table of the benchmarks, and its place in the README: between ``<!-- bench KEY -->`` and ``<!-- /bench -->``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from statistics import median, quantiles

CELL = re.compile(
    r"""(?P<ratio>\d+\.\d\d\ \(\d+\.\d\d–\d+\.\d\d\))      # a median, and its quartiles
    |(?P<time>\d[\d,]*(\.\d+)?\ (µs|ms|s|ns))
    |(?P<sweep>\d+;\ \d+(\ \+\ \d+)?(;\ \d+\.\d\ s){2})     # graphs; guards, and asserts in the graph; seconds
    |(?P<trained>\d+;\ \d+\.\d\ s)                        # graphs; seconds
    |(?P<count>\d+\ of\ \d+(,\ \d+\ wrong)?;\ \d+\.\d\d\ ms)
    |(?P<failure>[A-Z]\w+)                                  # the type of what a rival raised
    |(?P<nothing>–)""",
    re.VERBOSE,
)
"""What a cell may be, but for the first of a row."""


@dataclass(frozen=True)
class Table:
    """Rows of texts under columns; ``note`` says what a cell is, and ``key`` names the table in the README."""

    key: str
    title: str
    note: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def markdown(self) -> str:
        lines = [_line(self.columns), "|" + "---|" * len(self.columns), *map(_line, self.rows)]
        return "\n".join(lines)

    def text(self, where: str) -> str:
        """What stands in the README: the note, the run that it is from, the table."""
        return f"{self.note} {where}\n\n{self.markdown()}"


def _line(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cells) + " |"


def spread(values: list[float]) -> str:
    """The median, and the quartiles."""
    low, _, high = quantiles(values, n=4)
    return f"{median(values):.2f} ({low:.2f}–{high:.2f})"


BLOCK = re.compile(r"(<!-- bench (\w+) -->\n)(.*?)(\n<!-- /bench -->)", re.DOTALL)


def written(readme: str, tables: list[Table], where: str) -> str:
    """The README with the blocks of these tables replaced."""
    by_key = {table.key: table for table in tables}

    def block(found: re.Match[str]) -> str:
        table = by_key.get(found[2])
        return found[0] if table is None else f"{found[1]}{table.text(where)}{found[4]}"

    return BLOCK.sub(block, readme)
