"""Sizes that Inductor would make numbers halfway through its lowering: known before it begins, or not asked for.

A declared size may be 0 or 1, which no other dynamic size is when torch compiles. Inductor asks whether sizes are 1, to
broadcast them; what it has lowered by then has loops over a symbol, and the rest over the number, and no kernel fits
both. The questions that a broadcast asks get the answer that sizes of unknown value get: what was to be broadcast,
Dynamo has settled. Where anything else settles a parameter, the trace starts again with the number in its place, and
the graph for it is an ordinary one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

import sympy  # noqa: TC002  also in what others read of the functions

from dynconstraints.pytorch._torch import inductor as torch_inductor
from dynconstraints.pytorch._torch import shape_env
from dynconstraints.pytorch.frame.frame_facts import FrameFacts
from dynconstraints.pytorch.frame.restart import KEY


class _SettledHalfway(Exception):  # noqa: N818  no error: the end of an attempt
    """Inductor was about to take a parameter for a number."""


def unless_known(kind: type[sympy.Basic], answer: bool, original: Callable[..., Any]) -> Callable[..., Any]:
    """SizeVarAllocator.guard_or_false and guard_or_true: a condition that has an answer for the unknown, too."""

    @wraps(original)
    def guard_or(self: Any, left: Any) -> Any:
        if KEY not in self.shape_env.__dict__ or not (isinstance(left, kind) and _is_about_unit(left)):
            return original(self, left)
        known = shape_env.evaluated(self.shape_env, left)
        return answer if known is None else known

    return guard_or


def _is_about_unit(condition: sympy.Basic) -> bool:
    return any(side in (0, 1) for side in condition.args)


def meet_number(env: Any, symbol: sympy.Symbol) -> None:
    """End the attempt where the symbol, which the ShapeEnv is about to replace by 0 or 1, is in lowered loops.

    Loops over larger numbers stay as they are lowered, and the guard has the line and the operation that asked for it.
    """
    facts: FrameFacts = env.__dict__[KEY]
    units = (name for name, p in facts.parameters.items() if p.symbol == symbol and p.hint in (0, 1))
    name = next(units, None)
    if facts.in_backend and name is not None and name not in facts.settled and torch_inductor.is_lowering():
        facts.settled |= {name}
        raise _SettledHalfway(name)


@contextmanager
def settled_before(facts: FrameFacts) -> Iterator[None]:
    """Has the trace start again where the backend settles parameters halfway, with their numbers in their place."""
    before, facts.in_backend = facts.settled, True
    try:
        yield
    except Exception:
        if facts.settled == before:
            raise
    finally:
        facts.in_backend = False
    if facts.settled != before:  # also where the backend did without what it was lowering
        raise facts.restart("a size is one number in what Inductor makes of the graph") from None
