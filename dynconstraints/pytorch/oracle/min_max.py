"""Minima and maxima that a guard leaves one value: that number, from the guard on.

Where `min(h, w) <= 7` is guarded and both are declared to be at least 7, the minimum is 7 in all that the graph serves.
torch keeps the minimum in every size computed from it, which soon takes it minutes to simplify.

A guard must not be simplified by what it says itself, or it vanishes: while guards are printed, nothing is replaced.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

import sympy

from dynconstraints.pytorch._torch.shape_env import forget_simplified, functions
from dynconstraints.pytorch.declarations.moments import FIRST_EXTREME
from dynconstraints.pytorch.frame.frame_facts import FrameFacts
from dynconstraints.pytorch.frame.restart import KEY
from dynconstraints.pytorch.oracle.decide import decide


def learn(env: Any, guard: sympy.Basic) -> None:
    """Take the guard, which the ShapeEnv is about to keep, into account."""
    _settle(env, guard.atoms(functions().Min, functions().Max), guard)


def learn_asked(env: Any, question: sympy.Basic) -> None:
    """Settle the minima and maxima that the question is about, where the declaration alone does, as `min(7*k, 7)`."""
    _settle(env, [side for side in question.args if isinstance(side, (functions().Min, functions().Max))], sympy.true)


def _settle(env: Any, extremes: Iterable[sympy.Basic], guard: sympy.Basic) -> None:
    facts: FrameFacts | None = env.__dict__.get(KEY)
    if not extremes or facts is None or env.frozen:  # once the guards are printed, this one would not be checked
        return
    values = {p.symbol: p.hint for p in facts.parameters.values()}
    for extreme in extremes:
        value = extreme.xreplace(values)
        settled = value.is_Integer and decide(env, sympy.Or(sympy.Not(guard), sympy.Eq(extreme, value)))
        if settled == sympy.true:
            FIRST_EXTREME.come()
            facts.extremes[extreme] = value
            forget_simplified(env)


@contextmanager
def kept(env: Any) -> Iterator[None]:
    """Nothing is replaced inside the block."""
    facts: FrameFacts | None = env.__dict__.get(KEY)
    if facts is None or not facts.extremes:
        yield
        return
    known, facts.extremes = facts.extremes, {}
    forget_simplified(env)
    try:
        yield
    finally:
        facts.extremes = known
        forget_simplified(env)


def replacing(original: Callable[..., Any]) -> Callable[..., Any]:
    """ShapeEnv.replace, which every size goes through."""

    @wraps(original)
    def replace(self: Any, expr: Any) -> Any:
        found = original(self, expr)
        facts = self.__dict__.get(KEY)
        return found.xreplace(facts.extremes) if facts is not None and facts.extremes else found

    return replace
