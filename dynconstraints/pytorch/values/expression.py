"""How arithmetic keeps the link: the expression of a derived integer over the names, folded as it grows.

A linked integer is its *base* plus a constant: the base is a linear combination of atoms (names, and operations that
are not linear), and the constant is the difference of the two values, so it is stored nowhere. Adding a constant
therefore shares the base, sums of bases merge their atoms, and only other operations grow. Beyond ``LARGEST`` nodes an
expression is given up: the integer is then anonymous, which is always sound.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from dynconstraints.facts.domains.linear_forms import affine_of
from dynconstraints.ir.fold import walk
from dynconstraints.ir.nodes import Call, Function, Int, Mul, Name, Pow, Term, negated, product, total
from dynconstraints.pytorch.declarations.declaration import Binding

LARGEST = 128
"""The most nodes that an expression may have, counted as a tree."""

_LIMIT = 2**63
"""Coefficients stay below this in size: a loop that doubles 0 a million times must not grow them."""

Build: TypeAlias = Callable[..., Term]


class Operation(NamedTuple):
    """An operation that is not linear, not yet materialised; equal operations on equal operands are equal."""

    build: Build
    operands: tuple[Operand, ...]


Atom: TypeAlias = "str | Term | Operation"
Terms: TypeAlias = "tuple[tuple[Atom, int], ...]"
Operand: TypeAlias = "tuple[Terms, int]"


class Base(NamedTuple):
    """A linear combination of atoms with non-zero coefficients, its value, the bindings of its names, and a size.

    An atom that is a string is a name. ``size`` is at least the number of nodes, counted as a tree.
    """

    terms: Terms
    value: int
    bindings: tuple[Binding, ...]
    size: int


CONSTANT = Base((), 0, (), 0)
"""The base of a plain integer."""


def named(binding: Binding) -> Base:
    """The base of the integer that the binding declares."""
    return Base(((binding.name, 1),), binding.value, (binding,), 1)


def opaque(term: Term, value: int, bindings: tuple[Binding, ...]) -> Base | None:
    """The base of an integer given as a term and its value; None where no name is in it, or it is too large."""
    size = _size(term)
    if not bindings or size > LARGEST:
        return None
    affine = affine_of(term)
    if affine is None or not affine.coefficients:
        return Base(((term, 1),), value, bindings, size)
    return Base(affine.coefficients, value - affine.constant, bindings, size)


def scaled(base: Base, factor: int) -> Base | None:
    """``factor * base``; None where no name is left, or a coefficient is out of range."""
    if not factor:
        return None
    terms = []
    for atom, coefficient in base.terms:
        product = coefficient * factor
        if not -_LIMIT < product < _LIMIT:
            return None
        terms.append((atom, product))
    return Base(tuple(terms), base.value * factor, base.bindings, base.size)


def combined(left: Base, right: Base, factor: int) -> Base | None:
    """``left + factor*right``; None where no name is left, a name has two values, or it is too large."""
    coefficients = dict(left.terms)
    for atom, coefficient in right.terms:
        merged = coefficients.get(atom, 0) + factor * coefficient
        if not merged:
            del coefficients[atom]
        elif -_LIMIT < merged < _LIMIT:
            coefficients[atom] = merged
        else:
            return None
    size = left.size + right.size
    if size > LARGEST:  # a bound; atoms that met have been counted twice
        size = sum(map(_size, coefficients))
    bindings = together(left.bindings, right.bindings)
    if not coefficients or not bindings or size > LARGEST:
        return None
    return Base(tuple(coefficients.items()), left.value + factor * right.value, bindings, size)


def applied(build: Build, value: int, *operands: tuple[Base, int]) -> Base | None:
    """The operation applied to operands, each a base and a value, with its result's value; None if it is too large."""
    bindings: tuple[Binding, ...] | None = ()
    parts, size = [], 1
    for base, operand in operands:
        bindings = None if bindings is None else together(bindings, base.bindings)
        parts.append((base.terms, operand - base.value))
        size += base.size + 1
    if not bindings or size > LARGEST:
        return None
    return Base(((Operation(build, tuple(parts)), 1),), value, bindings, size)


def together(left: tuple[Binding, ...], right: tuple[Binding, ...]) -> tuple[Binding, ...] | None:
    """The bindings of both, each once; None where they give one name two values."""
    if left is right or not right:
        return left
    if not left:
        return right
    fresh = []
    for b in right:
        for a in left:
            if a is b:
                break
            if a.name == b.name:
                if a.value != b.value:
                    return None
                if a.constraints == b.constraints:
                    break
        else:
            fresh.append(b)
    return (*left, *fresh)


def expression(terms: Terms, constant: int) -> Term:
    """The sum of the terms and the constant in the language: what is added first, then what is taken away."""
    if not terms:
        return Int(constant)
    added = [_multiple(atom, c) for atom, c in terms if c > 0]
    if constant and (constant > 0 or added):
        added.append(Int(constant))
    if not added:
        (atom, c), *rest = terms
        return total((_multiple(atom, c), *(_less(a, k) for a, k in rest), *((Int(constant),) if constant else ())))
    return total((*added, *(_less(atom, c) for atom, c in terms if c < 0)))


def power(base: Term, exponent: Term) -> Term:
    """``base ** exponent`` for a literal exponent."""
    if not isinstance(exponent, Int):
        raise TypeError(f"the exponent is no literal: {exponent!r}")
    return Pow(base, exponent.value)


def times(left: Term, right: Term) -> Term:
    """``left * right``."""
    return product((left, right))


def absolute(operand: Term) -> Term:
    """``abs(operand)``."""
    return Call(Function.ABS, (operand,))


def minimum(left: Term, right: Term) -> Term:
    """``min(left, right)``."""
    return Call(Function.MIN, (left, right))


def maximum(left: Term, right: Term) -> Term:
    """``max(left, right)``."""
    return Call(Function.MAX, (left, right))


def _multiple(atom: Atom, coefficient: int) -> Term:
    term = _term(atom)
    if coefficient == 1:
        return term
    if coefficient == -1:
        return negated(term)
    match term:
        case Mul((Int(factor), *rest)):
            return product((Int(coefficient * factor), *rest))
        case Mul(factors):
            return product((Int(coefficient), *factors))
    return product((Int(coefficient), term))


def _less(atom: Atom, coefficient: int) -> Term:
    return negated(_multiple(atom, -coefficient))


def _term(atom: Atom) -> Term:
    if isinstance(atom, str):
        return Name(atom)
    if isinstance(atom, Operation):
        return atom.build(*(expression(terms, constant) for terms, constant in atom.operands))
    return atom


def _size(atom: Atom) -> int:
    if isinstance(atom, str):
        return 1
    if isinstance(atom, Operation):
        return 1 + sum(1 + sum(_size(a) for a, _ in terms) for terms, _ in atom.operands)
    return sum(1 for _ in walk(atom))
