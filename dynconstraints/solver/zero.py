"""Divisors that can only be 0: why nothing satisfies a set, where that is not seen at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.fold import conjuncts, walk
from dynconstraints.ir.nodes import Call, FloorDiv, Function, Mod, Node, Predicate, Term, Test
from dynconstraints.ir.sorts import speaks_of_reals
from dynconstraints.solver.prepared import Prepared

_MOST_CONDITIONS = 64
_DIVIDING = (Function.CEILDIV, Function.ALIGN_UP, Function.ALIGN_DOWN)


def zero_divisors(core: Sequence[Constraint]) -> Mapping[Constraint, Term]:
    """For constraints of a contradictory set: a divisor that is 0 wherever all else in the set holds.

    Only the domains are asked, so one may be missed.
    """
    conditions = [(constraint, part) for constraint in core for part in conjuncts(constraint.formula)]
    if len(conditions) > _MOST_CONDITIONS or speaks_of_reals([part for _, part in conditions], frozenset()):
        return {}
    found: dict[Constraint, Term] = {}
    for constraint, part in conditions:
        divisors = [divisor for node in walk(part) for divisor in _divisors(node)]
        others = Prepared([other for _, other in conditions if other is not part]) if divisors else None
        if others is None or others.facts.is_empty:
            continue
        for divisor in divisors:
            if others.facts.range_of(divisor) == (0, 0):
                found.setdefault(constraint, divisor)
    return found


def _divisors(node: Node) -> Iterator[Term]:
    match node:
        case FloorDiv(_, divisor) | Mod(_, divisor) | Test(Predicate.DIVIDES, (divisor, _)):
            yield divisor
        case Call(function, (_, divisor)) if function in _DIVIDING:
            yield divisor
