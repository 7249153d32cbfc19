"""Formulas under what is known: which of true, false and undefined they can be, and what follows when they are true."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from dynconstraints.diagnostics.frozen import Frozen
from dynconstraints.diagnostics.matching import assert_never
from dynconstraints.facts.product import atom_polynomials as poly
from dynconstraints.facts.product.atom_polynomials import Polynomial
from dynconstraints.facts.product.inequality_search import at_least
from dynconstraints.facts.product.store import ConstraintStore
from dynconstraints.ir.fold import children
from dynconstraints.ir.functions import all_requirements, expanded_test, requirements
from dynconstraints.ir.nodes import (
    And,
    Bool,
    Choice,
    Compare,
    Formula,
    IfElse,
    Implies,
    Member,
    Not,
    Or,
    RangeOf,
    Relation,
    SetOf,
    Term,
    Test,
    comparison,
)


class AbstractTruth(Frozen):
    """The truth values that are not excluded."""

    true: bool = True
    false: bool = True
    undefined: bool = True

    @property
    def verdict(self) -> bool | None:
        """True where the formula can only be true, False where it cannot be, None otherwise."""
        return False if not self.true else True if not (self.false or self.undefined) else None


ALWAYS, NEVER = AbstractTruth(True, False, False), AbstractTruth(False, True, False)


def abstract_truth(known: ConstraintStore, formula: Formula) -> AbstractTruth:
    """What the formula can be; Kleene's connectives on sets of truth values."""
    match formula:
        case Bool(value):
            return ALWAYS if value else NEVER
        case Compare(operands, relations):
            return _all(_link(known, *pair, r) for r, pair in zip(relations, pairwise(operands), strict=True))
        case Member(item, SetOf(elements)):
            return _not(_all(_not(_link(known, item, e, Relation.EQ)) for e in elements))
        case Member(item, RangeOf(start, stop, step)):
            low, high = (start, stop) if step > 0 else (stop, start)
            above, below = (Relation.LE, Relation.LT) if step > 0 else (Relation.LT, Relation.LE)
            parts = [_link(known, low, item, above), _link(known, item, high, below)]
            if abs(step) > 1:
                aligned = known.normal.remainder(_difference(known, item, start), poly.constant(abs(step)))
                parts.append(_zero(known, aligned, AbstractTruth(undefined=False)))
            inside = _all(parts)  # but defined only where both ends are
            return AbstractTruth(
                inside.true, inside.false, any(can_be_undefined(known, t) for t in (item, start, stop))
            )
        case Test() if (meant := expanded_test(formula)) is not None:
            return abstract_truth(known, meant)
        case Test(_, arguments):
            indicator = poly.value_of(known.normal.formula(formula))
            undefined = any(can_be_undefined(known, a) for a in arguments)
            return AbstractTruth(indicator != 0, indicator != 1, undefined)
        case Not(operand):
            return _not(abstract_truth(known, operand))
        case And(operands):
            return _all(abstract_truth(known, o) for o in operands)
        case Or(operands):
            return _not(_all(_not(abstract_truth(known, o)) for o in operands))
        case Implies(premise, conclusion):
            return _not(_all((abstract_truth(known, premise), _not(abstract_truth(known, conclusion)))))
        case Choice(condition, then, otherwise):
            chosen = abstract_truth(known, condition)
            branches = [abstract_truth(known, f) for f, can in ((then, chosen.true), (otherwise, chosen.false)) if can]
            return AbstractTruth(
                any(b.true for b in branches),
                any(b.false for b in branches),
                chosen.undefined or any(b.undefined for b in branches),
            )
        case Member():
            raise TypeError(f"not a collection: {formula.collection!r}")
        case _:
            assert_never(formula)


def _not(p: AbstractTruth) -> AbstractTruth:
    return AbstractTruth(p.false, p.true, p.undefined)


def _all(parts: Iterable[AbstractTruth]) -> AbstractTruth:
    every = list(parts)
    if NEVER in every:
        return NEVER
    return AbstractTruth(all(p.true for p in every), any(p.false for p in every), any(p.undefined for p in every))


def _difference(known: ConstraintStore, left: Term, right: Term) -> Polynomial:
    return poly.add(known.normal.term(left), known.normal.term(right), -1)


def _link(known: ConstraintStore, left: Term, right: Term, relation: Relation) -> AbstractTruth:
    undefined = can_be_undefined(known, left) or can_be_undefined(known, right)
    allowed = AbstractTruth(undefined=undefined)
    difference = _difference(known, left, right)
    match relation:
        case Relation.EQ:
            return _zero(known, difference, allowed)
        case Relation.NE:
            return _not(_zero(known, difference, allowed))
        case Relation.GE:
            return _sign(known, difference, allowed)
        case Relation.LT:
            return _not(_sign(known, difference, allowed))
        case Relation.LE:
            return _sign(known, poly.scale(difference, -1), allowed)
        case Relation.GT:
            return _not(_sign(known, poly.scale(difference, -1), allowed))
        case _:
            assert_never(relation)


def _sign(known: ConstraintStore, p: Polynomial, allowed: AbstractTruth) -> AbstractTruth:
    """Of ``p >= 0``."""
    if at_least(known, p):
        return AbstractTruth(True, False, allowed.undefined)
    if at_least(known, poly.shift(poly.scale(p, -1), -1)):
        return AbstractTruth(False, True, allowed.undefined)
    return allowed


