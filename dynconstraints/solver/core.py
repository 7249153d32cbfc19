"""Minimal cores: unsatisfiable sets of constraints none of which can be left out."""

from __future__ import annotations

from collections.abc import Sequence

from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.printer import show
from dynconstraints.solver.limits import RLIMIT
from dynconstraints.solver.prepared import Prepared


def minimal_core(constraints: Sequence[Constraint], limit: int = RLIMIT) -> tuple[Constraint, ...]:
    """A minimal core of an unsatisfiable set, by deletion, in the given order; the same for each order of the constraints.

    Where a limit keeps it from being decided whether a constraint is needed, it stays.
    """
    core = sorted(dict.fromkeys(constraints), key=lambda c: show(c.formula))
    for constraint in tuple(core):
        rest = [c for c in core if c != constraint]
        if unsatisfiable(rest, limit):
            core = rest
    return tuple(c for c in constraints if c in core)


def unsatisfiable(constraints: Sequence[Constraint], limit: int = RLIMIT) -> bool:
    """Whether it is proved that nothing satisfies all of them."""
    return Prepared([c.formula for c in constraints]).model(limit) is None
