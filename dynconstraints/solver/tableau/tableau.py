"""Refutation by cases: are some formulas contradictory? Each case is closed by algebra, or split, or left open.

A tableau in the sense of R. Smullyan, *First-Order Logic* (1968): conjunctions extend a case, disjunctions split it.
Further splits are asked for while terms are lowered: on the sign of a divisor, on which branch a conditional, min,
max or abs takes. Literals are taken in a fixed order, those that solve for a name first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias

from dynconstraints.ir.fold import names as names_of
from dynconstraints.ir.fold import walk
from dynconstraints.ir.nodes import (
    And,
    Bool,
    Call,
    Compare,
    FloorDiv,
    Formula,
    IfElse,
    Mod,
    Name,
    Not,
    Or,
    Relation,
    Test,
)
from dynconstraints.ir.printer import show
from dynconstraints.solver.algebra.polynomial import Polynomial, TooLarge
from dynconstraints.solver.limits import BASE_FUEL, CASE_CANDIDATES, CASE_FUEL, LINEAR_FUEL, LITERAL_FUEL, SATURATIONS
from dynconstraints.solver.tableau import powers_of_two
from dynconstraints.solver.tableau.branch import Case, Contradiction, Fuel, OutOfFuel, Sign
from dynconstraints.solver.tableau.branch_models import candidates
from dynconstraints.solver.tableau.division import Undefined, UnknownSign, merge
from dynconstraints.solver.tableau.gcd import simplify
from dynconstraints.solver.tableau.lower_terms import Undecided, polynomial
from dynconstraints.solver.tableau.nnf import normal

Atom: TypeAlias = tuple[Polynomial, Sign]


@dataclass(frozen=True)
class Branch:
    """One alternative of a split: facts about polynomials, and formulas in normal form."""

    atoms: tuple[Atom, ...] = ()
    formulas: tuple[Formula, ...] = ()
    decided: tuple[tuple[Formula, bool], ...] = ()


@dataclass
class Tableau:
    """What is known in common to all cases, and what is still to be taken in; ``closed`` if it is contradictory."""

    case: Case = field(default_factory=Case)
    todo: tuple[Formula, ...] = ()
    closed: bool = False

    @classmethod
    def of(cls, formulas: Iterable[Formula]) -> Tableau:
        """The formulas' conjunction, as far as it can be taken in without a split."""
        literals = [literal for formula in formulas for literal in _conjuncts(normal(formula))]
        tableau = cls(Case(Fuel(BASE_FUEL + LITERAL_FUEL * len(literals))))
        tableau.case.mentions = Counter(name for literal in literals for name in names_of(literal))
        for literal in sorted(dict.fromkeys(literals), key=_order):
            if not tableau._takes(partial(_assume, literal=literal)):
                tableau.todo = (*tableau.todo, literal)
        if tableau.case.powers:
            tableau._takes(powers_of_two.settle)
        return tableau

    def _takes(self, step: Callable[[Case], None]) -> bool:
        """Let the step add to the case; False where it can't without a split or is too much work."""
        if self.closed:
            return True
        case = self.case.copy()
        try:
            step(case)
            self.case = case
        except Contradiction:
            self.closed = True
        except (Undecided, UnknownSign, TooLarge, OutOfFuel, _Disjunction):
            return False
        return True

    def search(self, formula: Formula, fuel: Fuel, names: Sequence[str], accepts: Accepts) -> Model | Closed | None:
        """An accepted assignment under which the formula may be true, or the proof that it is true under none.

        None where neither was found. Only assignments that ``accepts`` has confirmed are returned.
        """
        if self.closed:
            return Closed()
        search = _Search(tuple(names), accepts)
        try:
            closed = search.closes(self.case.copy(fuel), (*self.todo, *_conjuncts(normal(formula))))
        except _Found as found:
            return found.model
        except OutOfFuel:
            return None
        return Closed() if closed else None


class Closed:
    """The proof that there is no such assignment."""


Model: TypeAlias = dict[str, int]
Accepts: TypeAlias = Callable[[Mapping[str, int]], bool]


def _conjuncts(formula: Formula) -> tuple[Formula, ...]:
    return formula.operands if isinstance(formula, And) else (formula,)


def _order(literal: Formula) -> tuple[object, ...]:
    """Comparisons before disjunctions, definitions first, then the few divisions before the many; then by the text."""
    if not isinstance(literal, Compare):
        return 2, 0, 0, show(literal)
    divisions = sum(isinstance(node, FloorDiv | Mod | Call | IfElse) for node in walk(literal))
    defines = literal.relations[0] is Relation.EQ and any(isinstance(o, Name) for o in literal.operands)
    size = sum(1 for _ in walk(literal))
    return min(divisions, 1), not defines, (divisions, size), show(literal)


class _Disjunction(Exception):  # noqa: N818  (it asks for a case split)
    def __init__(self, operands: tuple[Formula, ...]) -> None:
        super().__init__(operands)
        self.operands = operands


class _Found(Exception):  # noqa: N818  (it is a result, not an error)
    def __init__(self, model: Model) -> None:
        super().__init__(model)
        self.model = model


