"""The picture of a domain as SVG: a cell an assignment, by colour, pattern and number; marks on what was run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from xml.etree.ElementTree import Element

from dynconstraints.pytorch.declarations.violation_error import shown
from dynconstraints.pytorch.reports.rendering.domain_map import Axis, Cell, Picture
from dynconstraints.pytorch.reports.rendering.xml import tag

_SIZE, _GAP, _BREAK = 26, 2, 10
"""Of a cell, between two, and more where values between them are left out."""

_TOP, _LETTER, _LEAST = 8, 7, 64
"""Above the map; of a letter; what is left for labels at least."""

_COLORS = 5
_PHONE = 320
"""The pixels that a map may be wide on any screen."""


def drawing(picture: Picture, numbers: Sequence[int], label: str) -> Element:
    """The figure, with its legend and caption; ``numbers`` are those of the graphs, ``label`` starts its ids."""
    across = picture.axes[0]
    down = picture.axes[1] if len(picture.axes) > 1 else None
    left = _LEAST if down is None else max(_LEAST, 30 + _LETTER * _longest(down))
    xs = _offsets(across, left)
    ys = _offsets(down, _TOP) if down is not None else [_TOP]
    ys = [max(ys) + min(ys) - y for y in ys]  # values grow upwards
    width, height = max(xs) + _SIZE + 8, max(ys) + _SIZE + max(_LEAST, 34 + _LETTER * _longest(across))
    cells = [
        part
        for y, row in zip(ys, picture.rows, strict=True)
        for x, cell in zip(xs, row, strict=True)
        for part in _cell(cell, x, y, numbers)
    ]
    svg = tag(
        "svg",
        tag("title", f"Which graph serves which {_named(picture)}", id=f"{label}-title"),
        tag("desc", _summary(picture, numbers), id=f"{label}-desc"),
        _hatch(),
        *cells,
        *_labels(across, down, xs, ys, height),
        viewBox=f"0 0 {width} {height}",
        width=width,
        height=height,
        role="img",
        aria_labelledby=f"{label}-title {label}-desc",
    )
    steps = ", ".join(f"{axis.name} in steps of {axis.step}" for axis in picture.axes)
    fixed = f"; {shown(picture.fixed)} as when compiled" if picture.fixed else ""
    return tag(
        "figure",
        tag("div", svg, cls="scroll", tabindex=0, role="region", aria_label="map of the domain"),
        *([tag("p", "Scroll the map sideways for the rest of it.", cls="hint")] if width > _PHONE else []),
        _legend(picture, numbers),
        tag("figcaption", f"{steps}{fixed}. A wider gap leaves out values."),
    )


def _longest(axis: Axis) -> int:
    """The letters of its longest label."""
    return max(len(str(value)) for value in axis.values)


def _named(picture: Picture) -> str:
    return " and ".join(axis.name for axis in picture.axes)


def _offsets(axis: Axis, start: int) -> list[int]:
    offsets, at = [], start
    for before, value in zip((None, *axis.values), axis.values, strict=False):
        at += _BREAK if before is not None and value - before > axis.step else 0
        offsets.append(at)
        at += _SIZE + _GAP
    return offsets


def _cell(cell: Cell, x: int, y: int, numbers: Sequence[int]) -> Iterator[Element]:
    text = f"{shown(cell.values)}: {_said(cell, numbers)}"
    kind = cell.state if cell.graph is None else f"g{cell.graph % _COLORS}"
    yield tag("rect", tag("title", text), cls=kind, x=x, y=y, width=_SIZE, height=_SIZE, rx=3)
    middle, line = x + _SIZE / 2, y + _SIZE / 2
    if cell.graph is not None:
        yield tag("text", str(numbers[cell.graph]), cls="on", x=middle, y=line + 4, text_anchor="middle")
        if cell.compiled:
            yield tag("circle", cls="mark", cx=middle, cy=line, r=_SIZE / 2 - 4)
    if cell.counterexample:
        a, b, c, d = x + 7, y + 7, x + _SIZE - 7, y + _SIZE - 7
        yield tag("path", cls="cross", d=f"M{a} {b}L{c} {d}M{a} {d}L{c} {b}")


def _said(cell: Cell, numbers: Sequence[int]) -> str:
    if cell.graph is not None:
        return f"graph {numbers[cell.graph]}"
    if cell.state == "refused":
        return "refused by " + " and ".join(cell.refused_by)
    return "needs another graph" if cell.state == "unserved" else "not known"


def _labels(across: Axis, down: Axis | None, xs: list[int], ys: list[int], height: int) -> Iterator[Element]:
    floor = max(ys) + _SIZE
    for x, value in zip(xs, across.values, strict=True):
        middle = x + _SIZE / 2 + 4
        yield tag(
            "text", str(value), x=middle, y=floor + 8, text_anchor="end", transform=f"rotate(-55 {middle} {floor + 8})"
        )
    yield tag("text", across.name, cls="axis", x=(xs[0] + xs[-1] + _SIZE) / 2, y=height - 6, text_anchor="middle")
    if down is not None:
        for y, value in zip(ys, down.values, strict=True):
            yield tag("text", str(value), x=xs[0] - 6, y=y + _SIZE / 2 + 4, text_anchor="end")
        middle = (min(ys) + floor) / 2
        yield tag(
            "text", down.name, cls="axis", x=14, y=middle, text_anchor="middle", transform=f"rotate(-90 14 {middle})"
        )


def _hatch() -> Element:
    line = tag("path", cls="hatching", d="M0 6L6 0")
    return tag("defs", tag("pattern", line, id="hatch", width=6, height=6, patternUnits="userSpaceOnUse"))


def _summary(picture: Picture, numbers: Sequence[int]) -> str:
    """The picture in words."""
    cells = [cell for row in picture.rows for cell in row]
    said = dict.fromkeys(_said(cell, numbers).split(" by ")[0] for cell in cells)
    counts = [f"{words}: {sum(_said(c, numbers).split(' by ')[0] == words for c in cells)}" for words in said]
    return f"Of {len(cells)} assignments shown, " + ", ".join(counts) + "."


def _legend(picture: Picture, numbers: Sequence[int]) -> Element:
    cells = [cell for row in picture.rows for cell in row]
    entries: dict[str, Cell] = {}
    for cell in sorted(cells, key=lambda c: max(numbers) + 1 if c.graph is None else numbers[c.graph]):
        entries.setdefault(_said(cell, numbers).split(" by ")[0], Cell(cell.values, cell.state, cell.graph))
    items = [_entry(text, _cell(cell, 0, 0, numbers)) for text, cell in entries.items()]
    served = next((cell for cell in cells if cell.compiled and cell.graph is not None), None)
    if served is not None:
        items.append(_entry("compiled for this", _cell(served, 0, 0, numbers)))
    marked = next((cell for cell in cells if cell.counterexample), None)
    if marked is not None:
        items.append(_entry(f"counterexample: {shown(marked.values)}", _cell(marked, 0, 0, numbers)))
    return tag("ul", *items, cls="legend")


def _entry(text: str, parts: Iterator[Element]) -> Element:
    box = tag("svg", *parts, viewBox=f"-1 -1 {_SIZE + 2} {_SIZE + 2}", aria_hidden="true")
    return tag("li", box, text)
