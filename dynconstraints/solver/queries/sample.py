"""Diverse assignments: ends of ranges, each alternative of each disjunction, then at random."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from dynconstraints.ir.fold import walk
from dynconstraints.ir.nodes import FALSE, TRUE, Formula, Int, Name, Or, Relation, comparison, conjunction, disjunction
from dynconstraints.solver.limits import RLIMIT, TRIES_FOR_SAMPLE
from dynconstraints.solver.portfolio import Portfolio
from dynconstraints.solver.queries.bounds import range_of
from dynconstraints.solver.tableau.branch_models import candidates
from dynconstraints.solver.tableau.nnf import normal


def sample(portfolio: Portfolio, number: int, seed: int = 0, limit: int = RLIMIT) -> list[dict[str, int]]:
    """``number`` different assignments that satisfy the formulas; fewer where there are no more, or a limit is hit.

    The same for the same formulas and seed, whatever the order of the formulas. With ``number`` large enough, the
    ends of every name's range and every alternative of every disjunction are among them.
    """
    reduced = portfolio.reduced
    if reduced is not None:
        some = sample(reduced.portfolio, number, seed, limit)
        return [{name: full[name] for name in portfolio.names} for full in map(reduced.definitions.lifted, some)]
    found: dict[tuple[int, ...], dict[str, int]] = {}
    for model in _models(portfolio, number, seed, limit):
        found.setdefault(tuple(model[name] for name in portfolio.names), model)
        if len(found) >= number:
            break
    return list(found.values())


def _models(portfolio: Portfolio, number: int, seed: int, limit: int) -> Iterator[dict[str, int]]:
    random = Random(seed)  # noqa: S311  (diversity, not secrecy)
    if portfolio.is_large:  # a question about each name would take long
        yield from _near_ends(portfolio, random, limit)
    wishes = list(dict.fromkeys((*_ends(portfolio, limit), *_alternatives(portfolio))))
    random.shuffle(wishes)
    for wish in wishes:
        model = portfolio.model_with(wish, limit)
        if isinstance(model, dict):
            yield model
    found: list[dict[str, int]] = []
    if not portfolio.is_large and not portfolio.tableau.closed:
        for model in candidates(portfolio.tableau.case, portfolio.names, number * TRIES_FOR_SAMPLE, seed):
            if portfolio.holds(model):
                found.append(model)
                yield model
    yield from _others(portfolio, [*found], limit)


def _near_ends(portfolio: Portfolio, random: Random, limit: int) -> Iterator[dict[str, int]]:
    """Models that are one step of all names from a first one, then of one name, each by the modulus that it keeps."""
    first = portfolio.model(limit)
    if not isinstance(first, dict):
        return
    yield first
    steps = {name: portfolio.facts.congruence_of(Name(name))[0] for name in portfolio.names}
    for factor in (1, -1, random.randrange(2, 100), -random.randrange(2, 100)):
        yield from _holding(portfolio, {name: value + factor * steps[name] for name, value in first.items()})
    for _ in range(TRIES_FOR_SAMPLE):
        name, factor = random.choice(portfolio.names), random.choice((1, -1)) * random.randrange(1, 100)
        yield from _holding(portfolio, {**first, name: first[name] + factor * steps[name]})


def _holding(portfolio: Portfolio, model: dict[str, int]) -> Iterator[dict[str, int]]:
    return iter([model] if portfolio.holds(model) else [])


def _ends(portfolio: Portfolio, limit: int) -> Iterator[Formula]:
    for name in portfolio.names:
        ends = range_of(portfolio, Name(name), limit)
        for end in (ends.lower, ends.upper):
            if end is not None:
                yield comparison(Name(name), Relation.EQ, Int(end))


def _alternatives(portfolio: Portfolio) -> Iterator[Formula]:
    for formula in portfolio.formulas:
        for node in walk(normal(formula)):
            if isinstance(node, Or):
                yield from node.operands


def _others(portfolio: Portfolio, found: list[dict[str, int]], limit: int) -> Iterator[dict[str, int]]:
    """Models that differ from all those found, one at a time, until there are none."""
    while True:
        model = portfolio.model_with(conjunction(tuple(map(_differs, found))) if found else TRUE, limit)
        if not isinstance(model, dict):
            return
        found.append(model)
        yield model


def _differs(model: dict[str, int]) -> Formula:
    apart = tuple(comparison(Name(name), Relation.NE, Int(value)) for name, value in model.items())
    return disjunction(apart) if apart else FALSE
