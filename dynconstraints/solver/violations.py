"""Which constraints an assignment breaks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dynconstraints.ir.constraint import Constraint


@dataclass(frozen=True, slots=True)
class Violation:
    """A constraint that does not hold (it is false or undefined) and the values of its names.

    ``nearest`` is the legal assignment nearest to the whole of what was asked about, as `ConstraintSystem.nearest`
    finds it; None where nothing satisfies the system, or the search hit its limit.
    """

    constraint: Constraint
    values: Mapping[str, int]
    nearest: Mapping[str, int] | None
