"""The last word on a case: linear integer arithmetic over its monomials, by z3.

Every monomial becomes an unknown of its own, so what z3 is asked is linear and it decides it reliably; of monomials'
meaning it knows that products of slacks, and squares, are not negative. Without a contradiction nothing follows.
"""

from __future__ import annotations

from typing import Any

import z3

from dynconstraints.solver.algebra.polynomial import Monomial, Polynomial, TooLarge
from dynconstraints.solver.limits import LINEAR_RLIMIT
from dynconstraints.solver.tableau.branch import Case


def contradictory(case: Case) -> bool:
    """Whether it is proved that the case is empty."""
    try:
        prover = case.prover
        equations = [prover.image(p) for p in case.equations]
    except TooLarge:
        return False
    inequalities = [p for p in prover.rest if -p not in prover.rest]
    if not inequalities and not equations:
        return False
    return _unsatisfiable(inequalities, equations, prover.slacks)


def _unsatisfiable(inequalities: list[Polynomial], equations: list[Polynomial], slacks: frozenset[str]) -> bool:
    context = z3.Context()
    solver = z3.SolverFor("QF_LIA", ctx=context)
    solver.set("rlimit", LINEAR_RLIMIT)
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
