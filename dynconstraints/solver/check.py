"""Is the set satisfiable?"""

from __future__ import annotations

from collections.abc import Sequence

from dynconstraints.ir.constraint import Constraint
from dynconstraints.solver.core import minimal_core
from dynconstraints.solver.limits import RLIMIT, Limited
from dynconstraints.solver.prepared import Prepared
from dynconstraints.solver.verdict import Sat, Satisfiability, Unknown, Unsat


def check(prepared: Prepared, constraints: Sequence[Constraint], limit: int | None = None) -> Satisfiability:
    """A model, a minimal core, or which limit was hit."""
    found = prepared.model(limit or RLIMIT)
    if isinstance(found, Limited):
        return Unknown(found.reason)
    return Unsat(minimal_core(constraints, limit or RLIMIT)) if found is None else Sat(found)
