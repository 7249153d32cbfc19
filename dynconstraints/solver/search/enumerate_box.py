"""All assignments in a box, in lexicographic order, or their number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from dynconstraints.ir.evaluate import holds
from dynconstraints.ir.fold import conjuncts, names
from dynconstraints.ir.nodes import Formula
from dynconstraints.solver.search.levels import Level, Progression, level_of, number_of


class TooMany(Exception):  # noqa: N818  (it is a limit, not an error)
    """More combinations were tried than allowed."""


def assignments_in(
    formulas: Sequence[Formula], ranges: Mapping[str, Progression], most_tries: int
) -> Iterator[dict[str, int]]:
    """Every assignment in the box that satisfies the formulas, in lexicographic order of the ranges' names.

    A formula is looked at as soon as all its names have values. Raises TooMany after ``most_tries`` combinations.
    """
    if _may_hold(formulas):
        yield from _Search(_levels(formulas, ranges), most_tries).run()


def number_in(formulas: Sequence[Formula], ranges: Mapping[str, Progression], most_tries: int) -> int:
    """How many assignments in the box satisfy the formulas: the values of the last name aren't gone through where
    bounds and congruences say all of them. Raises TooMany after ``most_tries`` combinations.
    """
    if not _may_hold(formulas):
        return 0
    levels = _levels(formulas, ranges)
    if not levels or levels[-1].checked:
        return sum(1 for _ in _Search(levels, most_tries).run())
    last = levels.pop()
    return sum(number_of(last.options(values)) for values in _Search(levels, most_tries).run())


def _may_hold(formulas: Sequence[Formula]) -> bool:
    """Whether all that has no names holds."""
    return all(holds(part, {}) for formula in formulas for part in conjuncts(formula) if not names(part))


def _levels(formulas: Sequence[Formula], ranges: Mapping[str, Progression]) -> list[Level]:
    order = tuple(ranges)
    return [level_of(formulas, ranges[name], order[: place + 1]) for place, name in enumerate(order)]


@dataclass
class _Search:
    """Depth first, one level a name, without recursion: there may be a thousand names."""

    levels: Sequence[Level]
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
            if not all(holds(formula, self.values) for formula in level.checked):
                continue
            if len(stack) == len(self.levels):
                yield dict(self.values)
            else:
                stack.append(iter(self.levels[len(stack)].options(self.values)))

    def _count(self) -> None:
        self.tries += 1
        if self.tries > self.most_tries:
            raise TooMany
