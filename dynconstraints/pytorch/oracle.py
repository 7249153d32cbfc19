"""Where torch cannot tell a condition on sizes without a guard, the declaration may.

Premises are what every entry into the frame is checked for (`FrameFacts.premises`), never the ShapeEnv's own guards.
"""

from __future__ import annotations

import time
from typing import Any

import sympy

from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.nodes import Name, Not
from dynconstraints.pytorch._compat import narrow
from dynconstraints.pytorch.declaration import system_of
from dynconstraints.pytorch.frame import KEY, FrameFacts
from dynconstraints.pytorch.symbolic import formula_of
from dynconstraints.solver.verdict import Implied, Refuted


def decide(env: Any, expr: sympy.Basic) -> sympy.Basic | None:
    """sympy.true or sympy.false where the declaration settles the condition for every entry; None elsewhere."""
    facts: FrameFacts | None = env.__dict__.get(KEY)
    if facts is None or not facts.parameters:
        return None
    symbols = {p.symbol: Name(name) for name, p in facts.parameters.items()}
    if not isinstance(expr, sympy.logic.boolalg.Boolean | sympy.core.relational.Relational):
        return None
    if not expr.free_symbols <= symbols.keys():
        return None
    started = time.perf_counter()
    formula = formula_of(expr, symbols)
    if formula is None:
        return None
    system = system_of(tuple(Constraint.of(p) for p in facts.premises))
    verdict = system.implies(Constraint.of(formula))
    answer = None
    if isinstance(verdict, Implied):
        answer = sympy.true
    elif isinstance(verdict, Refuted) and isinstance(system.implies(Constraint.of(Not(formula))), Implied):
        # Refuted is "true nowhere"; for the condition to be false everywhere it has to be defined too.
        answer = sympy.false
    facts.asked += 1
    facts.seconds += time.perf_counter() - started
    return answer


def sharpen(env: Any, guard: sympy.Basic) -> None:
    """Raise a parameter's lower bound past a value that the guard rules out, as ``k != 1`` does for ``1 <= k``.

    Sizes of 0 and 1 are where programs branch. The range is printed as a guard of its own, and with it later branches
    on the same size are settled.
    """
    facts: FrameFacts | None = env.__dict__.get(KEY)
    if facts is None or env.frozen:  # once the guards are printed, a range would be no guard any more
        return
    for parameter in facts.parameters.values():
        lower = env.var_to_range[parameter.symbol].lower
        concerned = parameter.symbol in guard.free_symbols and lower in (0, 1) and parameter.hint > lower
        if concerned and decide(env, guard.xreplace({parameter.symbol: lower})) == sympy.false:
            narrow(env, parameter.symbol, int(lower) + 1, None)
