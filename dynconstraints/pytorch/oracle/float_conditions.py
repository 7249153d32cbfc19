"""Conditions of a program on floats, which round, in terms of the declaration, whose arithmetic is exact.

A program's ``steps*lr <= 4.0`` compares a rounded product. Rounding to nearest is monotone and leaves floats as they
are, so the exact ``steps*lr <= 4.0`` makes it true; ``<`` needs the exact product to be at most the float before 4.0.
One operation a side is judged so; what rounds more than once is left to torch.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sympy

from dynconstraints.ir.nodes import (
    Call,
    Formula,
    Function,
    Int,
    Neg,
    Real,
    Relation,
    Term,
    comparison,
    conjunction,
    disjunction,
    negated,
    product,
    total,
)
from dynconstraints.pytorch._torch.shape_env import functions
from dynconstraints.pytorch.frame.sympy_bridge import RELATIONS, term_of
from dynconstraints.pytorch.oracle.float_rounding import unwrapped

_EXACT_INTEGERS = 2**53
"""Up to here floats hold every integer."""


@dataclass(frozen=True)
class Side:
    """One side of a comparison, exactly: ``dividend / divisor``, and whether the program rounds it.

    ``integers`` are integers that the program converts to floats, which is exact as long as they are small.
    """

    dividend: Term
    divisor: Term | None = None
    rounds: bool = False
    integers: tuple[Term, ...] = ()


@dataclass(frozen=True)
class Condition:
    """A comparison with at most one side that rounds, that one on the left."""

    left: Side
    relation: Relation
    right: Side

    @property
    def exactly(self) -> Formula:
        """The comparison without any rounding: what the user reads."""
        return _compared(self.left, self.relation, self.right.dividend)

    def enough(self, answer: bool) -> Formula | None:
        """An exact formula that makes the comparison true, or false, for the program; None where there is none."""
        relation = self.relation if answer else self.relation.negated
        right = self.right.dividend
        if self.left.rounds and relation is Relation.EQ:
            return None
        if self.left.rounds and relation is Relation.NE:
            apart = [_compared(self.left, r, v) for r in (Relation.LE, Relation.GE) if (v := _beyond(right, r))]
            return disjunction(tuple(apart)) if apart else None
        if self.left.rounds and relation in (Relation.LT, Relation.GT):
            relation = Relation.LE if relation is Relation.LT else Relation.GE
            beyond = _beyond(right, relation)
            return None if beyond is None else _compared(self.left, relation, beyond)
        return _compared(self.left, relation, right)

    @property
    def small_integers(self) -> Formula | None:
        """That its conversions are exact; None where it has none."""
        bounds = [
            comparison(Call(Function.ABS, (i,)), Relation.LE, Int(_EXACT_INTEGERS))
            for i in (*self.left.integers, *self.right.integers)
        ]
        return conjunction(tuple(bounds)) if bounds else None


def condition_of(expr: Any, names: Mapping[sympy.Symbol, Term]) -> Condition | None:
    """The comparison; None for other expressions, and for those that round more than once."""
    relation = RELATIONS.get(type(expr))
    if relation is None:
        return None
    left, right = (_side(unwrapped(side), names) for side in expr.args)
    if left is None or right is None or (left.rounds and right.rounds):
        return None
    return Condition(right, relation.flipped, left) if right.rounds else Condition(left, relation, right)


def _side(expr: Any, names: Mapping[sympy.Symbol, Term]) -> Side | None:
    known = functions()
    atom = _atom(expr, names)
    if atom is not None:
        return atom
    operands = [_atom(a, names) for a in expr.args]
    if len(operands) != 2 or None in operands:
        return None
    first, second = (o for o in operands if o is not None)
    integers = first.integers + second.integers
    terms = first.dividend, second.dividend
    if isinstance(expr, sympy.Add):
        return Side(total(terms), rounds=True, integers=integers)
    if isinstance(expr, sympy.Mul):
        return Side(product(terms), rounds=True, integers=integers)
    if isinstance(expr, known.FloatTrueDiv):
        return Side(*terms, rounds=True, integers=integers)
    for kinds, function in (((sympy.Max, known.Max), Function.MAX), ((sympy.Min, known.Min), Function.MIN)):
        if isinstance(expr, kinds):
            return Side(Call(function, terms), integers=integers)
    return None


def _atom(expr: Any, names: Mapping[sympy.Symbol, Term]) -> Side | None:
    """What needs no operation that rounds: a name, a number, an integer as a float."""
    if isinstance(expr, sympy.Symbol):
        term = names.get(expr)
        return None if term is None else Side(term)
    if isinstance(expr, sympy.Integer):
        return Side(Int(int(expr)), integers=(Int(int(expr)),))
    if isinstance(expr, sympy.Float):
        return Side(real(float(expr))) if math.isfinite(float(expr)) else None
    if isinstance(expr, functions().ToFloat):
        integer = term_of(expr.args[0], names)
        return None if integer is None else Side(integer, integers=(integer,))
    if isinstance(expr, sympy.Mul) and len(expr.args) == 2 and expr.args[0] in (-1, -1.0):
        inner = _atom(expr.args[1], names)
        return None if inner is None else Side(negated(inner.dividend), integers=inner.integers)
    if isinstance(expr, sympy.Abs):
        inner = _atom(expr.args[0], names)
        return None if inner is None else Side(Call(Function.ABS, (inner.dividend,)), integers=inner.integers)
    return None


def _compared(side: Side, relation: Relation, right: Term) -> Formula:
    """``dividend / divisor`` against the term, without a division; false where the divisor is zero."""
    if side.divisor is None:
        return comparison(side.dividend, relation, right)
    zero, scaled = Int(0), side.divisor if right in (Int(1), Real(1.0)) else product((side.divisor, right))
    positive = conjunction(
        (comparison(side.divisor, Relation.GT, zero), comparison(side.dividend, relation, scaled)),
    )
    negative = conjunction(
        (comparison(side.divisor, Relation.LT, zero), comparison(side.dividend, relation.flipped, scaled)),
    )
    return disjunction((positive, negative))


def _beyond(term: Term, relation: Relation) -> Term | None:
    """The next float below a number, or above it; None for what is no number."""
    match term:
        case Int(value) if abs(value) <= _EXACT_INTEGERS:
            at = float(value)
        case Real(at):
            pass
        case Neg(Real(opposite)):
            at = -opposite
        case _:
            return None
    found = math.nextafter(at, -math.inf if relation is Relation.LE else math.inf)
    if not math.isfinite(found):
        return None
    return real(found)


def real(value: float) -> Term:
    """The finite float as a term."""
    return Real(value) if value >= 0 else negated(Real(-value))
