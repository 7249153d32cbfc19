"""Queries that join many conditions, which are asked one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dynconstraints.ir.fold import conjuncts
from dynconstraints.ir.nodes import Formula
from dynconstraints.solver.limits import RLIMIT, Limited
from dynconstraints.solver.parted import Parted
from dynconstraints.solver.verdict import Implied, Open, Refuted, Unknown, Verdict

_MANY = 64
"""Of fewer the domains take in the whole at once, and know more of it."""


def joins_many(query: Formula) -> bool:
    """Whether the query joins so many conditions that they are better asked one by one."""
    return sum(1 for _ in conjuncts(query)) > _MANY


def implies_all(parted: Parted, query: Formula, limit: int = RLIMIT) -> Verdict:
    """Whether every condition that the query joins is true under all, some or none of the assignments.

    The query is implied where each condition is, and refuted where one is; where one is open, the assignment at which
    that fails is one at which the query fails.
    """
    unknown: Unknown | None = None
    for condition in conjuncts(query):
        verdict = parted.implies(condition, limit)
        match verdict:
            case Refuted():
                return verdict
            case Open(_, fails_at):
                return _somewhere(parted.formulas, query, fails_at, limit)
            case Unknown():
                unknown = unknown or verdict
    return unknown or Implied()


def _somewhere(formulas: Sequence[Formula], query: Formula, fails_at: Mapping[str, int], limit: int) -> Verdict:
    """Of a query that fails somewhere: whether it holds somewhere, too."""
    holds_at = Parted([*formulas, query]).model(limit)
    if holds_at is None:
        return Refuted()
    if isinstance(holds_at, Limited):
        return Unknown(holds_at.reason)
    return Open(holds_at, dict(sorted({**holds_at, **fails_at}.items())))
