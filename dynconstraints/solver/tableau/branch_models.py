"""Candidate assignments of a case: small values for what is free in it give values to all else.

A case solves its equations, and its prover the inequalities with an unknown of their own; any choice of integers for
the unknowns left, non-negative ones for slacks, satisfies all that was solved. So most candidates satisfy most
constraints, and the evaluator needs to see only a few.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

from dynconstraints.solver.algebra.polynomial import Polynomial, TooLarge
from dynconstraints.solver.tableau.branch import Case

_POOL = (0, 1, 2, 3, 4, 5, 7, 8, 12, 16, 30, 64, 100)
_LARGE = 10**6


def candidates(case: Case, names: Sequence[str], number: int, seed: int = 0) -> Iterator[dict[str, int]]:
    """``number`` assignments to the names, deterministic for the seed: corners first, then at random."""
    try:
        prover = case.prover
        images = {name: prover.image(case.image(Polynomial.unknown(name))) for name in names}
    except TooLarge:
        return
    parameters = sorted({unknown for image in images.values() for unknown in image.unknowns})
    highest = {name: prover.highest(name) for name in parameters}
    random = Random(seed)  # noqa: S311  (diversity, not secrecy)
    for index in range(number):
        values = {
            name: _value(random, index, place, name in prover.slacks, highest[name])
            for place, name in enumerate(parameters)
        }
        for unknown, chosen in case.choices.items():
            if unknown in values:
                values[unknown] = chosen[index % len(chosen)]
        yield {name: image.at(values) for name, image in images.items()}


def _value(random: Random, index: int, place: int, slack: bool, highest: int | None) -> int:
    """All 0, all 1, all distinct, all large; then mostly small, sometimes at the end, free ones of any sign."""
    if index < 3:
        value = (0, 1, place + 2)[index]
    elif index < 5:  # all large
        return highest if highest is not None else _LARGE + place if slack or index == 3 else -_LARGE - place
    elif index < 8:
        value = random.choice((0, 1, 2, 3)) if slack else random.choice((0, 1, -1, 2, -2, 3))
    else:
        value = random.choice(_POOL) if random.random() < 0.9 else random.randrange(1000)
        value *= 1 if slack or random.random() < 0.6 else -1
    if highest is None:
        return value
    return highest if index > 8 and random.random() < 0.25 else value % (highest + 1)
