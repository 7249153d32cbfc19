"""Formulas -> an SMT-LIB script, by the z3 lowering: whatever solver reads it answers the same question."""

from __future__ import annotations

from collections.abc import Iterable

import z3

from dynconstraints.ir.fold import names
from dynconstraints.ir.nodes import Formula
from dynconstraints.ir.sorts import speaks_of_reals
from dynconstraints.lowering.to_z3 import Encoder


def to_smtlib(formulas: Iterable[Formula], reals: frozenset[str] = frozenset()) -> str:
    """A script that declares the names and asserts each formula as it is defined and true, ready for ``(check-sat)``.

    The logic is QF_NIA, with floats QF_NIRA; helper symbols (their names have a ``!``) stand for what
    gcd and lcm are defined by. ``reals`` are the names that are real.
    """
    asked = tuple(formulas)
    encoder = Encoder(z3.Context(), fresh_quotients=False, reals=reals)
    for name in sorted(frozenset().union(*map(names, asked))):
        encoder.name(name)
    logic = "QF_NIRA" if speaks_of_reals(asked, reals) else "QF_NIA"
    solver = z3.SolverFor(logic, ctx=encoder.context)
    solver.add(*(encoder.true(formula) for formula in asked), *encoder.sides)
    body = "\n".join(line for line in solver.sexpr().splitlines() if line)
    declared = "".join(
        f"(declare-fun {name} () {'Real' if name in reals else 'Int'})\n"
        for name in encoder.names
        if f"(declare-fun {name} " not in body
    )
    return f"(set-logic {logic})\n{declared}{body}\n(check-sat)\n"
