"""A grid of small values: assignments worth a try where neither a proof nor a guided candidate settled a question.

Each parameter takes the few values of its range that are nearest to 0, and its far end; all combinations are looked at,
a column at a time. What is found satisfies the formulas; finding nothing means nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from dynconstraints.facts import columns, sampling
from dynconstraints.facts.ranges import Range
from dynconstraints.facts.state import State
from dynconstraints.ir.nodes import Formula

_POINTS = 4096
_MOST_PARAMETERS = 8
_MOST_EACH = 64


def grid(facts: State, names: Sequence[str], formulas: Sequence[Formula]) -> list[dict[str, int]]:
    """The assignments to the names on the grid under which all formulas hold, in lexicographic order."""
    parameters = sampling.parameters_of(facts.rows, names)
    if facts.is_empty or not 0 < len(parameters) <= _MOST_PARAMETERS:
        return []
    each = min(_MOST_EACH, int(_POINTS ** (1 / len(parameters)) + 1e-9))
    axes = {p: _few(facts.known.monomial((p,)), each) for p in parameters}
    table, size = columns.box(axes)
    columns_ = {n: sampling.column(facts.rows.get(n, {(n,): 1}), table, size) for n in names}
    return [dict(point) for point in sampling.kept(columns_, size, formulas)]


def _few(bounds: Range, number: int) -> Sequence[int]:
    """Values within the bounds, ascending: a run about 0, or about the end nearest to it, and the far ends."""
    low, high = bounds
    if low is not None and high is not None and high - low < number:
        return range(low, high + 1)
    first = -(number // 3)
    first = first if low is None else max(first, low)
    first = first if high is None else min(first, high - number + 1)
    run = range(first, first + number)
    far = [end for end in bounds if end is not None and end not in run]
    return sorted({*run[: number - len(far)], *far})
