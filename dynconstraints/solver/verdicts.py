"""What a question is answered with. None of these has a truth value: ``if system.check():`` is always a mistake."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn, TypeAlias

from dynconstraints.diagnostics.frozen import Frozen
from dynconstraints.ir.constraint import Constraint


class _NoTruth:
    """Refuses ``bool()``: an answer has three cases or more, and each wants to be looked at."""

    __slots__ = ()

    def __bool__(self) -> NoReturn:
        raise TypeError(f"{type(self).__name__} has no truth value; use isinstance() or match on its class")


class Sat(_NoTruth, Frozen):
    """Some assignment satisfies the set; ``model`` is one, with a value for every name."""

    model: Mapping[str, int]


class Unsat(_NoTruth, Frozen):
    """No assignment satisfies the set. ``core`` is unsatisfiable by itself and no constraint can be left out of it."""

    core: tuple[Constraint, ...]


class Unknown(_NoTruth, Frozen):
    """Not decided: ``reason`` names the limit that was hit."""

    reason: str


class Implied(_NoTruth, Frozen):
    """The query holds under every assignment that satisfies the set; where none does, so does every query."""


class Refuted(_NoTruth, Frozen):
    """The query holds under no assignment that satisfies the set; that none satisfies the set was not seen."""


class Open(_NoTruth, Frozen):
    """The set leaves the query open: both assignments satisfy the set, the query holds at the first only."""

    holds_at: Mapping[str, int]
    fails_at: Mapping[str, int]


Satisfiability: TypeAlias = Sat | Unsat | Unknown
Verdict: TypeAlias = Implied | Refuted | Open | Unknown


class Violation(Frozen):
    """A constraint that does not hold (it is false or undefined) and the values of its names.

    ``nearest`` is the legal assignment nearest to the whole of what was asked about, as `ConstraintSystem.nearest`
    finds it; None where nothing satisfies the system, or the search hit its limit.
    """

    constraint: Constraint
    values: Mapping[str, int]
    nearest: Mapping[str, int] | None
