"""Names that the constraints define by others, so that they can be replaced: the lattice's rows, and equalities with
products and divisions in which a name stands alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TypeAlias

from dynconstraints.facts.domains.linear_equalities import Lattice
from dynconstraints.facts.limits import DEFINITION_DEGREE, DEFINITION_TERMS, MOST_DEFINITIONS
from dynconstraints.facts.product import atom_polynomials as poly
from dynconstraints.facts.product.atom_polynomials import Monomial, Polynomial
from dynconstraints.facts.product.store import ConstraintStore
from dynconstraints.ir.functions import expanded_test
from dynconstraints.ir.nodes import And, Compare, Formula, Relation, Term, Test

Rows: TypeAlias = Mapping[str, Polynomial]
"""Names, each with a polynomial that it equals, over parameters: other names and quotients, whose keys are no names."""


def rows_of(lattice: Lattice, order: Sequence[str]) -> dict[str, Polynomial]:
    """The lattice's rows, without those of free names; a parameter is called as the name that brings it."""
    rows: dict[str, Polynomial] = {}
    for row in lattice.parametrise(order):
        affine = row.affine
        p: dict[Monomial, int] = {(name,): c for name, c in affine.coefficients}
        if affine.constant:
            p[()] = affine.constant
        if p != {(row.name,): 1}:
            rows[row.name] = p
    return rows


def with_definitions(rows: dict[str, Polynomial], constraints: Sequence[Formula]) -> Rows:
    """The rows with what nonlinear equalities define: ``z == x*y``, and ``a % b == r`` as ``a == b*q + r``."""
    taken = 0
    for left, right in (pair for c in constraints for pair in _equalities(c)):
        known = ConstraintStore(rows)
        p = poly.add(known.normal.term(left), known.normal.term(right), -1)
        if taken >= MOST_DEFINITIONS or not any(
            key in known.normal.atoms or len(m) > 1 or key[0] == "<" for m in p for key in m
        ):
            continue
        found = _defined(known, p)
        larger = rows if found is None else substituted(rows, *found)
        if all(_is_small(larger[name]) for name in larger if larger[name] is not rows.get(name)):
            taken += larger is not rows
            rows = larger
    return rows


def _is_small(p: Polynomial) -> bool:
    return len(p) <= DEFINITION_TERMS and all(len(m) <= DEFINITION_DEGREE for m in p)


def _equalities(formula: Formula) -> Iterator[tuple[Term, Term]]:
    match formula:
        case And(operands):
            for operand in operands:
                yield from _equalities(operand)
        case Compare(operands, relations):
            for relation, pair in zip(relations, pairwise(operands), strict=True):
                if relation is Relation.EQ:
                    yield pair
        case Test() if (meant := expanded_test(formula)) is not None:
            yield from _equalities(meant)
        case _:
            return


def _defined(known: ConstraintStore, p: Polynomial) -> tuple[str, Polynomial] | None:
    """A parameter that ``p == 0`` gives in terms of others."""
    found = _solved(known, p)
    if found is not None:
        return found
    for monomial in p:
        for key in monomial:
            atom = known.normal.atoms.get(key)
            if atom is not None and atom.kind == "quotient" and poly.value_of(atom.arguments[1]) is None:
                fresh = poly.atom(f"<{key}>")
                opened = {m: c for m, c in p.items() if key not in m}
                factors = {poly.without(m, (key,)) or (): c for m, c in p.items() if key in m}
                if any(key in m for m in factors):
                    continue
                found = _solved(known, poly.add(opened, poly.multiply(factors, fresh)))
                if found is not None:
                    return found
    return None


def _solved(known: ConstraintStore, p: Polynomial) -> tuple[str, Polynomial] | None:
    for monomial in sorted(p, reverse=True):
        if len(monomial) == 1 and abs(p[monomial]) == 1 and monomial[0] not in known.normal.atoms:
            rest = poly.scale({m: c for m, c in p.items() if m != monomial}, -p[monomial])
            if monomial[0] not in known.normal.names(rest) and not _inside_atoms(known, rest):
                return monomial[0], rest
    return None


def _inside_atoms(known: ConstraintStore, p: Polynomial) -> bool:
    return any(key in known.normal.atoms for key in poly.keys(p))


def substituted(rows: Rows, name: str, value: Polynomial) -> dict[str, Polynomial]:
    """The rows with a parameter replaced; rows hold no atoms, so that this is multiplication."""
    result = {other: _replaced(p, name, value) if any(name in m for m in p) else p for other, p in rows.items()}
    if name not in result:
        result[name] = value
    return result


def _replaced(p: Polynomial, name: str, value: Polynomial) -> Polynomial:
    total: Polynomial = poly.ZERO
    for monomial, coefficient in p.items():
        product: Polynomial = {tuple(key for key in monomial if key != name): coefficient}
        for _ in range(monomial.count(name)):
            product = poly.multiply(product, value)
        total = poly.add(total, product)
    return total