@dataclass(frozen=True)
class _Search:
    """Closes cases; a case that stays open is searched for an assignment first."""

    names: tuple[str, ...]
    accepts: Accepts

    def closes(self, case: Case, todo: tuple[Formula, ...]) -> bool:
        """Whether the case with the formulas is proved contradictory. Raises _Found for an accepted assignment."""
        case.fuel.burn(CASE_FUEL)
        try:
            split = _extend(case, todo)
            if split is None:
                self.look(case)
                split = _forced(case)
        except Contradiction:
            return True
        except TooLarge:
            return False
        if split is None:
            from dynconstraints.solver.tableau.lia_check import contradictory  # z3 takes a while to load

            case.fuel.burn(LINEAR_FUEL)
            return contradictory(case)
        remaining, branches = split
        return all(self.closes_branch(case, remaining, branch) for branch in branches)

    def closes_branch(self, case: Case, todo: tuple[Formula, ...], branch: Branch) -> bool:
        """Whether the case with the formulas and the branch is proved contradictory."""
        case = case.copy()
        try:
            for polynomial_, sign in branch.atoms:
                case.assume(polynomial_, sign)
        except Contradiction:
            return True
        except TooLarge:
            return False
        case.decided.update(branch.decided)
        return self.closes(case, (*(part for f in branch.formulas for part in _conjuncts(f)), *todo))

    def look(self, case: Case) -> None:
        """Raises _Found if a candidate of the case is accepted."""
        for model in candidates(case, self.names, CASE_CANDIDATES):
            if self.accepts(model):
                raise _Found(model)


Split: TypeAlias = tuple[tuple[Formula, ...], tuple[Branch, ...]]


def _extend(case: Case, todo: tuple[Formula, ...]) -> Split | None:
    """Take in the formulas; the first split that one of them needs, with those still to take in."""
    waiting: list[tuple[Formula, tuple[Branch, ...]]] = []
    powers_of_two.settle(case)
    for literal in todo:
        try:
            _assume(case, literal)
        except Undecided as open_:  # noqa: PERF203  (each literal may ask for its own split)
            truths = ((True, normal(open_.condition)), (False, normal(open_.condition, False)))
            waiting.append((literal, tuple(Branch((), (f,), ((open_.condition, t),)) for t, f in truths)))
        except UnknownSign as open_:
            p = open_.polynomial
            atoms = ((p - 1, Sign.NONNEGATIVE), (p, Sign.ZERO), (-p - 1, Sign.NONNEGATIVE))
            waiting.append((literal, tuple(Branch((atom,)) for atom in atoms)))
        except _Disjunction as open_:
            waiting.append((literal, tuple(Branch((), (operand,)) for operand in open_.operands)))
        except TooLarge:
            case.lossy = True  # a hypothesis less
    _saturate(case)
    if not waiting:
        return None
    literal, branches = min(waiting, key=lambda w: isinstance(w[0], Or))
    remaining = tuple(other for other, _ in waiting if other is not literal or not isinstance(literal, Or))
    return remaining, branches


def _saturate(case: Case) -> None:
    for _ in range(SATURATIONS):
        merge(case)
        simplify(case)
        powers_of_two.settle(case)
        if case.prover.is_empty:
            raise Contradiction
        found = case.consequences()
        if not found:
            return
        for p in found:
            case.assume(p, Sign.NONNEGATIVE)


def _forced(case: Case) -> Split | None:
    """When nothing is left to take in: split a disequation, or an unknown with few values."""
    for p in case.distinct:
        if p.unknowns:
            case.distinct = tuple(q for q in case.distinct if q != p)
            return (), (Branch(((p - 1, Sign.NONNEGATIVE),)), Branch(((-p - 1, Sign.NONNEGATIVE),)))
    if splits := case.splits or powers_of_two.splits(case):
        case.splits = splits[1:]
        return (), tuple(map(Branch, splits[0]))
    for name, values in sorted(case.choices.items()):
        del case.choices[name]
        unknown = Polynomial.unknown(name)
        return (), tuple(Branch(((unknown - value, Sign.ZERO),)) for value in values)
    return None


def _assume(case: Case, literal: Formula) -> None:
    try:
        _take_in(case, literal)
    except Undefined:  # nowhere is it definitely true
        raise Contradiction from None


def _take_in(case: Case, literal: Formula) -> None:
    match literal:
        case Bool(value):
            if not value:
                raise Contradiction
        case Compare((left, right), (relation,)):
            difference = polynomial(case, left) - polynomial(case, right)
            case.assume(*_atom(case.image(difference), relation))
        case And(operands):
            for operand in operands:
                _take_in(case, operand)
        case Or(operands):
            raise _Disjunction(operands)
        case Test(_, (argument,)):
            case.lossy = True
            power = polynomial(case, argument)
            case.powers = (*case.powers, power)
            case.assume(power - 1, Sign.NONNEGATIVE)
        case Not(Test(_, (argument,))):
            case.lossy = True
            case.no_powers = (*case.no_powers, polynomial(case, argument))
        case _:
            case.lossy = True  # a hypothesis less


def _atom(difference: Polynomial, relation: Relation) -> Atom:
    match relation:
        case Relation.EQ:
            return difference, Sign.ZERO
        case Relation.NE:
            return difference, Sign.NONZERO
        case Relation.LT:
            return -difference - 1, Sign.NONNEGATIVE
        case Relation.LE:
            return -difference, Sign.NONNEGATIVE
        case Relation.GT:
            return difference - 1, Sign.NONNEGATIVE
        case Relation.GE:
            return difference, Sign.NONNEGATIVE
