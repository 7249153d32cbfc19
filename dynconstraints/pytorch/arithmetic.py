"""How arithmetic keeps the link: the expression of a derived integer over the names, folded as it grows.

A linked integer is its *base* plus a constant: the base is a linear combination of atoms (names, and operations that are
not linear), and the constant is the difference of the two values, so it is stored nowhere. Adding a constant therefore
shares the base, sums of bases merge their atoms, and only other operations grow. Beyond ``LARGEST`` nodes an expression
is given up: the integer is then anonymous, which is always sound.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from dynconstraints.ir.fold import walk
from dynconstraints.ir.nodes import Call, Function, Int, Mul, Name, Pow, Term, negated, product, total
from dynconstraints.pytorch.declaration import Binding

LARGEST = 128
"""The most nodes that an expression may have, counted as a tree."""

_LIMIT = 2**63
"""Coefficients stay below this in size: a loop that doubles 0 a million times must not grow them."""

Build: TypeAlias = Callable[..., Term]


class Operation(NamedTuple):
    """An operation that is not linear, not yet materialised; equal operations on equal operands are equal."""

    build: Build
    operands: tuple[Operand, ...]


Atom: TypeAlias = "Term | Operation"
Terms: TypeAlias = "tuple[tuple[Atom, int], ...]"
Operand: TypeAlias = "tuple[Terms, int]"


class Base(NamedTuple):
    """A linear combination of atoms: atoms with their coefficients, its value, the bindings of its names, its size."""

    terms: Terms
    value: int
    bindings: tuple[Binding, ...]
    size: int


CONSTANT = Base((), 0, (), 0)
"""The base of a plain integer."""


def named(binding: Binding) -> Base:
    """The base of the integer that the binding declares."""
    return Base(((Name(binding.name), 1),), binding.value, (binding,), 1)


def opaque(term: Term, value: int, bindings: tuple[Binding, ...], size: int) -> Base | None:
    """The base of an integer given as a term and its value; None where the term is too large."""
    return Base(((term, 1),), value, bindings, size) if bindings and size <= LARGEST else None


def scaled(base: Base, factor: int) -> Base | None:
    """``base * factor``; None where no name is left, or a coefficient is out of range."""
    terms = tuple((atom, c * factor) for atom, c in base.terms)
    if factor == 0 or any(not -_LIMIT <= c < _LIMIT for _, c in terms):
        return None
    return Base(terms, base.value * factor, base.bindings, base.size)


def combined(left: Base, right: Base, factor: int) -> Base | None:
    """``left + factor*right``; None where no name is left, the names disagree, or it is too large."""
    bindings = together(left.bindings, right.bindings)
    coefficients = dict(left.terms)
    for atom, c in right.terms:
        coefficients[atom] = coefficients.get(atom, 0) + factor * c
    terms = tuple((atom, c) for atom, c in coefficients.items() if c)
    if not terms or bindings is None or any(not -_LIMIT <= c < _LIMIT for _, c in terms):
        return None
    size = sum(_size(atom) for atom, _ in terms)
    return Base(terms, left.value + factor * right.value, bindings, size) if size <= LARGEST else None


def applied(build: Build, value: int, *operands: tuple[Base, int]) -> Base | None:
    """The operation applied to (base, value) operands; ``value`` is its result's."""
    bindings: tuple[Binding, ...] | None = ()
    size = 1
    for base, _ in operands:
        bindings = None if bindings is None else together(bindings, base.bindings)
        size += base.size + 1
    if not bindings or size > LARGEST:
        return None
    operation = Operation(build, tuple((base.terms, v - base.value) for base, v in operands))
    return Base(((operation, 1),), value, bindings, size)


def together(left: tuple[Binding, ...], right: tuple[Binding, ...]) -> tuple[Binding, ...] | None:
    """The bindings of both, each once; None where they give one name two values."""
    if left is right or not right:
        return left
    for a in left:
        for b in right:
            if a.name == b.name and a.value != b.value:
                return None
    return left + tuple(b for b in right if b not in left)


def expression(terms: Terms, constant: int) -> Term:
    """The sum of the terms and the constant, as a term of the language: what is added first, then what is taken away."""
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
    factors = term.factors if isinstance(term, Mul) else (term,)
    return product((Int(coefficient), *factors))


def _less(atom: Atom, coefficient: int) -> Term:
    return negated(_multiple(atom, -coefficient))


def _term(atom: Atom) -> Term:
    if isinstance(atom, Operation):
        return atom.build(*(expression(terms, constant) for terms, constant in atom.operands))
    return atom


def _size(atom: Atom) -> int:
    if isinstance(atom, Operation):
        return 1 + sum(1 + sum(_size(a) for a, _ in terms) for terms, _ in atom.operands)
    return 1 if isinstance(atom, Name) else sum(1 for _ in walk(atom))
