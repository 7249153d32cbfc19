"""Whether a program itself refuses what a constraint would refuse: it is run, in eager, for sizes that violate it.

A constraint that only the compiler asks for saves a graph, and forbids sizes that the program serves without it. Empty
tensors are left out: torch makes no graph that serves them beside others.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, combinations, islice, product

from dynconstraints.diagnostics.errors import ConstraintError
from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.fold import names_in_order, walk
from dynconstraints.ir.nodes import Compare, FloorDiv, Formula, Int, Mod, Not, Relation
from dynconstraints.lowering.to_closure import compile_formula
from dynconstraints.pytorch.reports.eager_calls import in_eager
from dynconstraints.pytorch.reports.suggesting.size_names import Size, resized
from dynconstraints.solver.verdicts import Open, Refuted, Sat
from dynconstraints.system import ConstraintSystem

_TRIED, _CALLS = 8, 3
"""How many assignments are run, next to how many of the calls."""

_EFFORT = 30_000
"""The solver's, where no assignment is at hand."""

_NAMES = 3
"""Of how many names the sizes are tried that a constraint's own numbers suggest."""

_PLAIN = 60
"""Characters of the constraints that it is asked to satisfy; the others are looked at afterwards."""

_LARGER = 2**16
"""Sizes tried are no larger than this and four times the largest of the calls."""

_ELEMENTS = 2**22


_TOO_LARGE = "too large to be tried"


@dataclass(frozen=True)
class Refusal:
    """An assignment that a program refuses in eager, and what it raises."""

    values: Mapping[str, int]
    error: str


