"""The bounds and remainders that constraints state of single names, and what intervals make of them.

The cheapest domain of all: nothing is derived from two constraints together but the intersection. What it does not
prove is left to the others; most questions about sizes that were declared one by one need no more.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from dynconstraints.facts.domains import congruences, intervals, transfer
from dynconstraints.facts.domains.congruences import Congruence
from dynconstraints.facts.domains.intervals import Range
from dynconstraints.ir.nodes import Add, And, Compare, Formula, Int, Mod, Mul, Name, Neg, Relation, Term


class Box:
    """A range and a congruence for each name, as the formulas' conjunction states them."""

    def __init__(self, formulas: Iterable[Formula]) -> None:
        self.ranges: dict[str, Range] = {}
        self.congruences: dict[str, Congruence] = {}
        for formula in formulas:
            self._assume(formula)

    def _assume(self, formula: Formula) -> None:
        match formula:
            case Compare(operands, relations):
                for relation, (left, right) in zip(relations, pairwise(operands), strict=True):
                    self._assume_link(left, relation, right)
            case And(operands):
                for operand in operands:
                    self._assume(operand)
            case _:
                pass

    def _assume_link(self, left: Term, relation: Relation, right: Term) -> None:
        match left, right:
            case Name(name), Int(value):
                self._narrow(name, relation, value)
            case Int(value), Name(name):
                self._narrow(name, relation.flipped, value)
            case Mod(Name(name), Int(modulus)), Int(rest) if relation is Relation.EQ and 0 <= rest < modulus:
                met = congruences.meet(self.congruences.get(name, congruences.EVERYTHING), (modulus, rest))
                if met is not None:
                    self.congruences[name] = met
            case _:
                pass

    def _narrow(self, name: str, relation: Relation, value: int) -> None:
        low = value + (relation is Relation.GT) if relation in (Relation.GE, Relation.GT, Relation.EQ) else None
        high = value - (relation is Relation.LT) if relation in (Relation.LE, Relation.LT, Relation.EQ) else None
        self.ranges[name] = intervals.meet(self.ranges.get(name, intervals.EVERYTHING), (low, high))

    def implies(self, query: Formula) -> bool:
        """Whether it is proved that the query holds wherever the formulas do."""
        match query:
            case Compare((Mod(dividend, Int(modulus)), Int(rest)), (Relation.EQ,)) if modulus > 0 and _is_total(
                dividend
            ):
                known, remainder = transfer.congruence_of(dividend, self._congruence)
                return (known % modulus == 0 if known else True) and remainder % modulus == rest
            case Compare(operands, relations) if all(map(_is_total, operands)):
                bounds = [transfer.range_of(operand, self._known, _unknown) for operand in operands]
                return all(_are(a, r, b) for r, (a, b) in zip(relations, pairwise(bounds), strict=True))
            case And(operands):
                return all(map(self.implies, operands))
            case _:
                return False

    def corner(self, names: Iterable[str]) -> dict[str, int]:
        """A guess at an assignment: each name at the lower end of what is stated of it, or at the upper one, or 0."""
        return {name: self._end(self._range(name), self._congruence(name)) for name in names}

    def _end(self, bounds: Range, congruence: Congruence) -> int:
        low, high = bounds
        modulus, rest = congruence  # never a constant's
        return (
            high - (high - rest) % modulus
            if low is None and high is not None
            else (low or 0) + (rest - (low or 0)) % modulus
        )

    def _known(self, term: Name | Add) -> Range:
        return self._range(term.id) if isinstance(term, Name) else intervals.EVERYTHING

    def _range(self, name: str) -> Range:
        return self.ranges.get(name, intervals.EVERYTHING)

    def _congruence(self, name: str) -> Congruence:
        return self.congruences.get(name, congruences.EVERYTHING)


def is_plain(query: Formula) -> bool:
    """Whether the query is of a form that stated bounds may imply: no divisions but one by a literal at the top."""
    match query:
        case Compare((Mod(dividend, Int()), Int()), _):
            return _is_total(dividend)
        case Compare(operands):
            return all(map(_is_total, operands))
        case And(operands):
            return all(map(is_plain, operands))
        case _:
            return False


def _is_total(term: Term) -> bool:
    """Whether it is built of names by ring operations."""
    match term:
        case Int() | Name():
            return True
        case Add(parts) | Mul(parts):
            return all(map(_is_total, parts))
        case Neg(operand):
            return _is_total(operand)
        case _:
            return False


def _unknown(_: Formula) -> None:
    return None


def _are(left: Range, relation: Relation, right: Range) -> bool:
    """Whether all values in the one range are so related to all in the other."""
    (low, high), (least, most) = left, right
    match relation:
        case Relation.GE | Relation.GT:
            return low is not None and most is not None and low >= most + (relation is Relation.GT)
        case Relation.LE | Relation.LT:
            return high is not None and least is not None and high <= least - (relation is Relation.LT)
        case Relation.EQ:
            return low is not None and low == high == least == most
        case Relation.NE:
            above = low is not None and most is not None and low > most
            return above or (high is not None and least is not None and high < least)
