"""Python expressions of sizes, and JAX's and sympy's, as terms and formulas of ours."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TypeAlias

from dynconstraints.diagnostics.source import Span
from dynconstraints.ir.nodes import (
    Call,
    Compare,
    FloorDiv,
    Formula,
    Function,
    Int,
    Mod,
    Name,
    Pow,
    Relation,
    Term,
    conjunction,
    disjunction,
    negated,
    product,
    total,
)
from dynconstraints.ir.nodes import Not as NotOf

Resolve: TypeAlias = Callable[[ast.expr], Term | None]
"""What an expression stands for where it is no arithmetic: a variable, or a number that has a name."""


class UnreadError(Exception):
    """An expression of another kind; ``node`` is the part of it."""

    def __init__(self, node: ast.expr) -> None:
        super().__init__()
        self.node = node


_RELATIONS: dict[type[ast.cmpop], Relation] = {
    ast.Eq: Relation.EQ,
    ast.NotEq: Relation.NE,
    ast.Lt: Relation.LT,
    ast.LtE: Relation.LE,
    ast.Gt: Relation.GT,
    ast.GtE: Relation.GE,
}
_COMPARING = {"Eq": Relation.EQ, "Ne": Relation.NE}
_EXTREMES = {
    "max": Function.MAX,
    "Max": Function.MAX,
    "sym_max": Function.MAX,
    "min": Function.MIN,
    "Min": Function.MIN,
    "sym_min": Function.MIN,
}
_DIVISIONS = {"floordiv": FloorDiv, "FloorDiv": FloorDiv, "CleanDiv": FloorDiv}
_REMAINDERS = {"mod": Mod, "Mod": Mod, "PythonMod": Mod}
_MOST_POWER = 64


def term_of(node: ast.expr, resolve: Resolve) -> Term:
    """The term. Raises UnreadError at the part that is none."""
    known = resolve(node)
    if known is not None:
        return known

    def part(inner: ast.expr) -> Term:
        return term_of(inner, resolve)

    match node:
        case ast.Constant(int(value)) if type(value) is int:
            return Int(value)
        case ast.UnaryOp(ast.USub(), operand):
            return negated(part(operand))
        case ast.BinOp(left, ast.Add(), right):
            return total((part(left), part(right)))
        case ast.BinOp(left, ast.Sub(), right):
            return total((part(left), negated(part(right))))
        case ast.BinOp(left, ast.Mult(), right):
            return product((part(left), part(right)))
        case ast.BinOp(left, ast.FloorDiv(), right):
            return FloorDiv(part(left), part(right))
        case ast.BinOp(left, ast.Mod(), right):
            return Mod(part(left), part(right))
        case ast.BinOp(left, ast.Pow(), ast.Constant(int(power))) if 0 <= power <= _MOST_POWER:
            return Pow(part(left), power)
        case ast.Call(function, [only], []) if _last(function) == "non_negative":
            return Call(Function.MAX, (part(only), Int(0)))
        case ast.Call(function, [_, _, *_] as given, []) if _last(function) in _EXTREMES:
            return Call(_EXTREMES[_last(function)], tuple(map(part, given)))
        case ast.Call(function, [left, right], []) if _last(function) in _DIVISIONS:
            return FloorDiv(part(left), part(right))
        case ast.Call(function, [left, right], []) if _last(function) in _REMAINDERS:
            return Mod(part(left), part(right))
    raise UnreadError(node)


def formula_of(node: ast.expr, resolve: Resolve) -> Formula:
    """The formula. Raises UnreadError at the part that is none."""
    match node:
        case ast.Compare(left, [kind], [right]) if type(kind) in _RELATIONS:  # no symbol has a chain
            return Compare((term_of(left, resolve), term_of(right, resolve)), (_RELATIONS[type(kind)],))
        case ast.Call(function, [left, right], []) if _last(function) in _COMPARING:
            return Compare((term_of(left, resolve), term_of(right, resolve)), (_COMPARING[_last(function)],))
        case ast.BinOp(left, ast.BitAnd(), right):
            return conjunction((formula_of(left, resolve), formula_of(right, resolve)))
        case ast.BinOp(left, ast.BitOr(), right):
            return disjunction((formula_of(left, resolve), formula_of(right, resolve)))
        case ast.UnaryOp(ast.Invert(), operand):
            return NotOf(formula_of(operand, resolve))
        case ast.Call(function, [only], []) if _last(function) == "sym_not":
            return NotOf(formula_of(only, resolve))
    raise UnreadError(node)


def names_of_text(node: ast.expr) -> Term | None:
    """Of a text on one line that has names of sizes for its names: each with its place in the text."""
    if isinstance(node, ast.Name) and node.end_col_offset is not None:
        return Name(node.id, Span(node.col_offset, node.end_col_offset))
    return None


def _last(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
