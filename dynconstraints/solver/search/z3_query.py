"""One question to z3: are these formulas true together, those not true? Deterministic.

z3's own state would make an answer depend on what was asked before and in which thread, hence a context a question. The
resource limit counts z3's own steps, so the answer doesn't depend on the machine or its load.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import z3

from dynconstraints.ir.evaluate import truth_of
from dynconstraints.ir.fold import names
from dynconstraints.ir.nodes import Formula, Int, Name, Relation, comparison
from dynconstraints.ir.printer import in_order
from dynconstraints.lowering.to_z3 import Encoder
from dynconstraints.solver.limits import REJECTED_MODELS, RLIMIT, Limited

_SEED = 0


Model: TypeAlias = dict[str, int]


def solve(true: Iterable[Formula], not_true: Iterable[Formula] = (), limit: int = RLIMIT) -> Model | Limited | None:
    """An assignment under which all of ``true`` hold and none of ``not_true`` does; None if there is none.

    ``limit`` is z3's rlimit. The assignment gives a value to each name that occurs, and the evaluator has confirmed it.
    """
    wanted = in_order(true)
    unwanted = in_order(not_true)
    encoder = Encoder(z3.Context())
    symbols = sorted(frozenset().union(*(names(formula) for formula in (*wanted, *unwanted))))
    for name in symbols:
        encoder.name(name)
    solver = solver_of(encoder.context, limit)
    solver.add(*(encoder.true(formula) for formula in wanted), *(encoder.not_true(formula) for formula in unwanted))
    solver.add(*encoder.sides)
    for _ in range(REJECTED_MODELS):
        answer = solver.check()
        if answer == z3.unsat:
            return None
        if answer != z3.sat:
            return Limited(_reason(solver, limit))
        model = read_model(solver.model(), encoder, symbols)
        if confirmed(model, wanted, unwanted):
            return model
        block = [comparison(Name(name), Relation.NE, Int(value)) for name, value in model.items()]
        solver.add(z3.Or([encoder.true(formula) for formula in block]))
    return Limited("z3's models of powers of two above 2**64 were all wrong")


def confirmed(model: Model, true: Sequence[Formula], not_true: Sequence[Formula] = ()) -> bool:
    """Whether the evaluator finds all of ``true`` to hold and none of ``not_true``."""
    return all(truth_of(f, model) is True for f in true) and all(truth_of(f, model) is not True for f in not_true)


def solver_of(context: Any, limit: int) -> Any:
    """A solver that answers the same each time, within the limit."""
    solver = z3.Solver(ctx=context)
    solver.set("rlimit", limit)
    solver.set("random_seed", _SEED)
    return solver


def read_model(model: Any, encoder: Encoder, symbols: Sequence[str]) -> Model:
    """The values of the names in a model of z3's."""
    return {name: model.eval(encoder.names[name], model_completion=True).as_long() for name in symbols}


def _reason(solver: Any, limit: int) -> str:
    said = solver.reason_unknown()
    if "resource" in said or "canceled" in said or "limit" in said:
        return f"z3 used up its resource limit of {limit}"
    return f"z3 gave up: {said}"
