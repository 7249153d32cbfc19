"""Minimal cores: unsatisfiable sets of constraints none of which can be left out."""

from __future__ import annotations

from collections.abc import Sequence

from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.printer import show
from dynconstraints.ir.sorts import speaks_of_reals
from dynconstraints.solver.limits import RLIMIT
from dynconstraints.solver.prepared import Prepared
from dynconstraints.solver.reals import Reals


def minimal_core(
    constraints: Sequence[Constraint], limit: int = RLIMIT, reals: frozenset[str] = frozenset()
) -> tuple[Constraint, ...]:
    """A minimal core of an unsatisfiable set, by deletion, in the given order; the same for each order of the
    constraints. ``reals`` are the names that are real.

    Where a limit keeps it from being decided whether a constraint is needed, it stays.
    """
    core = sorted(dict.fromkeys(constraints), key=lambda c: show(c.formula))
    for constraint in tuple(core):
        rest = [c for c in core if c != constraint]
        if unsatisfiable(rest, limit, reals):
            core = rest
    return tuple(c for c in constraints if c in core)


def minimal_cores(
    constraints: Sequence[Constraint], number: int, limit: int = RLIMIT, reals: frozenset[str] = frozenset()
) -> tuple[tuple[Constraint, ...], ...]:
    """Up to ``number`` different minimal cores, none for a set that is not proved unsatisfiable.

    After a core, each of its constraints is left out in turn: what contradictions remain have cores that differ.
    """
    cores: dict[frozenset[Constraint], tuple[Constraint, ...]] = {}
    seen: set[frozenset[Constraint]] = set()
    pending = [tuple(dict.fromkeys(constraints))]
    while pending and len(cores) < number:
        some = pending.pop(0)
        if frozenset(some) in seen or not unsatisfiable(some, limit, reals):
            continue
        seen.add(frozenset(some))
        core = next((c for key, c in cores.items() if key <= set(some)), None) or minimal_core(some, limit, reals)
        cores.setdefault(frozenset(core), core)
        pending.extend(tuple(c for c in some if c != left_out) for left_out in core)
    return tuple(cores.values())


def unsatisfiable(constraints: Sequence[Constraint], limit: int = RLIMIT, reals: frozenset[str] = frozenset()) -> bool:
    """Whether it is proved that nothing satisfies all of them."""
    formulas = [c.formula for c in constraints]
    return (Reals(formulas, reals) if speaks_of_reals(formulas, reals) else Prepared(formulas)).model(limit) is None
