"""IR -> a plain Python function from values to bool.

The function is made of syntax tree nodes, from the IR alone: no text of a user's is ever executed, and names become
numbered parameters, so no name can shadow or reach anything. Subterms that may be undefined are computed into local
variables that are then None; what can't be undefined, the usual case, becomes one plain expression.
"""

from __future__ import annotations

import ast
import builtins
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from functools import reduce
from itertools import pairwise
from typing import Any, NamedTuple, cast
from unicodedata import normalize

from dynconstraints.diagnostics.matching import assert_never
from dynconstraints.ir.functions import MEANINGS, PARAMETERS
from dynconstraints.ir.nodes import (
    TRUE,
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
from dynconstraints.ir.sorts import integers_in

_CALLED = {"sum", "range", "prod", *(m.python for m in MEANINGS.values() if m.python is not None)}
_FROM_MATH = {name for name in _CALLED if not hasattr(builtins, name)}
_GLOBALS: dict[str, Any] = {"__builtins__": {}, "Fraction": Fraction} | {
    name: getattr(math if name in _FROM_MATH else builtins, name) for name in _CALLED
}
_CALLED_NAMES = frozenset(_CALLED | {"Fraction"})
_LOCAL = re.compile(r"t\d+")
_NO_NAME = re.compile(r"\W+")
# Longer sums and products become a call: nested additions would exhaust the stack of Python's own compiler.
_LONGEST_SPINE = 16

_RELATIONS: dict[Relation, type[ast.cmpop]] = {
    Relation.EQ: ast.Eq,
    Relation.NE: ast.NotEq,
    Relation.LT: ast.Lt,
    Relation.LE: ast.LtE,
    Relation.GT: ast.Gt,
    Relation.GE: ast.GtE,
}


def compile_formula(formula: Formula, parameters: Sequence[str], *, floats: bool = False) -> Callable[..., bool]:
    """A function that takes the parameters' values in order and says whether the formula is defined and true.

    Agrees with ``dynconstraints.ir.evaluate.holds`` on every assignment of integers, and with ``floats`` on every one
    of finite floats too, each read as the rational that it holds. Raises KeyError where the formula mentions a name
    that is no parameter.
    """
    code = _Code(tuple(parameters), floats=floats)
    return code.function(code.holds(formula))


def compile_term(term: Term, parameters: Sequence[str]) -> Callable[..., int | None]:
    """A function that takes the parameters' values in order and gives the term's value, None where it is undefined."""
    code = _Code(tuple(parameters))
    return code.function(code.term(term).value)


def python_source(formula: Formula, parameters: Sequence[str], *, floats: bool = False) -> str:
    """The source of a function ``holds`` that takes the parameters by position, as `compile_formula` makes it.

    A parameter has the name that it has in the formula, with underscores after it where the code needs that name.
    Raises KeyError where the formula mentions a name that is no parameter.
    """
    code = _Code(tuple(parameters), floats=floats)
    code.places = python_names(parameters)
    module = code.module("holds", code.holds(formula))
    used = {node.id for node in ast.walk(module) if isinstance(node, ast.Name)} & _FROM_MATH
    text = ast.unparse(module)
    imports = ["from fractions import Fraction"] * ("Fraction(" in text)
    imports += [f"from math import {', '.join(sorted(used))}"] * bool(used)
    return "\n".join(imports) + "\n\n\n" * bool(imports) + text


class PythonTest(NamedTuple):
    """Lines of Python that compute, an expression that is then true where a formula holds, and what both call."""

    lines: tuple[str, ...]
    holds: str
    called: frozenset[str]


def python_test(formula: Formula, names: Mapping[str, str], *, floats: bool = False) -> PythonTest:
    """The formula as code over variables, of the names that `python_names` gives to the formula's.

    What is called are builtins, functions of ``math`` and, with ``floats``, ``Fraction``.
    """
    code = _Code(tuple(names), floats=floats)
    code.places = dict(names)
    result = code.holds(formula)
    nodes = [ast.fix_missing_locations(node) for node in (*code.body, ast.Expr(result))]
    called = {node.id for top in nodes for node in ast.walk(top) if isinstance(node, ast.Name)} & _CALLED_NAMES
    lines = tuple(ast.unparse(node) for node in nodes)
    return PythonTest(lines[:-1], lines[-1], frozenset(called))


def python_names(parameters: Sequence[str], taken: Iterable[str] = ()) -> dict[str, str]:
    """A name in Python for each parameter, none like another, like a local variable, or like what the code calls.

    Nor like those that are ``taken``.
    """
    places: dict[str, str] = {}
    taken = {*_GLOBALS, "__debug__", *taken}
    for name in parameters:
        spelled = normalize("NFKC", name)  # as Python reads identifiers
        if not spelled.isidentifier():  # a place such as x.shape[0]
            spelled = _NO_NAME.sub("_", spelled).strip("_")
        while _LOCAL.fullmatch(spelled) or spelled in taken:
            spelled += "_"
        taken.add(spelled)
        places[name] = spelled
    return places


class _Part(NamedTuple):
    """An expression; ``partial`` ones may be None."""

    value: ast.expr
    partial: bool = False


@dataclass
class _Code:
    """The body of a function in the making."""

    parameters: tuple[str, ...]
    floats: bool = False
    body: list[ast.stmt] = field(default_factory=list)
    locals: int = 0
    arguments: dict[str, _Part] = field(default_factory=dict)
    integers: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self.places = {name: f"v{index}" for index, name in enumerate(self.parameters)}

    def holds(self, formula: Formula) -> ast.expr:
        """The code of whether the formula is defined and true; with floats, what its integers are stays one."""
        self.integers = integers_in(formula)
        truth = self.formula(formula)
        return _is(truth.value, True) if truth.partial else truth.value

    def function(self, result: ast.expr) -> Callable[..., Any]:
        """The function that runs the body and returns the result."""
        scope: dict[str, Any] = dict(_GLOBALS)
        exec(compile(self.module("compiled", result), "<constraint>", "exec"), scope)  # noqa: S102  # made of the IR
        return scope["compiled"]  # type: ignore[no-any-return]

    def module(self, name: str, result: ast.expr) -> ast.Module:
        """A module that holds the function alone."""
        module = ast.parse(f"def {name}(): pass")
        definition = module.body[0]
        assert isinstance(definition, ast.FunctionDef)  # noqa: S101  # for mypy: it is the line above
        definition.args.posonlyargs = [ast.arg(self.places[name]) for name in self.parameters]
        definition.body = [*self.body, ast.Return(result)]
        return ast.fix_missing_locations(module)

    def kept(self, value: ast.expr) -> ast.expr:
        """The value in a local variable, so that it can be mentioned twice."""
        if isinstance(value, ast.Name | ast.Constant):
            return value
        name = f"t{self.locals}"
        self.locals += 1
        self.body.append(ast.Assign([ast.Name(name, ast.Store())], value))
        return ast.Name(name, ast.Load())

    def strict(
        self, parts: Sequence[_Part], build: Callable[[list[ast.expr]], ast.expr], zero: int | None = None
    ) -> _Part:
        """``build`` of the values; undefined where a part is, or where the part at index ``zero`` is 0."""
        guarded = [p.partial or i == zero for i, p in enumerate(parts)]
        if not any(guarded):
            return _Part(build([p.value for p in parts]))
        values = [self.kept(p.value) for p in parts]
        tests = [_is(value, None) for value, part in zip(values, parts, strict=True) if part.partial]
        if zero is not None:
            tests.append(_test(values[zero], ast.Eq(), ast.Constant(0)))
        return _Part(self.kept(ast.IfExp(_joined(ast.Or(), tests), ast.Constant(None), build(values))), partial=True)

    def term(self, term: Term) -> _Part:
        """The code of a term."""
        match term:
            case Int(value):
                return _Part(ast.Constant(value))
            case Real(value):
                return _Part(_called("Fraction", [ast.Constant(number) for number in value.as_integer_ratio()]))
            case Name(id) if id in self.arguments:
                return self.arguments[id]
            case Name(id):
                name = ast.Name(self.places[id], ast.Load())
                return _Part(_called("Fraction", [name]) if self.floats and id not in self.integers else name)
            case Neg(operand):
                return self.strict([self.term(operand)], lambda v: ast.UnaryOp(ast.USub(), v[0]))
            case Add(terms):
                return self.strict([self.term(t) for t in terms], lambda v: _spine("sum", ast.Add(), v))
            case Mul(factors):
                return self.strict([self.term(f) for f in factors], lambda v: _spine("prod", ast.Mult(), v))
            case FloorDiv(dividend, divisor):
                return self.divided((dividend, divisor), _floordiv)
            case Mod(dividend, divisor):
                return self.divided((dividend, divisor), _mod)
            case Pow(base, exponent):
                return self.strict([self.term(base)], lambda v: ast.BinOp(v[0], ast.Pow(), ast.Constant(exponent)))
            case Call(function, arguments):
                return self.call(function, arguments)
            case IfElse(condition, then, otherwise):
                return self.chosen(self.formula(condition), self.term(then), self.term(otherwise))
            case _:
                assert_never(term)

    def number(self, term: Term) -> ast.expr | None:
        """The code of a number or a name, whatever kind of number it is; None for a term that computes."""
        match term:
            case Int(value) | Real(value):
                return ast.Constant(value)
            case Name(id):
                return ast.Name(self.places[id], ast.Load())
            case Neg(Int(value) | Real(value)):
                return ast.Constant(-value)
            case _:
                return None

    def divided(self, operands: tuple[Term, ...], build: Callable[[list[ast.expr]], ast.expr]) -> _Part:
        """``build`` of a dividend and a divisor, undefined where the divisor is 0."""
        never_zero = isinstance(operands[1], Int) and operands[1].value != 0
        return self.strict([self.term(operand) for operand in operands], build, zero=None if never_zero else 1)

    def call(self, function: Function, arguments: tuple[Term, ...]) -> _Part:
        """The code of a function's value: Python's own function, or the code of its definition."""
        meaning = MEANINGS[function]
        if meaning.python is None:
            with self.bound(arguments):
                return self.term(cast("Term", meaning.definition))
        if len(arguments) == 1 and meaning.most is None and meaning.of_reals:
            return self.term(arguments[0])  # Python's min and max of one number ask for its elements
        if meaning.domain == TRUE:
            python = meaning.python
            return self.strict([self.term(argument) for argument in arguments], lambda v: _called(python, v))
        with self.bound(arguments):
            parts = [self.term(parameter) for parameter in PARAMETERS[: len(arguments)]]
            domain = self.formula(meaning.domain)
        tests = [_test(part.value, ast.IsNot(), ast.Constant(None)) for part in parts if part.partial]
        tests.append(_is(domain.value, True) if domain.partial else domain.value)
        called = _called(meaning.python, [part.value for part in parts])
        return _Part(self.kept(ast.IfExp(_joined(ast.And(), tests), called, ast.Constant(None))), partial=True)

    @contextmanager
    def bound(self, arguments: tuple[Term, ...]) -> Iterator[None]:
        """While open, the parameters of the table of functions stand for the arguments, computed once."""
        parts = [self.term(argument) for argument in arguments]
        before = self.arguments
        self.arguments = {
            parameter.id: _Part(self.kept(part.value), part.partial)
            for parameter, part in zip(PARAMETERS, parts, strict=False)
        }
        try:
            yield
        finally:
            self.arguments = before

    def chosen(self, condition: _Part, then: _Part, otherwise: _Part) -> _Part:
        """The code of a conditional: only the branch that is taken has to be defined."""
        if not condition.partial:
            partial = then.partial or otherwise.partial
            return _Part(ast.IfExp(condition.value, then.value, otherwise.value), partial)
        decided = self.kept(condition.value)
        taken = ast.IfExp(decided, then.value, otherwise.value)
        return _Part(ast.IfExp(_is(decided, None), ast.Constant(None), taken), partial=True)

    def formula(self, formula: Formula) -> _Part:
        """The code of a formula."""
        match formula:
            case Bool(value):
                return _Part(ast.Constant(value))
            case Compare(operands, relations):
                return self.compare(operands, relations)
            case Member(item, collection):
                return self.member(item, collection)
            case Test(predicate, arguments):
                return self.test(predicate, arguments)
            case Not(operand):
                return self.strict([self.formula(operand)], lambda v: ast.UnaryOp(ast.Not(), v[0]))
            case And(operands):
                return self.connected([self.formula(o) for o in operands], deciding=False)
            case Or(operands):
                return self.connected([self.formula(o) for o in operands], deciding=True)
            case Implies(premise, conclusion):
                denied = self.strict([self.formula(premise)], lambda v: ast.UnaryOp(ast.Not(), v[0]))
                return self.connected([denied, self.formula(conclusion)], deciding=True)
            case Choice(condition, then, otherwise):
                return self.chosen(self.formula(condition), self.formula(then), self.formula(otherwise))
            case _:
                assert_never(formula)

    def compare(self, operands: tuple[Term, ...], relations: tuple[Relation, ...]) -> _Part:
        """The code of a chain of comparisons. Those of Python between numbers are exact, of a float and an int too."""
        plain = [self.number(operand) for operand in operands] if self.floats else []
        parts = [self.term(o) for o in operands] if None in plain or not plain else [_Part(v) for v in plain if v]
        signs = [_RELATIONS[relation]() for relation in relations]
        if not any(part.partial for part in parts):
            return _Part(ast.Compare(parts[0].value, signs, [part.value for part in parts[1:]]))
        parts = [_Part(self.kept(part.value), part.partial) for part in parts]
        links = [
            self.strict(pair, lambda v, sign=sign: _test(v[0], sign, v[1]))  # type: ignore[misc]
            for pair, sign in zip(pairwise(parts), signs, strict=True)
        ]
        return self.connected(links, deciding=False)

    def member(self, item: Term, collection: SetOf | RangeOf) -> _Part:
        """The code of a membership."""
        match collection:
            case SetOf(elements):
                parts = [self.term(element) for element in elements]
                found = self.term(item)
                if not found.partial and not any(part.partial for part in parts):
                    return _Part(_test(found.value, ast.In(), _tuple([part.value for part in parts])))
                found = _Part(self.kept(found.value), found.partial)
                equal = [self.strict([found, part], lambda v: _test(v[0], ast.Eq(), v[1])) for part in parts]
                return self.connected(equal, deciding=True)
            case RangeOf(start, stop, step):
                parts = [self.term(item), self.term(start), self.term(stop)]
                in_range = lambda v: _test(v[0], ast.In(), _called("range", [v[1], v[2], ast.Constant(step)]))  # noqa: E731
                return self.strict(parts, in_range)
            case _:
                assert_never(collection)

    def test(self, predicate: Predicate, arguments: tuple[Term, ...]) -> _Part:
        """The code of a predicate."""
        match predicate:
            case Predicate.IS_POWER_OF_TWO:
                part = self.term(arguments[0])
                return self.strict([_Part(self.kept(part.value), part.partial)], _is_power_of_two)
            case _:
                with self.bound(arguments):
                    return self.formula(cast("Formula", MEANINGS[predicate].definition))

    def connected(self, parts: Sequence[_Part], *, deciding: bool) -> _Part:
        """Kleene's disjunction where True decides, his conjunction where False does."""
        join: ast.boolop = ast.Or() if deciding else ast.And()
        if not any(part.partial for part in parts):
            return _Part(_joined(join, [part.value for part in parts], empty=not deciding))
        values = [self.kept(part.value) for part in parts]
        decided = _joined(ast.Or(), [_is(value, deciding) for value in values])
        undefined = _joined(ast.Or(), [_is(v, None) for v, part in zip(values, parts, strict=True) if part.partial])
        otherwise = ast.IfExp(undefined, ast.Constant(None), ast.Constant(not deciding))
        return _Part(self.kept(ast.IfExp(decided, ast.Constant(deciding), otherwise)), partial=True)


def _test(left: ast.expr, sign: ast.cmpop, right: ast.expr) -> ast.expr:
    return ast.Compare(left, [sign], [right])


def _is(value: ast.expr, constant: bool | None) -> ast.expr:
    return _test(value, ast.Is(), ast.Constant(constant))


def _joined(sign: ast.boolop, values: list[ast.expr], *, empty: bool = False) -> ast.expr:
    return ast.Constant(empty) if not values else values[0] if len(values) == 1 else ast.BoolOp(sign, values)


def _tuple(values: list[ast.expr]) -> ast.expr:
    return ast.Tuple(values, ast.Load())


def _called(function: str, arguments: list[ast.expr]) -> ast.expr:
    return ast.Call(ast.Name(function, ast.Load()), arguments, [])


def _spine(function: str, sign: ast.operator, values: list[ast.expr]) -> ast.expr:
    if len(values) > _LONGEST_SPINE:
        return _called(function, [_tuple(values)])
    return reduce(lambda left, right: ast.BinOp(left, sign, right), values)


def _floordiv(values: list[ast.expr]) -> ast.expr:
    return ast.BinOp(values[0], ast.FloorDiv(), values[1])


def _mod(values: list[ast.expr]) -> ast.expr:
    return ast.BinOp(values[0], ast.Mod(), values[1])


def _is_power_of_two(values: list[ast.expr]) -> ast.expr:
    (value,) = values
    below = ast.BinOp(value, ast.Sub(), ast.Constant(1))
    single_bit = _test(ast.BinOp(value, ast.BitAnd(), below), ast.Eq(), ast.Constant(0))
    return ast.BoolOp(ast.And(), [_test(value, ast.Gt(), ast.Constant(0)), single_bit])
