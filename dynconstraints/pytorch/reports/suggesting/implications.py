"""What follows from constraints, asked so often that most of it has to be answered without the solver.

Whatever does not follow has, nearly always, a counterexample among a few dozen assignments near the calls. Each
constraint is looked at once over all of them; then a question is one operation on the bits of an integer. The solver is
asked about the rest, to prove it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from itertools import product
from operator import and_

from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.nodes import Formula
from dynconstraints.lowering.to_closure import compile_formula
from dynconstraints.solver.verdicts import Implied
from dynconstraints.system import ConstraintSystem

_RANDOM, _NEAR, _LARGEST = 160, 3, 4096
"""Assignments at random, calls whose neighbours are looked at, and the largest size at random."""

_EFFORT = 150_000
"""The solver's effort for one question."""


class Implications:
    """Questions about some names, whose ``values`` in the calls are known."""

    def __init__(self, values: Sequence[Mapping[str, int]]) -> None:
        self.names = frozenset(values[0] if values else ()).intersection(*map(frozenset, values))
        self.tried = list(_near(values, sorted(self.names)))
        self._every = (1 << len(self.tried)) - 1
        self._masks: dict[Formula, int] = {}

    def implied(self, known: ConstraintSystem, asked: Constraint) -> bool:
        """Whether it is proved that what is known implies it."""
        if self._is_refuted(known, asked):
            return False
        return isinstance(known.implies(asked, _EFFORT), Implied)

    def _is_refuted(self, known: ConstraintSystem, asked: Constraint) -> bool:
        """Whether one of the assignments is known to satisfy the constraints and to break what is asked."""
        if known.reals or not self.names.issuperset(known.symbols) or not self.names.issuperset(asked.symbols):
            return False
        served = reduce(and_, map(self._mask, known), self._every)
        return bool(served & ~self._mask(asked))

    def _mask(self, constraint: Constraint) -> int:
        """Which of the assignments satisfy it, as bits."""
        formula = constraint.formula
        if formula not in self._masks:
            holds, order = compile_formula(formula, constraint.symbols), constraint.symbols
            bits = (holds(*(each[name] for name in order)) << i for i, each in enumerate(self.tried))
            self._masks[formula] = sum(bits)
        return self._masks[formula]


def _near(values: Sequence[Mapping[str, int]], names: Sequence[str]) -> Iterator[Mapping[str, int]]:
    """The calls, their neighbours, values that programs treat in other ways, and others at random; always the same."""
    choose = random.Random(0)  # noqa: S311  always the same
    yield from values
    for known in values[:_NEAR]:
        for name in names:
            size = known[name]
            others = {1, 2, 3, 4, size + 1, size - 1, 2 * size, size // 2, 4 * size, 4096, size + 16, size * 3}
            yield from ({**known, name: other} for other in sorted(others) if other > 0)
    for ends in product((1, 64), repeat=min(len(names), 4)):
        yield {**dict.fromkeys(names, 2), **dict(zip(names, ends, strict=False))}
    for _ in range(_RANDOM if values else 0):
        step = choose.choice((1, 1, 4, 8, 16, 32))
        whole = {name: step * choose.randint(1, max(1, min(_LARGEST, 512) // step)) for name in names}
        equal = choose.random() < 0.3
        yield dict.fromkeys(names, whole[names[0]]) if equal and names else whole
