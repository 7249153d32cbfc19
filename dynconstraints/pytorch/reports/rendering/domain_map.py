"""A picture of the domain as data: over one name or two, which graph serves which values, and which values are refused.

Of more names than two, those are drawn that the conditions speak of; the others stay what they were at compilation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from dynconstraints.ir.evaluate import truth_of, value_of
from dynconstraints.ir.fold import names
from dynconstraints.ir.nodes import Compare, Formula, Int, Name
from dynconstraints.pytorch.reports.coverage import Split
from dynconstraints.pytorch.reports.model import Graph
from dynconstraints.system import ConstraintSystem

State = Literal["served", "unserved", "unknown", "refused"]

_SHOWN = 20
"""How many values of a name are shown, in steps from the least; beside those that the report speaks of."""


@dataclass(frozen=True)
class Axis:
    """A name and the values of it that are shown, in steps of ``step`` where none is left out between two."""

    name: str
    values: tuple[int, ...]
    step: int


@dataclass(frozen=True)
class Cell:
    """An assignment: the index of the graph that serves it, the constraints that refuse it, whether a mark is on it."""

    values: Mapping[str, int]
    state: State
    graph: int | None = None
    refused_by: tuple[str, ...] = ()
    compiled: bool = False
    counterexample: bool = False


@dataclass(frozen=True)
class Picture:
    """One axis or two, and the cells by the values of the second, then of the first; ``fixed`` are the other names."""

    axes: tuple[Axis, ...]
    rows: tuple[tuple[Cell, ...], ...]
    fixed: Mapping[str, int]


def picture(split: Split) -> Picture | None:
    """The picture of what a function's graphs serve; None where no integer varies freely."""
    last = split.graphs[-1]
    drawn = _drawn(split)
    if not drawn:
        return None
    marks = [graph.values for graph in split.graphs] + ([split.counterexample] if split.counterexample else [])
    asked = [r.true for graph in split.graphs for r in graph.remaining if r.true is not None]
    axes = tuple(
        _axis(last.system, name, [m[name] for m in marks if name in m], _numbers(asked, name)) for name in drawn
    )
    fixed = {name: last.values[name] for name in last.free if name not in drawn}
    first, *others = axes
    second = others[0].values if others else (None,)
    rows = tuple(
        tuple(
            _cell(split, {**fixed, **dict(zip(drawn, (x,) if y is None else (x, y), strict=True))})
            for x in first.values
        )
        for y in second
    )
    return Picture(axes, rows, fixed)


def _drawn(split: Split) -> tuple[str, ...]:
    last = split.graphs[-1]
    spoken = [n for g in split.graphs for r in g.remaining if r.true is not None for n in sorted(names(r.true))]
    free = [name for name in last.free if name.isidentifier()]
    return tuple(dict.fromkeys([name for name in spoken if name in free] + free))[:2]


def _numbers(asked: Iterable[Formula], name: str) -> list[int]:
    """The numbers that conditions on the name alone have it compared with."""
    found = [
        node.value
        for formula in asked
        if isinstance(formula, Compare) and names(formula) == {name} and Name(name) in formula.operands
        for node in formula.operands
        if isinstance(node, Int)
    ]
    return list(dict.fromkeys(found))[:_SHOWN]


def _axis(system: ConstraintSystem, name: str, marks: Iterable[int], borders: Iterable[int]) -> Axis:
    low, high = system.bounds(name)
    modulus, rest = system.congruence(name)
    step = max(modulus, 1)
    known = list(marks)
    for border in borders:  # what is on either side of it
        below = border - (border - rest) % step
        sides = (below - step, below, below + step)
        known += [v for v in sides if (low is None or low <= v) and (high is None or v <= high)]
    start = low if low is not None else min(known) - step * (_SHOWN // 2)
    stop = min(start + step * (_SHOWN - 1), start + step * _SHOWN if high is None else high)
    shown = {*range(start, stop + 1, step), *known}
    if low is not None and low >= step:
        shown.add(low - step)  # what is refused on this side, and on the other
    if high is not None:
        shown |= {high, high + step}
    return Axis(name, tuple(sorted(shown)), step)


def _cell(split: Split, free: Mapping[str, int]) -> Cell:
    last = split.graphs[-1]
    values = _completed(last, free)
    told = [c for c in last.system if values.keys() >= set(c.symbols)]
    refused = tuple(c.text for c in told if not c.holds(values))
    state, graph = _served(split, values)
    compiled = any(all(g.values.get(n) == v for n, v in free.items()) for g in split.graphs)
    example = split.counterexample or {}
    marked = bool(example) and all(example.get(name, value) == value for name, value in free.items())
    if refused:
        return Cell(values, "refused", None, refused)
    return Cell(values, state, graph, (), compiled, marked)


def _completed(graph: Graph, free: Mapping[str, int]) -> dict[str, int]:
    """The values with those of the names that follow from them."""
    values = dict(free)
    for name, term in graph.definitions.items():
        if names(term) <= values.keys():
            value = value_of(term, values)
            if value is not None:
                values[name] = value
    return values


def _served(split: Split, values: Mapping[str, int]) -> tuple[State, int | None]:
    unknown = False
    for index, graph in enumerate(split.graphs):
        told = [(r.true, r.false) for r in graph.remaining if r.true is not None and r.false is not None]
        known = [(true, false) for true, false in told if names(true) <= values.keys()]
        if any(truth_of(false, values) for _, false in known):
            continue
        complete = len(known) == len(graph.remaining) and not graph.undeclared
        if complete and all(truth_of(true, values) for true, _ in known):
            return "served", index
        unknown = True
    return ("unknown" if unknown else "unserved"), None
