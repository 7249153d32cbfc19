"""Terms without a highest value: along some curve of assignments the constraints keep on holding and the term grows.

On a curve some parameters are infinite integers (see `infinite`), the others are constants. The evaluator of columns
works on them as on integers, so what it finds true is true at all late points of the curve, and a term that it finds
infinite grows without end. Which curves are tried is a guess; what is found on them is a proof.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any, cast

from dynconstraints.facts import columns, sampling
from dynconstraints.facts.ranges import Range
from dynconstraints.facts.state import State
from dynconstraints.ir.nodes import Formula, Term
from dynconstraints.solver.infinite import Infinite

if TYPE_CHECKING:
    from dynconstraints.solver.infinite import Hyper

_MOST_PARAMETERS = 12
_MOST_CURVES = 48
_BATCHES = 6

Curve = Mapping[str, "Hyper"]
Speeds = Mapping[str, int]


def ends_without_bound(
    facts: State, names: Sequence[str], formulas: Sequence[Formula], term: Term
) -> tuple[bool, bool]:
    """Whether it is proved that the term has no lowest value, and that it has no highest one."""
    below = above = False
    for batch in _batches(facts, names):
        table = cast("dict[str, Any]", {p: [curve[p] for curve in batch] for p in batch[0]})
        size = len(batch)
        try:
            points = {n: sampling.column(facts.rows.get(n, {(n,): 1}), table, size) for n in names}
            kept = sampling.kept(points, size, formulas)
            values = columns.values(term, {n: [point[n] for point in kept] for n in names}, len(kept))
        except TypeError:  # a function that infinite integers don't have
            continue
        infinite = [cast("Infinite", value) for value in values if isinstance(value, Infinite)]
        below |= any(not value.is_positive for value in infinite)
        above |= any(value.is_positive for value in infinite)
        if below and above:
            break
    return below, above


def _batches(facts: State, names: Sequence[str]) -> Iterator[list[Curve]]:
    """Curves to try, the plainest first."""
    parameters = sampling.parameters_of(facts.rows, names)
    bounds = {p: facts.known.monomial((p,)) for p in parameters}
    moving = {p: (low is None, high is None) for p, (low, high) in bounds.items() if low is None or high is None}
    if not moving or len(parameters) > _MOST_PARAMETERS:
        return
    directions = list(_directions(moving))[:_MOST_CURVES]
    for turn in range(_BATCHES):
        resting = {p: _resting(bounds[p], turn, place) for place, p in enumerate(parameters)}
        yield [resting | {p: _moved(resting[p], speed, turn == 1) for p, speed in way.items()} for way in directions]


def _directions(moving: Mapping[str, tuple[bool, bool]]) -> Iterator[Speeds]:
    """How fast parameters move, each the way it can: one by one, all, at different speeds; two."""
    signed = {p: 1 if up else -1 for p, (_, up) in moving.items()}
    both = [p for p, (down, up) in moving.items() if down and up]
    yield from ({p: sign} for p, sign in signed.items())
    yield from ({p: -1} for p in both)
    if len(moving) > 1:
        yield signed
        yield {p: sign * (place + 1) for place, (p, sign) in enumerate(signed.items())}
        yield {p: sign * (len(signed) - place) for place, (p, sign) in enumerate(signed.items())}
        yield {p: -1 if p in both else sign for p, sign in signed.items()}
    for p, q in combinations(signed, 2):
        for a in (signed[p], *((-signed[p],) if p in both else ())):
            for b in (signed[q], *((-signed[q],) if q in both else ())):
                yield from ({p: a, q: b}, {p: 2 * a, q: b}, {p: a, q: 2 * b})


def _resting(bounds: Range, turn: int, place: int) -> int:
    """Where a parameter is that does not move: at the end next to 0, next to 1, at its ends, or between."""
    low, high = bounds
    wanted = (0, 0, 1, 2 + place, -1 - place, 7)[turn]
    if turn == 3 and high is not None:
        return high
    if turn == 4 and low is not None:
        return low
    return max(low if low is not None else wanted, min(high if high is not None else wanted, wanted))


def _moved(start: int, speed: int, doubles: bool) -> Infinite:
    """The start and ``speed`` times T; where T is a power of two, that alone."""
    return Infinite((0, speed), doubles) if doubles else Infinite((start, speed))
