"""Terms without a highest value: along some curve of assignments the constraints keep on holding and the term grows.

On a curve some parameters are hyperintegers (`algebra.hyperintegers`), the others are constants. The evaluator of
columns works on them as on integers, so what it finds true is true at all late points of the curve, and a term that it
finds infinite grows without end. Which curves are tried is a guess; what is found on them is a proof.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any, cast

from dynconstraints.facts.domains.intervals import Range
from dynconstraints.facts.product import models as sampling
from dynconstraints.facts.product.analysis import State
from dynconstraints.facts.product.atom_polynomials import Polynomial
from dynconstraints.facts.product.substitutions import Rows
from dynconstraints.ir import evaluate_columns
from dynconstraints.ir.fold import names as names_of
from dynconstraints.ir.nodes import Compare, Formula, Name, Relation, Term
from dynconstraints.solver.algebra.hyperintegers import Hyperinteger
from dynconstraints.solver.limits import CURVE_MODELS, CURVE_PARAMETERS, CURVE_TURNS, MOST_CURVES

if TYPE_CHECKING:
    from dynconstraints.solver.algebra.hyperintegers import Hyper


Curve = Mapping[str, "Hyper"]
Model = Mapping[str, int]
Speeds = Mapping[str, int]


class UnboundedCurves:
    """Curves over the names along which the formulas hold. Those for a turn are looked for when first asked for."""

    def __init__(
        self, facts: State, names: Sequence[str], formulas: Sequence[Formula], models: Sequence[Model]
    ) -> None:
        self._names, self._formulas, self._facts = names, formulas, facts
        self._models = models[:CURVE_MODELS]
        self._definitions = _definitions(formulas, facts.rows)
        free = [name for name in names if name not in self._definitions]
        self._parameters = sampling.parameters_of(facts.rows, free)
        self._bounds = {p: facts.known.monomial((p,)) for p in self._parameters}
        moving = {p: (low is None, high is None) for p, (low, high) in self._bounds.items() if None in (low, high)}
        self._directions = list(_directions(moving, len(self._parameters) <= CURVE_PARAMETERS))[:MOST_CURVES]
        self._kept: dict[int, tuple[int, Mapping[str, Any]]] = {}

    def grow(self, term: Term) -> bool:
        """Whether it is proved that the term has no highest value."""
        for turn in range(CURVE_TURNS + len(self._models) if self._directions else 0):
            try:
                size, points = self._points(turn)
                values = cast("Sequence[Hyper | None]", evaluate_columns.values(term, points, size))
            except TypeError:  # a function that infinite integers don't have
                continue
            if any(isinstance(value, Hyperinteger) and value.is_positive for value in values):
                return True
        return False

    def _points(self, turn: int) -> tuple[int, Mapping[str, Any]]:
        """The curves of a turn along which the formulas hold, as columns."""
        if turn not in self._kept:
            batch, rows = self._batch(turn), self._facts.rows
            table: dict[str, Any] = {p: [curve[p] for curve in batch] for p in self._parameters}
            every: dict[str, Any] = {
                n: sampling.column(rows.get(n, {(n,): 1}), table, len(batch))
                for n in self._names
                if n not in self._definitions
            }
            for name, term in self._definitions.items():
                every[name] = evaluate_columns.values(term, every, len(batch))
            kept = sampling.kept(every, len(batch), self._formulas)
            self._kept[turn] = len(kept), {n: [point[n] for point in kept] for n in self._names}
        return self._kept[turn]

    def _batch(self, turn: int) -> list[Curve]:
        """From the plainest assignments, then from models."""
        resting = {p: _resting(self._bounds[p], min(turn, CURVE_TURNS - 1), i) for i, p in enumerate(self._parameters)}
        if turn >= CURVE_TURNS:
            model = self._models[turn - CURVE_TURNS]
            resting |= {p: value for p in self._parameters if (value := self._in_model(p, model)) is not None}
        doubles = turn == 1
        return [
            resting | {p: _moved(resting[p], speed, doubles) for p, speed in way.items()} for way in self._directions
        ]

    def _in_model(self, parameter: str, model: Model) -> int | None:
        """The parameter's value, where the name that brings it depends on it alone."""
        row = self._facts.rows.get(parameter, {(parameter,): 1})
        if parameter not in model or not row.keys() <= {(parameter,), ()} or not row.get((parameter,)):
            return None
        return (model[parameter] - row.get((), 0)) // row[parameter,]


def _is_quotient(row: Polynomial) -> bool:
    """Whether a name with that row is a quotient by itself."""
    return len(row) == 1 and all(len(m) == 1 and m[0].startswith("<") and c == 1 for m, c in row.items())


def _definitions(formulas: Sequence[Formula], rows: Rows) -> dict[str, Term]:
    """Names without a row of their own that are equal to a term over others, those that a term needs before it."""
    wanted: dict[str, Term] = {}
    for formula in formulas:
        match formula:
            case Compare((Name(name), term), (Relation.EQ,)) | Compare((term, Name(name)), (Relation.EQ,)):
                if (name not in rows or _is_quotient(rows[name])) and name not in names_of(term):
                    wanted.setdefault(name, term)
    found: dict[str, Term] = {}

    def define(name: str, above: frozenset[str]) -> bool:
        """Whether no definition leads back to a name above."""
        if name in above:
            return False
        if name in wanted and name not in found:
            if not all(define(other, above | {name}) for other in sorted(names_of(wanted[name]))):
                del wanted[name]
            else:
                found[name] = wanted[name]
        return True

    for name in sorted(wanted):
        if name in wanted:
            define(name, frozenset())
    return found


def _directions(moving: Mapping[str, tuple[bool, bool]], one_by_one: bool) -> Iterator[Speeds]:
    """How fast parameters move, each the way it can: one by one, all, at different speeds; two."""
    if not moving:
        return
    signed = {p: 1 if up else -1 for p, (_, up) in moving.items()}
    both = [p for p, (down, up) in moving.items() if down and up]
    if one_by_one:
        yield from ({p: sign} for p, sign in signed.items())
        yield from ({p: -1} for p in both)
    if len(moving) > 1:
        yield signed
        yield {p: sign * (place + 1) for place, (p, sign) in enumerate(signed.items())}
        yield {p: sign * (len(signed) - place) for place, (p, sign) in enumerate(signed.items())}
        yield {p: -1 if p in both else sign for p, sign in signed.items()}
    for p, q in combinations(signed, 2) if one_by_one else ():
        for a in (signed[p], *((-signed[p],) if p in both else ())):
            for b in (signed[q], *((-signed[q],) if q in both else ())):
                yield from ({p: a, q: b}, {p: 2 * a, q: b}, {p: a, q: 2 * b})


def _resting(bounds: Range, turn: int, place: int) -> int:
    """Where a parameter is that does not move: at the end next to 0, next to 1, at its ends, or between."""
    low, high = bounds
    wanted = (0, 0, 1, 2 + place, -1 - place, 7)[turn]
    if turn == 3 and high is not None:
        return high
    if turn == 4 and low is not None:
        return low
    return max(low if low is not None else wanted, min(high if high is not None else wanted, wanted))


def _moved(start: int, speed: int, doubles: bool) -> Hyperinteger:
    """The start and ``speed`` times T; where T is a power of two, that alone."""
    return Hyperinteger((0, speed), doubles) if doubles else Hyperinteger((start, speed))
