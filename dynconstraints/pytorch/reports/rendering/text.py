"""The report as text of 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

from dynconstraints.pytorch.declarations.violation_error import shown
from dynconstraints.pytorch.reports.coverage import Split, serves
from dynconstraints.pytorch.reports.rendering.guard_text import shown_guards
from dynconstraints.pytorch.reports.rendering.wrap import COLUMNS, code_line, fitted

if TYPE_CHECKING:
    from dynconstraints.pytorch.reports.model import Graph, ResidualGuard
    from dynconstraints.pytorch.reports.report import Report


def text(report: Report) -> str:
    """All of the report, the verdict last."""
    lines = [f"{report.function}: {len(report.graphs)} graph{'s' * (len(report.graphs) != 1)} {under(report)}"]
    for number, graph in enumerate(report.graphs, 1):
        lines += [f"graph {number}{_compiled_for(graph)}", *(f"  {line}" for line in _graph(graph))]
    for split in report.splits:
        if len(split.graphs) > 1 and any(graph.places for graph in split.graphs):
            lines += _split(split, report)
    if report.missing:
        lines.append(f"declared, but no input has it: {', '.join(report.missing)}")
    lines += verdict(report).split("\n")
    return fitted(lines)


def under(report: Report) -> str:
    """What the report is about: ``under Inductor``."""
    backend = "Inductor" if report.backend == "inductor" else report.backend
    return f"under {backend}" + " with fullgraph=True" * report.fullgraph


def verdict(report: Report) -> str:
    """The sentence that the report comes to."""
    if not report.graphs:
        return "nothing was compiled: torch.compile leaves this to run in eager, as it does generators"
    one = len(report.graphs) == 1
    if report.covers_domain:
        serve = "the graph serves" if one else "the graphs serve"
        allowed = "every input that the declaration allows"
        others = "dtypes, contiguous layouts and undeclared sizes being as here"
        return textwrap.fill(f"proved: {under(report)} {serve} {allowed}, {others}", COLUMNS)
    if report.counterexample is not None and report.fails_in_eager is not None:
        return f"not the whole domain: {shown(report.counterexample)} is declared, and fails in eager, too"
    if report.counterexample is not None:
        return f"not the whole domain: {under(report)} {shown(report.counterexample)} compiles anew"
    if not any(graph.places for graph in report.graphs):
        return "nothing is declared: suggest(function, calls) proposes what to declare"
    covers = "this covers" if one else "these cover"
    return f"not known whether {under(report)} {covers} the declared domain: {_open(report)}"


def _open(report: Report) -> str:
    """Why it is not known, in the first function where it is not."""
    if report.doubts:
        first = report.doubts[0]
        return first.text if first.line is None else f"{first.text}\n{code_line('    ', first.line)}"
    split = next(split for split in report.splits if split.covers_domain is None and split.is_concerned)
    if not any(graph.places for graph in split.graphs):
        return f"nothing that {split.code} looks at is declared"
    if not all(graph.is_reached for graph in split.graphs):
        return "no call is known that is sure to fail its guards, and to have a graph of its own then"
    if any(graph.undeclared for graph in split.graphs):
        return "it depends on sizes that are not declared, too"
    return "the solver could not settle what it asks"


def _compiled_for(graph: Graph) -> str:
    where = f", {graph.code}"
    values = {name: value for name, value in graph.values.items() if name.isidentifier()}
    return f"{where}, compiled for {shown(values)}" if values else where


def _graph(graph: Graph) -> Iterator[str]:
    for place, name in graph.places:
        yield f"{name} is the number {place}" if name == place else f"{name} is {place}"
    for constraint, at in graph.declared:
        yield f"declared: {constraint}"
        if at:
            yield f"  {at}"
    for row in graph.lattice:
        yield f"lattice: {row}"
    for guard in shown_guards(graph.guards):
        yield f"guard: {guard}"
    for remaining in graph.remaining:
        yield from _remaining(remaining)
    for guard in graph.undeclared if graph.places else ():
        yield f"also on what is not declared: {guard}"
    if graph.broke is not None:
        yield f"graph break: {graph.broke.text}"
        if graph.broke.line is not None:
            yield code_line("    ", graph.broke.line).removeprefix("  ")
    questions, seconds = graph.oracle
    if questions:
        yield f"oracle: {questions} question{'s' * (questions != 1)} in {seconds * 1e3:.1f} ms"


def _remaining(remaining: ResidualGuard) -> Iterator[str]:
    yield f"beyond the declaration: {remaining.condition}"
    if remaining.specialises is not None:
        operation = remaining.operation
        if operation is None:
            yield f"  it forces {remaining.specialises} to one value"
        else:
            yield f"  {operation} does not support dynamic floats; {remaining.specialises} becomes a constant"
    if remaining.line is not None:
        yield code_line("    ", remaining.line).removeprefix("  ")
    if remaining.torch_line is not None:
        yield code_line("      ", remaining.torch_line).removeprefix("  ")
    if remaining.asked_at is not None:
        yield f"  asked by the backend, at {remaining.asked_at}"
    yield from (f"  {sentence}" for sentence in advice(remaining))


def advice(remaining: ResidualGuard) -> Iterator[str]:
    """What to do about a condition: where it fails, and each choice that there is."""
    if remaining.forgotten:
        yield from (forgotten.text for forgotten in remaining.forgotten)
        return
    if remaining.fails_at is None:
        return
    if remaining.fails_in_eager is not None:
        yield f"fails for {shown(remaining.fails_at)} in eager, too: {remaining.fails_in_eager}"
        if remaining.true is not None:
            yield f"declare {remaining.condition}"
        return
    yield f"compiles anew for {shown(remaining.fails_at)}"
    if remaining.true is not None:
        yield f"either {' or '.join(_choices(remaining))}"


def _choices(remaining: ResidualGuard) -> list[str]:
    """The declaration that rules the rest out, and the graph that serves it; the one that loses less is first."""
    rule = f"declare {remaining.condition}"
    if remaining.specialises is not None:
        return [f"have a graph for each {remaining.specialises},", rule]
    if remaining.otherwise is None:
        return [f"{rule},", "have another graph for the rest"]
    other = f"have another graph for {remaining.otherwise}"
    return [f"{other},", rule] if remaining.is_smaller else [f"{rule},", other]


def _split(split: Split, report: Report) -> Iterator[str]:
    yield f"who serves what of {split.code}"
    for graph in split.graphs:
        number = next(i for i, g in enumerate(report.graphs, 1) if g is graph)
        yield f"  graph {number}: {' and '.join(serves(graph)) or 'all that is declared'}"
    if split.covers_domain:
        yield "  together: all that is declared"
    elif split.counterexample is not None:
        yield f"  none of them: {shown(split.counterexample)}"
