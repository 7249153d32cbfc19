"""Formulas in negation normal form: conjunctions and disjunctions of single comparisons.

Kleene's logic keeps De Morgan's laws, and the negation of a comparison is undefined where the comparison is. So the
normal form is true where the formula is (or, negated, is definitely false), and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from dynconstraints.diagnostics.matching import assert_never
from dynconstraints.ir.functions import all_requirements, expanded_test
from dynconstraints.ir.nodes import (
    TRUE,
    And,
    Bool,
    Choice,
    Compare,
    Formula,
    Implies,
    Int,
    Member,
    Mod,
    Neg,
    Not,
    Or,
    RangeOf,
    Relation,
    SetOf,
    Term,
    Test,
    comparison,
    conjunction,
    disjunction,
    total,
)


def normal(formula: Formula, truth: bool = True) -> Formula:
    """True where the formula is definitely true (or, for ``truth=False``, definitely false), and nowhere else.

    Only ``Bool``, ``And``, ``Or``, comparisons with one relation and power-of-two tests, perhaps negated, are left.
    """
    match formula:
        case Bool(value):
            return Bool(value is truth)
        case Compare(operands, relations):
            links = [
                comparison(left, relation if truth else relation.negated, right)
                for relation, (left, right) in zip(relations, pairwise(operands), strict=True)
            ]
            return _joined(tuple(links), truth)
        case Member(item, SetOf(elements)):
            relation = Relation.EQ if truth else Relation.NE
            return _joined(tuple(comparison(item, relation, element) for element in elements), not truth)
        case Member(item, RangeOf() as collection):
            inside = _joined(tuple(normal(f, truth) for f in _inside(item, collection)), truth)
            return inside if truth else conjunction((inside, *_defined(item, collection.start, collection.stop)))
        case Member():
            raise TypeError(f"not a collection: {formula.collection!r}")
        case Test() if (meant := expanded_test(formula)) is not None:
            return normal(meant, truth)
        case Test():
            return formula if truth else Not(formula)
        case Not(operand):
            return normal(operand, not truth)
        case And(operands):
            return _joined(tuple(normal(operand, truth) for operand in operands), truth)
        case Or(operands):
            return _joined(tuple(normal(operand, truth) for operand in operands), not truth)
        case Implies(premise, conclusion):
            return _joined((normal(premise, not truth), normal(conclusion, truth)), not truth)
        case Choice(condition, then, otherwise):
            taken = conjunction((normal(condition, True), normal(then, truth)))
            return disjunction((taken, conjunction((normal(condition, False), normal(otherwise, truth)))))
        case _:
            assert_never(formula)


def _joined(formulas: tuple[Formula, ...], all_of: bool) -> Formula:
    return conjunction(formulas) if all_of else disjunction(formulas)


def _defined(*terms: Term) -> Iterator[Formula]:
    """What is outside one end of a range is outside it only if the other end has a value."""
    return (comparison(term, Relation.EQ, term) for term in terms if all_requirements(term))


def _inside(item: Term, collection: RangeOf) -> list[Formula]:
    start, stop, step = collection.start, collection.stop, collection.step
    first, last = (Relation.LE, Relation.LT) if step > 0 else (Relation.GE, Relation.GT)
    between: list[Formula] = [comparison(start, first, item), comparison(item, last, stop)]
    if abs(step) == 1:
        return between
    distance = total((item, start if start == Int(0) else Neg(start)))
    return [*between, comparison(Mod(distance, Int(abs(step))), Relation.EQ, Int(0))]


def falsifying_cases(formula: Formula) -> tuple[Formula, ...]:
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
