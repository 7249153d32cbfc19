"""Questions about sets that speak of floats as well as integers, over the exact rationals and integers.

Sets that only bound names by literals are answered from intervals, without loading z3; all others by z3, whose models
the evaluator confirms. The domains of `dynconstraints.facts` are about integers and have no part in this.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import cached_property
from itertools import islice, pairwise, product
from typing import cast

from dynconstraints.diagnostics.diagnostic import Diagnostic
from dynconstraints.diagnostics.errors import ConstraintSyntaxError
from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.evaluate import value_of
from dynconstraints.ir.fold import names, walk
from dynconstraints.ir.nodes import And, Compare, Formula, Int, Name, Neg, Node, Real, Relation, Term, negated
from dynconstraints.ir.printer import in_order
from dynconstraints.ir.sorts import has_real, is_of_integers
from dynconstraints.solver.limits import HALVINGS, MOST_ROUNDED, RLIMIT, SIMPLE_DENOMINATOR, Limited
from dynconstraints.solver.reals.intervals import Interval
from dynconstraints.solver.reals.literals import Number, literal, neighbours, plain
from dynconstraints.solver.reals.models import RealModel, confirmed
from dynconstraints.solver.verdicts import Implied, Open, Refuted, Unknown, Verdict

_FLIPPED = {
    Relation.LT: Relation.GT,
    Relation.GT: Relation.LT,
    Relation.LE: Relation.GE,
    Relation.GE: Relation.LE,
    Relation.EQ: Relation.EQ,
}


def real_below_integers(constraint: Constraint, name: str) -> ConstraintSyntaxError:
    """DC135: a real number is divided with remainder."""
    place = next(
        inner.span
        for node in walk(constraint.formula)
        if is_of_integers(node)
        for inner in walk(node)
        if isinstance(inner, Name) and inner.id == name
    )
    return ConstraintSyntaxError(
        Diagnostic(
            "DC135",
            f"{name} is a float, and stands in an operation on integers",
            (constraint.label("an operation on integers", place),),
            help=(f"use +, -, * and comparisons on {name}; only integers are divided with remainder",),
        )
    )


class Reals:
    """The conjunction of formulas over names some of which are real."""

    def __init__(self, formulas: Sequence[Formula], reals: frozenset[str]) -> None:
        self.formulas = in_order(formulas)
        self.reals = reals
        self.names = tuple(sorted(frozenset().union(*map(names, self.formulas))))

    def model(self, limit: int = RLIMIT) -> RealModel | Limited | None:
        """An assignment that satisfies all formulas; None if there is none."""
        return self._find((), (), limit)

    def implies(self, query: Formula, limit: int = RLIMIT) -> Verdict:
        """Whether the query is true under all, some or none of the assignments that satisfy the formulas."""
        fails_at = self._find((), (query,), limit)
        if fails_at is None:
            return Implied()
        holds_at = self._find((query,), (), limit)
        if holds_at is None:
            is_empty = isinstance(fails_at, Limited) and self.model(limit) is None
            return Implied() if is_empty else Refuted()
        if isinstance(fails_at, Limited) or isinstance(holds_at, Limited):
            return Unknown(next(found.reason for found in (fails_at, holds_at) if isinstance(found, Limited)))
        free: RealModel = dict.fromkeys(names(query), 0)
        witnesses = cast("list[dict[str, int]]", [free | holds_at, free | fails_at])
        return Open(*witnesses)

    def nearest(self, given: Mapping[str, Number], limit: int = RLIMIT) -> RealModel | Limited | None:
        """A model near the given values; None for no model.

        As many as can be are kept, earlier names first; others move to the nearer end of their interval.
        """
        found = self.model(limit)
        kept: list[Formula] = []
        for wish in (*self._wishes(given), *self._ends(given, limit)):
            some = self._find((*kept, wish), (), limit) if isinstance(found, dict) else None
            if isinstance(some, dict):
                found = some
                kept.append(wish)
        return found

    def _wishes(self, given: Mapping[str, Number]) -> Iterator[Formula]:
        return (_is(name, value) for name, value in given.items() if name in self.names)

    def _ends(self, given: Mapping[str, Number], limit: int) -> Iterator[Formula]:
        for name, value in given.items():
            interval = self.interval(Name(name), limit) if name in self.names else None
            ends = () if interval is None else (interval.lower, interval.upper)
            for end in sorted((e for e in ends if e is not None), key=lambda e: abs(Fraction(e) - Fraction(value))):
                if Fraction(float(end)) == end:
                    yield _is(name, end)

    def samples(self, number: int, seed: int = 0, limit: int = RLIMIT) -> list[RealModel]:
        """Up to ``number`` different models: ends of the names' intervals first, then random values between them."""
        rng, found = random.Random(seed), list[RealModel]()  # noqa: S311  nothing secret
        intervals = {name: self.interval(Name(name), limit) for name in self.names}
        if None in intervals.values():
            return []
        for attempt in range(4 * number):
            kept: list[Formula] = []
            for name in rng.sample(self.names, len(self.names)):
                interval = intervals[name] or Interval()
                value = interval.member if attempt == 0 else interval.near(rng)
                wish = _is(name, value if name in self.reals else round(value))
                if isinstance(self._find((*kept, wish), (), limit), dict):
                    kept.append(wish)
            model = self._find(kept, (), limit)
            if isinstance(model, dict) and model not in found:
                found.append(model)
            if len(found) == number:
                break
        return found

    def is_stated(self, term: Term) -> bool:
        """Whether the interval of the term is what the formulas state, and so the best."""
        return self._box is not None and isinstance(term, Name)

    def interval(self, term: Term, limit: int = RLIMIT) -> Interval | None:
        """An interval that the term never leaves; None where nothing satisfies the formulas, or it is never defined."""
        if self._box is not None and isinstance(term, Name):
            found = self._box.get(term.id, Interval())
            found = found.plain() if term.id in self.reals else found
            return None if any(i.is_empty for i in self._box.values()) else found
        some = self._find((_at_least(term, term),), (), limit)
        if some is None:
            return None
        if isinstance(some, Limited):
            return Interval()
        below, above = (self._end(side, some, limit) for side in (negated(term), term))
        lower = None if below[0] is None else -below[0]
        found = Interval(lower, above[0], below[1], above[1])
        return found.of_integers() if self._is_integral(term) else found.plain()

    def _is_integral(self, term: Term) -> bool:
        return not has_real(term) and self.reals.isdisjoint(names(term))

    def _end(self, term: Term, model: RealModel, limit: int) -> tuple[Number | None, bool]:
        """A bound that the term never exceeds, and whether it is never attained; None for no bound that was found.

        Bounds are sought among the formulas' literals and powers of two, then halved towards what is attained.
        """

        def exceeds(bound: Number) -> RealModel | Limited | None:
            return self._find((Compare((term, literal(bound)), (Relation.GT,)),), (), limit)

        attained = _value(term, model)
        bound = None
        for candidate in (c for c in self._candidates if c >= attained):
            found = exceeds(candidate)
            if found is None:
                bound = candidate
                break
            if isinstance(found, dict):
                attained = max(attained, _value(term, found))
        if bound is None:
            return None, False
        for _ in range(HALVINGS):
            middle = Fraction(float((Fraction(attained) + Fraction(bound)) / 2))
            if attained >= bound or not attained <= middle < bound:
                break
            found = exceeds(middle)
            if found is None:
                bound = middle
            elif isinstance(found, dict):
                attained = max(attained, _value(term, found))
            else:
                break
        simple = ((Fraction(attained) + Fraction(bound)) / 2).limit_denominator(SIMPLE_DENOMINATOR)
        if attained <= simple < bound and Fraction(float(simple)) == simple and exceeds(simple) is None:
            bound = simple
        reached = self._find((Compare((term, literal(bound)), (Relation.EQ,)),), (), limit)
        return bound, not isinstance(reached, dict)

    @cached_property
    def _candidates(self) -> list[Number]:
        said = {v for f in self.formulas for node in walk(f) if (v := _literal(node)) is not None}
        both = {Fraction(v) for v in said} | {-Fraction(v) for v in said} | {Fraction(0)}
        return sorted(both | {Fraction(sign * 2**k) for k in (8, 32, 64) for sign in (1, -1)})

    def _find(self, true: Sequence[Formula], not_true: Sequence[Formula], limit: int) -> RealModel | Limited | None:
        if self._box is not None:
            found = self._in_box(true, not_true)
            if not isinstance(found, Limited):
                return found
        from dynconstraints.solver.reals.z3_query import solve

        return solve((*self.formulas, *true), not_true, self.reals, limit)

    @cached_property
    def _box(self) -> Mapping[str, Interval] | None:
        """The interval of each name, where the formulas say nothing else; None where they do."""
        return _box(self.formulas, self.reals)

    def _in_box(self, true: Sequence[Formula], not_true: Sequence[Formula]) -> RealModel | Limited | None:
        """As `_find`, from intervals; Limited where they don't tell."""
        boxes = [_box((*self.formulas, *true), self.reals)]
        if not_true:
            links = list(_links(not_true))
            if None in links:
                return Limited("not a question about bounds")
            boxes = [
                _box((*self.formulas, *true, opposite), self.reals)
                for link in links
                if link is not None
                for opposite in _opposites(*link)
            ]
        for box in boxes:
            if box is None:
                return Limited("not a question about bounds")
            if not any(interval.is_empty for interval in box.values()):
                return {name: plain(interval.member, is_real=name in self.reals) for name, interval in box.items()}
        return None


