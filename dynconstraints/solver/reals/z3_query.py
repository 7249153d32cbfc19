"""One question to z3 about integers and reals together; deterministic, as `solver.search.z3_query` is."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

import z3

from dynconstraints.ir.fold import names
from dynconstraints.ir.nodes import Formula
from dynconstraints.ir.printer import in_order
from dynconstraints.lowering.to_z3 import Encoder
from dynconstraints.solver.limits import IRRATIONAL_DIGITS, REJECTED_MODELS, RLIMIT, Limited
from dynconstraints.solver.reals.literals import Number, plain
from dynconstraints.solver.reals.models import RealModel, confirmed


def solve(
    true: Iterable[Formula], not_true: Iterable[Formula], reals: frozenset[str], limit: int = RLIMIT
) -> RealModel | Limited | None:
    """An assignment under which all of ``true`` hold and none of ``not_true``; None if there is none."""
    wanted, unwanted = in_order(true), in_order(not_true)
    encoder = Encoder(z3.Context(), reals=reals)
    symbols = _declared(encoder, (*wanted, *unwanted))
    solver = z3.Solver(ctx=encoder.context)
    solver.set("rlimit", limit)
    solver.set("random_seed", 0)
    solver.add(*(encoder.true(formula) for formula in wanted), *(encoder.not_true(formula) for formula in unwanted))
    solver.add(*encoder.sides)
    for _ in range(REJECTED_MODELS):
        answer = solver.check()
        if answer == z3.unsat:
            return None
        if answer != z3.sat:
            return Limited(f"z3 gave up within its resource limit of {limit}")
        found = solver.model()
        values = {name: _number(found.eval(encoder.names[name], model_completion=True)) for name in symbols}
        rounded = {name: float(v) if name in reals else v for name, v in values.items()}
        for model in (rounded, {name: plain(v, is_real=name in reals) for name, v in values.items()}):
            if confirmed(model, wanted, unwanted):
                return model
        # An irrational number was rounded to a rational one; ask for another near it.
        solver.add(z3.Or([encoder.names[name] != _value(value, encoder.context) for name, value in values.items()]))
    return Limited("no model in rational numbers was found")


def _declared(encoder: Encoder, formulas: Iterable[Formula]) -> list[str]:
    symbols = sorted(frozenset().union(*map(names, formulas)))
    for name in symbols:
        encoder.name(name)
    return symbols


def _number(value: Any) -> Number:
    if z3.is_int_value(value):
        return int(value.as_long())
    if z3.is_algebraic_value(value):
        value = value.approx(IRRATIONAL_DIGITS)
    return Fraction(value.numerator_as_long(), value.denominator_as_long())


def _value(number: Number, context: Any) -> Any:
    return z3.IntVal(number, context) if isinstance(number, int) else z3.RealVal(str(number), context)
