"""Terms -> ranges and congruences, node by node: the transfer functions of the two domains for the whole language.

Each encloses the values that the node has where it is defined, for all values of its operands in their enclosures. They
see no relation between operands, which the normal form does; they see the shapes that it has no atom for.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import cast

from dynconstraints.diagnostics.matching import assert_never
from dynconstraints.facts.domains import congruences, intervals
from dynconstraints.facts.domains.congruences import Congruence
from dynconstraints.facts.domains.intervals import Range
from dynconstraints.ir.functions import MEANINGS, PARAMETERS
from dynconstraints.ir.nodes import (
    Add,
    Call,
    FloorDiv,
    Formula,
    Function,
    IfElse,
    Int,
    Mod,
    Mul,
    Name,
    Neg,
    Pow,
    Real,
    Term,
    of_integers_only,
)


def range_of(term: Term, known: Callable[[Name | Add], Range], truth: Callable[[Formula], bool | None]) -> Range:
    """The term's range, from those of names and sums; a condition whose truth is known leaves one branch."""

    def go(t: Term) -> Range:
        return range_of(t, known, truth)

    match term:
        case Int(value):
            return (value, value)
        case Name():
            return known(term)
        case Neg(operand):
            return intervals.scale(go(operand), -1)
        case Add(terms):
            total, whole = reduce(intervals.add, map(go, terms)), known(term)
            met = intervals.meet(total, whole)
            return total if intervals.is_empty(met) else met
        case Mul(factors):
            return reduce(intervals.multiply, map(go, factors))
        case FloorDiv(dividend, divisor):
            return intervals.floor_divide(go(dividend), go(divisor))
        case Mod(dividend, divisor):
            return intervals.modulo(go(dividend), go(divisor))
        case Pow(base, exponent):
            return intervals.power(go(base), exponent)
        case Call(function, arguments):
            return _called(function, tuple(map(go, arguments)))
        case IfElse(condition, then, otherwise):
            chosen = truth(condition)
            if chosen is None:
                return intervals.join(go(then), go(otherwise))
            return go(then if chosen else otherwise)
        case Real():
            raise of_integers_only(term)
        case _:
            assert_never(term)


def _called(function: Function, arguments: tuple[Range, ...]) -> Range:
    match function:
        case Function.MIN:
            return reduce(intervals.least, arguments)
        case Function.MAX:
            return reduce(intervals.greatest, arguments)
        case Function.ABS:
            return intervals.absolute(arguments[0])
        case Function.ALIGN_DOWN:
            # tighter than its definition: a // m * m is a - a % m
            return intervals.add(arguments[0], intervals.scale(intervals.modulo(*arguments), -1))
        case Function.ALIGN_UP:
            return intervals.add(arguments[0], intervals.modulo(intervals.scale(arguments[0], -1), arguments[1]))
        case Function.GCD:
            return _gcd(arguments)
        case Function.LCM:
            return (0, reduce(intervals.multiply, map(intervals.absolute, arguments))[1])
        case _:
            return _by_table(function, arguments)


def _by_table(function: Function, arguments: tuple[Range, ...]) -> Range:
    meaning = MEANINGS[function]
    if meaning.definition is not None:
        bound = {parameter.id: argument for parameter, argument in zip(PARAMETERS, arguments, strict=False)}
        known = lambda t: bound[t.id] if isinstance(t, Name) else intervals.EVERYTHING  # noqa: E731  # of this call alone
        return range_of(cast("Term", meaning.definition), known, lambda _: None)
    ends = arguments[0] if meaning.is_monotone else intervals.EVERYTHING
    low, high = (None if end is None else meaning.value(end) for end in ends)
    return (0 if low is None and meaning.is_nonnegative else low, high)


def _gcd(arguments: tuple[Range, ...]) -> Range:
    """At most the size of any argument that is not 0."""
    sizes = [intervals.absolute(a) for a in arguments]
    some = [size for size in sizes if size[0]]
    least = [size[1] for size in some if size[1] is not None]
    every = [size[1] for size in sizes]
    top = min(least, default=None)
    if top is None and None not in every:
        top = max(end for end in every if end is not None)
    return (1 if some else 0, top)


def congruence_of(term: Term, name: Callable[[str], Congruence]) -> Congruence:
    """The term's congruence, from those of the names."""

    def go(t: Term) -> Congruence:
        return congruence_of(t, name)

    match term:
        case Int(value):
            return (0, value)
        case Name(id):
            return name(id)
        case Neg(operand):
            return congruences.multiply((0, -1), go(operand))
        case Add(terms):
            return reduce(congruences.add, map(go, terms))
        case Mul(factors):
            return reduce(congruences.multiply, map(go, factors))
        case FloorDiv(dividend, Int(divisor)) if divisor:
            return congruences.floor_divide(go(dividend), divisor)
        case Mod(dividend, Int(divisor)) if divisor:
            return congruences.modulo(go(dividend), divisor)
        case Pow(base, exponent):
            return _power(go(base), exponent)
        case Call(Function.MIN | Function.MAX, arguments):
            return reduce(congruences.join, map(go, arguments))
        case Call(Function.ABS, (argument,)):
            inner = go(argument)
            return congruences.join(inner, congruences.multiply((0, -1), inner))
        case Call(Function.ALIGN_UP | Function.ALIGN_DOWN, (_, unit)):
            step = go(unit)
            return congruences.multiply(step, (1, 0))
        case IfElse(_, then, otherwise):
            return congruences.join(go(then), go(otherwise))
        case FloorDiv() | Mod() | Call():
            return congruences.EVERYTHING
        case Real():
            raise of_integers_only(term)
        case _:
            assert_never(term)


def _power(base: Congruence, exponent: int) -> Congruence:
    if exponent > 64:
        return congruences.EVERYTHING
    return reduce(congruences.multiply, [base] * exponent, (0, 1))
