"""Case distinctions: where one look at the whole set settles nothing, look at parts of it that cover it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from dynconstraints.facts import columns, ranges, sampling
from dynconstraints.facts import polynomial as poly
from dynconstraints.facts.definitions import Rows, substituted
from dynconstraints.facts.differences import is_consistent
from dynconstraints.facts.knowledge import Knowledge
from dynconstraints.facts.polynomial import Polynomial
from dynconstraints.facts.proof import at_least
from dynconstraints.facts.truth import Possible, learn, learn_not, possible
from dynconstraints.ir.fold import names as names_of
from dynconstraints.ir.nodes import Formula, Node, Or

if TYPE_CHECKING:
    from dynconstraints.facts.state import State

_LEAVES = 64
"""How many cases one question may be split into."""
_POINTS = 1024
"""How many assignments are tried one by one."""
_MODULUS = 48
"""The greatest modulus whose residues are told apart."""

Pending: TypeAlias = tuple[Formula, ...]
Case: TypeAlias = Callable[["_Part"], "_Part"]

NOTHING = Possible(False, False, False)


def learnt(rows: Rows, formulas: Iterable[Formula]) -> tuple[Knowledge, Pending, Pending]:
    """What is known when the formulas are true, the disjunctions that are left to distinguish, and for each disjunction
    of which one alternative is left that alternative.
    """
    known = Knowledge(rows)
    pending: list[Formula] = []
    for formula in formulas:
        pending.extend(learn(known, formula))
    known.propagate()
    known.empty = known.empty or not is_consistent(known.edges)
    settled: list[Formula] = []
    return known, joined(known, tuple(pending), settled), tuple(settled)


def joined(known: Knowledge, pending: Pending, settled: list[Formula]) -> Pending:
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


def _joined(known: Knowledge, formula: Formula, settled: list[Formula]) -> list[Formula]:
    if not isinstance(formula, Or):
        rest = learn(known, formula)
        known.propagate()
        return rest
    alive: list[tuple[Formula, Knowledge]] = []
    for alternative in formula.operands:
        branch = known.copy()
        learn(branch, alternative)
        branch.propagate()
        if not branch.empty:
            alive.append((alternative, branch))
    if len(alive) <= 1:
        known.empty |= not alive
        settled.extend(alternative for alternative, _ in alive)
        rest = [] if not alive else learn(known, alive[0][0])
        known.propagate()
        return rest
    for monomial in sorted(set.intersection(*(set(branch.narrowed) for _, branch in alive))):
        hull = alive[0][1].monomial(monomial)
        for _, branch in alive[1:]:
            hull = ranges.join(hull, branch.monomial(monomial))
        if hull != known.monomial(monomial):
            known.narrow(monomial, hull)
    known.propagate()
    return [Or(tuple(alternative for alternative, _ in alive))]


def decide(state: State, formula: Formula) -> Possible:
    """What the formula can be under the constraints, with case distinctions within the limits."""
    if (exact := _by_points(state, formula)) is not None:
        return exact
    seen = set(state.seen(formula))
    if True in seen and len(seen) > 1:
        return Possible()
    part = _Part(state.rows, state.constraints, state.known, state.pending)
    return _Decision(formula, _LEAVES).of(part)


@dataclass(slots=True)
class _Part:
    """A part of the set of assignments: where the formulas are true and the parameters are as the rows say."""

    rows: Rows
    formulas: tuple[Formula, ...]
    known: Knowledge
    pending: Pending

    def where(self, condition: Callable[[Knowledge], list[Formula]]) -> _Part:
        """The part of it in which the condition holds too."""
        known = self.known.copy()
        pending = condition(known)
        known.propagate()
        return _Part(self.rows, self.formulas, known, (*self.pending, *pending))

    def where_true(self, formula: Formula, taken: Formula | None = None) -> _Part:
        """The part in which the formula is true; ``taken`` is the disjunction that this settles."""
        part = self.where(lambda known: learn(known, formula))
        part.pending = tuple(f for f in part.pending if f is not taken)
        return part

    def with_residue(self, name: str, modulus: int, residue: int) -> _Part:
        """The part in which the parameter leaves the residue."""
        rows = substituted(self.rows, name, {(name,): modulus, (): residue} if residue else {(name,): modulus})
        known = Knowledge(rows)
        pending = [rest for formula in self.formulas for rest in learn(known, formula)]
        known.propagate()
        return _Part(rows, self.formulas, known, tuple(pending))


@dataclass(slots=True)
class _Decision:
    formula: Formula
    leaves: int

    def of(self, part: _Part) -> Possible:
        """What the formula can be in the part; everything once the leaves are used up."""
        known = part.known
        if known.empty:
            return NOTHING
        result = possible(known, self.formula)
        if result.verdict is not None:
            return result
        form = known.normal.formula(self.formula)
        if (value := poly.value_of(form)) is not None:
            result = Possible(result.true and value == 1, result.false and value == 0, result.undefined)
            if result.verdict is not None:
                return result
        if part.where(lambda k: learn(k, self.formula)).known.empty:
            return Possible(False, result.false, result.undefined)
        if part.where(lambda k: learn_not(k, self.formula)).known.empty:
            result = Possible(result.true, False, result.undefined)
            if not result.undefined:
                return result
        parts = self.split(part, form)
        if parts is None or len(parts) > self.leaves:
            return result
        self.leaves -= len(parts)
        union = NOTHING
        for smaller in parts:
            one = self.of(smaller)
            union = Possible(union.true or one.true, union.false or one.false, union.undefined or one.undefined)
            if union.true and (union.false or union.undefined):
                return union
        return union

    def split(self, part: _Part, form: Polynomial) -> list[_Part] | None:
        """Parts that cover the part, by what the formula's normal form hinges on."""
        known = part.known
        atoms = list(_atoms(known, form))
        inner = [
            (key, level) for key, level in atoms if known.normal.atoms[key].kind in ("at least", "zero", "positive")
        ]
        own = {key for key, level in atoms if level == 0}
        for key, level in sorted(inner, key=lambda pair: -pair[1]):
            atom = known.normal.atoms[key]
            if level == 0 and len(own) <= 1:
                continue
            u = atom.arguments[0]
            if atom.kind == "zero":
                return [part.where(_equal(u)), part.where(_different(u))]
            return [part.where(_at_least(u)), part.where(_at_least(poly.shift(poly.scale(u, -1), -1)))]
        names = known.normal.names(form)
        for disjunction in part.pending:
            if isinstance(disjunction, Or) and names & _parameters(part.rows, disjunction):
                return [part.where_true(alternative, disjunction) for alternative in disjunction.operands]
        return self._by_residue(part, atoms) or self._by_value(part, sorted(names))

    def _by_residue(self, part: _Part, atoms: Sequence[tuple[str, int]]) -> list[_Part] | None:
        """By the residue of one parameter, where that lets quotients vanish."""
        moduli: dict[str, int] = {}
        for key, _ in atoms:
            atom = part.known.normal.atoms[key]
            divisor = poly.value_of(atom.arguments[1]) if atom.kind == "quotient" else None
            if divisor is None:
                continue
            for monomial, coefficient in atom.arguments[0].items():
                needed = divisor // math.gcd(divisor, coefficient)
                for name in monomial:
                    if name not in part.known.normal.atoms:
                        moduli[name] = math.lcm(moduli.get(name, 1), needed)
        choices = [(modulus, name) for name, modulus in moduli.items() if 1 < modulus <= min(_MODULUS, self.leaves)]
        if not choices or any(key in part.known.normal.atoms for p in part.rows.values() for key in poly.keys(p)):
            return None
        modulus, name = min(choices)
        return [part.with_residue(name, modulus, residue) for residue in range(modulus)]

    def _by_value(self, part: _Part, names: Iterable[str]) -> list[_Part] | None:
        """By the value of the parameter that has the fewest."""
        few: list[tuple[int, str, int]] = []
        for name in names:
            low, high = part.known.monomial((name,))
            if low is not None and high is not None and 0 < high - low < 8:
                few.append((high - low, name, low))
        if not few:
            return None
        width, name, low = min(few)
        return [part.where(_equal({(name,): 1, (): -v} if v else {(name,): 1})) for v in range(low, low + width + 1)]


