"""What disjunctions say: what all alternatives that are left have in common, and the few values that terms have."""

from __future__ import annotations

from collections.abc import Iterable
from math import gcd
from typing import TYPE_CHECKING, TypeAlias

from dynconstraints.facts.domains import intervals
from dynconstraints.facts.domains.difference_bounds import is_consistent
from dynconstraints.facts.limits import MOST_ALTERNATIVES, MOST_POINTS
from dynconstraints.facts.product import models
from dynconstraints.facts.product.assume import assume
from dynconstraints.facts.product.store import ConstraintStore
from dynconstraints.facts.product.substitutions import Rows
from dynconstraints.ir import evaluate_columns
from dynconstraints.ir.fold import names as names_of
from dynconstraints.ir.nodes import Compare, Formula, Int, Mod, Node, Or, Relation, Term, comparison

if TYPE_CHECKING:
    from dynconstraints.facts.product.analysis import State


Pending: TypeAlias = tuple[Formula, ...]


def assumed(rows: Rows, formulas: Iterable[Formula]) -> tuple[ConstraintStore, Pending, Pending]:
    """What is known when the formulas are true, the disjunctions that are left to distinguish, and for each disjunction
    of which one alternative is left that alternative.
    """
    known = ConstraintStore(rows)
    pending: list[Formula] = []
    for formula in formulas:
        pending.extend(assume(known, formula))
    known.propagate()
    known.empty = known.empty or not is_consistent(known.edges)
    settled: list[Formula] = []
    return known, joined(known, tuple(pending), settled), tuple(settled)


def joined(known: ConstraintStore, pending: Pending, settled: list[Formula]) -> Pending:
    """Take in what all alternatives of each disjunction have in common; returns the ones that are still open."""
    for _ in range(2):
        before, left = dict(known.ranges), list[Formula]()
        for formula in pending:
            if known.empty:
                return ()
            left.extend(_joined(known, formula, settled))
        pending = tuple(left)
        if known.ranges == before:
            break
    return pending


def _joined(known: ConstraintStore, formula: Formula, settled: list[Formula]) -> list[Formula]:
    if not isinstance(formula, Or):
        rest = assume(known, formula)
        known.propagate()
        return rest
    operands = formula.operands
    if len(operands) > MOST_ALTERNATIVES:
        listed = _values(operands)
        return [formula] if listed is None else _enclosed(known, formula, *listed)
    alive: list[tuple[Formula, ConstraintStore]] = []
    for alternative in operands:
        branch = known.copy()
        assume(branch, alternative)
        branch.propagate()
        if not branch.empty:
            alive.append((alternative, branch))
    if len(alive) <= 1:
        known.empty |= not alive
        settled.extend(alternative for alternative, _ in alive)
        rest = [] if not alive else assume(known, alive[0][0])
        known.propagate()
        return rest
    for monomial in sorted(set.intersection(*(set(branch.narrowed) for _, branch in alive))):
        hull = alive[0][1].monomial(monomial)
        for _, branch in alive[1:]:
            hull = intervals.join(hull, branch.monomial(monomial))
        if hull != known.monomial(monomial):
            known.narrow(monomial, hull)
    known.propagate()
    return [Or(tuple(alternative for alternative, _ in alive))]


def _values(alternatives: tuple[Formula, ...]) -> tuple[Term, list[int]] | None:
    """The term and the values, where each alternative says that the one term has a value."""
    values: list[int] = []
    for alternative in alternatives:
        match alternative:
            case Compare((term, Int(value)), (Relation.EQ,)) if term == alternatives[0].operands[0]:  # type: ignore[union-attr]
                values.append(value)
            case _:
                return None
    return term, values


def _enclosed(known: ConstraintStore, formula: Or, term: Term, values: list[int]) -> list[Formula]:
    """Take in the ends and the common modulus of many values, each of which would be a case."""
    assume(known, comparison(term, Relation.GE, Int(min(values))))
    assume(known, comparison(term, Relation.LE, Int(max(values))))
    step = gcd(*(value - values[0] for value in values))
    if step:  # else one value is said again and again
        assume(known, comparison(Mod(term, Int(step)), Relation.EQ, Int(values[0] % step)))
    known.propagate()
    return [formula]


def points(state: State, node: Node) -> tuple[dict[str, evaluate_columns.Column], int] | None:
    """Every assignment of the node's names that the constraints on them alone allow; None where they are too many."""
    names = sorted(names_of(node))
    parameters = models.parameters_of(state.rows, names)
    ends: dict[str, range] = {}
    size = 1
    for parameter in parameters:
        low, high = state.known.monomial((parameter,))
        if low is None or high is None:
            return None
        ends[parameter] = range(low, high + 1)
        size *= high - low + 1
        if size > MOST_POINTS:
            return None
    table, size = evaluate_columns.box(ends)
    within: dict[str, evaluate_columns.Column] = {
        n: models.column(state.rows.get(n, {(n,): 1}), table, size) for n in names
    }
    for constraint in (c for c in state.constraints if names_of(c) <= set(names)):
        kept = evaluate_columns.truths(constraint, within, size)
        if False in kept or None in kept:
            within = {n: [v for v, k in zip(column, kept, strict=True) if k] for n, column in within.items()}
            size = sum(1 for k in kept if k)
    return within, size
