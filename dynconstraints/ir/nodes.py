"""The nodes of the language: frozen data, nothing else.

A :data:`Term` denotes an integer, a :data:`Formula` a truth value, both under an assignment of integers to names.
Either is undefined where a divisor is zero; `dynconstraints.ir.evaluate` is the meaning, to the last case.

Invariants, which the smart constructors at the end keep and printing relies on: the first argument of an ``Add`` is no
``Add`` and that of a ``Mul`` no ``Mul`` (left-associated chains are flat, so depth is what the user nested, not what he
listed); ``And`` has no ``And`` and ``Or`` no ``Or`` among its arguments; ``Neg`` holds no literal. Equality and hashes
ignore spans.
"""

from __future__ import annotations

from enum import Enum
from typing import TypeAlias

from dynconstraints.diagnostics.frozen import Frozen
from dynconstraints.diagnostics.source import Span


class Function(Enum):
    """A function from integers to an integer; the value is its spelling."""

    MIN = "min"
    MAX = "max"
    ABS = "abs"
    CEILDIV = "ceildiv"
    ALIGN_UP = "align_up"
    ALIGN_DOWN = "align_down"
    GCD = "gcd"
    LCM = "lcm"


class Predicate(Enum):
    """A function from integers to a truth value; the value is its spelling."""

    DIVIDES = "divides"
    IS_POWER_OF_TWO = "is_power_of_two"


class Relation(Enum):
    """A comparison; the value is its spelling."""

    EQ = "=="
    NE = "!="
    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="

    @property
    def flipped(self) -> Relation:
        """The relation with its sides exchanged: ``a < b`` is ``b > a``."""
        return Relation(self.value.translate(_EXCHANGED))

    @property
    def negated(self) -> Relation:
        """The relation that holds where this one does not."""
        return _NEGATED[self]


_EXCHANGED = str.maketrans("<>", "><")

_NEGATED = {
    Relation.EQ: Relation.NE,
    Relation.NE: Relation.EQ,
    Relation.LT: Relation.GE,
    Relation.GE: Relation.LT,
    Relation.GT: Relation.LE,
    Relation.LE: Relation.GT,
}


class _Node(Frozen, apart=("span",)):
    """What is common to all nodes: equality and hashes ignore spans."""


class Int(_Node):
    """An integer literal of any size and sign."""

    value: int
    span: Span | None = None


class Real(_Node):
    """A float literal: the rational that the finite float holds. Only in constraints over a DynamicFloat."""

    value: float
    span: Span | None = None


class Name(_Node):
    """A named integer."""

    id: str
    span: Span | None = None


class Neg(_Node):
    """``-operand``."""

    operand: Term
    span: Span | None = None


class Add(_Node):
    """The sum of two or more terms; a subtrahend is a ``Neg`` or a negative literal."""

    terms: tuple[Term, ...]
    span: Span | None = None


class Mul(_Node):
    """The product of two or more factors."""

    factors: tuple[Term, ...]
    span: Span | None = None


class FloorDiv(_Node):
    """``dividend // divisor``, rounded towards minus infinity; undefined for divisor 0."""

    dividend: Term
    divisor: Term
    span: Span | None = None


class Mod(_Node):
    """``dividend % divisor``, with the sign of the divisor; undefined for divisor 0."""

    dividend: Term
    divisor: Term
    span: Span | None = None


class Pow(_Node):
    """``base ** exponent`` for a literal exponent of at least 0; ``0**0`` is 1."""

    base: Term
    exponent: int
    span: Span | None = None


class Call(_Node):
    """A function applied to arguments.

    ``ceildiv(a, b)`` is ``-(-a // b)``, ``align_up(a, m)`` is ``ceildiv(a, m)*m``, ``align_down(a, m)`` is ``a//m*m``;
    each undefined for a zero second argument. ``gcd`` and ``lcm`` are never negative; ``gcd(0, 0)`` and
    ``lcm(0, x)`` are 0.
    """

    function: Function
    arguments: tuple[Term, ...]
    span: Span | None = None


class IfElse(_Node):
    """``then if condition else otherwise``; only the branch that is taken has to be defined."""

    condition: Formula
    then: Term
    otherwise: Term
    span: Span | None = None


