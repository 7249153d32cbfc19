"""All assignments of a finite set, in lexicographic order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dynconstraints.diagnostics.diagnostic import Diagnostic
from dynconstraints.diagnostics.errors import SolverLimitError
from dynconstraints.ir.fold import names
from dynconstraints.ir.nodes import Name
from dynconstraints.solver.limits import MOST_COUNTED, RLIMIT, Limited
from dynconstraints.solver.partition import components
from dynconstraints.solver.portfolio import Portfolio
from dynconstraints.solver.queries.bounds import range_of
from dynconstraints.solver.search.enumerate_box import TooMany, assignments_in


def assignments(portfolio: Portfolio, order: Sequence[str], limit: int = RLIMIT) -> Iterator[dict[str, int]]:
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
        yield from assignments_in(portfolio.formulas, ranges, MOST_COUNTED)
    except TooMany:
        raise limit_error(f"more than {MOST_COUNTED:,} combinations of values were tried", "combinations") from None


def count(portfolio: Portfolio, limit: int, rlimit: int = RLIMIT) -> int:
    """How many assignments satisfy the formulas. Raises SolverLimitError where they are more than ``limit`` or
    infinite.

    Independent parts are counted apart and multiplied.
    """
    total = 1
    for part in components(portfolio.formulas, {f: sorted(names(f)) for f in portfolio.formulas}):
        some = Portfolio(part)
        number = 0
        for _ in assignments(some, some.names, rlimit):
            number += 1
            if number > limit:
                raise limit_error(f"there are more than {limit:,} assignments", "assignments")
        total *= number
    if total > limit:
        raise limit_error(f"there are more than {limit:,} assignments", "assignments")
    return total


def limit_error(reason: str, limit: str) -> SolverLimitError:
    """The error for a question that is not answered within the limit."""
    return SolverLimitError(Diagnostic("DC601", f"not decided: {reason}"), limit)


def _values(portfolio: Portfolio, name: str, limit: int) -> range:
    low, high = portfolio.facts.range_of(Name(name))
    if low is None or high is None:
        ends = range_of(portfolio, Name(name), limit)
        low, high = ends.lower, ends.upper
    if low is None or high is None:
        raise limit_error(f"{name} has no {'least' if low is None else 'greatest'} value", "finite ranges")
    step, rest = portfolio.facts.congruence_of(Name(name))
    return range(low + (rest - low) % step if step else low, high + 1, step or 1)
