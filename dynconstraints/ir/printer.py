"""Node -> text, with no more parentheses than the grammar needs; parsing the text gives the node back."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from functools import lru_cache

from dynconstraints.diagnostics.matching import assert_never
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
    Node,
    Not,
    Or,
    Pow,
    RangeOf,
    Real,
    SetOf,
    Term,
    Test,
)


class _Level(IntEnum):
    """How tightly a form binds, loosest first; the order of the rules in the grammar."""

    IMPLIES = 0
    CHOICE = 1
    OR = 2
    AND = 3
    NOT = 4
    COMPARE = 5
    SUM = 6
    PRODUCT = 7
    SIGN = 8
    POWER = 9
    ATOM = 10


@lru_cache(maxsize=8192)  # sets are put in order by their texts, the same formulas again and again
def show(node: Node) -> str:
    """The node in the constraint language, on one line."""
    return _show(node)[0]


def in_order(formulas: Iterable[Formula]) -> tuple[Formula, ...]:
    """Each formula once, in the order of their texts: the same for all orders in which they were given."""
    every = frozenset(formulas)
    return tuple(sorted(every, key=show)) if len(every) > 1 else tuple(every)


def _show(node: Node) -> tuple[str, _Level]:
    match node:
        case Bool() | Compare() | Member() | Test() | Not() | And() | Or() | Implies() | Choice():
            return _formula(node)
        case _:
            return _term(node)


def _at(node: Node, level: _Level) -> str:
    """The text of the node, parenthesised if it binds more loosely than ``level``."""
    text, own = _show(node)
    return text if own >= level else f"({text})"


def _list(terms: tuple[Term, ...]) -> str:
    return ", ".join(_at(term, _Level.CHOICE) for term in terms)


def _term(term: Term) -> tuple[str, _Level]:
    match term:
        case Int(value):
            # A negative literal reads as a sign before a literal, so it binds as loosely as one.
            return str(value), _Level.ATOM if value >= 0 else _Level.SIGN
        case Real(value):
            return repr(value), _Level.SIGN if repr(value).startswith("-") else _Level.ATOM
        case Name(id):
            return id, _Level.ATOM
        case Neg(operand):
            return f"-{_at(operand, _Level.SIGN)}", _Level.SIGN
        case Add((first, *rest)):
            return _at(first, _Level.SUM) + "".join(map(_addend, rest)), _Level.SUM
        case Mul((first, *rest)):
            # `a // b * c`, not `a // b*c`: the spacing shows the grouping.
            sign = " * " if isinstance(first, FloorDiv | Mod) else "*"
            return sign.join([_at(first, _Level.PRODUCT), *(_at(f, _Level.SIGN) for f in rest)]), _Level.PRODUCT
        case FloorDiv(left, right):
            return f"{_at(left, _Level.PRODUCT)} // {_at(right, _Level.SIGN)}", _Level.PRODUCT
        case Mod(left, right):
            return f"{_at(left, _Level.PRODUCT)} % {_at(right, _Level.SIGN)}", _Level.PRODUCT
        case Pow(base, exponent):
            return f"{_at(base, _Level.ATOM)}**{exponent}", _Level.POWER
        case Call(function, arguments):
            return f"{function.value}({_list(arguments)})", _Level.ATOM
        case IfElse():
            return _conditional(term)
        case Add() | Mul():
            raise ValueError(f"no parts: {term!r}")
        case _:
            assert_never(term)


def _addend(term: Term) -> str:
    match term:
        case Int(value) if value < 0:
            return f" - {-value}"
        case Real(value) if repr(value).startswith("-"):
            return f" - {-value!r}"
        case Neg(operand):
            return f" - {_at(operand, _Level.PRODUCT)}"
        case _:
            return f" + {_at(term, _Level.PRODUCT)}"


def _conditional(node: IfElse | Choice) -> tuple[str, _Level]:
    then, condition = _at(node.then, _Level.OR), _at(node.condition, _Level.OR)
    return f"{then} if {condition} else {_at(node.otherwise, _Level.CHOICE)}", _Level.CHOICE


def _formula(formula: Formula) -> tuple[str, _Level]:
    match formula:
        case Bool(value):
            return "true" if value else "false", _Level.ATOM
        case Compare((first, *rest), relations):
            links = [f" {r.value} {_at(o, _Level.SUM)}" for r, o in zip(relations, rest, strict=True)]
            return _at(first, _Level.SUM) + "".join(links), _Level.COMPARE
        case Compare():
            raise ValueError(f"no operands: {formula!r}")
        case Member(item, collection):
            return f"{_at(item, _Level.SUM)} in {_collection(collection)}", _Level.COMPARE
        case Test(predicate, arguments):
            return f"{predicate.value}({_list(arguments)})", _Level.ATOM
        case Not(Member(item, collection)):
            return f"{_at(item, _Level.SUM)} not in {_collection(collection)}", _Level.COMPARE
        case Not(operand):
            return f"not {_at(operand, _Level.NOT)}", _Level.NOT
        case And(operands):
            return " and ".join(_at(o, _Level.NOT) for o in operands), _Level.AND
        case Or(operands):
            return " or ".join(_at(o, _Level.AND) for o in operands), _Level.OR
        case Implies(premise, conclusion):
            return f"{_at(premise, _Level.CHOICE)} => {_at(conclusion, _Level.IMPLIES)}", _Level.IMPLIES
        case Choice():
            return _conditional(formula)
        case _:
            assert_never(formula)


def _collection(collection: SetOf | RangeOf) -> str:
    match collection:
        case SetOf(elements):
            return "{" + _list(elements) + "}"
        case RangeOf(start, stop, step):
            last = "" if step == 1 else f", {step}"
            return f"range({_list((start, stop))}{last})"
        case _:
            assert_never(collection)
