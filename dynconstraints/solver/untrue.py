"""The ways in which a formula can fail to be true: it is false, or undefined, as where a divisor is 0.

Kleene's logic: a disjunction with an undefined part is true where another part is, a conjunction never.
"""

from __future__ import annotations

from collections.abc import Iterator

from dynconstraints.ir.functions import all_requirements
from dynconstraints.ir.nodes import TRUE, And, Compare, Formula, Not, Or, Test, conjunction
from dynconstraints.solver.normal import normal


def ways_untrue(formula: Formula) -> tuple[Formula, ...]:
    """Formulas one of which is true wherever the formula is false or undefined."""
    if not all_requirements(formula):
        return (Not(formula),)
    return (Not(formula), *_undefined(normal(formula)))


def _undefined(formula: Formula) -> Iterator[Formula]:
    match formula:
        case And(operands):
            for operand in operands:
                yield from _undefined(operand)
        case Or(operands):
            for operand in operands:
                others = conjunction(tuple(_untrue(other) for other in operands if other is not operand))
                yield from (conjunction((way, others)) for way in _undefined(operand))
        case Compare() | Test() | Not():
            yield from (normal(need, False) for need in all_requirements(formula))
        case _:
            return


def _untrue(formula: Formula) -> Formula:
    """True wherever the formula is not, and perhaps elsewhere."""
    return TRUE if all_requirements(formula) else Not(formula)
