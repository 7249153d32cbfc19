"""Is the set satisfiable?"""

from __future__ import annotations

from collections.abc import Sequence

from dynconstraints.ir.constraint import Constraint
from dynconstraints.solver.core import minimal_core
from dynconstraints.solver.limits import RLIMIT, Limited
from dynconstraints.solver.parted import Parted
from dynconstraints.solver.verdict import Sat, Satisfiability, Unknown, Unsat


def check(parted: Parted, constraints: Sequence[Constraint], limit: int | None = None) -> Satisfiability:
    """A model, a minimal core, or which limit was hit."""
    found = parted.model(limit or RLIMIT)
    if isinstance(found, Limited):
        return Unknown(found.reason)
    if found is not None:
        return Sat(found)
    broken = next(part for part in parted.parts if part.model(limit or RLIMIT) is None)
    suspects = [constraint for constraint in constraints if constraint.formula in broken.formulas]
    return Unsat(minimal_core(suspects, limit or RLIMIT))
