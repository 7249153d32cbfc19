"""All assignments of a finite set, in lexicographic order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from dynconstraints.diagnostics.diagnostic import Diagnostic
from dynconstraints.diagnostics.errors import SolverLimitError
from dynconstraints.ir.evaluate import holds
from dynconstraints.ir.fold import names, walk
from dynconstraints.ir.nodes import Add, Compare, Formula, Int, Mul, Name, Neg, Pow, Relation
from dynconstraints.solver.bounds import range_of
from dynconstraints.solver.case import Case
from dynconstraints.solver.components import components
from dynconstraints.solver.limits import RLIMIT, Limited
from dynconstraints.solver.polynomial import Polynomial, TooLarge
from dynconstraints.solver.prepared import Prepared
from dynconstraints.solver.terms import polynomial

_MOST_TRIES = 1_000_000


def assignments(prepared: Prepared, order: Sequence[str], limit: int = RLIMIT) -> Iterator[dict[str, int]]:
    """Every assignment that satisfies the formulas, in lexicographic order of the names' values in ``order``.

    Each name runs through its range; equations that determine it are solved for it, and a formula is looked at as soon as
    all its names have values. Raises SolverLimitError where the set is not finite, or the search too long.
    """
    found = prepared.model(limit)
    if found is None:
        return
    if isinstance(found, Limited):
        raise limit_error(f"it is not known whether any values satisfy the constraints: {found.reason}", found.reason)
    levels = [_level(prepared, order, place, limit) for place in range(len(order))]
    yield from _Search(levels).run()


def count(prepared: Prepared, limit: int, rlimit: int = RLIMIT) -> int:
    """How many assignments satisfy the formulas. Raises SolverLimitError where they are more than ``limit`` or infinite.

    Independent parts are counted apart and multiplied.
    """
    total = 1
    for part in components(prepared.formulas, {f: sorted(names(f)) for f in prepared.formulas}):
        some = Prepared(part)
        number = 0
        for _ in assignments(some, some.names, rlimit):
            number += 1
            if number > limit:
                raise limit_error(f"there are more than {limit:,} assignments", "assignments")
        total *= number
    if total > limit:
        raise limit_error(f"there are more than {limit:,} assignments", "assignments")
    return total


def limit_error(reason: str, limit: str) -> SolverLimitError:
    """The error for a question that is not answered within the limit."""
    return SolverLimitError(Diagnostic("DC601", f"not decided: {reason}"), limit)


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
        if self.tries > _MOST_TRIES:
            raise limit_error(f"more than {_MOST_TRIES:,} combinations of values were tried", "combinations")


def _level(prepared: Prepared, order: Sequence[str], place: int, limit: int) -> _Level:
    name, before = order[place], set(order[:place])
    ends = range_of(prepared, Name(name), limit)
    if ends.lower is None or ends.upper is None:
        raise limit_error(f"{name} has no {'least' if ends.lower is None else 'greatest'} value", "finite ranges")
    step, rest = prepared.facts.congruence_of(Name(name))
    first = ends.lower + (rest - ends.lower) % step if step else ends.lower
    ready = tuple(f for f in prepared.formulas if name in names(f) and names(f) <= before | {name})
    equations = tuple(solved for f in ready if (solved := _solved_for(f, name)) is not None)
    return _Level(name, range(first, ends.upper + 1, step or 1), ready, equations)


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
