"""Terms -> polynomials within a case; what the case leaves open is asked for by an exception, for a case split."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache, reduce
from types import MappingProxyType
from typing import cast

from dynconstraints.diagnostics.matching import assert_never
from dynconstraints.ir.fold import walk
from dynconstraints.ir.functions import MEANINGS, PARAMETERS
from dynconstraints.ir.nodes import (
    Add,
    Call,
    Compare,
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
    Relation,
    Term,
    comparison,
    of_integers_only,
    product,
    total,
)
from dynconstraints.solver.algebra.polynomial import Polynomial, TooLarge
from dynconstraints.solver.limits import CASE_DEGREE
from dynconstraints.solver.tableau.branch import Case
from dynconstraints.solver.tableau.division import divide
from dynconstraints.solver.tableau.gcd import gcd_of, lcm_of


class Undecided(Exception):  # noqa: N818  (it asks for a case split)
    """The case does not say whether ``condition`` holds."""

    def __init__(self, condition: Formula) -> None:
        super().__init__(condition)
        self.condition = condition


def polynomial(case: Case, term: Term) -> Polynomial:
    """The value of the term in the case.

    Raises Undecided, Undefined, UnknownSign or Contradiction (see `quotients`), TooLarge where the normal form is.
    """
    return case.image(_value(case, _without_choices(case, term)))


def _without_choices(case: Case, term: Term) -> Term:
    """The term with each conditional, min, max and abs replaced by the branch that is taken."""
    if not _has_choices(term):
        return term
    match term:
        case Int() | Name():
            return term
        case Neg(operand):
            return Neg(_without_choices(case, operand))
        case Add(terms):
            return total(tuple(_without_choices(case, t) for t in terms))
        case Mul(factors):
            return product(tuple(_without_choices(case, f) for f in factors))
        case FloorDiv(dividend, divisor):
            return FloorDiv(_without_choices(case, dividend), _without_choices(case, divisor))
        case Mod(dividend, divisor):
            return Mod(_without_choices(case, dividend), _without_choices(case, divisor))
        case Pow(base, exponent):
            return Pow(_without_choices(case, base), exponent)
        case Call(Function.MIN, arguments):
            arguments = tuple(_without_choices(case, argument) for argument in arguments)
            return reduce(lambda a, b: a if _decided(case, comparison(a, Relation.LE, b)) else b, arguments)
        case Call(Function.MAX, arguments):
            arguments = tuple(_without_choices(case, argument) for argument in arguments)
            return reduce(lambda a, b: b if _decided(case, comparison(a, Relation.LE, b)) else a, arguments)
        case Call(Function.ABS, (argument,)):
            argument = _without_choices(case, argument)
            return argument if _decided(case, comparison(Int(0), Relation.LE, argument)) else Neg(argument)
        case Call(function, arguments):
            return Call(function, tuple(_without_choices(case, argument) for argument in arguments))
        case IfElse(condition, then, otherwise):
            return _without_choices(case, then if _decided(case, condition) else otherwise)
        case Real():
            raise of_integers_only(term)
        case _:
            assert_never(term)


@lru_cache(maxsize=4096)
def _has_choices(term: Term) -> bool:
    chosen = (Function.MIN, Function.MAX, Function.ABS)
    return any(isinstance(n, IfElse) or (isinstance(n, Call) and n.function in chosen) for n in walk(term))


def _decided(case: Case, condition: Formula) -> bool:
    if condition not in case.decided:
        seen = _seen(case, condition)
        if seen is None:
            raise Undecided(condition)
        case.decided[condition] = seen
    return case.decided[condition]


def _seen(case: Case, condition: Formula) -> bool | None:
    """Whether the condition holds, where the case shows it."""
    match condition:
        case Compare((left, right), (relation,)):
            ahead = case.image(polynomial(case, right) - polynomial(case, left))
        case _:
            return None
    match relation:
        case Relation.LE | Relation.LT:
            low, high = (0, 1) if relation is Relation.LE else (1, 0)
            return True if case.proves(ahead - low) else False if case.proves(-ahead - high) else None
        case Relation.GE | Relation.GT:
            low, high = (0, 1) if relation is Relation.GE else (1, 0)
            return True if case.proves(-ahead - low) else False if case.proves(ahead - high) else None
        case _:
            return None if ahead and not ahead.is_constant else (not ahead) is (relation is Relation.EQ)


def _value(case: Case, term: Term, bound: Mapping[str, Polynomial] = MappingProxyType({})) -> Polynomial:
    """``bound`` are the arguments of the definition that the term is a part of."""

    def go(t: Term) -> Polynomial:
        return _value(case, t, bound)

    match term:
        case Int(value):
            return Polynomial.constant(value)
        case Name(id):
            return bound[id] if id in bound else Polynomial.unknown(id)
        case Neg(operand):
            return -go(operand)
        case Add(terms):
            return reduce(lambda a, b: a + b, map(go, terms))
        case Mul(factors):
            return reduce(lambda a, b: a * b, (case.image(go(f)) for f in factors))
        case FloorDiv(dividend, divisor):
            return divide(case, go(dividend), go(divisor))[0]
        case Mod(dividend, divisor):
            return divide(case, go(dividend), go(divisor))[1]
        case Pow(base, exponent):
            if exponent > CASE_DEGREE and not isinstance(base, Int):
                raise TooLarge
            return Polynomial.constant(base.value**exponent) if isinstance(base, Int) else go(base) ** exponent
        case Call(function, arguments):
            return _call(case, function, tuple(map(go, arguments)))
        case IfElse():
            raise AssertionError("conditionals are resolved before")
        case Real():
            raise of_integers_only(term)
        case _:
            assert_never(term)


def _call(case: Case, function: Function, arguments: tuple[Polynomial, ...]) -> Polynomial:
    match function:
        case Function.GCD:
            return gcd_of(case, arguments)
        case Function.LCM:
            return lcm_of(case, arguments)
        case Function.MIN | Function.MAX | Function.ABS:
            raise AssertionError("choices are resolved before")
        case _:
            definition = MEANINGS[function].definition
            if definition is None:
                raise TooLarge  # for a law there are no cases here: the domains and z3 know it
            bound = {parameter.id: argument for parameter, argument in zip(PARAMETERS, arguments, strict=False)}
            return _value(case, cast("Term", definition), bound)


def difference(left: Term, right: Term) -> Polynomial | None:
    """The one minus the other over their names; None where one is no polynomial, or too large a one."""
    if not all(isinstance(node, Int | Name | Neg | Add | Mul | Pow) for side in (left, right) for node in walk(side)):
        return None
    try:
        return polynomial(Case(), left) - polynomial(Case(), right)
    except TooLarge:
        return None
