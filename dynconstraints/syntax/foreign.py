"""Readings that the grammar accepts and the language refuses, because another notation is meant; each with its fix."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, get_args

from dynconstraints.diagnostics.source import Span
from dynconstraints.ir import nodes as n
from dynconstraints.syntax.failure import Failure, Fix

# How sympy, torch and C spell what is an operator here: with two operands, or with any number where marked so.
_BINARY = {
    **dict.fromkeys(("mod", "Mod", "PythonMod"), "%"),
    **dict.fromkeys(("div", "floordiv", "FloorDiv", "CleanDiv"), "//"),
    **dict.fromkeys(("pow", "Pow"), "**"),
    **dict.fromkeys(("implies", "Implies"), "=>"),
    **{"Eq": "==", "Ne": "!=", "Lt": "<", "Le": "<=", "Gt": ">", "Ge": ">="},  # noqa: PIE800  # one row a kind
}
_VARIADIC = {"And": "and", "Or": "or", "Add": "+", "Mul": "*"}
_TERMS = get_args(n.Term)
_COMPARISONS = frozenset(("==", "!=", "<", "<=", ">", ">="))
_ATOMS = (n.Int, n.Name, n.Call, n.Test, n.Bool)


def operator_as_function(name: str, arguments: tuple[Any, ...], span: Span) -> Failure | None:
    """``mod(a, b)`` and its like; None where the name is no such thing or the arguments don't fit."""
    sign = _VARIADIC.get(name) if len(arguments) > 1 else None
    if len(arguments) == 2:
        sign = sign or _BINARY.get(name)
    if sign is None and not (name in ("Not", "not_") and len(arguments) == 1):
        return None
    pieces: list[str | Span] = [] if sign else ["not "]
    for argument in arguments:
        pieces += [f" {sign} "] * bool(pieces and sign)
        pieces += [argument.span] if _binds_tighter(argument, sign) else ["(", argument.span, ")"]
    message = f"`{name}` is written as an operator, `{sign or 'not'}`"
    return Failure("DC105", message, span, advice=f"write `{sign or 'not'}`", fix=Fix(span, tuple(pieces)))


def _binds_tighter(argument: Any, sign: str | None) -> bool:
    if isinstance(argument, n.Compare | n.Member):
        return sign in ("and", "or", "=>")
    return isinstance(argument, _ATOMS) or (sign in _COMPARISONS and isinstance(argument, _TERMS))


def implication_between_numbers(premise: Any, conclusion: Any) -> Failure:
    """``a => b`` where one of them is a number, so that at least is meant, or a comparison is missing."""
    numbers = [part for part in (premise, conclusion) if isinstance(part, _TERMS)]
    span = Span(premise.span.start, conclusion.span.stop)
    if len(numbers) == 2:
        fix = Fix(span, (premise.span, " >= ", conclusion.span))
        return Failure("DC108", "`=>` is implication, and these are numbers; at least is `>=`", span, fix=fix)
    known, advice = "this is a number", "at least is `>=`; `=>` stands between two conditions"
    message = "`=>` is implication, which needs a condition on both sides"
    return Failure("DC108", message, numbers[0].span, known=known, advice=advice)


def refuse_shared_subject(operands: list[Any]) -> None:
    """Raises Failure for ``s0 == 1 or 2``, where the comparison is meant for the second number too."""
    for left, right in pairwise(operands):
        if isinstance(right, _TERMS) and isinstance(left, n.Compare) and len(left.operands) == 2:
            subject, sign = left.operands[0].span or Span(0, 0), left.relations[0].value
            fix = Fix(right.span, (subject, f" {sign} ", right.span))
            message = "`or` needs a condition on both sides, and here stands a number"
            raise Failure("DC110", message, right.span, known="this is a number", fix=fix)


def lone_number(node: Any) -> Failure:
    """A text that is a number, such as ``s0 % 32``."""
    what, other = ("a name", "> 0") if isinstance(node, n.Name) else ("a number", "== 0")
    fix = Fix(node.span, (node.span, f" {other}"))
    message = f"this is {what}, not a condition: it says nothing that could hold"
    return Failure("DC110", message, node.span, known="compare it with something", fix=fix)


def conditions_compared(parts: list[Any]) -> Failure:
    """``(a > 1) == (b > 1)``, where equivalence is meant, or ``(a > 1) == true``, where the condition itself is."""
    left, sign, right, *more = parts
    whole, message = Span(left.span.start, right.span.stop), "numbers are compared, and here stand two conditions"
    if more or sign.text not in ("==", "!="):
        return Failure("DC111", message, whole, advice="join them with `and`, `or` or `=>`")
    literal, other = (left, right) if isinstance(left, n.Bool) else (right, left)
    pieces: tuple[str | Span, ...]
    if isinstance(literal, n.Bool):
        pieces = (other.span,) if literal.value is (sign.text == "==") else ("not ", other.span)
    elif sign.text == "==":
        pieces = ("(", left.span, " => ", right.span, ") and (", right.span, " => ", left.span, ")")
    else:
        pieces = ("(", left.span, " or ", right.span, ") and not (", left.span, " and ", right.span, ")")
    return Failure("DC111", message, whole, fix=Fix(whole, pieces))
