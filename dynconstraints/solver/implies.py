"""Does the set settle a query?"""

from __future__ import annotations

from collections.abc import Sequence

from dynconstraints.ir.constraint import Constraint
from dynconstraints.solver.smt import Limited, solve
from dynconstraints.solver.verdict import Implied, Open, Refuted, Unknown, Verdict

LIMIT = 2_000_000


def implies(constraints: Sequence[Constraint], query: Constraint, limit: int | None = None) -> Verdict:
    """Whether the query is true in every model, in none, or in some."""
    given = [c.formula for c in constraints]
    fails_at = solve(given, [query.formula], limit or LIMIT)
    if fails_at is None:
        return Implied()
    holds_at = solve([*given, query.formula], limit=limit or LIMIT)
    if holds_at is None:
        return Refuted()
    if isinstance(fails_at, Limited):
        return Unknown(fails_at.reason)
    if isinstance(holds_at, Limited):
        return Unknown(holds_at.reason)
    return Open(holds_at, fails_at)