Term: TypeAlias = Int | Real | Name | Neg | Add | Mul | FloorDiv | Mod | Pow | Call | IfElse


class Bool(_Node):
    """``true`` or ``false``."""

    value: bool
    span: Span | None = None


class Compare(_Node):
    """A chain ``operands[0] relations[0] operands[1] …``: the conjunction of its links, as in Python."""

    operands: tuple[Term, ...]
    relations: tuple[Relation, ...]
    span: Span | None = None


class SetOf(_Node):
    """The set of the elements' values."""

    elements: tuple[Term, ...]
    span: Span | None = None


class RangeOf(_Node):
    """Python's ``range(start, stop, step)`` for a literal step other than 0."""

    start: Term
    stop: Term
    step: int = 1
    span: Span | None = None


class Member(_Node):
    """``item in collection``."""

    item: Term
    collection: SetOf | RangeOf
    span: Span | None = None


class Test(_Node):
    """A predicate applied to arguments.

    ``divides(d, e)`` is ``e % d == 0``, undefined for ``d == 0``; ``is_power_of_two(e)`` is membership in {1, 2, 4, …}.
    """

    predicate: Predicate
    arguments: tuple[Term, ...]
    span: Span | None = None


class Not(_Node):
    """``not operand``."""

    operand: Formula
    span: Span | None = None


class And(_Node):
    """The conjunction of two or more formulas."""

    operands: tuple[Formula, ...]
    span: Span | None = None


class Or(_Node):
    """The disjunction of two or more formulas."""

    operands: tuple[Formula, ...]
    span: Span | None = None


class Implies(_Node):
    """``premise => conclusion``, right associative: ``not premise or conclusion``."""

    premise: Formula
    conclusion: Formula
    span: Span | None = None


class Choice(_Node):
    """``then if condition else otherwise`` between formulas; only the branch that is taken has to be defined."""

    condition: Formula
    then: Formula
    otherwise: Formula
    span: Span | None = None


Formula: TypeAlias = Bool | Compare | Member | Test | Not | And | Or | Implies | Choice
Node: TypeAlias = Term | Formula


TRUE, FALSE = Bool(True), Bool(False)


def of_integers_only(literal: Real) -> TypeError:
    """What a reading that knows integers alone raises at a float literal.

    The parser lets float literals through only where it is asked to, so no constraint over a DynamicInt comes here.
    """
    return TypeError(f"a constraint over integers holds the float {literal.value!r}")


def negated(term: Term, span: Span | None = None) -> Term:
    """``-term``; a literal takes the sign itself."""
    match term:
        case Int(value):
            return Int(-value, span)
        case Real(value):
            return Real(-value, span)
    return Neg(term, span)


def total(terms: tuple[Term, ...], span: Span | None = None) -> Term:
    """The sum of one or more terms, its left spine flat; the sum of none is 0."""
    match terms:
        case ():
            return Int(0, span)
        case (only,):
            return only
        case (Add(inner), *rest):
            return Add((*inner, *rest), span)
    return Add(terms, span)


def product(factors: tuple[Term, ...], span: Span | None = None) -> Term:
    """The product of one or more factors, its left spine flat; the product of none is 1."""
    match factors:
        case ():
            return Int(1, span)
        case (only,):
            return only
        case (Mul(inner), *rest):
            return Mul((*inner, *rest), span)
    return Mul(factors, span)


def conjunction(formulas: tuple[Formula, ...], span: Span | None = None) -> Formula:
    """The conjunction of the formulas, nested ones spliced in; of none it is ``true``."""
    flat = [inner for f in formulas for inner in (f.operands if isinstance(f, And) else (f,))]
    return TRUE if not flat else flat[0] if len(flat) == 1 else And(tuple(flat), span)


def disjunction(formulas: tuple[Formula, ...], span: Span | None = None) -> Formula:
    """The disjunction of the formulas, nested ones spliced in; of none it is ``false``."""
    flat = [inner for f in formulas for inner in (f.operands if isinstance(f, Or) else (f,))]
    return FALSE if not flat else flat[0] if len(flat) == 1 else Or(tuple(flat), span)


def comparison(left: Term, relation: Relation, right: Term) -> Compare:
    """The comparison of two terms."""
    return Compare((left, right), (relation,))
