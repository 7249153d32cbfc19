"""IR -> public sympy.

sympy knows no undefined values, so a formula becomes the condition under which it *holds*: true where it is defined and
true, false everywhere else. Inside, a formula is lowered to two such conditions, that it is true and that it is false,
and a term to its value and the condition that it is defined; a divisor that is 0 counts as 1 there, where the value is
never looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import pairwise
from typing import Any, NamedTuple, TypeAlias, cast

import sympy

from dynconstraints.diagnostics.matching import assert_never
from dynconstraints.ir.fold import names
from dynconstraints.ir.functions import MEANINGS, PARAMETERS
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

# sympy ships no types: an expression and a condition are both Any to a type checker, and tell a reader apart.
_Expr: TypeAlias = Any
_Condition: TypeAlias = Any

_RELATIONS: dict[Relation, Any] = {
    Relation.EQ: sympy.Eq,
    Relation.NE: sympy.Ne,
    Relation.LT: sympy.Lt,
    Relation.LE: sympy.Le,
    Relation.GT: sympy.Gt,
    Relation.GE: sympy.Ge,
}

_OPPOSITE = {
    Relation.EQ: Relation.NE,
    Relation.NE: Relation.EQ,
    Relation.LT: Relation.GE,
    Relation.LE: Relation.GT,
    Relation.GT: Relation.LE,
    Relation.GE: Relation.LT,
}


class lowest_bit(sympy.Function):  # type: ignore[misc]  # noqa: N801  # reads as the functions beside it
    """The largest power of two that divides an integer; 0 for 0."""

    is_integer = True
    is_nonnegative = True

    @classmethod
    def eval(cls, argument: _Expr) -> _Expr | None:
        """The value, once the argument is a number."""
        return sympy.Integer(int(argument) & -int(argument)) if argument.is_Integer else None


class or_one(sympy.Function):  # type: ignore[misc]  # noqa: N801  # reads as the functions beside it
    """An integer that is not 0: the argument, or 1 where that is 0."""

    is_integer = True
    is_zero = False

    @classmethod
    def eval(cls, argument: _Expr) -> _Expr | None:
        """The value, once it is known whether the argument is 0."""
        return sympy.Integer(1) if argument.is_zero else argument if argument.is_Integer else None


def _function(name: Function) -> Any:
    """A function that sympy lacks: the language's own, printed as the language spells it.

    sympy's gcd and lcm are those of polynomials.
    """
    meaning = MEANINGS[name]

    def evaluated(_: Any, *arguments: _Expr) -> _Expr | None:
        """The value, once all arguments are numbers."""
        if not all(a.is_Integer for a in arguments):
            return None
        value = meaning.value(*map(int, arguments))
        return sympy.nan if value is None else sympy.Integer(value)

    body = {"is_integer": True, "is_nonnegative": meaning.is_nonnegative or None, "eval": classmethod(evaluated)}
    return type(name.value, (sympy.Function,), {**body, "__module__": __name__})


FUNCTIONS = {
    name: _function(name) for name in Function if MEANINGS[name].definition is None and not MEANINGS[name].of_reals
}
globals().update({name.value: kind for name, kind in FUNCTIONS.items()})  # printed sources import them from here


class quotient(sympy.Function):  # type: ignore[misc]  # noqa: N801  # reads as the functions beside it
    """The quotient of two integers, rounded towards minus infinity; the second is not 0.

    For dividends that sympy's ``floor`` is not safe for: sympy holds that an even number divided by an odd one is never
    an integer (``(Symbol("k", even=True)/3).is_integer`` is False), so that 0 is none of its values.
    """

    is_integer = True

    @classmethod
    def eval(cls, dividend: _Expr, divisor: _Expr) -> _Expr | None:
        """The value, once both are numbers."""
        return sympy.Integer(int(dividend) // int(divisor)) if dividend.is_Integer and divisor.is_Integer else None


def to_sympy(formula: Formula, symbols: Mapping[str, Any] | None = None, reals: frozenset[str] = frozenset()) -> Any:
    """The condition under which the formula holds, as a sympy Boolean: with integers substituted for all symbols it is
    ``sympy.true`` where ``dynconstraints.ir.evaluate.holds`` is True, and ``sympy.false`` where it is False.

    Names become ``symbols[name]`` where given, else ``Symbol(name, integer=True)``, with ``real=True`` those in
    ``reals``.
    """
    given = {name: sympy.Symbol(name, real=True) for name in sorted(reals)} | dict(symbols or {})
    return _Lowering(given).formula(formula).true


def term_to_sympy(term: Term, symbols: Mapping[str, Any] | None = None) -> Any:
    """The value of the term as a sympy expression; ``sympy.nan`` where it is undefined. Names as for formulas."""
    value = _Lowering(symbols or {}).term(term)
    return (
        value.value if value.defined is sympy.true else sympy.Piecewise((value.value, value.defined), (sympy.nan, True))
    )


def symbols_of(formula: Formula) -> dict[str, Any]:
    """The sympy symbols that :func:`to_sympy` uses of itself, by name."""
    return {name: sympy.Symbol(name, integer=True) for name in sorted(names(formula))}


class _Value(NamedTuple):
    """A term: its value, and the condition under which it has one; the value is well-formed also where it has none."""

    value: _Expr
    defined: _Condition


class _Truth(NamedTuple):
    """A formula: the conditions under which it is true and under which it is false; undefined where neither holds."""

    true: _Condition
    false: _Condition


class _Lowering:
    def __init__(self, symbols: Mapping[str, Any]) -> None:
        self.symbols = symbols

    def term(self, term: Term) -> _Value:
        match term:
            case Int(value):
                return _Value(sympy.Integer(value), sympy.true)
            case Real(value):
                return _Value(sympy.Rational(*value.as_integer_ratio()), sympy.true)
            case Name(id):
                return _Value(self.symbols[id] if id in self.symbols else sympy.Symbol(id, integer=True), sympy.true)
            case Neg(operand):
                value, defined = self.term(operand)
                return _Value(-value, defined)
            case Add(terms):
                values, defined = self.terms(terms)
                return _Value(sympy.Add(*values), defined)
            case Mul(factors):
                values, defined = self.terms(factors)
                return _Value(sympy.Mul(*values), defined)
            case FloorDiv(dividend, divisor):
                (a, b), defined = self.divided(dividend, divisor)
                return _Value(_floor(a, b), defined)
            case Mod(dividend, divisor):
                (a, b), defined = self.divided(dividend, divisor)
                return _Value(sympy.Mod(a, b), defined)
            case Pow(base, exponent):
                value, defined = self.term(base)
                return _Value(value**exponent, defined)
            case Call(function, arguments):
                return self.call(function, arguments)
            case IfElse(condition, then, otherwise):
                chosen, first, second = self.formula(condition), self.term(then), self.term(otherwise)
                value = _piecewise(first.value, chosen.true, second.value)
                return _Value(value, _either(chosen, first.defined, second.defined))
            case _:
                assert_never(term)

    def terms(self, terms: tuple[Term, ...]) -> tuple[list[_Expr], _Condition]:
        """The values, and the condition that all are defined."""
        values = [self.term(term) for term in terms]
        return [value.value for value in values], _and(*(value.defined for value in values))

    def divided(self, dividend: Term, divisor: Term) -> tuple[tuple[_Expr, _Expr], _Condition]:
        """A dividend and a divisor that is never 0, and the condition that their quotient is defined."""
        (a, b), defined = self.terms((dividend, divisor))
        return (a, or_one(b)), _and(defined, _relation(Relation.NE, b, sympy.Integer(0)))

    def call(self, function: Function, arguments: tuple[Term, ...]) -> _Value:
        values, defined = self.terms(arguments)
        match function:
            case Function.MIN:
                return _Value(_extreme(sympy.Min, values), defined)
            case Function.MAX:
                return _Value(_extreme(sympy.Max, values), defined)
            case Function.ABS:
                return _Value(sympy.Abs(*values), defined)
            case _:
                return self.by_table(function, values, defined)

    def by_table(self, function: Function, values: list[_Expr], defined: _Condition) -> _Value:
        """The function by its definition, or as a function of sympy's of its own."""
        meaning = MEANINGS[function]
        with self.bound(values):
            if meaning.definition is not None:
                value, within = self.term(cast("Term", meaning.definition))
            else:
                value, within = FUNCTIONS[function](*values), self.formula(meaning.domain).true
        return _Value(value, _and(defined, within))

    @contextmanager
    def bound(self, values: list[_Expr]) -> Iterator[None]:
        """While open, the parameters of the table of functions stand for the values."""
        before = self.symbols
        self.symbols = {**before, **{p.id: value for p, value in zip(PARAMETERS, values, strict=False)}}
        try:
            yield
        finally:
            self.symbols = before

    def formula(self, formula: Formula) -> _Truth:
        match formula:
            case Bool(value):
                return _Truth(sympy.true, sympy.false) if value else _Truth(sympy.false, sympy.true)
            case Compare(operands, relations):
                pairs = pairwise([self.term(operand) for operand in operands])
                return _all([_compared(r, left, right) for r, (left, right) in zip(relations, pairs, strict=True)])
            case Member(item, collection):
                return self.member(self.term(item), collection)
            case Test(predicate, arguments):
                return self.test(predicate, arguments)
            case Not(operand):
                true, false = self.formula(operand)
                return _Truth(false, true)
            case And(operands):
                return _all([self.formula(operand) for operand in operands])
            case Or(operands):
                return _any([self.formula(operand) for operand in operands])
            case Implies(premise, conclusion):
                true, false = self.formula(premise)
                return _any([_Truth(false, true), self.formula(conclusion)])
            case Choice(condition, then, otherwise):
                chosen, first, second = self.formula(condition), self.formula(then), self.formula(otherwise)
                return _Truth(_either(chosen, first.true, second.true), _either(chosen, first.false, second.false))
            case _:
                assert_never(formula)

    def member(self, item: _Value, collection: SetOf | RangeOf) -> _Truth:
        match collection:
            case SetOf(elements):
                return _any([_compared(Relation.EQ, item, self.term(element)) for element in elements])
            case RangeOf(start, stop, step):
                (first, end), defined = self.terms((start, stop))
                x = item.value
                low, high = (
                    ((first, Relation.LE), (end, Relation.LT))
                    if step > 0
                    else ((end, Relation.LT), (first, Relation.LE))
                )
                defined = _and(item.defined, defined)
                above = _decided(low[1], low[0], x, defined)
                below = _decided(high[1], x, high[0], defined)
                return _all(
                    [above, below, _decided(Relation.EQ, sympy.Mod(x - first, step), sympy.Integer(0), defined)]
                )
            case _:
                assert_never(collection)

    def test(self, predicate: Predicate, arguments: tuple[Term, ...]) -> _Truth:
        match predicate:
            case Predicate.IS_POWER_OF_TWO:
                value, defined = self.term(arguments[0])
                positive = _decided(Relation.GT, value, sympy.Integer(0), defined)
                return _all([positive, _decided(Relation.EQ, lowest_bit(value), value, defined)])
            case _:
                values, defined = self.terms(arguments)
                with self.bound(values):
                    truth = self.formula(cast("Formula", MEANINGS[predicate].definition))
                return _Truth(_and(defined, truth.true), _and(defined, truth.false))


