"""Constraints as comparisons of Python arithmetic, for targets that trace Python's own operators."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from dynconstraints.ir.fold import conjuncts, walk
from dynconstraints.ir.functions import expanded_term, expanded_test
from dynconstraints.ir.nodes import (
    Add,
    Call,
    Compare,
    FloorDiv,
    Formula,
    Int,
    Member,
    Mod,
    Mul,
    Name,
    Neg,
    Not,
    Pow,
    RangeOf,
    Relation,
    SetOf,
    Term,
    Test,
    comparison,
    negated,
    total,
)


def links(formula: Formula) -> tuple[Compare, ...] | None:
    """Comparisons of two terms each that all hold where the formula does, and only there; None where there are no such.

    Their terms are sums, products, powers, and floor divisions and remainders by literals other than 0.
    """
    try:
        return tuple(link for part in conjuncts(formula) for link in _links(part))
    except _NotPlainError:
        return None


def plain_term(term: Term) -> Term | None:
    """An equal term of the same kinds; None where there is none."""
    try:
        return _plain(term)
    except _NotPlainError:
        return None


class _NotPlainError(Exception):
    """The formula has another form."""


def _links(formula: Formula) -> Iterator[Compare]:
    match formula:
        case Compare(operands, relations):
            terms = [_plain(term) for term in operands]
            yield from (comparison(a, r, b) for (a, b), r in zip(pairwise(terms), relations, strict=True))
        case Not(Compare((left, right), (relation,))):
            yield comparison(_plain(left), relation.negated, _plain(right))
        case Member(item, SetOf((element,))):
            yield comparison(_plain(item), Relation.EQ, _plain(element))
        case Not(Member(item, SetOf(elements))):
            yield from (comparison(_plain(item), Relation.NE, _plain(element)) for element in elements)
        case Member(item, RangeOf(start, stop, step)) if step > 0:
            at, first, last = _plain(item), _plain(start), _plain(stop)
            yield from (comparison(at, Relation.GE, first), comparison(at, Relation.LT, last))
            if step > 1:
                yield comparison(Mod(total((at, negated(first))), Int(step)), Relation.EQ, Int(0))
        case Test() if (definition := expanded_test(formula)) is not None:
            yield from _links(definition)
        case _:
            raise _NotPlainError


def _plain(term: Term) -> Term:
    whole = term
    if isinstance(term, Call):
        expanded = expanded_term(term)
        if expanded is None:
            raise _NotPlainError
        whole = expanded
    for node in walk(whole):
        match node:
            case Int() | Name() | Neg() | Add() | Mul() | Pow():
                continue
            case FloorDiv(_, Int(divisor)) | Mod(_, Int(divisor)) if divisor:
                continue
            case _:
                raise _NotPlainError
    return whole
