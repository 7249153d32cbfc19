"""Divisors that can only be 0: why nothing satisfies a set, where that is not seen at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.fold import conjuncts
from dynconstraints.ir.functions import all_requirements
from dynconstraints.ir.nodes import Compare, Formula, Relation, Term
from dynconstraints.ir.sorts import speaks_of_reals
from dynconstraints.solver.prepared import Prepared

_MOST_CONDITIONS = 64


def zero_divisors(core: Sequence[Constraint]) -> Mapping[Constraint, Term]:
    """For constraints of a contradictory set: a divisor that is 0 wherever all else in the set holds.

    Only the domains are asked, so one may be missed.
    """
    conditions = [(constraint, part) for constraint in core for part in conjuncts(constraint.formula)]
    if len(conditions) > _MOST_CONDITIONS or speaks_of_reals([part for _, part in conditions], frozenset()):
        return {}
    found: dict[Constraint, Term] = {}
    for constraint, part in conditions:
        others = Prepared([other for _, other in conditions if other is not part]) if _divisors(part) else None
        if others is None or others.facts.is_empty:
            continue
        for divisor in _divisors(part):
            if others.facts.range_of(divisor) == (0, 0):
                found.setdefault(constraint, divisor)
    return found


def _divisors(formula: Formula) -> list[Term]:
    return [
        need.operands[0]
        for need in all_requirements(formula)
        if isinstance(need, Compare) and need.relations == (Relation.NE,)
    ]