def _floor(dividend: _Expr, divisor: _Expr) -> _Expr:
    return quotient(dividend, divisor) if _may_be_even(dividend) else sympy.floor(dividend / divisor)


def _ceiling(dividend: _Expr, divisor: _Expr) -> _Expr:
    return -quotient(-dividend, divisor) if _may_be_even(dividend) else sympy.ceiling(dividend / divisor)


def _may_be_even(dividend: _Expr) -> bool:
    """Whether sympy knows, or may know after a substitution, that it is even, while it is not a number yet."""
    choosing = (sympy.Piecewise, sympy.Max, sympy.Min, sympy.Abs)
    return not dividend.is_number and bool(dividend.is_even or dividend.has(*choosing))


# These evaluate numbers alone: sympy's comparison of all arguments is costly, and substitution evaluates.


def _extreme(function: Any, values: list[_Expr]) -> _Expr:
    return function(*values, evaluate=all(value.is_Integer for value in values)) if len(values) > 1 else values[0]


def _relation(relation: Relation, left: _Expr, right: _Expr) -> _Condition:
    numbers = left.is_Integer and right.is_Integer
    return _RELATIONS[relation](left, right) if numbers else _RELATIONS[relation](left, right, evaluate=False)


def _piecewise(then: _Expr, condition: _Condition, otherwise: _Expr) -> _Expr:
    if condition in (sympy.true, sympy.false):
        return then if condition == sympy.true else otherwise
    return sympy.Piecewise((then, condition), (otherwise, True), evaluate=False)


