"""Which constraints say nothing that the others do not say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.fold import conjuncts
from dynconstraints.ir.printer import show
from dynconstraints.ir.sorts import speaks_of_reals
from dynconstraints.solver.limits import RLIMIT
from dynconstraints.solver.partition import components
from dynconstraints.solver.portfolio import Portfolio
from dynconstraints.solver.queries.unsat_cores import subsets_of
from dynconstraints.solver.reals.reals import Reals
from dynconstraints.solver.verdicts import Implied


@dataclass(frozen=True, slots=True)
class Dropped:
    """A constraint that follows from ``follows_from``, none of which can be left out; from nothing if always true."""

    constraint: Constraint
    follows_from: tuple[Constraint, ...]


def redundancies(
    constraints: Sequence[Constraint],
    limit: int = RLIMIT,
    reals: frozenset[str] = frozenset(),
    given: Sequence[Constraint] = (),
) -> tuple[tuple[Constraint, ...], tuple[Dropped, ...]]:
    """The constraints that are kept, none of which is known to follow from the others, and those dropped, with the
    reasons.

    Later constraints are dropped before earlier ones; the longest texts first among equals. What a constraint follows
    from is a minimal subset of what is kept and of what is ``given``: others, which hold as well.
    """
    items = list(dict.fromkeys(constraints))
    own, kept = set(items), set[Constraint]()
    dropped: dict[Constraint, Dropped] = {}
    for part in components([*items, *given], {c: c.symbols for c in (*items, *given)}):
        beside = [c for c in given if c in part] if given else []
        left, gone = _redundancies([c for c in dict.fromkeys(part) if c in own], beside, limit, reals)
        kept.update(left)
        dropped |= {one.constraint: one for one in gone}
    return tuple(c for c in items if c in kept), tuple(dropped[c] for c in items if c in dropped)


def _redundancies(
    constraints: Sequence[Constraint], given: Sequence[Constraint], limit: int, reals: frozenset[str]
) -> tuple[Sequence[Constraint], list[Dropped]]:
    """As above, of constraints that share names: others say nothing about them unless they are contradictory."""
    kept = list(constraints)
    gone: list[Constraint] = []
    every = _Questions(tuple(dict.fromkeys([*given, *constraints])), limit, reals)
    for constraint in reversed(constraints):
        rest = [c for c in kept if c != constraint]
        if every.implied([*given, *rest], constraint):
            kept = rest
            gone.append(constraint)
    return kept, [Dropped(c, _reasons([*given, *kept], c, every)) for c in gone]


class _Questions:
    """Whether some of the constraints imply another of them."""

    def __init__(self, constraints: Sequence[Constraint], limit: int, reals: frozenset[str]) -> None:
        self._place = {constraint: index for index, constraint in enumerate(constraints)}
        self._subsets = subsets_of(constraints, reals)
        self._limit, self._reals = limit, reals

    def implied(self, some: Sequence[Constraint], constraint: Constraint) -> bool:
        """Whether it is proved that the constraint holds wherever the others do."""
        found = self._found(some, constraint)
        return _implied(some, constraint, self._limit, self._reals) if found is None else not found

    def needed(self, some: Sequence[Constraint], constraint: Constraint) -> Sequence[Constraint]:
        """Those of some that z3 needed to see that they imply the constraint; all where it didn't see it."""
        if self._subsets is None or self._found(some, constraint) is not False:
            return some
        used = frozenset(self._subsets.core())
        return [c for c in some if self._place[c] in used]

    def _found(self, some: Sequence[Constraint], constraint: Constraint) -> bool | None:
        if self._subsets is None:
            return None
        return self._subsets.satisfiable([self._place[c] for c in some], self._place[constraint])


def _reasons(kept: Sequence[Constraint], constraint: Constraint, every: _Questions) -> tuple[Constraint, ...]:
    reasons = list(every.needed(kept, constraint))
    for candidate in sorted(reasons, key=lambda c: (bool(set(c.symbols) & set(constraint.symbols)), show(c.formula))):
        rest = [c for c in reasons if c != candidate]
        if every.implied(rest, constraint):
            reasons = rest
    return tuple(reasons)


def _implied(constraints: Sequence[Constraint], constraint: Constraint, limit: int, reals: frozenset[str]) -> bool:
    formulas = [c.formula for c in constraints]
    real = speaks_of_reals((*formulas, constraint.formula), reals)
    some = Reals(formulas, reals) if real else Portfolio(formulas)
    return all(isinstance(some.implies(part, limit), Implied) for part in conjuncts(constraint.formula))
