"""Which constraints an assignment breaks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dynconstraints.ir.constraint import Constraint


@dataclass(frozen=True, slots=True)
class Violation:
    """A constraint that does not hold (it is false or undefined) and the values of its names."""

    constraint: Constraint
    values: Mapping[str, int]


def violations(constraints: Iterable[Constraint], assignment: Mapping[str, int]) -> tuple[Violation, ...]:
    """The constraints, of those whose names all have values, that do not hold."""
    return tuple(
        Violation(constraint, {name: assignment[name] for name in constraint.symbols})
        for constraint in constraints
        if all(name in assignment for name in constraint.symbols) and not constraint.holds(assignment)
    )
