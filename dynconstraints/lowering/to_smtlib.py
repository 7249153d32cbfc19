"""Formulas -> an SMT-LIB script, by the z3 lowering: whatever solver reads it answers the same question."""

from __future__ import annotations

from collections.abc import Iterable

import z3

from dynconstraints.ir.fold import names
from dynconstraints.ir.nodes import Formula
from dynconstraints.lowering.to_z3 import Encoder


def to_smtlib(formulas: Iterable[Formula]) -> str:
    """A script that declares the names and asserts each formula as it is defined and true, ready for ``(check-sat)``.

    The logic is QF_NIA; helper symbols (their names have a ``!``) stand for what gcd and lcm are defined by.
    """
    asked = tuple(formulas)
    encoder = Encoder(z3.Context(), fresh_quotients=False)
    for name in sorted(frozenset().union(*map(names, asked))):
        encoder.name(name)
    solver = z3.SolverFor("QF_NIA", ctx=encoder.context)
    solver.add(*(encoder.true(formula) for formula in asked), *encoder.sides)
    body = "\n".join(line for line in solver.sexpr().splitlines() if line)
    declared = "".join(
        f"(declare-fun {name} () Int)\n" for name in encoder.names if f"(declare-fun {name} " not in body
    )
    return f"(set-logic QF_NIA)\n{declared}{body}\n(check-sat)\n"