def _zero(known: ConstraintStore, p: Polynomial, allowed: AbstractTruth) -> AbstractTruth:
    """Of ``p == 0``."""
    if not p:
        return AbstractTruth(True, False, allowed.undefined)
    if known.is_nonzero(p):
        return AbstractTruth(False, True, allowed.undefined)
    upper, lower = poly.shift(p, -1), poly.shift(poly.scale(p, -1), -1)
    if at_least(known, upper) or at_least(known, lower):
        return AbstractTruth(False, True, allowed.undefined)
    if at_least(known, p) and at_least(known, poly.scale(p, -1)):
        return AbstractTruth(True, False, allowed.undefined)
    return allowed


def can_be_undefined(known: ConstraintStore, term: Term) -> bool:
    """Whether a zero divisor, or an argument outside of its function's domain, is not excluded."""
    if not all_requirements(term):
        return False
    match term:
        case IfElse(condition, then, otherwise):
            chosen = abstract_truth(known, condition)
            return (
                chosen.undefined
                or (chosen.true and can_be_undefined(known, then))
                or (chosen.false and can_be_undefined(known, otherwise))
            )
        case _:
            return any(abstract_truth(known, need).verdict is not True for need in requirements(term)) or any(
                can_be_undefined(known, t)  # type: ignore[arg-type]
                for t in children(term)
            )


def assume(known: ConstraintStore, formula: Formula) -> list[Formula]:
    """Add what follows from the formula being true; returns what could not be taken in: disjunctions."""
    match formula:
        case Bool(value):
            known.empty |= not value
            return []
        case Compare((IfElse(condition, then, otherwise), right), relations):
            _assume_links(known, formula)
            one, other = Compare((then, right), relations), Compare((otherwise, right), relations)
            return assume(known, Choice(condition, one, other))
        case Compare():
            _assume_links(known, formula)
            return []
        case Member(item, SetOf(elements)):
            return [_disjunction(tuple(comparison(item, Relation.EQ, e) for e in elements))]
        case Member(item, RangeOf(start, stop, step)):
            low, high = (start, stop) if step > 0 else (stop, start)
            above, below = (Relation.LE, Relation.LT) if step > 0 else (Relation.LT, Relation.LE)
            _assume_link(known, low, item, above)
            _assume_link(known, item, high, below)
            aligned = known.normal.remainder(_difference(known, item, start), poly.constant(abs(step)))
            known.assume_zero(aligned)
            return []
        case Test() if (meant := expanded_test(formula)) is not None:
            return assume(known, meant)
        case Test(_, (argument,)):
            known.assume_at_least(poly.shift(known.normal.term(argument), -1))
            return []
        case And(operands):
            return [rest for o in operands for rest in assume(known, o)]
        case Or():
            return [formula]
        case Implies(premise, conclusion):
            return [Or((Not(premise), conclusion))]
        case Choice(condition, then, otherwise):
            return [Or((And((condition, then)), And((Not(condition), otherwise))))]
        case Not(operand):
            return assume_not(known, operand)
        case _:
            return []


def _disjunction(formulas: tuple[Formula, ...]) -> Formula:
    return formulas[0] if len(formulas) == 1 else Or(formulas)


def assume_not(known: ConstraintStore, formula: Formula) -> list[Formula]:
    """Add what follows from the formula being false (and defined)."""
    match formula:
        case Bool(value):
            known.empty |= value
            return []
        case Compare((left, right), (relation,)):
            _assume_link(known, left, right, relation.negated)
            return []
        case Compare(operands, relations):
            links = [comparison(a, r, b) for r, (a, b) in zip(relations, pairwise(operands), strict=True)]
            return [Or(tuple(Not(link) for link in links))]
        case Member(item, SetOf(elements)):
            for element in elements:
                _assume_link(known, item, element, Relation.NE)
            return []
        case Test() if (meant := expanded_test(formula)) is not None:
            return assume_not(known, meant)
        case And(operands):
            return [Or(tuple(Not(o) for o in operands))]
        case Or(operands):
            return [rest for o in operands for rest in assume_not(known, o)]
        case Implies(premise, conclusion):
            return assume(known, premise) + assume_not(known, conclusion)
        case Choice(condition, then, otherwise):
            return [Or((And((condition, Not(then))), And((Not(condition), Not(otherwise)))))]
        case Not(operand):
            return assume(known, operand)
        case _:
            return []


def _assume_links(known: ConstraintStore, chain: Compare) -> None:
    for relation, (left, right) in zip(chain.relations, pairwise(chain.operands), strict=True):
        _assume_link(known, left, right, relation)


def _assume_link(known: ConstraintStore, left: Term, right: Term, relation: Relation) -> None:
    _assume_requirements(known, left)
    _assume_requirements(known, right)
    difference = _difference(known, left, right)
    match relation:
        case Relation.EQ:
            known.assume_zero(difference)
        case Relation.NE:
            known.assume_nonzero(difference)
        case Relation.GE:
            known.assume_at_least(difference)
        case Relation.GT:
            known.assume_at_least(poly.shift(difference, -1))
        case Relation.LE:
            known.assume_at_least(poly.scale(difference, -1))
        case Relation.LT:
            known.assume_at_least(poly.shift(poly.scale(difference, -1), -1))
        case _:
            assert_never(relation)


def _assume_requirements(known: ConstraintStore, term: Term) -> None:
    """A comparison that is true is defined, and so no divisor in it is 0; what is in a conditional may be."""
    if isinstance(term, IfElse):
        return
    for need in requirements(term):
        assume(known, need)
    for child in children(term):
        _assume_requirements(known, child)  # type: ignore[arg-type]
