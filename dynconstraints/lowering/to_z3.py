"""IR -> z3, in a context that the caller owns: each formula twice, as *is true* and as *is false*.

A formula of the language has three values; z3's have two. So each formula is lowered to the pair of its definite truth
and its definite falsehood, both false where the formula is undefined (see `dynconstraints.ir.evaluate`), and each term
to a total expression with the condition under which it has a value. z3's ``div`` rounds so that the remainder is never
negative; it agrees with floor division for positive divisors, and negating both operands makes every divisor positive.

The pairs are exact but for ``is_power_of_two`` above 2**64, which z3's arithmetic cannot express: there a free boolean
says which multiples of 2**64 are powers. Unsatisfiability is thereby always right; a model has to be confirmed by the
evaluator.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from functools import reduce
from itertools import pairwise
from typing import Any, NamedTuple, cast

import z3

from dynconstraints.diagnostics.matching import assert_never
from dynconstraints.ir.functions import MEANINGS, PARAMETERS, VALUE
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

# Above this, the divisors of a literal argument of gcd and lcm are not listed; Bézout's identity is used instead.
_LISTED_DIVISORS_OF = 4096
_POWERS = 64


class Truth(NamedTuple):
    """When the formula is definitely true, and when it is definitely false."""

    true: Any
    false: Any


class Valued(NamedTuple):
    """A total expression, and when its value is the term's; where it is not, the term is undefined."""

    value: Any
    defined: Any