def _at_least(p: Polynomial) -> Callable[[Knowledge], list[Formula]]:
    def condition(known: Knowledge) -> list[Formula]:
        known.empty |= at_least(known, poly.shift(poly.scale(p, -1), -1))
        known.learn_at_least(p)
        return []

    return condition


def _equal(p: Polynomial) -> Callable[[Knowledge], list[Formula]]:
    def condition(known: Knowledge) -> list[Formula]:
        known.learn_zero(p)
        return []

    return condition


def _different(p: Polynomial) -> Callable[[Knowledge], list[Formula]]:
    def condition(known: Knowledge) -> list[Formula]:
        known.learn_nonzero(p)
        return []

    return condition


def _atoms(known: Knowledge, p: Polynomial, level: int = 0) -> Iterator[tuple[str, int]]:
    """The atoms in the polynomial and, one level deeper, in each of them."""
    for key in dict.fromkeys(poly.keys(p)):
        atom = known.normal.atoms.get(key)
        if atom is not None:
            yield key, level
            for argument in atom.arguments:
                yield from _atoms(known, argument, level + 1)


def _parameters(rows: Rows, formula: Formula) -> set[str]:
    return {key for name in names_of(formula) for key in (poly.keys(rows[name]) if name in rows else (name,))}


def _by_points(state: State, formula: Formula) -> Possible | None:
    """What the formula is at each assignment of its names, where those are few; None where they are not."""
    found = points(state, formula)
    if found is None:
        return None
    table, size, complete = found
    if not size:
        return NOTHING
    seen = set(columns.truths(formula, table, size))
    if not complete and True in seen and len(seen) > 1:
        return None
    return Possible(True in seen, False in seen, None in seen)


def points(state: State, node: Node) -> tuple[dict[str, columns.Column], int, bool] | None:
    """Every assignment of the node's names that the constraints on them alone allow; None where they are too many.

    The last part tells whether no other constraint speaks of the names, so that each of them is part of a solution if
    there is one.
    """
    names = sorted(names_of(node))
    parameters = sampling.parameters_of(state.rows, names)
    ends: dict[str, range] = {}
    size = 1
    for parameter in parameters:
        low, high = state.known.monomial((parameter,))
        if low is None or high is None:
            return None
        ends[parameter] = range(low, high + 1)
        size *= high - low + 1
        if size > _POINTS:
            return None
    table, size = columns.box(ends)
    within: dict[str, columns.Column] = {n: sampling.column(state.rows.get(n, {(n,): 1}), table, size) for n in names}
    touching = [c for c in state.constraints if names_of(c) & set(names)]
    inside = [c for c in touching if names_of(c) <= set(names)]
    for constraint in inside:
        kept = columns.truths(constraint, within, size)
        if False in kept or None in kept:
            within = {n: [v for v, k in zip(column, kept, strict=True) if k] for n, column in within.items()}
            size = sum(1 for k in kept if k)
    return within, size, len(inside) == len(touching)
