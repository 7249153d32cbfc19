"""Terms and formulas <-> the sympy expressions of torch's sizes."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from functools import partial, reduce
from itertools import pairwise
from typing import Any

import sympy
import torch

from dynconstraints.ir.functions import expanded_term
from dynconstraints.ir.nodes import (
    Add,
    And,
    Bool,
    Call,
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
    RangeOf,
    Relation,
    SetOf,
    Term,
    comparison,
    conjunction,
    disjunction,
    negated,
    product,
    total,
)
from dynconstraints.pytorch._torch.shape_env import functions


def slot(index: int) -> Name:
    """The name, which no user can give, of a place in a term that a value goes into."""
    return Name(f"<{index}>")


def operate(term: Term, on_name: Callable[[str], Any], call: Callable[..., Any]) -> Any:
    """The term computed by ``call(operation, *operands)`` on what ``on_name`` gives; a constant is a pair of itself.

    Raises NotImplementedError for an operation that sizes don't have.
    """

    def go(t: Term) -> Any:
        match t:
            case Int(value):
                return value, value
            case Name(id):
                return on_name(id)
            case Neg(operand):
                return call(operator.neg, go(operand))
            case Add(terms):
                return reduce(partial(call, operator.add), map(go, terms))
            case Mul(factors):
                return reduce(partial(call, operator.mul), map(go, factors))
            case FloorDiv(dividend, divisor):
                return call(operator.floordiv, go(dividend), go(divisor))
            case Mod(dividend, divisor):
                return call(operator.mod, go(dividend), go(divisor))
            case Pow(base, exponent):
                return call(operator.pow, go(base), (exponent, exponent))
            case Call(Function.MIN, arguments):
                return reduce(partial(call, torch.sym_min), map(go, arguments))
            case Call(Function.MAX, arguments):
                return reduce(partial(call, torch.sym_max), map(go, arguments))
            case Call(Function.ABS, (argument,)):
                return call(operator.abs, go(argument))
            case Call() if (known := expanded_term(t)) is not None:
                return go(known)
            case _:
                raise NotImplementedError(f"no size operation for {type(t).__name__}")

    return go(term)


def to_torch(term: Term, values: Mapping[str, sympy.Expr]) -> sympy.Expr | None:
    """The term as torch writes sizes, with names replaced; None where torch has no function for a part of it."""
    known = functions()
    own = {
        operator.floordiv: known.FloorDiv,
        operator.mod: known.PythonMod,
        operator.abs: sympy.Abs,
        torch.sym_min: known.Min,
        torch.sym_max: known.Max,
    }

    def call(operation: Any, *operands: Any) -> Any:
        expr = own.get(operation, operation)(*(sympy.sympify(v) for v, _ in operands))
        return expr, expr

    try:
        return sympy.sympify(operate(term, lambda name: (values[name],) * 2, call)[0])
    except (NotImplementedError, ZeroDivisionError):
        return None


def condition_to_torch(formula: Formula, values: Mapping[str, sympy.Expr]) -> sympy.Basic | None:
    """The formula as torch writes conditions on sizes; None where it has no function for a part of it."""
    try:
        return _condition(formula, values)
    except NotImplementedError:
        return None


def _condition(formula: Formula, values: Mapping[str, sympy.Expr]) -> sympy.Basic:
    def expr(term: Term) -> sympy.Expr:
        found = to_torch(term, values)
        if found is None:
            raise NotImplementedError
        return found

    def go(inner: Formula) -> sympy.Basic:
        return _condition(inner, values)

    match formula:
        case Bool(value):
            return sympy.true if value else sympy.false
        case Compare(operands, relations):
            exprs = [expr(t) for t in operands]
            kinds = {relation: kind for kind, relation in RELATIONS.items()}
            return sympy.And(*(kinds[r](a, b) for (a, b), r in zip(pairwise(exprs), relations, strict=True)))
        case Member(item, SetOf(elements)):
            return sympy.Or(*(sympy.Eq(expr(item), expr(e)) for e in elements))
        case Member(item, RangeOf(start, stop, step)) if step > 0:
            at, first = expr(item), expr(start)
            remainder = functions().PythonMod(at - first, sympy.Integer(step))
            return sympy.And(sympy.Ge(at, first), sympy.Lt(at, expr(stop)), sympy.Eq(remainder, 0))
        case Not(operand):
            return sympy.Not(go(operand))
        case And(operands):
            return sympy.And(*map(go, operands))
        case Or(operands):
            return sympy.Or(*map(go, operands))
        case Implies(premise, conclusion):
            return sympy.Or(sympy.Not(go(premise)), go(conclusion))
        case _:
            raise NotImplementedError


def term_of(expr: Any, names: Mapping[sympy.Symbol, Term]) -> Term | None:
    """The integer expression as a term; None where it has a symbol or a function that the language does not know."""
    try:
        return _term(expr, names)
    except (NotImplementedError, KeyError):
        return None


def formula_of(expr: Any, names: Mapping[sympy.Symbol, Term]) -> Formula | None:
    """The boolean expression as a formula; None where it has a part that the language does not know."""
    try:
        return _formula(expr, names)
    except (NotImplementedError, KeyError):
        return None


RELATIONS = {
    sympy.Eq: Relation.EQ,
    sympy.Ne: Relation.NE,
    sympy.StrictLessThan: Relation.LT,
    sympy.LessThan: Relation.LE,
    sympy.StrictGreaterThan: Relation.GT,
    sympy.GreaterThan: Relation.GE,
}


def _formula(expr: Any, names: Mapping[sympy.Symbol, Term]) -> Formula:
    if expr in (sympy.true, sympy.false):
        return Bool(bool(expr))
    if isinstance(expr, sympy.And):
        return conjunction(tuple(_formula(a, names) for a in _sorted(expr)))
    if isinstance(expr, sympy.Or):
        return disjunction(tuple(_formula(a, names) for a in _sorted(expr)))
    if isinstance(expr, sympy.Not):
        return Not(_formula(expr.args[0], names))
    relation = RELATIONS.get(type(expr))
    if relation is None:
        raise NotImplementedError
    left, right = expr.args
    return comparison(_term(left, names), relation, _term(right, names))


def _term(expr: Any, names: Mapping[sympy.Symbol, Term]) -> Term:
    known = functions()
    if isinstance(expr, sympy.Integer):
        return Int(int(expr))
    if isinstance(expr, sympy.Symbol):
        return names[expr]

    def args() -> tuple[Term, ...]:
        return tuple(_term(a, names) for a in expr.args)

    if isinstance(expr, sympy.Add):
        return total(tuple(_term(a, names) for a in _sorted(expr)))
    if isinstance(expr, sympy.Mul):
        factors = _sorted(expr)
        if any(isinstance(f, sympy.Rational) and not f.is_Integer for f in factors):
            raise NotImplementedError
        return product(tuple(_term(f, names) for f in factors))
    if isinstance(expr, sympy.Pow) or _is(expr, known.PowByNatural):
        base, exponent = expr.args
        if not isinstance(exponent, sympy.Integer) or exponent < 0:
            raise NotImplementedError
        return Pow(_term(base, names), int(exponent))
    if _is(expr, known.FloorDiv) or _is(expr, known.CleanDiv):
        dividend, divisor = args()
        return FloorDiv(dividend, divisor)
    if _is(expr, known.ModularIndexing):
        base, divisor, modulus = args()
        return Mod(base if divisor == Int(1) else FloorDiv(base, divisor), modulus)
    if _is(expr, known.PythonMod) or _is(expr, known.Mod) or isinstance(expr, sympy.Mod):
        dividend, divisor = args()
        return Mod(dividend, divisor)
    if _is(expr, known.CeilDiv):
        return Call(Function.CEILDIV, args())
    if _is(expr, known.Max) or isinstance(expr, sympy.Max):
        return Call(Function.MAX, tuple(_term(a, names) for a in _sorted(expr)))
    if _is(expr, known.Min) or isinstance(expr, sympy.Min):
        return Call(Function.MIN, tuple(_term(a, names) for a in _sorted(expr)))
    if isinstance(expr, sympy.Abs):
        return Call(Function.ABS, args())
    if _is(expr, known.Identity):
        return _term(expr.args[0], names)
    if _is(expr, known.Where):
        condition, then, otherwise = expr.args
        return IfElse(_formula(condition, names), _term(then, names), _term(otherwise, names))
    if isinstance(expr, sympy.Piecewise) and len(expr.args) == 2 and expr.args[1].args[1] == sympy.true:
        (then, condition), (otherwise, _) = (branch.args for branch in expr.args)
        return IfElse(_formula(condition, names), _term(then, names), _term(otherwise, names))
    raise NotImplementedError


def _is(expr: Any, kind: Any) -> bool:
    return kind is not None and isinstance(expr, kind)


def _sorted(expr: Any) -> list[Any]:
    """The arguments of a commutative expression, in an order that does not depend on hashes."""
    return sorted(expr.args, key=sympy.default_sort_key)


def affine_to_torch(constant: int, coefficients: Any, symbols: Mapping[str, sympy.Expr]) -> sympy.Expr:
    """``constant + Σ coefficient*symbol``."""
    return sympy.Add(constant, *(c * symbols[name] for name, c in coefficients))


def affine_to_term(constant: int, coefficients: Any) -> Term:
    """``constant + Σ coefficient*name``, as a term."""
    parts = tuple(
        Name(n) if c == 1 else negated(Name(n)) if c == -1 else product((Int(c), Name(n))) for n, c in coefficients
    )
    return total((*parts, Int(constant))) if constant or not parts else total(parts)
