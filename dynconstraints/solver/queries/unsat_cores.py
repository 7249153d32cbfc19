"""Minimal cores: unsatisfiable sets of constraints none of which can be left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.printer import show
from dynconstraints.ir.sorts import speaks_of_reals
from dynconstraints.solver.limits import MANY_FORMULAS, RLIMIT, Limited
from dynconstraints.solver.partition import Partition
from dynconstraints.solver.portfolio import Portfolio
from dynconstraints.solver.reals.reals import Reals
from dynconstraints.solver.verdicts import Sat, Satisfiability, Unknown, Unsat

if TYPE_CHECKING:
    from dynconstraints.solver.search.z3_subsets import Subsets


def minimal_core(
    constraints: Sequence[Constraint], limit: int = RLIMIT, reals: frozenset[str] = frozenset()
) -> tuple[Constraint, ...]:
    """A minimal core of an unsatisfiable set, by deletion, in the given order; the same for each order of the
    constraints. ``reals`` are the names that are real.

    Where a limit keeps it from being decided whether a constraint is needed, it stays.
    """
    core = sorted(dict.fromkeys(constraints), key=lambda c: show(c.formula))
    subsets = subsets_of(core, reals)
    if subsets is not None and subsets.satisfiable(range(len(core))) is False:
        core = [core[index] for index in subsets.core()]
        subsets = subsets_of(core, reals)
    every = tuple(core)
    for constraint in every:
        rest = [c for c in core if c != constraint]
        found = None if subsets is None else subsets.satisfiable([every.index(c) for c in rest])
        if found is False or (found is None and unsatisfiable(rest, limit, reals)):
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
    return (Reals(formulas, reals) if speaks_of_reals(formulas, reals) else Portfolio(formulas)).model(limit) is None


def subsets_of(constraints: Sequence[Constraint], reals: frozenset[str]) -> Subsets | None:
    """The constraints as z3 is asked about subsets of them, where there are many."""
    formulas = [constraint.formula for constraint in constraints]
    if len(formulas) <= MANY_FORMULAS or speaks_of_reals(formulas, reals):
        return None
    from dynconstraints.solver.search.z3_subsets import Subsets  # z3 takes a while to load

    return Subsets(formulas)


def check(partition: Partition, constraints: Sequence[Constraint], limit: int | None = None) -> Satisfiability:
    """A model, a minimal core, or which limit was hit."""
    found = partition.model(limit or RLIMIT)
    if isinstance(found, Limited):
        return Unknown(found.reason)
    if found is not None:
        return Sat(found)
    broken = next(part for part in partition.parts if part.model(limit or RLIMIT) is None)
    suspects = [constraint for constraint in constraints if constraint.formula in broken.formulas]
    return Unsat(minimal_core(suspects, limit or RLIMIT))


def check_reals(system: Reals, constraints: Sequence[Constraint], limit: int | None = None) -> Satisfiability:
    """As `check`, of a set that speaks of floats."""
    found = system.model(limit or RLIMIT)
    match found:
        case None:
            return Unsat(minimal_core(constraints, limit or RLIMIT, system.reals))
        case Limited(reason):
            return Unknown(reason)
        case _:
            return Sat(cast("dict[str, int]", found))
