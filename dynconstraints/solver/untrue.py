"""The ways in which a formula can fail to be true: it is false, or a divisor in it is 0 and nothing else makes it true.

Kleene's logic: a disjunction with an undefined part is true where another part is, a conjunction never.
"""

from __future__ import annotations

from collections.abc import Iterator

from dynconstraints.ir.fold import walk
from dynconstraints.ir.nodes import (
    TRUE,
    And,
    Call,
    Compare,
    FloorDiv,
    Formula,
    Int,
    Mod,
    Not,
    Or,
    Relation,
    Term,
    Test,
    comparison,
    conjunction,
)
from dynconstraints.solver.normal import normal

_DIVIDING = ("ceildiv", "align_up", "align_down")


def ways_untrue(formula: Formula) -> tuple[Formula, ...]:
    """Formulas one of which is true wherever the formula is false or undefined."""
    if not divisors(formula):
        return (Not(formula),)
    return (Not(formula), *_undefined(normal(formula)))


def divisors(formula: Formula) -> tuple[Term, ...]:
    """The terms that the formula divides by, without nonzero literals: where one is 0 it may be undefined."""
    found: dict[Term, None] = {}
    for node in walk(formula):
        match node:
            case FloorDiv(_, divisor) | Mod(_, divisor):
                found[divisor] = None
            case Call(function, (_, divisor)) if function.value in _DIVIDING:
                found[divisor] = None
            case Test(_, (divisor, _)):
                found[divisor] = None
            case _:
                pass
    return tuple(d for d in found if not (isinstance(d, Int) and d.value))


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
