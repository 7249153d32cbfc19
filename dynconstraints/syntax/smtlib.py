"""Scripts of SMT-LIB 2.6 over the integers, read as constraints: what they assert, each assertion one.

Names of the sort Bool become integers that are 0 or 1. ``div`` and ``mod`` of SMT-LIB round towards the sign of the
divisor, and have values for divisors of 0; so only numbers are read as divisors.

Source: C. Barrett, P. Fontaine, C. Tinelli, *The SMT-LIB Standard, Version 2.6*, 2021.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, pairwise
from typing import TypeAlias, cast, get_args

from dynconstraints.diagnostics.diagnostic import Diagnostic, Label
from dynconstraints.diagnostics.errors import ConstraintSyntaxError
from dynconstraints.diagnostics.source import Source, Span
from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.nodes import (
    FALSE,
    TRUE,
    Call,
    Choice,
    Compare,
    FloorDiv,
    Formula,
    Function,
    IfElse,
    Implies,
    Int,
    Mod,
    Name,
    Node,
    Not,
    Relation,
    Term,
    comparison,
    conjunction,
    disjunction,
    negated,
    product,
    total,
)
from dynconstraints.syntax.build import RESERVED

_TOKEN = re.compile(r'\s*(?:;[^\n]*|(?P<word>[()]|"(?:[^"]|"")*"|\|[^|]*\||[^\s();"|]+)|(?P<rest>\S))')
_IGNORED = ("set-logic", "set-info", "set-option", "check-sat", "get-model", "get-value", "get-info", "exit", "echo")
_RELATIONS = {"<": Relation.LT, "<=": Relation.LE, ">": Relation.GT, ">=": Relation.GE}
_DEPTH = 150


@dataclass(frozen=True, slots=True)
class _Atom:
    text: str
    at: int


@dataclass(frozen=True, slots=True)
class _List:
    items: tuple[_Atom | _List, ...]
    at: int


_Expression: TypeAlias = _Atom | _List


class _Unreadable(Exception):  # noqa: N818  (it becomes a diagnostic)
    def __init__(self, message: str, at: int, advice: str = "") -> None:
        self.message, self.at, self.advice = message, at, advice


def read_smtlib(text: str, file: str | None = None) -> tuple[Constraint, ...]:
    """The assertions of a script. Raises ConstraintSyntaxError where one is nothing that a constraint can say."""
    script = _Script(text, file)
    try:
        for command in _expressions(text):
            script.take(command)
    except _Unreadable as trouble:
        label = Label(Source(text, None, file), Span(trouble.at, trouble.at + 1))
        help_ = (trouble.advice,) if trouble.advice else ()
        raise ConstraintSyntaxError(Diagnostic("DC144", trouble.message, (label,), help=help_)) from None
    return tuple(script.constraints)


def _expressions(text: str) -> Iterator[_Expression]:
    """The commands of a script, read without recursion."""
    open_: list[tuple[int, list[_Expression]]] = []
    for match in _TOKEN.finditer(text):
        word, at = match["word"], match.start("word")
        if match["rest"] is not None:
            raise _Unreadable("this is no token of SMT-LIB", match.start("rest"))
        if word is None:
            continue
        if word == "(":
            open_.append((at, []))
            if len(open_) > _DEPTH:
                raise _Unreadable("the script is nested too deep", at)
            continue
        if word == ")":
            if not open_:
                raise _Unreadable("this parenthesis closes nothing", at)
            start, items = open_.pop()
            made: _Expression = _List(tuple(items), start)
        else:
            made = _Atom(word, at)
        if open_:
            open_[-1][1].append(made)
        else:
            yield made
    if open_:
        raise _Unreadable("this parenthesis is never closed", open_[-1][0])


@dataclass
class _Script:
    """What the commands so far declare, define and assert."""

    text: str
    file: str | None
    constraints: list[Constraint] = field(default_factory=list)
    values: dict[str, Node] = field(default_factory=dict)
    defined: dict[str, tuple[tuple[str, ...], _Expression]] = field(default_factory=dict)
    spellings: set[str] = field(default_factory=set)

    def take(self, command: _Expression) -> None:
        """Read one command."""
        match command:
            case _List((_Atom(text="assert"), formula)):
                self._assert(formula)
            case _List((_Atom(text="declare-const"), _Atom(text=name), _Atom(text=sort, at=at))) | _List(
                (_Atom(text="declare-fun"), _Atom(text=name), _List(items=()), _Atom(text=sort, at=at))
            ):
                self._declare(name, sort, at)
            case _List((_Atom(text="define-fun"), _Atom(text=name), _List(items=parameters), _, body)):
                names = tuple(_text_of(_pair(parameter)[0]) for parameter in parameters)
                self.defined[_plain(name)] = tuple(map(_plain, names)), body
            case _List((_Atom(text=word), *_)) if word in _IGNORED:
                pass
            case _List((_Atom(text=word), *_)):
                raise _Unreadable(f"{word} of such a form is not read", command.at)
            case _:
                raise _Unreadable("this is no command", command.at)

    def _declare(self, name: str, sort: str, at: int) -> None:
        if sort not in ("Int", "Bool"):
            raise _Unreadable(f"{_plain(name)} is of the sort {sort}, and constraints are about Int", at)
        symbol = Name(self._spelled(_plain(name)))
        if sort == "Int":
            self.values[_plain(name)] = symbol
            return
        self.values[_plain(name)] = comparison(symbol, Relation.EQ, Int(1))
        self._add(Compare((Int(0), symbol, Int(1)), (Relation.LE, Relation.LE)), at)

    def _spelled(self, name: str) -> str:
        """The name as constraints can have it, and no other has it."""
        word = re.sub(r"\W", "_", name)
        word = f"_{word}" if not word or word[0].isdigit() else word
        while word in self.spellings or word in RESERVED or word in ("true", "false") or keyword.iskeyword(word):
            word += "_"
        self.spellings.add(word)
        return word

    def _assert(self, expression: _Expression) -> None:
        self._add(self._formula(expression, {}), expression.at)

    def _add(self, formula: Formula, at: int) -> None:
        line = self.text.count("\n", 0, at) + 1
        self.constraints.append(Constraint.of(formula, f"{self.file or 'the script'}:{line}"))

    def _formula(self, expression: _Expression, local: Mapping[str, Node]) -> Formula:
        found = self._node(expression, local)
        if not isinstance(found, get_args(Formula)):
            raise _Unreadable("a truth value is due here, and this is a number", expression.at)
        return cast("Formula", found)

    def _term(self, expression: _Expression, local: Mapping[str, Node]) -> Term:
        found = self._node(expression, local)
        if not isinstance(found, get_args(Term)):
            raise _Unreadable("a number is due here, and this is a truth value", expression.at)
        return cast("Term", found)

    def _node(self, expression: _Expression, local: Mapping[str, Node]) -> Node:
        match expression:
            case _Atom(text=text, at=at):
                return self._atom(_plain(text), at, local)
            case _List((_Atom(text="let"), _List(items=bindings), body)):
                more = {_plain(_text_of(_pair(b)[0])): self._node(_pair(b)[1], local) for b in bindings}
                return self._node(body, {**local, **more})
            case _List((_Atom(text="!"), body, *_)):
                return self._node(body, local)
            case _List((_List((_Atom(text="_"), _Atom(text="divisible"), _Atom(text=number))), operand)):
                term = self._term(operand, local)
                return comparison(Mod(term, Int(int(number))), Relation.EQ, Int(0))
            case _List((_Atom(text=head), *operands)):
                return self._applied(_plain(head), operands, expression, local)
            case _:
                raise _Unreadable("this is no term of SMT-LIB that is read", expression.at)

    def _atom(self, text: str, at: int, local: Mapping[str, Node]) -> Node:
        if text in local:
            return local[text]
        if text in self.values:
            return self.values[text]
        if text in self.defined:
            return self._node(self.defined[text][1], {})
        if text in ("true", "false"):
            return TRUE if text == "true" else FALSE
        if text.isdecimal() and text.isascii():
            return Int(int(text))
        raise _Unreadable(f"{text} is not declared", at)

    def _applied(
        self, head: str, operands: Sequence[_Expression], whole: _Expression, local: Mapping[str, Node]
    ) -> Node:
        if head in self.defined:
            parameters, body = self.defined[head]
            if len(parameters) != len(operands):
                raise _Unreadable(f"{head} has {len(parameters)} arguments", whole.at)
            values = (self._node(operand, local) for operand in operands)
            return self._node(body, dict(zip(parameters, values, strict=True)))
        if not operands:
            raise _Unreadable("this applies nothing", whole.at)
        nodes = [self._node(operand, local) for operand in operands]
        are_terms = all(isinstance(node, get_args(Term)) for node in nodes)
        if head in ("=", "distinct", "ite"):
            return _either(head, nodes, are_terms, whole.at)
        if head in _OF_TERMS or head in _RELATIONS or head in ("div", "mod"):
            if not are_terms:
                raise _Unreadable(f"{head} is about numbers, and here is a truth value", whole.at)
            return _of_terms(head, cast("list[Term]", nodes), whole.at)
        if head in _OF_FORMULAS:
            if any(isinstance(node, get_args(Term)) for node in nodes):
                raise _Unreadable(f"{head} is about truth values, and here is a number", whole.at)
            return _OF_FORMULAS[head](tuple(cast("list[Formula]", nodes)))
        raise _Unreadable(f"{head} is not read, or not declared", whole.at)


def _text_of(expression: _Expression) -> str:
    if not isinstance(expression, _Atom):
        raise _Unreadable("a name is due here", expression.at)
    return expression.text


def _pair(expression: _Expression) -> tuple[_Expression, _Expression]:
    if not isinstance(expression, _List) or len(expression.items) != 2:
        raise _Unreadable("a name and its value are due here", expression.at)
    return expression.items[0], expression.items[1]


def _plain(name: str) -> str:
    return name[1:-1] if name.startswith("|") else name


def _either(head: str, nodes: Sequence[Node], are_terms: bool, at: int) -> Node:
    """What is about numbers as well as about truth values."""
    if head == "ite":
        if len(nodes) != 3 or isinstance(nodes[0], get_args(Term)):
            raise _Unreadable("ite has a condition and two values", at)
        condition, then, otherwise = cast("tuple[Formula, Node, Node]", tuple(nodes))
        kinds = {isinstance(node, get_args(Term)) for node in (then, otherwise)}
        if len(kinds) > 1:
            raise _Unreadable("one value of ite is a number, and the other isn't", at)
        if kinds == {True}:
            return IfElse(condition, cast("Term", then), cast("Term", otherwise))
        return Choice(condition, cast("Formula", then), cast("Formula", otherwise))
    if are_terms and head == "=":
        return Compare(tuple(cast("list[Term]", nodes)), (Relation.EQ,) * (len(nodes) - 1))
    if are_terms:
        apart = combinations(cast("list[Term]", nodes), 2)
        return conjunction(tuple(comparison(left, Relation.NE, right) for left, right in apart))
    if any(isinstance(node, get_args(Term)) for node in nodes):
        raise _Unreadable("a number and a truth value are compared", at)
    formulas = cast("list[Formula]", nodes)
    if head == "=":
        return conjunction(tuple(Choice(left, right, Not(right)) for left, right in pairwise(formulas)))
    return conjunction(tuple(Choice(left, Not(right), right) for left, right in combinations(formulas, 2)))


def _of_terms(head: str, terms: list[Term], at: int) -> Node:
    if head in _RELATIONS:
        return Compare(tuple(terms), (_RELATIONS[head],) * (len(terms) - 1))
    if head in ("div", "mod"):
        if len(terms) != 2 or not isinstance(terms[1], Int) or terms[1].value == 0:
            advice = "only numbers other than 0 are read as divisors"
            raise _Unreadable(f"{head} by this divisor has a value of SMT-LIB's own where it is 0", at, advice)
        size = Int(abs(terms[1].value))
        if head == "mod":
            return Mod(terms[0], size)
        quotient = FloorDiv(terms[0], size)
        return quotient if terms[1].value > 0 else negated(quotient)
    return _OF_TERMS[head](terms)


def _difference(terms: list[Term]) -> Term:
    return negated(terms[0]) if len(terms) == 1 else total((terms[0], *map(negated, terms[1:])))


_OF_TERMS: Mapping[str, Callable[[list[Term]], Term]] = {
    "+": lambda terms: total(tuple(terms)),
    "-": _difference,
    "*": lambda terms: product(tuple(terms)),
    "abs": lambda terms: Call(Function.ABS, (terms[0],)),
}


def _implication(formulas: tuple[Formula, ...]) -> Formula:
    *premises, conclusion = formulas
    for premise in reversed(premises):
        conclusion = Implies(premise, conclusion)
    return conclusion


def _exclusive(formulas: tuple[Formula, ...]) -> Formula:
    first, *rest = formulas
    for other in rest:
        first = Choice(first, Not(other), other)
    return first


_OF_FORMULAS: Mapping[str, Callable[[tuple[Formula, ...]], Formula]] = {
    "and": conjunction,
    "or": disjunction,
    "not": lambda formulas: Not(formulas[0]),
    "=>": _implication,
    "xor": _exclusive,
}
