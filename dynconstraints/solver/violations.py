"""Which constraints an assignment breaks."""

from __future__ import annotations

from collections.abc import Mapping

from dynconstraints.diagnostics.frozen import Frozen
from dynconstraints.ir.constraint import Constraint


class Violation(Frozen):
    """A constraint that does not hold (it is false or undefined) and the values of its names.

    ``nearest`` is the legal assignment nearest to the whole of what was asked about, as `ConstraintSystem.nearest`
    finds it; None where nothing satisfies the system, or the search hit its limit.
    """

    constraint: Constraint
    values: Mapping[str, int]
    nearest: Mapping[str, int] | None
