"""What a condition comes to on what is declared, as a person would write it.

A guard says what the program computes: ``16*(h // 16) == 32*(h // 16 // 2)``. Where h is declared to be a multiple of
16 that is ``h % 32 == 0``. Of a condition on one name its truth is tabulated over the values that the declaration
leaves, and read off as a bound, a multiple, an interval or a short list; one on several names is put into normal form,
and where it fails in a box alone it is said as that. Whatever is guessed has to be proved: beside what is known it
implies the condition, and the condition implies it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from math import gcd

from dynconstraints.diagnostics.errors import ConstraintError
from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.fold import names, names_in_order, walk
from dynconstraints.ir.nodes import (
    And,
    Call,
    Compare,
    FloorDiv,
    Formula,
    Int,
    Member,
    Mod,
    Mul,
    Name,
    Node,
    Not,
    Or,
    Real,
    Relation,
    SetOf,
    comparison,
    conjunction,
    disjunction,
)
from dynconstraints.ir.printer import show
from dynconstraints.pytorch.guards.declared_values import EFFORT, Values, truth
from dynconstraints.pytorch.guards.normal_guards import normal_form
from dynconstraints.solver.verdicts import Implied
from dynconstraints.system import ConstraintSystem

_MOST_LISTED = 3
"""Values that are told one by one."""

_MOST_PROVED = 8
"""Candidates that the solver is asked about."""


def plain_guards(conditions: Sequence[Formula], known: ConstraintSystem) -> list[Formula]:
    """The conditions in their order, each in its plainest form beside the known constraints and the others.

    Together they hold where the given ones hold together, on what is known.
    """
    said = list(conditions)
    for i in sorted(range(len(said)), key=lambda i: (len(names(said[i])), len(show(said[i])))):
        before = [c for j, c in enumerate(said) if j != i and _is_plain(c)]
        said[i] = plain(said[i], known.extend([Constraint.of(c) for c in before]) if before else known)
    return said


def plain(condition: Formula, known: ConstraintSystem) -> Formula:
    """The plainest form that is found for a condition; itself, where none is plainer."""
    spoken = names_in_order(condition)
    if not spoken or _is_real(condition, known):
        return condition
    try:
        normal = normal_form(condition, known)
        spoken = names_in_order(normal)
        candidates = _of_one(spoken[0], normal, known) if len(spoken) == 1 else _of_several(normal, known)
        for candidate in islice(dict.fromkeys((*candidates, normal)), _MOST_PROVED):
            if candidate == condition or (_is_no_harder(candidate, condition) and _same(candidate, condition, known)):
                return candidate
    except ConstraintError:  # what is known is too much for the solver, or contradicts itself
        return condition
    return condition


def opposite(condition: Formula, known: ConstraintSystem) -> Formula:
    """Where the condition fails, on what is known, in its plainest form."""
    match condition:
        case Compare((left, right), (relation,)):
            return plain(comparison(left, relation.negated, right), known)
        case Or(parts):
            return conjunction(tuple(opposite(part, known) for part in parts))
        case And(parts):
            return disjunction(tuple(opposite(part, known) for part in parts))
    return plain(Not(condition), known)


@dataclass(frozen=True)
class Share:
    """How much of a name's values a condition leaves: ``kept`` of ``every``, or of the first ones where these are not
    ``complete``."""

    name: str
    kept: int
    every: int
    is_complete: bool

    @property
    def is_smaller(self) -> bool:
        """Whether it is less than half."""
        return 2 * self.kept < self.every


def share(condition: Formula, known: ConstraintSystem) -> Share | None:
    """How much a condition on one name leaves of what is known; None for others."""
    spoken = names_in_order(condition)
    if len(spoken) != 1 or _is_real(condition, known):
        return None
    try:
        values = Values.of(spoken[0], condition, known)
    except ConstraintError:
        return None
    kept = sum(map(truth(condition, spoken[0]), values.within))
    return Share(spoken[0], kept, len(values.within), values.is_complete)


def _of_one(name: str, condition: Formula, known: ConstraintSystem) -> Iterator[Formula]:
    """What may say the same of one name: first as simple as can be."""
    values, holds = Values.of(name, condition, known), truth(condition, name)
    beyond = [holds(v) for v in values.beyond]
    within = [holds(v) for v in values.within]
    if all(within) or not any(within):
        return
    of = Name(name)
    if any(isinstance(node, FloorDiv | Mod | Call) for node in walk(condition)):
        yield from _multiple(of, values.beyond, beyond)
    yield from _one(of, values.within, within, Relation.EQ)
    yield from _bound(of, values.within, within)
    yield from _one(of, values.within, within, Relation.NE)
    yield from _multiple(of, values.within, within)
    yield from _few(of, values.within, within)
    yield from _interval(of, values.within, within)
    yield from _bounded_multiple(of, values.within, within)


def _bound(of: Name, values: Sequence[int], holds: Sequence[bool]) -> Iterator[Formula]:
    first, count = holds.index(True), sum(holds)
    if holds[-1] and count == len(holds) - first:
        yield comparison(of, Relation.GE, Int(values[first]))
    elif first == 0 and all(holds[:count]):
        yield comparison(of, Relation.LE, Int(values[count - 1]))


def _multiple(of: Name, values: Sequence[int], holds: Sequence[bool]) -> Iterator[Formula]:
    """``n % m == r``, or that it isn't."""
    for wanted, relation in ((True, Relation.EQ), (False, Relation.NE)):
        mine = [v for v, known in zip(values, holds, strict=True) if known is wanted]
        modulus = gcd(*(v - mine[0] for v in mine)) if len(mine) > 1 else 0
        if modulus > 1 and len(mine) == sum((v - mine[0]) % modulus == 0 for v in values):
            yield comparison(Mod(of, Int(modulus)), relation, Int(mine[0] % modulus))


