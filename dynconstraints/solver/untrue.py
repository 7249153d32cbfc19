"""The ways in which a formula can fail to be true: it is false, or a divisor in it is 0 and nothing else makes it true.

Kleene's logic: a disjunction with an undefined part is true where another part is, a conjunction never.
"""

from __future__ import annotations

from collections.abc import Iterator

from dynconstraints.ir.fold import divisors
from dynconstraints.ir.nodes import TRUE, And, Compare, Formula, Int, Not, Or, Relation, Test, comparison, conjunction
from dynconstraints.solver.normal import normal


def ways_untrue(formula: Formula) -> tuple[Formula, ...]:
    """Formulas one of which is true wherever the formula is false or undefined."""
    if not divisors(formula):
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
            yield from (comparison(divisor, Relation.EQ, Int(0)) for divisor in divisors(formula))
        case _:
            return


def _untrue(formula: Formula) -> Formula:
    """True wherever the formula is not, and perhaps elsewhere."""
    return TRUE if divisors(formula) else Not(formula)