class Encoder:
    """Lowers formulas into one z3 context.

    ``sides`` collects the definitions of helper symbols; they constrain nothing else, and each query has to assert
    them. With ``fresh_quotients`` a symbolic divisor gets a fresh quotient and remainder, which z3 reasons about better
    than about its own ``div``; without it the expressions need no side definitions, but for gcd and lcm. ``reals`` are
    the names that are real numbers; the others are integers.
    """

    def __init__(self, context: Any, fresh_quotients: bool = True, reals: frozenset[str] = frozenset()) -> None:
        self.context = context
        self.names: dict[str, Any] = {}
        self.sides: list[Any] = []
        self._fresh_quotients = fresh_quotients
        self._reals = reals
        self._divisions: dict[tuple[int, int], tuple[Any, Any, Any, Any]] = {}
        self._powers: dict[int, Any] = {}
        self._by_law: dict[tuple[Function, tuple[int, ...]], tuple[Any, tuple[Valued, ...]]] = {}
        self._bound: dict[str, Valued] = {}
        self._count = 0
        self._true = z3.BoolVal(True, context)
        self._false = z3.BoolVal(False, context)

    def name(self, name: str) -> Any:
        """The z3 symbol of a name."""
        if name not in self.names:
            self.names[name] = (z3.Real if name in self._reals else z3.Int)(name, self.context)
        return self.names[name]

    def true(self, formula: Formula) -> Any:
        """The expression of the formula being defined and true."""
        return self.formula(formula).true

    def not_true(self, formula: Formula) -> Any:
        """The expression of the formula being false or undefined."""
        return z3.Not(self.formula(formula).true, self.context)

    def formula(self, formula: Formula) -> Truth:
        """Definite truth and definite falsehood of the formula."""
        match formula:
            case Bool(value):
                return Truth(self._true, self._false) if value else Truth(self._false, self._true)
            case Compare(operands, relations):
                values = [self.term(operand) for operand in operands]
                links = zip(relations, pairwise(values), strict=True)
                return self._all([self._link(relation, left, right) for relation, (left, right) in links])
            case Member(item, SetOf(elements)):
                sought = self.term(item)
                return self._any([self._link(Relation.EQ, sought, self.term(element)) for element in elements])
            case Member(item, RangeOf() as collection):
                return self._in_range(self.term(item), collection)
            case Member():
                raise TypeError(f"not a collection: {formula.collection!r}")
            case Test(predicate, arguments):
                return self._test(predicate, arguments)
            case Not(operand):
                pair = self.formula(operand)
                return Truth(pair.false, pair.true)
            case And(operands):
                return self._all([self.formula(operand) for operand in operands])
            case Or(operands):
                return self._any([self.formula(operand) for operand in operands])
            case Implies(premise, conclusion):
                held = self.formula(premise)
                return self._any([Truth(held.false, held.true), self.formula(conclusion)])
            case Choice(condition, then, otherwise):
                chosen, a, b = self.formula(condition), self.formula(then), self.formula(otherwise)
                return Truth(
                    z3.Or(z3.And(chosen.true, a.true), z3.And(chosen.false, b.true)),
                    z3.Or(z3.And(chosen.true, a.false), z3.And(chosen.false, b.false)),
                )
            case _:
                assert_never(formula)

    def term(self, term: Term) -> Valued:
        """The value of the term, and when it has one."""
        match term:
            case Int(value):
                return Valued(z3.IntVal(value, self.context), self._true)
            case Name(id):
                return self._bound[id] if id in self._bound else Valued(self.name(id), self._true)
            case Neg(operand):
                inner = self.term(operand)
                return Valued(-inner.value, inner.defined)
            case Add(terms):
                return self._fold(terms, lambda a, b: a + b)
            case Mul(factors):
                return self._fold(factors, lambda a, b: a * b)
            case FloorDiv(dividend, divisor):
                return self._division(dividend, divisor, 0)
            case Mod(dividend, divisor):
                return self._division(dividend, divisor, 1)
            case Pow(base, exponent):
                inner = self.term(base)
                one = z3.IntVal(1, self.context)
                return Valued(reduce(lambda a, b: a * b, [inner.value] * exponent) if exponent else one, inner.defined)
            case Call(function, arguments):
                return self._call(function, arguments)
            case IfElse(condition, then, otherwise):
                chosen, a, b = self.formula(condition), self.term(then), self.term(otherwise)
                defined = self._or(self._and(chosen.true, a.defined), self._and(chosen.false, b.defined))
                return Valued(z3.If(chosen.true, a.value, b.value), defined)
            case Real(value):
                return Valued(z3.RealVal(str(Fraction(value)), self.context), self._true)
            case _:
                assert_never(term)

    def _fold(self, terms: tuple[Term, ...], operation: Callable[[Any, Any], Any]) -> Valued:
        values = [self.term(term) for term in terms]
        return Valued(reduce(operation, (v.value for v in values)), self._and(*(v.defined for v in values)))

    def _defined(self, terms: tuple[Term, ...]) -> Any:
        return self._and(*(self.term(term).defined for term in terms))

    def _division(self, dividend: Term, divisor: Term, part: int) -> Valued:
        a, b = self.term(dividend), self.term(divisor)
        literal = z3.simplify(b.value) if not isinstance(divisor, Name) else b.value
        if z3.is_int_value(literal):
            nonzero = self._true if literal.as_long() else self._false
            return Valued(self._by_literal(a.value, literal.as_long())[part], self._and(a.defined, b.defined, nonzero))
        defined = self._and(a.defined, b.defined, b.value != 0)
        return Valued(self._by_symbol(a.value, b.value)[part], defined)

    def _by_literal(self, a: Any, b: int) -> tuple[Any, Any]:
        if b == 0:
            return a, a  # of no consequence: undefined
        if b > 0:
            return a / b, a % b
        return (-a) / -b, -((-a) % -b)

    def _by_symbol(self, a: Any, b: Any) -> tuple[Any, Any]:
        """Quotient and remainder, for a nonzero divisor."""
        key = (a.get_id(), b.get_id())
        if key not in self._divisions:
            if self._fresh_quotients:
                q, r = self._helper("q"), self._helper("r")
                within = z3.If(b > 0, z3.And(r >= 0, r < b), z3.And(b < r, r <= 0))
                self.sides.append(z3.Implies(b != 0, z3.And(a == b * q + r, within)))
            else:
                q = z3.If(b > 0, a / b, (-a) / -b)
                r = z3.If(b > 0, a % b, -((-a) % -b))
            # The operands are kept: z3 gives the id of a dead expression to another.
            self._divisions[key] = (q, r, a, b)
        return self._divisions[key][:2]

    def _helper(self, kind: str) -> Any:
        self._count += 1
        return z3.Int(f"{kind}!{self._count}", self.context)  # no name of the language has a `!`

    def _link(self, relation: Relation, left: Valued, right: Valued) -> Truth:
        a, b = left.value, right.value
        match relation:
            case Relation.EQ:
                holds, fails = a == b, a != b
            case Relation.NE:
                holds, fails = a != b, a == b
            case Relation.LT:
                holds, fails = a < b, a >= b
            case Relation.LE:
                holds, fails = a <= b, a > b
            case Relation.GT:
                holds, fails = a > b, a <= b
            case Relation.GE:
                holds, fails = a >= b, a < b
            case _:
                assert_never(relation)
        defined = (left.defined, right.defined)
        return Truth(self._and(*defined, holds), self._and(*defined, fails))

    def _in_range(self, item: Valued, collection: RangeOf) -> Truth:
        start, stop = self.term(collection.start), self.term(collection.stop)
        first, value, last, step = start.value, item.value, stop.value, collection.step
        between = z3.And(first <= value, value < last) if step > 0 else z3.And(last < value, value <= first)
        inside = between if abs(step) == 1 else z3.And(between, (value - first) % abs(step) == 0)
        defined = (item.defined, start.defined, stop.defined)
        return Truth(self._and(*defined, inside), self._and(*defined, z3.Not(inside)))

    def _test(self, predicate: Predicate, arguments: tuple[Term, ...]) -> Truth:
        match predicate:
            case Predicate.IS_POWER_OF_TWO:
                value, defined = self.term(arguments[0])
                power = self._power_of_two(value)
                return Truth(self._and(defined, power), self._and(defined, z3.Not(power)))
            case _:
                with self._arguments(arguments) as (_, defined):
                    truth = self.formula(cast("Formula", MEANINGS[predicate].definition))
                return Truth(self._and(defined, truth.true), self._and(defined, truth.false))

    def _power_of_two(self, value: Any) -> Any:
        key = value.get_id()
        if key not in self._powers:
            chosen = z3.Bool(f"power!{len(self._powers)}", self.context)
            huge = z3.And(value >= 2**_POWERS, value % 2**_POWERS == 0, chosen)
            self._powers[key] = z3.Or(*(value == 2**k for k in range(_POWERS)), huge)
        return self._powers[key]

    def _call(self, function: Function, arguments: tuple[Term, ...]) -> Valued:
        match function:
            case Function.MIN:
                return self._fold(arguments, lambda a, b: z3.If(a <= b, a, b))
            case Function.MAX:
                return self._fold(arguments, lambda a, b: z3.If(a >= b, a, b))
            case Function.ABS:
                return self._fold((arguments[0], arguments[0]), lambda a, _: z3.If(a >= 0, a, -a))
            case Function.GCD:
                return self._fold((Int(0), *arguments), self._gcd)
            case Function.LCM:
                return self._fold((Int(1), *arguments), self._lcm)
            case _:
                with self._arguments(arguments) as (values, defined):
                    result = self._by_table(function, values)
                return Valued(result.value, self._and(defined, result.defined))

    @contextmanager
    def _arguments(self, arguments: tuple[Term, ...]) -> Iterator[tuple[tuple[Valued, ...], Any]]:
        """While open, the parameters of the table of functions stand for the arguments; with when these are defined."""
        values = tuple(self.term(argument) for argument in arguments)
        before, total = self._bound, [Valued(v.value, self._true) for v in values]
        self._bound = {parameter.id: value for parameter, value in zip(PARAMETERS, total, strict=False)}
        try:
            yield values, self._and(*(v.defined for v in values))
        finally:
            self._bound = before

    def _by_table(self, function: Function, values: tuple[Valued, ...]) -> Valued:
        """The function of the arguments that are bound, by its definition, or by a symbol that obeys its law."""
        meaning = MEANINGS[function]
        if meaning.law is None:
            return self.term(cast("Term", meaning.definition))
        domain = self.true(meaning.domain)
        key = function, tuple(v.value.get_id() for v in values)
        if key not in self._by_law:
            self._by_law[key] = self._helper("v"), values  # z3 gives the id of a dead expression to another
            self._bound[VALUE.id] = Valued(self._by_law[key][0], self._true)
            self.sides.append(z3.Implies(domain, self.true(meaning.law)))
        return Valued(self._by_law[key][0], domain)

    def _gcd(self, a: Any, b: Any) -> Any:
        """The greatest common divisor, by the divisors of a literal, or by Bézout's identity."""
        for x, y in ((a, b), (b, a)):
            literal = _literal(x)
            if literal == 0:
                return z3.If(y >= 0, y, -y)
            if literal is not None and abs(literal) <= _LISTED_DIVISORS_OF:
                return self._by_divisors(y, abs(literal), lambda d: z3.IntVal(d, self.context))
        g, x, y, u, v = (self._helper(kind) for kind in "gxyuv")
        self.sides.append(z3.And(g >= 0, a == g * x, b == g * y, g == a * u + b * v))
        return g

    def _lcm(self, a: Any, b: Any) -> Any:
        for x, y in ((a, b), (b, a)):
            literal = _literal(x)
            if literal is not None and abs(literal) <= _LISTED_DIVISORS_OF:
                return self._lcm_with_literal(abs(literal), y)
        g, multiple, both = self._gcd(a, b), self._helper("m"), a * b
        size = z3.If(both >= 0, both, -both)
        self.sides.append(z3.And(multiple >= 0, multiple * g == size, z3.Implies(g == 0, multiple == 0)))
        return multiple

    def _lcm_with_literal(self, literal: int, value: Any) -> Any:
        if literal == 0:
            return z3.IntVal(0, self.context)
        size = z3.If(value >= 0, value, -value)
        return self._by_divisors(value, literal, lambda d: literal // d * size)

    def _by_divisors(self, value: Any, literal: int, then: Callable[[int], Any]) -> Any:
        """``then(gcd(value, literal))``, by cases from the smallest divisor, which needs no test, to the largest."""
        divisors = [d for d in range(1, literal + 1) if literal % d == 0]
        first, *rest = divisors
        return reduce(lambda other, d: z3.If(value % d == 0, then(d), other), rest, then(first))

    def _all(self, pairs: list[Truth]) -> Truth:
        return Truth(self._and(*(p.true for p in pairs)), self._or(*(p.false for p in pairs)))

    def _any(self, pairs: list[Truth]) -> Truth:
        return Truth(self._or(*(p.true for p in pairs)), self._and(*(p.false for p in pairs)))

    def _and(self, *conditions: Any) -> Any:
        rest = [c for c in conditions if not c.eq(self._true)]
        return self._true if not rest else rest[0] if len(rest) == 1 else z3.And(rest)

    def _or(self, *conditions: Any) -> Any:
        rest = [c for c in conditions if not c.eq(self._false)]
        return self._false if not rest else rest[0] if len(rest) == 1 else z3.Or(rest)


def _literal(value: Any) -> int | None:
    simple = z3.simplify(value)
    return int(simple.as_long()) if z3.is_int_value(simple) else None


def expression(formulas: Iterable[Formula], reals: frozenset[str] = frozenset()) -> Any:
    """The conjunction of the formulas as one z3 expression, in a context of its own (its ``ctx``).

    For gcd and lcm it has helper symbols, whose names have a ``!``: a model of it is one of the formulas without them.
    """
    encoder = Encoder(z3.Context(), fresh_quotients=False, reals=reals)
    true = [encoder.true(formula) for formula in formulas]
    return z3.And([z3.BoolVal(True, encoder.context), *true, *encoder.sides])