def _bounded_multiple(of: Name, values: Sequence[int], holds: Sequence[bool]) -> Iterator[Formula]:
    """``n % m == r`` together with a bound."""
    mine = [v for v, is_kept in zip(values, holds, strict=True) if is_kept]
    known = set(mine)
    for cut in ([v for v in values if v >= mine[0]], [v for v in values if v <= mine[-1]]):
        is_low = cut[-1] == values[-1]
        bound = comparison(of, Relation.GE if is_low else Relation.LE, Int(mine[0] if is_low else mine[-1]))
        for multiple in _multiple(of, cut, [v in known for v in cut]):
            yield conjunction((multiple, bound))


def _one(of: Name, values: Sequence[int], holds: Sequence[bool], relation: Relation) -> Iterator[Formula]:
    """That it is, or isn't, a certain value."""
    mine = [v for v, known in zip(values, holds, strict=True) if known is (relation is Relation.EQ)]
    if len(mine) == 1:
        yield comparison(of, relation, Int(mine[0]))


def _few(of: Name, values: Sequence[int], holds: Sequence[bool]) -> Iterator[Formula]:
    """A few values that hold, or that don't."""
    for wanted in (True, False):
        mine = [v for v, known in zip(values, holds, strict=True) if known is wanted]
        if len(mine) <= _MOST_LISTED:
            listed: Formula = Member(of, SetOf(tuple(map(Int, mine))))
            yield listed if wanted else Not(listed)


def _interval(of: Name, values: Sequence[int], holds: Sequence[bool]) -> Iterator[Formula]:
    """A range, or what is outside of one."""
    for wanted in (True, False):
        inside = [i for i, known in enumerate(holds) if known is wanted]
        first, last = inside[0], inside[-1]
        if last - first + 1 != len(inside) or first == 0 or last == len(values) - 1:
            continue
        if wanted:
            yield Compare((Int(values[first]), of, Int(values[last])), (Relation.LE, Relation.LE))
        else:
            below = comparison(of, Relation.LE, Int(values[first - 1]))
            yield disjunction((below, comparison(of, Relation.GE, Int(values[last + 1]))))


def _of_several(condition: Formula, known: ConstraintSystem) -> Iterator[Formula]:
    """What may say the same of several names."""
    if isinstance(condition, And | Or):
        return
    yield from (c.formula for c in outside_box(Constraint.of(condition), known))


def outside_box(meant: Constraint, known: ConstraintSystem) -> Iterator[Constraint]:
    """What the names satisfy outside of the box in which the condition fails: one of them alone, or one or another."""
    failing = known.extend([Constraint.of(Not(meant.formula))])
    sides: list[Formula] = []
    for name in meant.symbols:
        low, high = failing.bounds(name, EFFORT) if name in failing.symbols else (None, None)
        least, greatest = known.bounds(name, EFFORT) if name in known.symbols else (None, None)
        if high is not None and (greatest is None or high < greatest):
            beyond = known.extend([Constraint.of(comparison(Name(name), Relation.GT, Int(high)))])
            sides.append(comparison(Name(name), Relation.GE, Int(beyond.bounds(name, EFFORT)[0] or high + 1)))
        elif low is not None and (least is None or low > least):
            beyond = known.extend([Constraint.of(comparison(Name(name), Relation.LT, Int(low)))])
            highest = beyond.bounds(name, EFFORT)[1]
            sides.append(comparison(Name(name), Relation.LE, Int(low - 1 if highest is None else highest)))
    if len(sides) > 1:
        yield Constraint.of(disjunction(tuple(sides)))
    yield from map(Constraint.of, sides)


def _is_plain(condition: Formula) -> bool:
    """Whether it compares names, their multiples and remainders with numbers."""
    return not any(isinstance(node, FloorDiv | Call | Real) for node in walk(condition)) and all(
        isinstance(node.divisor, Int) for node in walk(condition) if isinstance(node, Mod)
    )


def _is_no_harder(candidate: Formula, condition: Formula) -> bool:
    """Whether a reader has less to compute, or to read; a value, or a bound that is attained, is preferred."""
    match candidate:
        case Compare((Name(), Int()), (Relation.EQ | Relation.GE | Relation.LE,)):
            return _burden(candidate) <= _burden(condition)
    return (_burden(candidate), len(show(candidate))) < (_burden(condition), len(show(condition)))


def _burden(condition: Formula) -> int:
    """How much a reader has to compute, and to keep in mind."""
    every = list(walk(condition))
    repeated = sum(isinstance(node, Name) for node in every) - len(names(condition))
    return sum(_WEIGHTS.get(type(node), 0) for node in every) + 2 * repeated


_WEIGHTS = {FloorDiv: 4, Call: 2, Or: 2, Not: 5, Mod: 1, Mul: 1, Member: 1, And: 1}


def _same(candidate: Formula, condition: Formula, known: ConstraintSystem) -> bool:
    """Whether both hold for the same values of what is known; proved."""
    return all(
        isinstance(known.extend([Constraint.of(one)]).implies(Constraint.of(other), EFFORT), Implied)
        for one, other in ((candidate, condition), (condition, candidate))
    )


def _is_real(condition: Node, known: ConstraintSystem) -> bool:
    """Whether it speaks of floats, which round."""
    return bool(known.reals & names(condition)) or any(isinstance(node, Real) for node in walk(condition))
