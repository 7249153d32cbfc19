"""All assignments of a finite set, in lexicographic order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dynconstraints.diagnostics.diagnostic import Diagnostic
from dynconstraints.diagnostics.errors import SolverLimitError
from dynconstraints.ir.fold import names
from dynconstraints.ir.nodes import Name
from dynconstraints.solver.algebra.definitions import definitions
from dynconstraints.solver.limits import MOST_COUNTED, RLIMIT, Limited
from dynconstraints.solver.partition import components
from dynconstraints.solver.portfolio import Portfolio
from dynconstraints.solver.queries.bounds import range_of
from dynconstraints.solver.search.enumerate_box import TooMany, assignments_in, number_in
from dynconstraints.solver.search.levels import Progression


def assignments(
    portfolio: Portfolio, order: Sequence[str], limit: int = RLIMIT, tries: int = MOST_COUNTED
) -> Iterator[dict[str, int]]:
    """Every assignment that satisfies the formulas, in lexicographic order of the names' values in ``order``.

    Each name runs through its range; equations that determine it are solved for it, and a formula is looked at as
    soon as all its names have values. Raises SolverLimitError where the set is not finite, or the search too long.
    """
    found = portfolio.model(limit)
    if found is None:
        return
    if isinstance(found, Limited):
        raise limit_error(f"it is not known whether any values satisfy the constraints: {found.reason}", found.reason)
    ranges = {name: _values(portfolio, name, limit) for name in order}
    try:
        yield from assignments_in(portfolio.formulas, ranges, tries)
    except TooMany:
        raise limit_error(f"more than {tries:,} combinations of values were tried", "combinations") from None


def count(portfolio: Portfolio, limit: int, rlimit: int = RLIMIT) -> int:
    """How many assignments satisfy the formulas. Raises SolverLimitError where they are more than ``limit`` or
    infinite.

    Independent parts are counted apart and multiplied; names that others define aren't counted, and of each part the
    name with the most values is counted by its bounds.
    """
    total = 1
    found = definitions(portfolio.formulas)
    rest = found.rest
    for part in components(rest, {f: sorted(names(f)) for f in rest}):
        total *= _number(Portfolio(part), rlimit)
    free = {name for formula in rest for name in names(formula)}
    for name in portfolio.names:
        if total and name not in free and name not in found.images:
            raise _endless(name, "least")
    if total > limit:
        raise limit_error(f"there are more than {limit:,} assignments", "assignments")
    return total


def _number(portfolio: Portfolio, limit: int) -> int:
    if not portfolio.names:
        return int(portfolio.holds({}))
    found = portfolio.model(limit)
    if found is None:
        return 0
    if isinstance(found, Limited):
        raise limit_error(f"it is not known whether any values satisfy the constraints: {found.reason}", found.reason)
    ranges = {name: _values(portfolio, name, limit) for name in portfolio.names}
    order = sorted(ranges, key=lambda name: (ranges[name].high or 0) - (ranges[name].low or 0))
    try:
        return number_in(portfolio.formulas, {name: ranges[name] for name in order}, MOST_COUNTED)
    except TooMany:
        raise limit_error(f"more than {MOST_COUNTED:,} combinations of values were tried", "combinations") from None


def limit_error(reason: str, limit: str) -> SolverLimitError:
    """The error for a question that is not answered within the limit."""
    return SolverLimitError(Diagnostic("DC601", f"not decided: {reason}"), limit)


def _endless(name: str, end: str) -> SolverLimitError:
    return limit_error(f"{name} has no {end} value", "finite ranges")


def _values(portfolio: Portfolio, name: str, limit: int) -> Progression:
    low, high = portfolio.facts.range_of(Name(name))
    if low is None or high is None:
        ends = range_of(portfolio, Name(name), limit)
        low, high = ends.lower, ends.upper
    if low is None or high is None:
        raise _endless(name, "least" if low is None else "greatest")
    step, rest = portfolio.facts.congruence_of(Name(name))
    return Progression(low, high, step or 1, rest if step else low)
