"""Many assignments at once: a column holds one value an assignment, None where it is undefined.

The same meaning as `dynconstraints.ir.evaluate`, one pass over the node per column instead of one walk an assignment.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise, repeat
from typing import TypeAlias, cast

from dynconstraints.diagnostics.matching import assert_never
from dynconstraints.ir.evaluate import apply, test
from dynconstraints.ir.nodes import (
    Add,
    And,
    Bool,
    Call,
    Choice,
    Compare,
    FloorDiv,
    Formula,
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
    RangeOf,
    Real,
    Relation,
    SetOf,
    Term,
    Test,
    of_integers_only,
)

Column: TypeAlias = Sequence[int | None]
Truths: TypeAlias = Sequence[bool | None]

_OPERATORS: Mapping[Relation, Callable[[int, int], bool]] = {
    Relation.EQ: operator.eq,
    Relation.NE: operator.ne,
    Relation.LT: operator.lt,
    Relation.LE: operator.le,
    Relation.GT: operator.gt,
    Relation.GE: operator.ge,
}


def values(term: Term, points: Mapping[str, Column], size: int) -> Column:
    """The term's value under each assignment."""
    match term:
        case Int(value):
            return [value] * size
        case Name(name):
            return points[name]
        case Neg(operand):
            return [None if x is None else -x for x in values(operand, points, size)]
        case Add(terms):
            return _folded(operator.add, terms, points, size)
        case Mul(factors):
            return _folded(operator.mul, factors, points, size)
        case FloorDiv(dividend, divisor):
            return _divided(operator.floordiv, dividend, divisor, points, size)
        case Mod(dividend, divisor):
            return _divided(operator.mod, dividend, divisor, points, size)
        case Pow(base, exponent):
            return [None if x is None else cast("int", x**exponent) for x in values(base, points, size)]
        case Call(function, arguments):
            rows = zip(*(values(a, points, size) for a in arguments), strict=True)
            return [None if None in row else apply(function, row) for row in rows]
        case IfElse(condition, then, otherwise):
            chosen = truths(condition, points, size)
            branches = values(then, points, size), values(otherwise, points, size)
            return [None if c is None else a if c else b for c, a, b in zip(chosen, *branches, strict=True)]
        case Real():
            raise of_integers_only(term)
        case _:
            assert_never(term)


def _folded(
    combine: Callable[[int, int], int], terms: tuple[Term, ...], points: Mapping[str, Column], size: int
) -> Column:
    result = values(terms[0], points, size)
    for term in terms[1:]:
        other = values(term, points, size)
        result = [None if x is None or y is None else combine(x, y) for x, y in zip(result, other, strict=True)]
    return result


def _divided(
    divide: Callable[[int, int], int], dividend: Term, divisor: Term, points: Mapping[str, Column], size: int
) -> Column:
    numerators = values(dividend, points, size)
    if isinstance(divisor, Int) and divisor.value:
        by = divisor.value
        return [None if x is None else divide(x, by) for x in numerators]
    pairs = zip(numerators, values(divisor, points, size), strict=True)
    return [divide(x, y) if y and x is not None else None for x, y in pairs]


def truths(formula: Formula, points: Mapping[str, Column], size: int) -> Truths:
    """The formula's truth value under each assignment."""
    match formula:
        case Bool(value):
            return [value] * size
        case Compare(operands, relations):
            columns = [values(o, points, size) for o in operands]
            links = [_related(r, *pair) for r, pair in zip(relations, pairwise(columns), strict=True)]
            return links[0] if len(links) == 1 else _all(links)
        case Member(item, SetOf(elements)):
            column = values(item, points, size)
            return _any([_related(Relation.EQ, column, values(e, points, size)) for e in elements] or [[False] * size])
        case Member(item, RangeOf(start, stop, step)):
            items, starts, stops = (values(t, points, size) for t in (item, start, stop))
            return [_in_range(*row, step) for row in zip(items, starts, stops, strict=True)]
        case Test(predicate, arguments):
            rows = zip(*(values(a, points, size) for a in arguments), strict=True)
            return [None if None in row else test(predicate, row) for row in rows]
        case Not(operand):
            return _not(truths(operand, points, size))
        case And(operands):
            return _all([truths(o, points, size) for o in operands])
        case Or(operands):
            return _any([truths(o, points, size) for o in operands])
        case Implies(premise, conclusion):
            return _any([_not(truths(premise, points, size)), truths(conclusion, points, size)])
        case Choice(condition, then, otherwise):
            columns3 = (truths(f, points, size) for f in (condition, then, otherwise))
            return [None if c is None else a if c else b for c, a, b in zip(*columns3, strict=True)]
        case Member():
            raise TypeError(f"not a collection: {formula.collection!r}")
        case _:
            assert_never(formula)


def _in_range(item: int | None, start: int | None, stop: int | None, step: int) -> bool | None:
    if item is None or start is None or stop is None:
        return None
    within = start <= item < stop if step > 0 else stop < item <= start
    return within and (item - start) % step == 0


def _related(relation: Relation, left: Column, right: Column) -> Truths:
    holds = _OPERATORS[relation]
    return [None if x is None or y is None else holds(x, y) for x, y in zip(left, right, strict=True)]


def _not(column: Truths) -> Truths:
    return [None if x is None else not x for x in column]


def _all(columns: Sequence[Truths]) -> Truths:
    return [False if False in row else None if None in row else True for row in zip(*columns, strict=True)]


def _any(columns: Sequence[Truths]) -> Truths:
    return [True if True in row else None if None in row else False for row in zip(*columns, strict=True)]


def box(ends: Mapping[str, Sequence[int]]) -> tuple[dict[str, list[int]], int]:
    """Every point of the product of the values, as columns, and how many they are."""
    size = 1
    for values_of in ends.values():
        size *= len(values_of)
    points: dict[str, list[int]] = {}
    inner = size
    outer = 1
    for name, values_of in ends.items():
        inner //= max(len(values_of), 1)
        block = [v for v in values_of for _ in repeat(None, inner)]
        points[name] = block * outer
        outer *= len(values_of)
    return points, size
