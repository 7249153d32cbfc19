"""Assignments that are likely to satisfy the constraints: ends of ranges and small values, relations respected.

Seeded, so that the same question gets the same answer in every process. What comes from here is checked before it is
used.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from itertools import compress

from dynconstraints.facts.domains.intervals import Range
from dynconstraints.facts.limits import (
    ENOUGH_SAMPLES,
    PLAIN_SAMPLES,
    SAMPLED_DISTANCE,
    SAMPLES,
    WALKED_PARAMETERS,
    WALKS,
)
from dynconstraints.facts.product import atom_polynomials as poly
from dynconstraints.facts.product.assume import assume
from dynconstraints.facts.product.atom_polynomials import Polynomial
from dynconstraints.facts.product.store import ConstraintStore
from dynconstraints.facts.product.substitutions import Rows
from dynconstraints.ir import evaluate_columns
from dynconstraints.ir.nodes import Formula, Or

Point = Mapping[str, int]


def models(
    known: ConstraintStore, pending: Sequence[Formula], names: Sequence[str], constraints: Sequence[Formula]
) -> list[Point]:
    """Assignments of the names under which all constraints hold: drawn at once, then name after name if too few."""
    rng = random.Random(0)  # noqa: S311  # repeatable draws, nothing secret
    parameters = parameters_of(known.rows, names)
    found = _at_once(known, names, parameters, constraints, rng, SAMPLES)
    if len(found) >= ENOUGH_SAMPLES:
        return found
    times = WALKS if len(parameters) <= WALKED_PARAMETERS else 1
    walks = [w for _ in range(times) if (w := _walk(known, pending, parameters, rng)) is not None]
    if walks:
        table = {p: [w[p] for w in walks] for p in parameters}
        size = len(walks)
        found += kept({n: column(known.rows.get(n, {(n,): 1}), table, size) for n in names}, size, constraints)
    return found


def some(known: ConstraintStore, names: Sequence[str], constraints: Sequence[Formula]) -> Point | None:
    """One of the plainest assignments, if all constraints hold under one: all at ends of ranges, or near 0."""
    rng = random.Random(0)  # noqa: S311  # not drawn from for so few
    found = _at_once(known, names, parameters_of(known.rows, names), constraints, rng, PLAIN_SAMPLES)
    return found[0] if found else None


def _at_once(
    known: ConstraintStore,
    names: Sequence[str],
    parameters: Sequence[str],
    constraints: Sequence[Formula],
    rng: random.Random,
    size: int,
) -> list[Point]:
    table = {p: [_drawn(known.monomial((p,)), rng, j) for j in range(size)] for p in parameters}
    return kept({n: column(known.rows.get(n, {(n,): 1}), table, size) for n in names}, size, constraints)


def parameters_of(rows: Rows, names: Iterable[str]) -> list[str]:
    """The parameters that determine the names."""
    return sorted({key for n in names for key in (poly.keys(rows[n]) if n in rows else (n,))})


def kept(table: Mapping[str, evaluate_columns.Column], size: int, constraints: Iterable[Formula]) -> list[Point]:
    """The different assignments of the table under which all constraints hold."""
    for constraint in constraints:
        truths = evaluate_columns.truths(constraint, table, size)
        if not all(truths):
            table = {name: list(compress(values, truths)) for name, values in table.items()}
            size = sum(map(bool, truths))
        if not size:
            return []
    points = dict.fromkeys(zip(*table.values(), strict=True)) if table else {(): None}
    return [dict(zip(table, point, strict=True)) for point in points]


def column(p: Polynomial, table: Mapping[str, Sequence[int]], size: int) -> list[int]:
    """The polynomial, which has no atoms, at each point of the table."""
    result = [p.get((), 0)] * size
    for monomial, coefficient in p.items():
        if monomial:
            product = [coefficient] * size
            for key in monomial:
                product = [a * b for a, b in zip(product, table[key], strict=True)]
            result = [a + b for a, b in zip(result, product, strict=True)]
    return result


def _drawn(bounds: Range, rng: random.Random, turn: int) -> int:
    """A value within the range: an end, one near 0, or any."""
    low, high = bounds
    start = low if low is not None else (high if high is not None else 0) - SAMPLED_DISTANCE
    stop = high if high is not None else (low if low is not None else 0) + SAMPLED_DISTANCE
    choice = turn if turn < 4 else rng.randrange(8)
    match choice:
        case 0:
            return start if low is not None else min(0, stop)
        case 1:
            return stop if high is not None else max(0, start)
        case 2 | 3:
            return min(max(choice - 2, start), stop)
        case 4:
            return min(max(rng.randint(-3, 8), start), stop)
        case 5:
            return min(start + rng.randrange(4), stop) if low is not None else max(stop - rng.randrange(4), start)
        case _:
            return rng.randint(start, stop)


def _walk(
    known: ConstraintStore, pending: Sequence[Formula], parameters: Sequence[str], rng: random.Random
) -> dict[str, int] | None:
    """A value for each parameter, each drawn where the ones before leave room."""
    here = known.copy()
    for formula in pending:
        if isinstance(formula, Or):
            assume(here, rng.choice(formula.operands))
    here.propagate()
    values: dict[str, int] = {}
    order = list(parameters)
    rng.shuffle(order)
    for parameter in order:
        for turn in (5, 9, 0) if len(order) <= WALKED_PARAMETERS else (5,):
            value = _drawn(here.monomial((parameter,)), rng, turn)
            there = here.copy() if len(order) <= WALKED_PARAMETERS else here
            there.assume_zero(poly.shift({(parameter,): 1}, -value))
            there.propagate()
            if not there.empty:
                here = there
                values[parameter] = value
                break
        else:
            return None
    return values
