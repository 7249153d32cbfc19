"""Where torch cannot tell a condition on sizes without a guard, the declaration may.

Premises are what every entry into the frame is checked for (`FrameFacts.premises`), never the ShapeEnv's own guards.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from itertools import islice
from typing import Any

import sympy

from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.nodes import Formula, Name, Not, Term
from dynconstraints.pytorch._torch.shape_env import narrow
from dynconstraints.pytorch.declarations.declaration import system_of
from dynconstraints.pytorch.frame.frame_facts import FrameFacts
from dynconstraints.pytorch.frame.restart import KEY
from dynconstraints.pytorch.frame.sympy_bridge import formula_of
from dynconstraints.pytorch.oracle.float_conditions import condition_of
from dynconstraints.pytorch.oracle.float_intervals import compared
from dynconstraints.solver.verdicts import Implied, Refuted
from dynconstraints.system import ConstraintSystem

_MOST_PARTS = 128
"""Of a question. Those of programs in use have up to 15; a proof about one of thousands takes seconds each time."""


def decide(env: Any, expr: sympy.Basic) -> sympy.Basic | None:
    """sympy.true or sympy.false where the declaration settles the condition for every entry; None elsewhere."""
    facts: FrameFacts | None = env.__dict__.get(KEY)
    if facts is None or not (facts.parameters or facts.floats.inputs or facts.computed.symbols):
        return None
    if not isinstance(expr, sympy.logic.boolalg.Boolean | sympy.core.relational.Relational):
        return None
    if next(islice(sympy.preorder_traversal(expr), _MOST_PARTS, None), None) is not None:
        return None
    names: dict[sympy.Symbol, Term] = {p.symbol: Name(name) for name, p in facts.parameters.items()}
    names.update(facts.computed.symbols)
    if expr.free_symbols <= names.keys():
        decider = _decided
    elif expr.free_symbols <= names.keys() | facts.floats.symbols.keys():
        decider = _decided_on_floats
        names.update((symbol, Name(name)) for symbol, name in facts.floats.symbols.items())
    else:
        return None
    started = time.process_time()
    answer = decider(facts, expr, names)
    facts.asked += 1
    facts.seconds += time.process_time() - started
    return answer


def _decided(facts: FrameFacts, expr: sympy.Basic, names: Mapping[sympy.Symbol, Term]) -> sympy.Basic | None:
    formula = formula_of(expr, names)
    if formula is None:
        return None
    # Guards are asked before the graph asserts anything: assertions count for the values alone that it computes.
    more = facts.computed.formulas if expr.free_symbols & facts.computed.symbols.keys() else ()
    system = system_of(tuple(Constraint.of(p) for p in (*facts.premises, *more)))
    verdict = system.implies(Constraint.of(formula))
    if isinstance(verdict, Implied):
        return sympy.true
    if isinstance(verdict, Refuted) and isinstance(system.implies(Constraint.of(Not(formula))), Implied):
        # Refuted is "true nowhere"; for the condition to be false everywhere it has to be defined too.
        return sympy.false
    return None


def _decided_on_floats(facts: FrameFacts, expr: sympy.Basic, names: Mapping[sympy.Symbol, Term]) -> sympy.Basic | None:
    condition = condition_of(expr, names)
    reals = frozenset(facts.floats.symbols.values())
    premises = tuple(Constraint.of(p) for p in (*facts.premises, *facts.real_premises))
    system = system_of(premises, reals, frozenset(facts.parameters))
    found = compared(expr, {s: _range(system, n) for s, n in facts.floats.symbols.items() if s in expr.free_symbols})
    if found is not None:
        return sympy.true if found else sympy.false
    if condition is None:
        return None
    if condition.small_integers is not None and not _implies(system, condition.small_integers):
        return None
    for answer, settled in ((True, sympy.true), (False, sympy.false)):
        enough = condition.enough(answer)
        if enough is not None and _implies(system, enough):
            return settled
    return None


def _range(system: ConstraintSystem, name: str) -> tuple[float, float]:
    """Between which floats the float is: those nearest to what the declaration says."""
    low, high = system.bounds(name) if name in system.symbols else (None, None)
    return -math.inf if low is None else float(low), math.inf if high is None else float(high)


def _implies(system: ConstraintSystem, formula: Formula) -> bool:
    return isinstance(system.implies(Constraint.of(formula)), Implied)


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
        if concerned and _is_false_at(env, guard, parameter.symbol, lower):
            narrow(env, parameter.symbol, int(lower) + 1, None)


def _is_false_at(env: Any, guard: sympy.Basic, symbol: sympy.Symbol, value: Any) -> bool:
    """Whether the guard rules the value out: where it divides by zero there, no call passes it."""
    try:
        return bool(decide(env, guard.xreplace({symbol: value})) == sympy.false)
    except ZeroDivisionError:
        return True
