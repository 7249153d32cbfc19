"""Intervals that hold every value of what a program computes with floats, rounded as the program rounds.

Rounding to nearest is monotone: over ``low <= a <= high`` the rounded ``a + b`` lies between the rounded sums of the
ends. So the same arithmetic on the ends, in floats, gives an interval that is exact, however often it rounds.
"""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import sympy

from dynconstraints.ir.nodes import Relation
from dynconstraints.pytorch._torch.shape_env import functions
from dynconstraints.pytorch.frame.sympy_bridge import RELATIONS
from dynconstraints.pytorch.oracle.float_rounding import unwrapped

Interval: TypeAlias = "tuple[float, float]"
"""The least and the greatest value, both inclusive; infinities for none. Neither is NaN, nor is any value between."""


def compared(expr: Any, ranges: Mapping[sympy.Symbol, Interval]) -> bool | None:
    """What the comparison gives for all values in the ranges; None where it depends on them, or is not understood."""
    relation = RELATIONS.get(type(expr))
    sides = [] if relation is None else [interval_of(side, ranges) for side in expr.args]
    if relation is None or None in sides:
        return None
    (low, high), (least, greatest) = (side for side in sides if side is not None)
    match relation:
        case Relation.LT | Relation.GE:
            below = True if high < least else False if low >= greatest else None
        case Relation.LE | Relation.GT:
            below = True if high <= least else False if low > greatest else None
        case Relation.EQ | Relation.NE:
            below = False if high < least or greatest < low else None
    if below is None:
        return None
    return below if relation in (Relation.LT, Relation.LE, Relation.EQ) else not below


def interval_of(expr: Any, ranges: Mapping[sympy.Symbol, Interval]) -> Interval | None:
    """The interval of a float that the program computes; None for operations that are not known to be monotone."""
    expr, known = unwrapped(expr), functions()
    if isinstance(expr, sympy.Symbol):
        return ranges.get(expr)
    if isinstance(expr, sympy.Integer | sympy.Float):
        value = _float(expr)
        return None if value is None else (value, value)
    if isinstance(expr, sympy.Pow) and expr.args[1] == 2:
        operands = [interval_of(expr.args[0], ranges)] * 2
    else:
        operands = [interval_of(a, ranges) for a in expr.args]
    if None in operands:
        return None
    taken = [o for o in operands if o is not None]
    if isinstance(expr, sympy.Abs):
        return _size(*taken[0])
    if len(taken) != 2:
        return None  # of three terms, the order in which they are rounded is not known
    for kinds, operation in _MONOTONE:
        if isinstance(expr, kinds):
            return _corners(operation, *taken)
    if isinstance(expr, known.FloatTrueDiv) and not taken[1][0] <= 0 <= taken[1][1]:
        return _corners(operator.truediv, *taken)
    return None


_MONOTONE: tuple[tuple[Any, Callable[[float, float], float]], ...] = (
    (sympy.Add, operator.add),
    ((sympy.Mul, sympy.Pow), operator.mul),
    ((sympy.Max, functions().Max), max),
    ((sympy.Min, functions().Min), min),
)
"""Operations that, in each of their operands, only rise or only fall."""


def _corners(operation: Callable[[float, float], float], x: Interval, y: Interval) -> Interval | None:
    found = [operation(a, b) for a, b in itertools.product(x, y)]
    return None if any(map(math.isnan, found)) else (min(found), max(found))


def _size(low: float, high: float) -> Interval:
    least, greatest = sorted((abs(low), abs(high)))
    return (0.0 if low <= 0 <= high else least), greatest


def _float(number: Any) -> float | None:
    try:
        return float(number)
    except OverflowError:
        return None