def _is(name: str, value: Number) -> Formula:
    return Compare((Name(name), literal(value)), (Relation.EQ,))


def _at_least(left: Term, right: Term) -> Formula:
    return Compare((left, right), (Relation.GE,))


def _value(term: Term, model: RealModel) -> Number:
    values: RealModel = dict.fromkeys(names(term), 0) | model
    value = value_of(term, cast("Mapping[str, int]", values))
    if value is None:
        raise RuntimeError("a model in which the term is undefined")
    return value


def _box(formulas: Iterable[Formula], reals: frozenset[str]) -> Mapping[str, Interval] | None:
    found: dict[str, Interval] = {}
    for link in _links(formulas):
        if link is None:
            return None
        name, relation, bound = link
        interval = found.get(name, Interval())
        if relation in (Relation.LT, Relation.LE, Relation.EQ):
            interval = interval.below(bound, is_open=relation is Relation.LT)
        if relation in (Relation.GT, Relation.GE, Relation.EQ):
            interval = interval.above(bound, is_open=relation is Relation.GT)
        found[name] = interval
    return {name: i if name in reals else i.of_integers() for name, i in sorted(found.items())}


def _links(formulas: Iterable[Formula]) -> Iterator[tuple[str, Relation, Number] | None]:
    """Each comparison of a name with a literal, the name first; None for anything else."""
    for formula in formulas:
        match formula:
            case And(operands):
                yield from _links(operands)
            case Compare(operands, relations):
                for relation, (left, right) in zip(relations, pairwise(operands), strict=True):
                    yield _link(left, relation, right)
            case _:
                yield None