@dataclass(frozen=True)
class Trials:
    """A program, its calls, and the sizes in them that have names; ``values`` are what these are in each call, and
    ``others`` assignments that may be tried besides."""

    target: Callable[..., object]
    calls: Sequence[inspect.BoundArguments]
    sizes: tuple[Size, ...]
    values: Sequence[Mapping[str, int]]
    others: Sequence[Mapping[str, int]] = ()
    failures: dict[tuple[tuple[str, int], ...], str | None] = field(default_factory=dict, repr=False)
    """What was raised for assignments that were tried; None where nothing was."""

    def served(self, without: Formula, beside: ConstraintSystem) -> Mapping[str, int] | None:
        """An assignment that the program serves in eager, within the system and outside of the constraint.

        A size of 1 broadcasts, and so serves by chance what is meant to be equal: an equation is needed unless most of
        what it forbids is served.
        """
        tried = self._outside(without, beside)
        if not _is_equation(without):
            return next((values for values in tried if self._serves(values)), None)
        served = [values for values in tried if self._serves(values)]
        return served[0] if 2 * len(served) > len(tried) else None

    def cannot_be_tried(self, without: Formula, beside: ConstraintSystem) -> bool:
        """Whether there is no assignment at hand that is small enough to be run."""
        return all(self._call(values) is None for values in self._outside(without, beside))

    def refusal(self, without: Formula, beside: ConstraintSystem) -> Refusal | None:
        """Of what was tried an assignment that the program refuses, within the system and outside of the constraint."""
        violated = Constraint.of(without)
        for tried, error in self.failures.items():
            values = dict(tried)
            if error not in (None, _TOO_LARGE) and not violated.holds(values) and beside.holds(values):
                return Refusal(values, str(error))
        return None

    def is_fixed(self, argument: str, dimension: int, size: int) -> bool:
        """Whether the program refuses other sizes of a dimension that nothing names."""
        probe = (Size(argument, dimension, "size"),)
        calls = [resized(self.calls[0], probe, {"size": other}, _ELEMENTS) for other in (size + 1, 2 * size)]
        return all(call is not None and self._failure_of(call) is not None for call in calls)

    def at_hand(self, without: Formula, beside: ConstraintSystem) -> list[Mapping[str, int]]:
        """Assignments within the system and outside of the constraint that need no search.

        They are next to the calls, one or two sizes changed, or multiples of the constraint's own numbers.
        """
        violated = Constraint.of(without)
        fails = compile_formula(Not(without), violated.symbols)
        every = chain(self._near(), self.others, self._multiples(without))
        tried = (v for v in every if fails(*(v[name] for name in violated.symbols)))
        return list(islice((v for v in tried if beside.holds(v)), _TRIED))

    def _outside(self, without: Formula, beside: ConstraintSystem) -> list[Mapping[str, int]]:
        """Assignments within the system and outside of the constraint; where none is at hand, the solver's, if any."""
        found = self.at_hand(without, beside)
        if found:
            return found
        plain = [constraint for constraint in beside if len(constraint.text) <= _PLAIN]
        system = ConstraintSystem((*plain, *self._limits()), reals=beside.reals)
        try:
            values = _outside_of(system, Constraint.of(without))
            fails = values is not None and compile_formula(Not(without), tuple(values))(*values.values())
        except (ConstraintError, KeyError):  # names that no argument has
            return []
        return [values] if values is not None and fails and beside.holds(values) else []

    def _near(self) -> Iterator[Mapping[str, int]]:
        mine = list(dict.fromkeys(size.name for size in self.sizes))
        for known in self.values[:_CALLS]:
            changes = {name: _others(known[name]) for name in mine if name in known}
            for name, others in changes.items():
                yield from ({**known, name: other} for other in others)
            for one, other in combinations(changes, 2):
                yield from ({**known, one: a, other: b} for a, b in product(changes[one], changes[other]))

    def _multiples(self, constraint: Formula) -> Iterator[Mapping[str, int]]:
        """The first call with small multiples of the numbers in the constraint in the place of the sizes in it."""
        numbers = dict.fromkeys(n.value for n in walk(constraint) if isinstance(n, Int) and 1 < n.value <= _LARGER)
        mine = [name for name in names_in_order(constraint) if name in self.values[0]][:_NAMES]
        steps = [1, *(factor * number for number in list(numbers)[:_NAMES] for factor in (1, 2))]
        for sizes in product(steps, repeat=len(mine)):
            yield {**self.values[0], **dict(zip(mine, sizes, strict=True))}

    def _limits(self) -> Iterable[Constraint]:
        """Nothing is empty or much larger than in the calls, and what the user named stays."""
        most = 4 * max((abs(v) for known in self.values for v in known.values()), default=0) + _LARGER
        mine = dict.fromkeys(size.name for size in self.sizes)
        least = {size.name: 1 for size in self.sizes if size.dimension is not None}
        texts = [f"{least.get(name, -most)} <= {name} <= {most}" for name in mine]
        texts += [f"{name} == {value}" for name, value in self.values[0].items() if name not in mine]
        return iter(ConstraintSystem(texts))

    def _call(self, values: Mapping[str, int]) -> inspect.BoundArguments | None:
        return resized(self.calls[0], self.sizes, {**self.values[0], **values}, _ELEMENTS)

    def _serves(self, values: Mapping[str, int]) -> bool:
        key = tuple((name, values[name]) for name in self.values[0] if name in values)
        if key not in self.failures:
            call = self._call(values)
            self.failures[key] = _TOO_LARGE if call is None else self._failure_of(call)
        return self.failures[key] is None

    def _failure_of(self, call: inspect.BoundArguments) -> str | None:
        try:
            with in_eager():
                self.target(*call.args, **call.kwargs)
        except Exception as error:  # whatever the user's program raises
            return f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
        return None


def _outside_of(system: ConstraintSystem, constraint: Constraint) -> Mapping[str, int] | None:
    """An assignment within the system and outside of the constraint, if there is one."""
    answer: object = system.implies(constraint, _EFFORT)
    if isinstance(answer, Refuted):
        answer = system.check(_EFFORT)
    return answer.fails_at if isinstance(answer, Open) else answer.model if isinstance(answer, Sat) else None


def _is_equation(formula: Formula) -> bool:
    match formula:
        case Compare(terms, (Relation.EQ,)):
            return not any(isinstance(node, Mod | FloorDiv) for term in terms for node in walk(term))
    return False


def _others(value: int) -> list[int]:
    """Values beside this one that programs treat in other ways, if any."""
    near = (1, 2, value + 1, value - 1, 3, 4, 2 * value, value // 2, 7, 8, 16, value + 2)
    return [other for other in dict.fromkeys(near) if other >= 1 and other != value]
