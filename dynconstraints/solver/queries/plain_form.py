"""Formulas made plain for linear elimination: equivalent ones, with new names for what it cannot look into.

A term over kept names alone is a parameter, whatever it is: it gets a name that is kept in its place. ``e // 3`` and
``e % 3`` of another name are linear in it and a new name q, where ``3*q <= e <= 3*q + 2``.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from dynconstraints.ir.fold import names, walk
from dynconstraints.ir.nodes import (
    Add,
    And,
    Compare,
    FloorDiv,
    Formula,
    Int,
    Mod,
    Mul,
    Name,
    Neg,
    Relation,
    Term,
    comparison,
    negated,
    product,
    total,
)
from dynconstraints.solver.algebra.definitions import definedness
from dynconstraints.solver.tableau.nnf import normal


class _NotPlain(Exception):  # noqa: N818  (it ends the search of one formula)
    """Something is neither linear in the names to eliminate nor over the others alone."""


@dataclass
class PlainForm:
    """The formulas of linear constraints, equivalent once the parameters are replaced by what they stand for.

    ``defined`` says, of the kept names alone, that the parameters have values.
    """

    kept: Collection[str]
    formulas: list[Formula] = field(default_factory=list)
    parameters: dict[str, Term] = field(default_factory=dict)
    defined: list[Formula] = field(default_factory=list)
    quotients: int = 0

    def take(self, formula: Formula) -> None:
        """Add a formula."""
        whole = normal(formula)
        for part in whole.operands if isinstance(whole, And) else (whole,):
            match part:
                case Compare((left, right), (relation,)) if relation is not Relation.NE:
                    self.formulas.append(comparison(self._plain(left), relation, self._plain(right)))
                case _:
                    raise _NotPlain

    def _plain(self, term: Term) -> Term:
        if names(term) <= set(self.kept):
            return term if _is_linear(term) else self._parameter(term)
        match term:
            case Name():
                return term
            case Neg(operand):
                return negated(self._plain(operand))
            case Add(terms):
                return total(tuple(map(self._plain, terms)))
            case Mul(factors):
                others = [factor for factor in factors if not isinstance(factor, Int)]
                if len(others) != 1:
                    raise _NotPlain
                literals = tuple(factor for factor in factors if isinstance(factor, Int))
                return product((*literals, self._plain(others[0])))
            case FloorDiv(dividend, Int(divisor)) if divisor > 0:
                return self._quotient(self._plain(dividend), divisor)
            case Mod(dividend, Int(divisor)) if divisor > 0:
                whole = self._plain(dividend)
                return total((whole, product((Int(-divisor), self._quotient(whole, divisor)))))
            case _:
                raise _NotPlain

    def _parameter(self, term: Term) -> Term:
        known = next((name for name, other in self.parameters.items() if other == term), None)
        if known is None:
            known = f"@{len(self.parameters)}"
            self.parameters[known] = term
            self.defined.extend(definedness(term))
        return Name(known)

    def _quotient(self, dividend: Term, divisor: int) -> Term:
        quotient = Name(f"@/{self.quotients}")
        self.quotients += 1
        least = product((Int(divisor), quotient))
        self.formulas.append(comparison(least, Relation.LE, dividend))
        self.formulas.append(comparison(dividend, Relation.LE, total((least, Int(divisor - 1)))))
        return quotient


def _is_linear(term: Term) -> bool:
    for node in walk(term):
        match node:
            case Int() | Name() | Neg() | Add():
                pass
            case Mul(factors) if sum(not isinstance(factor, Int) for factor in factors) <= 1:
                pass
            case _:
                return False
    return True


def plain_form(formulas: Sequence[Formula], kept: Collection[str]) -> PlainForm | None:
    """The formulas for linear elimination of the names that are not kept; None where one is not linear in them."""
    form = PlainForm(kept)
    try:
        for formula in formulas:
            form.take(formula)
    except _NotPlain:
        return None
    return form