def _link(left: Term, relation: Relation, right: Term) -> tuple[str, Relation, Number] | None:
    if relation not in _FLIPPED:
        return None
    if isinstance(left, Name) and (bound := _literal(right)) is not None:
        return left.id, relation, bound
    if isinstance(right, Name) and (bound := _literal(left)) is not None:
        return right.id, _FLIPPED[relation], bound
    return None


def _opposites(name: str, relation: Relation, bound: Number) -> Iterator[Formula]:
    """What has to be true for the comparison to be false: one of these."""
    opposite = {
        Relation.LT: (Relation.GE,),
        Relation.LE: (Relation.GT,),
        Relation.GT: (Relation.LE,),
        Relation.GE: (Relation.LT,),
        Relation.EQ: (Relation.LT, Relation.GT),
    }
    for other in opposite[relation]:
        yield Compare((Name(name), literal(bound)), (other,))


def _literal(term: Node) -> Number | None:
    match term:
        case Int(value):
            return value
        case Real(value):
            return Fraction(value)
        case Neg(operand):
            inner = _literal(operand)
            return None if inner is None else -inner
        case _:
            return None


def of_floats(model: RealModel, formulas: Sequence[Formula]) -> RealModel | None:
    """The model with each fraction as a float next to it that keeps the formulas; None where no neighbours do."""
    choices: list[Sequence[Number]] = [
        neighbours(value) if isinstance(value, Fraction) else [value] for value in model.values()
    ]
    tries = (dict(zip(model, values, strict=True)) for values in islice(product(*choices), MOST_ROUNDED))
    return next((some for some in tries if confirmed(some, formulas, ())), None)
