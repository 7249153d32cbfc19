"""The domain of difference bounds: the set of assignments where ``x <= y + c`` for each of some triples.

A sparse graph with an edge from x to y of length c; what follows from several triples is a shortest path, and a cycle
of negative length says that there is no assignment. Source: V. Pratt, *Two easy theories whose combination is hard*,
1977.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import TypeAlias

Edges: TypeAlias = Mapping[str, tuple[tuple[str, int], ...]]
"""For each x the pairs (y, c) with ``x <= y + c``."""


def with_edge(edges: dict[str, tuple[tuple[str, int], ...]], x: str, y: str, c: int) -> None:
    """Add ``x <= y + c``."""
    edges[x] = (*edges.get(x, ()), (y, c))


def least_bound(edges: Edges, x: str, y: str) -> int | None:
    """The least c such that ``x <= y + c`` follows; None where none does, or where the edges contradict each other."""
    lengths = _lengths(edges, {x: 0})
    return None if lengths is None else lengths.get(y)


def is_consistent(edges: Edges) -> bool:
    """Whether any assignment satisfies all: whether there is no cycle of negative length."""
    core = _core(edges)
    return _lengths(core, dict.fromkeys(core, 0)) is not None


def least_values(edges: Edges, lower: Mapping[str, int]) -> dict[str, int] | None:
    """The least assignment to the names of ``lower`` that satisfies all and is nowhere below it; None if none does.

    Edges between other names are left out.
    """
    lengths = {x: -low for x, low in lower.items()}
    within = {x: tuple((y, c) for y, c in pairs if y in lower) for x, pairs in edges.items() if x in lower}
    for x in _loose(within):  # each once, after all that lead to it
        for y, c in within.get(x, ()):
            lengths[y] = min(lengths[y], lengths[x] + c)
    found = _lengths(_core(within), lengths)
    return None if found is None else {x: -length for x, length in found.items()}


def _core(edges: Edges) -> Edges:
    """The edges between nodes that a cycle may pass, and those behind them."""
    loose = set(_loose(edges))
    return {x: pairs for x, pairs in edges.items() if x not in loose}


def _loose(edges: Edges) -> list[str]:
    """The nodes that no cycle leads to, each after all that lead to it."""
    entering = dict.fromkeys(edges, 0)
    for pairs in edges.values():
        for y, _ in pairs:
            entering[y] = entering.get(y, 0) + 1
    loose = [x for x, count in entering.items() if not count]
    for x in loose:
        for y, _ in edges.get(x, ()):
            entering[y] -= 1
            if not entering[y]:
                loose.append(y)
    return loose


def _lengths(edges: Edges, start: Mapping[str, int]) -> dict[str, int] | None:
    """Shortest lengths from the start, by Bellman and Ford with a queue; None where there is a negative cycle."""
    lengths, steps = dict(start), dict.fromkeys(start, 0)
    queue, queued = deque(start), set(start)
    limit = len(edges) + 1
    while queue:
        x = queue.popleft()
        queued.discard(x)
        for y, c in edges.get(x, ()):
            length = lengths[x] + c
            if y in lengths and lengths[y] <= length:
                continue
            lengths[y], steps[y] = length, steps[x] + 1
            if steps[y] > limit:
                return None
            if y not in queued:
                queued.add(y)
                queue.append(y)
    return lengths
