"""Parse actions: grammar rule -> node, with the checks that a context-free grammar cannot make."""

from __future__ import annotations

from typing import Any, TypeGuard

from lark import Token, Transformer, v_args

from dynconstraints.diagnostics.source import Span
from dynconstraints.ir import nodes as n


class Misuse(Exception):
    """The text has the right shape and the wrong sort: a formula where a term belongs, and the like."""

    def __init__(self, message: str, span: Span) -> None:
        super().__init__(message)
        self.message = message
        self.span = span


_ARITY: dict[str, tuple[int, int | None]] = {
    "min": (1, None),
    "max": (1, None),
    "abs": (1, 1),
    "ceildiv": (2, 2),
    "align_up": (2, 2),
    "align_down": (2, 2),
    "gcd": (1, None),
    "lcm": (1, None),
    "divides": (2, 2),
    "is_power_of_two": (1, 1),
}
_FORMULAS = (n.Bool, n.Compare, n.Member, n.Test, n.Not, n.And, n.Or, n.Implies, n.Choice)


def _is_formula(node: object) -> TypeGuard[n.Formula]:
    return isinstance(node, _FORMULAS)


def _of(part: Any) -> Span:
    """The span of a node, a token, or a tuple of parts from first to last."""
    if isinstance(part, tuple):
        return Span(_of(part[0]).start, _of(part[-1]).stop)
    if isinstance(part, Token):
        start = part.start_pos or 0
        return Span(start, start + len(part))
    return part.span or Span(0, 0)


def _term(node: Any) -> n.Term:
    if _is_formula(node):
        raise Misuse("a number is needed here, and this is true or false", _of(node))
    return node  # type: ignore[no-any-return]


def _truth(node: Any) -> n.Formula:
    if not _is_formula(node):
        raise Misuse("this is a number, not a condition; compare it with something", _of(node))
    return node


@v_args(inline=True)
class Builder(Transformer[Any, n.Formula]):
    """Bottom-up construction of the nodes; each method is the grammar rule of its name."""

    def group(self, inner: Any, close: Any) -> n.Node:
        return inner

    def start(self, formula: Any) -> n.Formula:
        return _truth(formula)

    def implies(self, premise: Any, conclusion: Any) -> n.Formula:
        return n.Implies(_truth(premise), _truth(conclusion), _of((premise, conclusion)))

    def conditional(self, then: Any, condition: Any, otherwise: Any) -> n.Node:
        if _is_formula(then):
            return n.Choice(_truth(condition), then, _truth(otherwise), _of((then, otherwise)))
        return n.IfElse(_truth(condition), _term(then), _term(otherwise), _of((then, otherwise)))

    def disjunction(self, *operands: Any) -> n.Formula:
        return n.disjunction(tuple(map(_truth, operands)), _of(operands))

    def conjunction(self, *operands: Any) -> n.Formula:
        return n.conjunction(tuple(map(_truth, operands)), _of(operands))

    def not_(self, sign: Any, operand: Any) -> n.Formula:
        return n.Not(_truth(operand), _of((sign, operand)))

    def relation(self, token: Any) -> n.Relation:
        return n.Relation(str(token))

    def compare(self, *parts: Any) -> n.Formula:
        return n.Compare(tuple(map(_term, parts[::2])), tuple(parts[1::2]), _of(parts))

    def member(self, item: Any, collection: Any) -> n.Formula:
        return n.Member(_term(item), collection, _of((item, collection)))

    def not_member(self, item: Any, sign: Any, collection: Any) -> n.Formula:
        return n.Not(self.member(item, collection), _of((item, collection)))

    def set_of(self, arguments: Any) -> n.SetOf:
        return n.SetOf(tuple(map(_term, arguments)), _of(arguments))

    def range_of(self, arguments: Any, close: Any) -> n.RangeOf:
        start, stop, step = {1: (n.Int(0), arguments[0], n.Int(1)), 2: (*arguments[:2], n.Int(1)), 3: tuple(arguments)}[
            len(arguments)
        ]
        return n.RangeOf(_term(start), _term(stop), step.value, _of((*arguments, close)))

    def sum(self, first: Any, *addends: Any) -> n.Term:
        return n.total((_term(first), *addends), _of((first, *addends)))

    def plus(self, term: Any) -> n.Term:
        return _term(term)

    def minus(self, sign: Any, term: Any) -> n.Term:
        return n.negated(_term(term), _of((sign, term)))

    def mul(self, left: Any, right: Any) -> n.Term:
        return n.product((_term(left), _term(right)), _of((left, right)))

    def floordiv(self, left: Any, right: Any) -> n.Term:
        return n.FloorDiv(_term(left), _term(right), _of((left, right)))

    def mod(self, left: Any, right: Any) -> n.Term:
        return n.Mod(_term(left), _term(right), _of((left, right)))

    def neg(self, sign: Any, operand: Any) -> n.Term:
        return n.negated(_term(operand), _of((sign, operand)))

    def pos(self, operand: Any) -> n.Term:
        return _term(operand)

    def pow(self, base: Any, exponent: Any) -> n.Term:
        if not isinstance(exponent, n.Int) or exponent.value < 0:
            raise Misuse("an exponent must be a literal of at least 0", _of(exponent))
        return n.Pow(_term(base), exponent.value, _of((base, exponent)))

    def integer(self, token: Any) -> n.Term:
        return n.Int(int(token, 0), _of(token))

    def name(self, token: Any) -> n.Term:
        return n.Name(str(token), _of(token))

    def true(self, token: Any) -> n.Formula:
        return n.Bool(True, _of(token))

    def false(self, token: Any) -> n.Formula:
        return n.Bool(False, _of(token))

    def arguments(self, *arguments: Any) -> tuple[Any, ...]:
        return arguments

    def call(self, token: Any, arguments: Any, close: Any) -> n.Node:
        name, terms = str(token), tuple(map(_term, arguments))
        if name not in _ARITY:
            raise Misuse(f"there is no function {name!r}", _of((token, close)))
        least, most = _ARITY[name]
        if len(terms) < least or (most is not None and len(terms) > most):
            raise Misuse(f"{name} takes {least} argument(s), not {len(terms)}", _of((token, close)))
        if name in ("divides", "is_power_of_two"):
            return n.Test(n.Predicate(name), terms, _of((token, close)))
        return n.Call(n.Function(name), terms, _of((token, close)))
