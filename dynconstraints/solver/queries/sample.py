"""Diverse assignments: ends of ranges, each alternative of each disjunction, then at random."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from dynconstraints.ir.fold import walk
from dynconstraints.ir.nodes import FALSE, TRUE, Formula, Int, Name, Or, Relation, comparison, conjunction, disjunction
from dynconstraints.solver.limits import RLIMIT, TRIES_FOR_SAMPLE
from dynconstraints.solver.portfolio import Prepared
from dynconstraints.solver.queries.bounds import range_of
from dynconstraints.solver.tableau.branch_models import candidates
from dynconstraints.solver.tableau.nnf import normal


def sample(prepared: Prepared, number: int, seed: int = 0, limit: int = RLIMIT) -> list[dict[str, int]]:
    """``number`` different assignments that satisfy the formulas; fewer where there are no more, or a limit is hit.

    The same for the same formulas and seed, whatever the order of the formulas. With ``number`` large enough, the
    ends of every name's range and every alternative of every disjunction are among them.
    """
    found: dict[tuple[int, ...], dict[str, int]] = {}
    for model in _models(prepared, number, seed, limit):
        found.setdefault(tuple(model[name] for name in prepared.names), model)
        if len(found) >= number:
            break
    return list(found.values())


def _models(prepared: Prepared, number: int, seed: int, limit: int) -> Iterator[dict[str, int]]:
    random = Random(seed)  # noqa: S311  (diversity, not secrecy)
    if prepared.is_large:  # a question about each name would take long
        yield from _near_ends(prepared, random, limit)
    wishes = list(dict.fromkeys((*_ends(prepared, limit), *_alternatives(prepared))))
    random.shuffle(wishes)
    for wish in wishes:
        model = prepared.model_with(wish, limit)
        if isinstance(model, dict):
            yield model
    found: list[dict[str, int]] = []
    if not prepared.is_large and not prepared.tableau.closed:
        for model in candidates(prepared.tableau.case, prepared.names, number * TRIES_FOR_SAMPLE, seed):
            if prepared.holds(model):
                found.append(model)
                yield model
    yield from _others(prepared, [*found], limit)


def _near_ends(prepared: Prepared, random: Random, limit: int) -> Iterator[dict[str, int]]:
    """Models that are one step of all names from a first one, then of one name, each by the modulus that it keeps."""
    first = prepared.model(limit)
    if not isinstance(first, dict):
        return
    yield first
    steps = {name: prepared.facts.congruence_of(Name(name))[0] for name in prepared.names}
    for factor in (1, -1, random.randrange(2, 100), -random.randrange(2, 100)):
        yield from _holding(prepared, {name: value + factor * steps[name] for name, value in first.items()})
    for _ in range(TRIES_FOR_SAMPLE):
        name, factor = random.choice(prepared.names), random.choice((1, -1)) * random.randrange(1, 100)
        yield from _holding(prepared, {**first, name: first[name] + factor * steps[name]})


def _holding(prepared: Prepared, model: dict[str, int]) -> Iterator[dict[str, int]]:
    return iter([model] if prepared.holds(model) else [])


def _ends(prepared: Prepared, limit: int) -> Iterator[Formula]:
    for name in prepared.names:
        ends = range_of(prepared, Name(name), limit)
        for end in (ends.lower, ends.upper):
            if end is not None:
                yield comparison(Name(name), Relation.EQ, Int(end))


def _alternatives(prepared: Prepared) -> Iterator[Formula]:
    for formula in prepared.formulas:
        for node in walk(normal(formula)):
            if isinstance(node, Or):
                yield from node.operands


def _others(prepared: Prepared, found: list[dict[str, int]], limit: int) -> Iterator[dict[str, int]]:
    """Models that differ from all those found, one at a time, until there are none."""
    while True:
        model = prepared.model_with(conjunction(tuple(map(_differs, found))) if found else TRUE, limit)
        if not isinstance(model, dict):
            return
        found.append(model)
        yield model


def _differs(model: dict[str, int]) -> Formula:
    apart = tuple(comparison(Name(name), Relation.NE, Int(value)) for name, value in model.items())
    return disjunction(apart) if apart else FALSE
