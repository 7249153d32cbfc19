"""Is the set satisfiable?"""

from __future__ import annotations

from collections.abc import Sequence

from dynconstraints.ir.constraint import Constraint
from dynconstraints.solver.smt import Limited, solve
from dynconstraints.solver.verdict import Sat, Satisfiability, Unknown, Unsat

LIMIT = 2_000_000


def check(constraints: Sequence[Constraint], limit: int | None = None) -> Satisfiability:
    """A model, a minimal core, or which limit was hit."""
    found = solve([c.formula for c in constraints], limit=limit or LIMIT)
    if isinstance(found, Limited):
        return Unknown(found.reason)
    return Unsat(_core(constraints, limit)) if found is None else Sat(found)


def _core(constraints: Sequence[Constraint], limit: int | None) -> tuple[Constraint, ...]:
    core = list(constraints)
    for constraint in constraints:
        rest = [c for c in core if c is not constraint]
        if solve([c.formula for c in rest], limit=limit or LIMIT) is None:
            core = rest
    return tuple(core)
