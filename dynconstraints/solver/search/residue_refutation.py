"""Refutation by residues: what a formula says modulo a constant, checked at every combination of residues.

An equation holds modulo every number, and remainders by a literal are functions of the residues modulo a multiple of
it. So each formula has a weaker one about residues; where no combination satisfies the weaker ones together, nothing
satisfies the formulas: ``a*a + b*b == c*c`` has no solution with odd ``a`` and ``b``, by residues modulo 4.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import compress
from math import lcm

from dynconstraints.ir import evaluate_columns
from dynconstraints.ir.fold import children, names, walk
from dynconstraints.ir.nodes import (
    TRUE,
    Add,
    And,
    Bool,
    Call,
    Compare,
    Formula,
    Int,
    Member,
    Mod,
    Mul,
    Name,
    Neg,
    Or,
    Pow,
    Predicate,
    Relation,
    SetOf,
    Term,
    Test,
    comparison,
    conjunction,
    disjunction,
    negated,
    total,
)
from dynconstraints.solver.limits import REFUTED_MODULUS, REFUTED_POINTS, REFUTED_POWER
from dynconstraints.solver.tableau.nnf import normal


def contradictory(formulas: Sequence[Formula]) -> bool:
    """Whether residues modulo some constant show that nothing satisfies all the formulas."""
    normals = [normal(formula) for formula in formulas]
    return any(_refuted(normals, modulus) for modulus in _moduli(normals))


def _moduli(formulas: Sequence[Formula]) -> Iterator[int]:
    """The common multiple of the literal moduli, and twice it, which says more of squares; none that has too many
    residues."""
    literals = {
        abs(node.divisor.value)
        for formula in formulas
        for node in walk(formula)
        if isinstance(node, Mod) and isinstance(node.divisor, Int) and node.divisor.value
    }
    modulus = lcm(*literals)
    yield from (m for m in (modulus, 2 * modulus) if 1 < m <= REFUTED_MODULUS)


def _refuted(formulas: Sequence[Formula], modulus: int) -> bool:
    weaker = [w for formula in formulas if (w := _weaker(formula, modulus)) != TRUE]
    symbols = sorted(frozenset().union(*map(names, weaker)))
    if not weaker or modulus ** len(symbols) > REFUTED_POINTS:
        return False
    points, size = evaluate_columns.box(dict.fromkeys(symbols, range(modulus)))
    for formula in sorted(weaker, key=lambda f: len(names(f))):
        truths = evaluate_columns.truths(formula, points, size)
        points = {name: list(compress(values, truths)) for name, values in points.items()}
        size = sum(map(bool, truths))
        if not size:
            return True
    return False


def _weaker(formula: Formula, modulus: int) -> Formula:
    """True at the residues of each assignment under which the formula is."""
    match formula:
        case Bool():
            return formula
        case And(operands):
            return conjunction(tuple(_weaker(operand, modulus) for operand in operands))
        case Or(operands):
            weaker = tuple(_weaker(operand, modulus) for operand in operands)
            return TRUE if TRUE in weaker else disjunction(weaker)
        case Compare((left, right), (relation,)) if _is_exact(left, modulus) and _is_exact(right, modulus):
            return comparison(left, relation, right)
        case Compare((left, right), (Relation.EQ,)) if _is_kept(left, modulus) and _is_kept(right, modulus):
            return comparison(Mod(total((left, negated(right))), Int(modulus)), Relation.EQ, Int(0))
        case Test(Predicate.IS_POWER_OF_TWO, (argument,)) if _is_kept(argument, modulus):
            return Member(Mod(argument, Int(modulus)), SetOf(tuple(map(Int, _powers(modulus)))))
        case _:
            return TRUE


def _powers(modulus: int) -> tuple[int, ...]:
    """The residues that powers of two leave."""
    found: dict[int, None] = {}
    power = 1 % modulus
    while power not in found:
        found[power] = None
        power = 2 * power % modulus
    return tuple(found)


def _is_exact(term: Term, modulus: int) -> bool:
    """Whether the term has the same value at the residues."""
    match term:
        case Int():
            return True
        case Mod(dividend, Int(divisor)):
            return divisor != 0 and modulus % divisor == 0 and _is_kept(dividend, modulus)
        case Pow(base, exponent):
            return exponent <= REFUTED_POWER and _is_exact(base, modulus)
        case Neg() | Add() | Mul() | Call():
            return all(_is_exact(part, modulus) for part in children(term))  # type: ignore[arg-type]
        case _:
            return False


def _is_kept(term: Term, modulus: int) -> bool:
    """Whether the term has a value of the same residue at the residues."""
    match term:
        case Int() | Name():
            return True
        case Pow(base, exponent):
            return exponent <= REFUTED_POWER and _is_kept(base, modulus)
        case Neg() | Add() | Mul():
            return all(_is_kept(part, modulus) for part in children(term))  # type: ignore[arg-type]
        case _:
            return _is_exact(term, modulus)
