"""Trying all values of a box, in lexicographic order, with equations solved and formulas checked early."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from dynconstraints.ir.evaluate import holds
from dynconstraints.ir.fold import names, walk
from dynconstraints.ir.nodes import Add, Compare, Formula, Int, Mul, Name, Neg, Pow, Relation
from dynconstraints.solver.algebra.polynomial import Polynomial, TooLarge
from dynconstraints.solver.tableau.branch import Case
from dynconstraints.solver.tableau.lower_terms import polynomial


class TooMany(Exception):  # noqa: N818  (it is a limit, not an error)
    """More combinations were tried than allowed."""


def assignments_in(
    formulas: Sequence[Formula], ranges: Mapping[str, range], most_tries: int
) -> Iterator[dict[str, int]]:
    """Every assignment in the box that satisfies the formulas, in lexicographic order of the ranges' names.

    A formula is looked at as soon as all its names have values. Raises TooMany after ``most_tries`` combinations.
    """
    if not all(holds(formula, {}) for formula in formulas if not names(formula)):
        return
    order = tuple(ranges)
    levels = [_level(formulas, ranges[name], order[: place + 1]) for place, name in enumerate(order)]
    yield from _Search(levels, most_tries).run()


@dataclass(frozen=True)
class _Level:
    """A name, the range it runs through, and what is decided once it and the names before it have values.

    An equation is ``factor*name + rest == 0``.
    """

    name: str
    values: range
    formulas: tuple[Formula, ...]
    equations: tuple[tuple[Polynomial, Polynomial], ...]

    def options(self, values: dict[str, int]) -> Sequence[int]:
        """The values that the name may have after the names before it."""
        for factor, rest in self.equations:
            f = factor.at(values)
            if f:
                value, remainder = divmod(-rest.at(values), f)
                return (value,) if remainder == 0 and value in self.values else ()
        return self.values


@dataclass
class _Search:
    """Depth first, one level a name, without recursion: there may be a thousand names."""

    levels: Sequence[_Level]
    most_tries: int
    tries: int = 0
    values: dict[str, int] = field(default_factory=dict)

    def run(self) -> Iterator[dict[str, int]]:
        """The assignments, in lexicographic order."""
        if not self.levels:
            yield {}
            return
        stack = [iter(self.levels[0].options(self.values))]
        while stack:
            level = self.levels[len(stack) - 1]
            value = next(stack[-1], None)
            if value is None:
                stack.pop()
                self.values.pop(level.name, None)
                continue
            self.values[level.name] = value
            self._count()
            if not all(holds(formula, self.values) for formula in level.formulas):
                continue
            if len(stack) == len(self.levels):
                yield dict(self.values)
            else:
                stack.append(iter(self.levels[len(stack)].options(self.values)))

    def _count(self) -> None:
        self.tries += 1
        if self.tries > self.most_tries:
            raise TooMany


def _level(formulas: Sequence[Formula], values: range, order: Sequence[str]) -> _Level:
    name, known = order[-1], set(order)
    ready = tuple(f for f in formulas if name in names(f) and names(f) <= known)
    equations = tuple(solved for f in ready if (solved := _solved_for(f, name)) is not None)
    return _Level(name, values, ready, equations)


def _solved_for(formula: Formula, name: str) -> tuple[Polynomial, Polynomial] | None:
    """``(factor, rest)`` of an equation ``factor*name + rest == 0``; None where the formula is no such equation."""
    match formula:
        case Compare((left, right), (Relation.EQ,)):
            total_terms = Int | Name | Neg | Add | Mul | Pow
            if not all(isinstance(node, total_terms) for side in (left, right) for node in walk(side)):
                return None
        case _:
            return None
    try:
        difference = polynomial(Case(), left) - polynomial(Case(), right)
    except TooLarge:
        return None
    if any(monomial.count(name) > 1 for monomial in difference.terms):
        return None
    having = Polynomial({m: c for m, c in difference.terms.items() if name in m})
    return having.over((name,)), difference - having