def _and(*conditions: _Condition) -> _Condition:
    return _joined(sympy.And, sympy.true, sympy.false, conditions)


def _or(*conditions: _Condition) -> _Condition:
    return _joined(sympy.Or, sympy.false, sympy.true, conditions)


def _joined(
    connective: Any, neutral: _Condition, deciding: _Condition, conditions: tuple[_Condition, ...]
) -> _Condition:
    parts = list(dict.fromkeys(condition for condition in conditions if condition != neutral))
    if deciding in parts or not parts:
        return deciding if parts else neutral
    return parts[0] if len(parts) == 1 else connective(*parts, evaluate=False)


def _decided(relation: Relation, left: _Expr, right: _Expr, defined: _Condition) -> _Truth:
    opposite = _relation(_OPPOSITE[relation], left, right)
    return _Truth(_and(defined, _relation(relation, left, right)), _and(defined, opposite))


def _compared(relation: Relation, left: _Value, right: _Value) -> _Truth:
    return _decided(relation, left.value, right.value, _and(left.defined, right.defined))


def _all(truths: list[_Truth]) -> _Truth:
    return _Truth(_and(*(t.true for t in truths)), _or(*(t.false for t in truths)))


def _any(truths: list[_Truth]) -> _Truth:
    return _Truth(_or(*(t.true for t in truths)), _and(*(t.false for t in truths)))


def _either(chosen: _Truth, then: _Condition, otherwise: _Condition) -> _Condition:
    """``then`` where the condition is true, ``otherwise`` where it is false."""
    return _or(_and(chosen.true, then), _and(chosen.false, otherwise))
