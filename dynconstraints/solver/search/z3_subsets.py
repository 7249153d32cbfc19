"""Many questions about subsets of the same formulas, put to one solver of z3: is this subset satisfiable?

A literal of its own stands for each formula, and a question assumes those of its subset, so that what z3 has learnt of
one question serves the next. The answer to a sequence of questions depends on the formulas and the questions alone.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import z3

from dynconstraints.ir.fold import names
from dynconstraints.ir.nodes import Formula
from dynconstraints.lowering.to_z3 import Encoder
from dynconstraints.solver.limits import SUBSET_RLIMIT
from dynconstraints.solver.search.z3_query import solver_of


class Subsets:
    """Formulas, subsets of which are asked about."""

    def __init__(self, formulas: Sequence[Formula]) -> None:
        self.formulas = tuple(formulas)
        self._encoder = Encoder(z3.Context())
        for name in sorted(frozenset().union(*map(names, self.formulas))):
            self._encoder.name(name)
        self._solver = solver_of(self._encoder.context, SUBSET_RLIMIT)
        self._true = [self._literal(f"t{i}", self._encoder.true(f)) for i, f in enumerate(self.formulas)]
        self._not_true: dict[int, z3.BoolRef] = {}
        self._asserted = 0
        self._assert_sides()

    def _literal(self, name: str, expression: z3.BoolRef) -> z3.BoolRef:
        literal = z3.Bool(f"{name}!", self._encoder.context)  # no name of the language has a `!`
        self._solver.add(z3.Implies(literal, expression))
        return literal

    def _assert_sides(self) -> None:
        self._solver.add(*self._encoder.sides[self._asserted :])
        self._asserted = len(self._encoder.sides)

    def _not(self, index: int) -> z3.BoolRef:
        if index not in self._not_true:
            self._not_true[index] = self._literal(f"n{index}", self._encoder.not_true(self.formulas[index]))
            self._assert_sides()
        return self._not_true[index]

    def satisfiable(self, chosen: Collection[int], without: int | None = None) -> bool | None:
        """Whether something satisfies the chosen formulas, and doesn't that ``without``; None where z3 gave up.

        The evaluator doesn't confirm what satisfies them: it is told to nobody, but a constraint may be kept for it.
        """
        assumed = [self._true[i] for i in chosen] + ([] if without is None else [self._not(without)])
        answer = self._solver.check(*assumed)
        return True if answer == z3.sat else False if answer == z3.unsat else None

    def core(self) -> list[int]:
        """After a subset that nothing satisfies: those of its formulas that z3 needed to see it, in order."""
        used = {str(literal) for literal in self._solver.unsat_core()}
        return [i for i, literal in enumerate(self._true) if str(literal) in used]
