"""The meaning of the language: the reference evaluator, which every other reading of a constraint is tested against.

Terms are partial: a zero divisor has no value. Formulas follow Kleene's strong three-valued logic (S. C. Kleene,
*Introduction to Metamathematics*, 1952, §64): a comparison of an undefined term is undefined, so is its negation, and a
connective is defined as soon as the operands that are defined decide it. A constraint *holds* where it is true.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from fractions import Fraction
from itertools import pairwise
from typing import cast

from dynconstraints.diagnostics.matching import assert_never
from dynconstraints.ir.functions import MEANINGS
from dynconstraints.ir.nodes import (
    Add,
    And,
    Bool,
    Call,
    Choice,
    Compare,
    FloorDiv,
    Formula,
    Function,
    IfElse,
    Implies,
    Int,
    Member,
    Mod,
    Mul,
    Name,
    Neg,
    Not,
    Or,
    Pow,
    Predicate,
    RangeOf,
    Real,
    Relation,
    SetOf,
    Term,
    Test,
)


def value_of(term: Term, assignment: Mapping[str, int]) -> int | None:
    """The value of the term, or None where it is undefined. Raises KeyError for a name that is not assigned."""
    match term:
        case Int(value):
            return value
        case Name(id):
            return _exact(assignment[id])
        case Real(value):
            return _exact(value)
        case Neg(operand):
            negated = value_of(operand, assignment)
            return None if negated is None else -negated
        case Add(terms):
            values = _all(terms, assignment)
            return None if values is None else sum(values)
        case Mul(factors):
            values = _all(factors, assignment)
            return None if values is None else math.prod(values)
        case FloorDiv(dividend, divisor):
            values = _all((dividend, divisor), assignment)
            return None if values is None or values[1] == 0 else values[0] // values[1]
        case Mod(dividend, divisor):
            values = _all((dividend, divisor), assignment)
            return None if values is None or values[1] == 0 else values[0] % values[1]
        case Pow(base, exponent):
            raised = value_of(base, assignment)
            return None if raised is None else cast("int", raised**exponent)
        case Call(function, arguments):
            values = _all(arguments, assignment)
            return None if values is None else apply(function, values)
        case IfElse(condition, then, otherwise):
            chosen = truth_of(condition, assignment)
            return None if chosen is None else value_of(then if chosen else otherwise, assignment)
        case _:
            assert_never(term)


def truth_of(formula: Formula, assignment: Mapping[str, int]) -> bool | None:
    """True, False, or None where it is undefined. Raises KeyError for a name that is not assigned."""
    match formula:
        case Bool(value):
            return value
        case Compare(operands, relations):
            chain = [value_of(operand, assignment) for operand in operands]
            links = zip(relations, pairwise(chain), strict=True)
            return _all_of(compare(relation, left, right) for relation, (left, right) in links)
        case Member(item, collection):
            return _contains(value_of(item, assignment), collection, assignment)
        case Test(predicate, arguments):
            values = _all(arguments, assignment)
            return None if values is None else test(predicate, values)
        case Not(operand):
            truth = truth_of(operand, assignment)
            return None if truth is None else not truth
        case And(operands):
            return _all_of(truth_of(operand, assignment) for operand in operands)
        case Or(operands):
            return _any_of(truth_of(operand, assignment) for operand in operands)
        case Implies(premise, conclusion):
            held = truth_of(premise, assignment)
            return _any_of((None if held is None else not held, truth_of(conclusion, assignment)))
        case Choice(condition, then, otherwise):
            chosen = truth_of(condition, assignment)
            return None if chosen is None else truth_of(then if chosen else otherwise, assignment)
        case _:
            assert_never(formula)


def holds(formula: Formula, assignment: Mapping[str, int]) -> bool:
    """Whether the formula is defined and true. Raises KeyError for a name that is not assigned."""
    return truth_of(formula, assignment) is True


def apply(function: Function, values: tuple[int, ...]) -> int | None:
    """The function's value, or None where it is undefined."""
    return MEANINGS[function].value(*values)


def test(predicate: Predicate, values: tuple[int, ...]) -> bool | None:
    """The predicate's truth, or None where it is undefined."""
    return cast("bool | None", MEANINGS[predicate].value(*values))


def compare(relation: Relation, left: int | None, right: int | None) -> bool | None:
    """Whether two values are so related; None where either is undefined."""
    if left is None or right is None:
        return None
    match relation:
        case Relation.EQ:
            return left == right
        case Relation.NE:
            return left != right
        case Relation.LT:
            return left < right
        case Relation.LE:
            return left <= right
        case Relation.GT:
            return left > right
        case Relation.GE:
            return left >= right
        case _:
            assert_never(relation)


def _exact(value: float) -> int:
    """The value as Python's exact arithmetic has it. Raises ValueError and OverflowError for NaN and infinities.

    A float becomes the rational that it holds; it is typed as the int that every other value is, since only constraints
    over a DynamicFloat meet one.
    """
    return cast("int", Fraction(value)) if isinstance(value, float | Fraction) else int(value)


def _all(terms: tuple[Term, ...], assignment: Mapping[str, int]) -> tuple[int, ...] | None:
    values: list[int] = []
    for term in terms:
        value = value_of(term, assignment)
        if value is None:
            return None
        values.append(value)
    return tuple(values)


def _contains(item: int | None, collection: SetOf | RangeOf, assignment: Mapping[str, int]) -> bool | None:
    match collection:
        case SetOf(elements):
            return _any_of(compare(Relation.EQ, item, value_of(element, assignment)) for element in elements)
        case RangeOf(start, stop, step):
            bounds = _all((start, stop), assignment)
            return None if item is None or bounds is None else item in range(bounds[0], bounds[1], step)
        case _:
            assert_never(collection)


def _all_of(truths: Iterable[bool | None]) -> bool | None:
    seen = set(truths)
    return False if False in seen else None if None in seen else True


def _any_of(truths: Iterable[bool | None]) -> bool | None:
    seen = set(truths)
    return True if True in seen else None if None in seen else False
