"""Is the set satisfiable?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from dynconstraints.ir.constraint import Constraint
from dynconstraints.solver.core import minimal_core
from dynconstraints.solver.limits import RLIMIT, Limited
from dynconstraints.solver.parted import Parted
from dynconstraints.solver.reals import Reals
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


def check_reals(system: Reals, constraints: Sequence[Constraint], limit: int | None = None) -> Satisfiability:
    """As `check`, of a set that speaks of floats."""
    found = system.model(limit or RLIMIT)
    match found:
        case None:
            return Unsat(minimal_core(constraints, limit or RLIMIT, system.reals))
        case Limited(reason):
            return Unknown(reason)
        case _:
            return Sat(cast("dict[str, int]", found))
