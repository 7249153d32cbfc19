"""The last word on a case: linear integer arithmetic over its monomials, with lemmas about their products, by z3.

Every monomial becomes an unknown of its own, so what z3 is asked is linear and it decides it reliably. The lemmas
give the monomials back some of their meaning: products of two inequalities are not negative, nor are monomials of
slacks, nor squares of differences; a product with an equation is 0. Without a contradiction nothing follows.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, combinations_with_replacement, islice
from typing import Any

import z3

from dynconstraints.solver.case import Case
from dynconstraints.solver.polynomial import Monomial, Polynomial, TooLarge

_RLIMIT = 200_000
_MOST_FACTORS = 12
_MOST_LEMMAS = 120
_MOST_DEGREE = 4


def contradictory(case: Case) -> bool:
    """Whether it is proved that the case is empty."""
    try:
        cone = case.cone
        equations = [cone.image(p) for p in case.equations]
    except TooLarge:
        return False
    inequalities = [p for p in cone.rest if -p not in cone.rest]
    facts = [*inequalities, *equations]
    if not facts:
        return False
    lemmas = list(_lemmas(inequalities, equations, cone.slacks)) if not all(p.is_linear for p in facts) else []
    return _unsatisfiable(inequalities + lemmas, equations, cone.slacks)


def _lemmas(
    inequalities: list[Polynomial], equations: list[Polynomial], slacks: frozenset[str]
) -> Iterator[Polynomial]:
    """Polynomials that are at least 0 in the case."""
    unknowns = sorted({name for p in (*inequalities, *equations) for name in p.unknowns})
    factors = [*inequalities, *(Polynomial.unknown(name) for name in unknowns if name in slacks)][:_MOST_FACTORS]
    free = [Polynomial.unknown(name) for name in unknowns][:_MOST_FACTORS]
    for left, right in islice(combinations_with_replacement(factors, 2), _MOST_LEMMAS):
        if (product := _product(left, right)) is not None:
            yield product
    for left, right in combinations(free, 2):
        yield (left - right) ** 2
        yield (left + right) ** 2
    for unknown in free:
        yield unknown**2 - unknown
        yield unknown**2 + unknown
    for equation in equations:
        for unknown in free:
            if (product := _product(equation, unknown)) is not None:
                yield product
                yield -product


def _product(left: Polynomial, right: Polynomial) -> Polynomial | None:
    try:
        product = left * right
    except TooLarge:
        return None
    return product if max(map(len, product.terms), default=0) <= _MOST_DEGREE else None


def _unsatisfiable(inequalities: list[Polynomial], equations: list[Polynomial], slacks: frozenset[str]) -> bool:
    context = z3.Context()
    solver = z3.SolverFor("QF_LIA", ctx=context)
    solver.set("rlimit", _RLIMIT)
    symbols: dict[Monomial, Any] = {}

    def linear(p: Polynomial) -> Any:
        for monomial in p.terms:
            if monomial and monomial not in symbols:
                symbols[monomial] = z3.Int("*".join(monomial), context)
        return z3.Sum([z3.IntVal(p.value, context), *(c * symbols[m] for m, c in sorted(p.terms.items()) if m)])

    solver.add(*(linear(p) >= 0 for p in inequalities), *(linear(p) == 0 for p in equations))
    for monomial, symbol in symbols.items():
        signed = [name for name in monomial if name not in slacks]
        if all(signed.count(name) % 2 == 0 for name in signed):
            solver.add(symbol >= 0)
    return bool(solver.check() == z3.unsat)
