"""Which names are real and which are integers, by what the constraints do with them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from dynconstraints.ir.fold import names, walk
from dynconstraints.ir.functions import MEANINGS
from dynconstraints.ir.nodes import Call, FloorDiv, Formula, Member, Mod, Node, RangeOf, Real, Test


@lru_cache(maxsize=8192)
def has_real(node: Node) -> bool:
    """Whether a float literal occurs."""
    return any(isinstance(inner, Real) for inner in walk(node))


def reals_in(formulas: Iterable[Formula]) -> frozenset[str]:
    """The names that are real: beside a float literal somewhere, and nowhere below an operation on integers."""
    formulas = tuple(formulas)
    found = frozenset().union(*(names(formula) for formula in formulas if has_real(formula)))
    return found.difference(*map(integers_in, formulas)) if found else found


def speaks_of_reals(formulas: Iterable[Node], reals: frozenset[str]) -> bool:
    """Whether a real name or a float literal occurs in any of the formulas."""
    return any(has_real(formula) or not reals.isdisjoint(names(formula)) for formula in formulas)


def is_of_integers(node: Node) -> bool:
    """Whether the node is an operation that only integers have: division, remainders, ranges, the functions on them."""
    match node:
        case FloorDiv() | Mod() | Test() | Member(_, RangeOf()):
            return True
        case Call(function):
            return not MEANINGS[function].of_reals
        case _:
            return False


@lru_cache(maxsize=8192)
def integers_in(formula: Formula) -> frozenset[str]:
    """The names below operations on integers."""
    return frozenset().union(*(names(node) for node in walk(formula) if is_of_integers(node)))
