"""Definitions among formulas: names that an equation gives by others, and what is left when they are replaced.

Chains of sizes (``h1 == (h0 - 2)//2 + 1``, ``t == b*h1*w1``) have hundreds of names, of which few are free. With each
defined name replaced by its image, the term that it is, questions are about the free names alone: an assignment of
these satisfies what is left just where it extends to one that satisfies all formulas, and it extends in one way.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from dynconstraints.ir.evaluate import value_of
from dynconstraints.ir.fold import conjuncts, has_link, names, substitute, substitute_term, walk
from dynconstraints.ir.functions import all_requirements
from dynconstraints.ir.nodes import Add, Compare, Formula, IfElse, Name, Neg, Relation, Term, comparison, negated, total
from dynconstraints.solver.algebra.linear_terms import is_total, simplified
from dynconstraints.solver.limits import IMAGE_NODES

Model: TypeAlias = dict[str, int]


@dataclass(frozen=True, slots=True)
class Definitions:
    """Names with their images, terms over the other names, and the formulas that are left: over these, too."""

    images: Mapping[str, Term]
    rest: tuple[Formula, ...]

    def formula(self, formula: Formula) -> Formula:
        """The formula about the free names."""
        return substitute(formula, self.images)

    def term(self, term: Term) -> Term:
        """The term over the free names."""
        return simplified(substitute_term(term, self.images))

    def lifted(self, model: Mapping[str, int]) -> Model:
        """The only extension of a model of what is left to the defined names. Free names without a value are 0."""
        full = dict(model)
        for name, image in self.images.items():
            for other in names(image):
                full.setdefault(other, 0)
            value = value_of(image, full)
            if value is None:
                raise AssertionError(f"undefined under a model of its own formulas: {name}")
            full[name] = value
        return full


def definitions(formulas: Sequence[Formula], kept: Collection[str] = ()) -> Definitions:
    """The definitions found among the formulas, none of a name that is to be kept, and what is left."""
    if not any(has_link(formula, Relation.EQ) for formula in formulas):
        return Definitions({}, tuple(formulas))
    parts = list(dict.fromkeys(part for formula in formulas for part in conjuncts(formula)))
    chosen = _chosen(parts, frozenset(kept))
    images: dict[str, Term] = {}
    for name in _in_order({name: term for name, (_, term) in chosen.items()}):
        image = simplified(substitute_term(chosen[name][1], images))
        if sum(1 for _ in walk(image)) <= IMAGE_NODES:
            images[name] = image
    used = {part for name, (part, _) in chosen.items() if name in images}
    left = [substitute(part, images) for part in parts if part not in used]
    defined = [formula for image in images.values() for formula in definedness(image)]
    return Definitions(images, tuple(dict.fromkeys((*left, *defined))))


def definedness(term: Term) -> tuple[Formula, ...]:
    """Formulas that hold just where the term has a value."""
    if any(isinstance(node, IfElse) for node in walk(term)):
        return () if is_total(term) else (comparison(term, Relation.EQ, term),)
    return all_requirements(term)


def _chosen(parts: Sequence[Formula], kept: frozenset[str]) -> dict[str, tuple[Formula, Term]]:
    """For each name that is defined, the equation and the term; no name is defined by itself, through others either."""
    chosen: dict[str, tuple[Formula, Term]] = {}
    needs: dict[str, frozenset[str]] = {}
    used: set[Formula] = set()
    for options in (_stated, _solved):
        for part in parts:
            for name, term in options(part) if part not in used else ():
                below = names(term)
                if name in kept or name in chosen or name in below or _reaches(below, name, needs):
                    continue
                chosen[name], needs[name] = (part, term), below
                used.add(part)
                break
    return chosen


def _stated(part: Formula) -> Iterator[tuple[str, Term]]:
    """What an equation defines whose one side is a name."""
    match part:
        case Compare((left, right), (Relation.EQ,)):
            if isinstance(left, Name):
                yield left.id, right
            if isinstance(right, Name):
                yield right.id, left


def _solved(part: Formula) -> Iterator[tuple[str, Term]]:
    """What an equation defines one side of which has a name as an addend."""
    match part:
        case Compare((left, right), (Relation.EQ,)):
            for side, other in ((left, right), (right, left)):
                addends = side.terms if isinstance(side, Add) else (side,)
                for place, addend in enumerate(addends):
                    rest = (*addends[:place], *addends[place + 1 :])
                    match addend:
                        case Name(name):
                            yield name, total((other, *map(negated, rest)))
                        case Neg(Name(name)):
                            yield name, total((*rest, negated(other))) if rest else negated(other)


def _reaches(start: frozenset[str], goal: str, needs: Mapping[str, frozenset[str]]) -> bool:
    stack, seen = list(start), set(start)
    while stack:
        name = stack.pop()
        if name == goal:
            return True
        fresh = needs.get(name, frozenset()) - seen
        seen |= fresh
        stack.extend(fresh)
    return False


def _in_order(terms: Mapping[str, Term]) -> Iterator[str]:
    """The names, each after those that its definition uses. Iterative: chains may be long."""
    done: set[str] = set()
    for first in terms:
        stack = [first]
        while stack:
            name = stack[-1]
            waiting = [other for other in sorted(names(terms[name])) if other in terms and other not in done]
            if waiting and name not in done:
                stack.extend(waiting)
                continue
            stack.pop()
            if name not in done:
                done.add(name)
                yield name
