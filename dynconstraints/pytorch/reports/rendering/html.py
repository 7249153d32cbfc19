"""The report as one page of HTML: nothing is loaded, and it reads in light and in dark, by eye and by ear."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.resources import files
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, tostring

from dynconstraints.pytorch.declarations.violation_error import shown
from dynconstraints.pytorch.reports.coverage import Split, serves
from dynconstraints.pytorch.reports.rendering.domain_map import picture
from dynconstraints.pytorch.reports.rendering.svg import drawing
from dynconstraints.pytorch.reports.rendering.text import advice, verdict
from dynconstraints.pytorch.reports.rendering.xml import code, tag

if TYPE_CHECKING:
    from dynconstraints.pytorch.reports.model import Graph, ResidualGuard
    from dynconstraints.pytorch.reports.report import Report


def page(report: Report) -> str:
    """The whole document."""
    style = files("dynconstraints.pytorch.reports.rendering").joinpath("page.css").read_text(encoding="utf-8")
    title = f"{report.function}: what its graphs cover"
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", title),
        tag("style", style),
    )
    main = tag(
        "main",
        tag("h1", report.function),
        tag("p", verdict(report), cls=f"verdict {str(report.covers_domain).lower()}", role="status"),
        *(part for index, split in enumerate(report.splits) for part in _split(split, report, f"map{index}")),
    )
    document = tag("html", head, tag("body", main), lang="en")
    return "<!doctype html>\n" + tostring(document, encoding="unicode", method="html")


def _split(split: Split, report: Report, label: str) -> Iterator[Element]:
    last = split.graphs[-1]
    yield tag("h2", split.code)
    if last.places:
        yield tag("h3", "Names")
        yield _table("names", ("name", "is", "in the graph"), _names(last))
    if last.declared:
        yield tag("h3", "Declared")
        yield _table("constraints", ("constraint", "where"), ((code(text), at or "") for text, at in last.declared))
    drawn = picture(split)
    if drawn is not None:
        numbers = [_number(graph, report) for graph in split.graphs]
        yield tag("h3", "Who serves what")
        yield drawing(drawn, numbers, label)
    for graph in split.graphs:
        yield from _graph(graph, _number(graph, report))


def _number(graph: Graph, report: Report) -> int:
    return next(i for i, g in enumerate(report.graphs, 1) if g is graph)


def _names(graph: Graph) -> Iterator[tuple[Element | str, ...]]:
    rows = dict(line.split(" = ", 1) for line in graph.lattice if " = " in line)
    ranges = dict(line.split(" in ", 1) for line in graph.lattice if " = " not in line)
    for place, name in graph.places:
        held = rows.get(name, "")
        bounds = ", ".join(f"{k} in {v}" for k, v in ranges.items() if k in held.replace("*", " ").split())
        yield code(name), code(place), code(f"{held}, {bounds}" if bounds else held)


def _graph(graph: Graph, number: int) -> Iterator[Element]:
    values = {name: value for name, value in graph.values.items() if name.isidentifier()}
    compiled = f", compiled for {shown(values)}" if values else ""
    yield tag("h3", f"Graph {number}{compiled}")
    conditions = serves(graph)
    if not graph.places:
        yield tag("p", "Nothing that it looks at is declared.", cls="soft")
    elif not conditions:
        yield tag("p", "It serves all that is declared: no guard is left that the declaration does not imply.")
    for remaining in graph.remaining:
        yield _remaining(remaining)
    for guard in graph.undeclared if graph.places else ():
        yield tag("div", tag("p", code(guard), " is also about what nothing declares."), cls="condition")
    if graph.broke is not None:
        line = "" if graph.broke.line is None else f": {graph.broke.line}"
        yield tag("p", f"The graph ends at {graph.broke.text}{line}", cls="soft")
    if graph.guards:
        listed = tag("pre", "\n".join(graph.guards))
        number_of = "its guard" if len(graph.guards) == 1 else f"all {len(graph.guards)} guards"
        yield tag("details", tag("summary", f"{number_of}, in torch's notation"), listed)
    questions, seconds = graph.oracle
    if questions:
        often = "once" if questions == 1 else f"{questions} times"
        yield tag("p", f"The declaration was asked {often}, {seconds * 1e3:.1f} ms in all.", cls="soft")


def _remaining(remaining: ResidualGuard) -> Element:
    parts: list[Element | str] = [tag("p", tag("strong", code(remaining.condition)))]
    if remaining.specialises is not None:
        if remaining.operation is None:
            parts.append(tag("p", "It forces ", code(remaining.specialises), " to one value."))
        else:
            why = f"{remaining.operation} does not support dynamic floats; "
            parts.append(tag("p", why, code(remaining.specialises), " becomes a constant."))
    if remaining.line is not None:
        user, mark, place = remaining.line.rpartition("  # ")
        parts.append(tag("pre", user if mark else remaining.line))
        parts.append(tag("p", place if mark else "", cls="soft"))
    if remaining.torch_line is not None:
        inner, _, place = remaining.torch_line.rpartition("  # ")
        parts.append(tag("p", f"within it, {place}: ", code(inner), cls="soft"))
    parts += (tag("p", sentence) for sentence in advice(remaining))
    return tag("div", *parts, cls="condition")


def _table(label: str, head: tuple[str, ...], rows: Iterable[tuple[Element | str, ...]]) -> Element:
    # The roles are what the elements have by themselves, and lose where a narrow screen has a row as a paragraph.
    body = [
        tag(
            "tr", *(tag("td", cell, role="cell", data_label=of) for of, cell in zip(head, row, strict=True)), role="row"
        )
        for row in rows
    ]
    top = tag("tr", *(tag("th", text, scope="col", role="columnheader") for text in head), role="row")
    table = tag("table", tag("thead", top), tag("tbody", *body), role="table")
    return tag("div", table, cls="scroll", tabindex=0, role="region", aria_label=label)
