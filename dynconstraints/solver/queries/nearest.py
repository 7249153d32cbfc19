"""The legal assignment nearest to a given one: the fewest changed values first, then the smallest sum of distances."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import cast

from dynconstraints.ir.fold import names, substitute
from dynconstraints.ir.nodes import Call, Formula, Function, Int, Name, Relation, Term, comparison, negated, total
from dynconstraints.solver.algebra.definitions import definitions
from dynconstraints.solver.limits import CHANGED_AFTER_ALL, CHANGED_SUBSETS, FEW_TO_CHANGE, RLIMIT, Limited
from dynconstraints.solver.partition import components
from dynconstraints.solver.portfolio import Portfolio
from dynconstraints.solver.queries.bounds import range_of
from dynconstraints.solver.queries.count import limit_error
from dynconstraints.solver.reals.reals import Reals


def nearest(portfolio: Portfolio, given: Mapping[str, int], limit: int = RLIMIT) -> dict[str, int] | None:
    """The nearest legal assignment, with a value for every name; None where nothing satisfies the formulas.

    Names without a given value are free. Of assignments at the same distance, the one whose changed names come first
    in the alphabet, then the lower value of a single changed name, as long as no more than `RANKED_NAMES` are given.
    Raises SolverLimitError where a limit keeps it from being found.
    """
    found: dict[str, int] = {}
    defined = definitions(portfolio.formulas, kept=given)  # names without a given value have the one that follows
    rest = defined.rest if defined.images else portfolio.formulas
    for part in components(rest, {f: sorted(names(f)) for f in rest}):
        some = portfolio if part == portfolio.formulas else Portfolio(part)
        near = _nearest(some, {name: given[name] for name in some.names if name in given}, limit)
        if near is None:
            return None
        found |= near
    found = defined.lifted({**{name: given[name] for name in portfolio.names if name in given}, **found})
    return {name: found[name] if name in found else given[name] for name in sorted({*found, *given})}


def either_side(
    portfolio: Portfolio, given: Mapping[str, int], name: str, limit: int = RLIMIT
) -> tuple[int | None, int | None]:
    """The nearest legal values of one name below (or at) and above its given value, the other given values kept."""
    fixed = Portfolio(_fixed(portfolio.formulas, {n: v for n, v in given.items() if n != name}))
    value = Int(given[name])
    below = Portfolio((*fixed.formulas, comparison(Name(name), Relation.LE, value)))
    above = Portfolio((*fixed.formulas, comparison(Name(name), Relation.GE, value)))
    return _end(below, Name(name), limit), _end(above, negated(Name(name)), limit, -1)


def _end(portfolio: Portfolio, term: Term, limit: int, sign: int = 1) -> int | None:
    found = range_of(portfolio, term, limit)
    if found.upper is None or not found.upper_is_tight or (found.lower is not None and found.lower > found.upper):
        return None
    return sign * found.upper


def _nearest(portfolio: Portfolio, given: Mapping[str, int], limit: int) -> dict[str, int] | None:
    most = CHANGED_SUBSETS
    if len(given) > FEW_TO_CHANGE:
        from dynconstraints.solver.search.z3_nearest import nearest_by_z3  # z3 takes a while to load

        optimal = nearest_by_z3(portfolio.formulas, given, limit)
        if not isinstance(optimal, Limited):
            return optimal
        most = CHANGED_AFTER_ALL
    ordered, tried = sorted(given), 0
    for size in range(len(ordered) + 1):
        best: tuple[int, dict[str, int]] | None = None
        for changed in combinations(ordered, size):
            tried += 1
            if tried > most:
                raise limit_error(f"more than {most:,} sets of names to change were tried", "sets of names")
            found = _with_changes(portfolio, given, changed, limit)
            if found is not None and (best is None or found[0] < best[0]):
                best = found
        if best is not None:
            return best[1]
    return None


def _with_changes(
    portfolio: Portfolio, given: Mapping[str, int], changed: Sequence[str], limit: int
) -> tuple[int, dict[str, int]] | None:
    """The least distance and an assignment at it that differs in the changed names alone; None if none satisfies."""
    kept = {name: value for name, value in given.items() if name not in changed}
    rest = Portfolio(_fixed(portfolio.formulas, kept))
    found = rest.model(limit)
    if isinstance(found, Limited):
        raise limit_error(found.reason, "rlimit")
    if found is None:
        return None
    if not changed:
        return 0, {**found, **kept}
    distance, near = _at_least_distance(rest, changed, given, limit)
    return distance, {**near, **kept}


def _fixed(formulas: Sequence[Formula], values: Mapping[str, int]) -> list[Formula]:
    images: dict[str, Term] = {name: Int(value) for name, value in values.items()}
    return [substitute(formula, images) for formula in formulas]


def _at_least_distance(
    portfolio: Portfolio, changed: Sequence[str], given: Mapping[str, int], limit: int
) -> tuple[int, dict[str, int]]:
    distance = total(tuple(Call(Function.ABS, (total((Name(name), Int(-given[name]))),)) for name in changed))
    ends = range_of(portfolio, distance, limit)
    if ends.lower is None or not ends.lower_is_tight:
        raise limit_error("the distance of the nearest values", "rlimit")
    if len(changed) == 1:  # of two at the same distance, the lower one
        lower = portfolio.model_with(
            comparison(Name(changed[0]), Relation.EQ, Int(given[changed[0]] - ends.lower)), limit
        )
        if isinstance(lower, dict):
            return ends.lower, lower
    found = portfolio.model_with(comparison(distance, Relation.EQ, Int(ends.lower)), limit)
    if not isinstance(found, dict):
        raise limit_error("the nearest values", "rlimit")
    return ends.lower, found


def nearest_reals(system: Reals, assignment: Mapping[str, int], limit: int = RLIMIT) -> dict[str, int] | None:
    """A legal assignment that keeps as many of the given values as it can, of a set that speaks of floats."""
    found = system.nearest(assignment, limit)
    if isinstance(found, Limited):
        raise limit_error(found.reason, "rlimit")
    return cast("dict[str, int] | None", found)
