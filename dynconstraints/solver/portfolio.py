"""A set of constraints made ready for questions, and the portfolio that answers them.

The methods, in this order, each sound by itself: what the facts say; the list of all assignments, where it is short;
a few candidate assignments; refutation by cases, then by residues; z3 on the formulas as they
are. The first that settles the question ends it. Everything depends on the set of constraints and the question only,
not on the order of the constraints, nor on what was asked before: answers are remembered, never reused for other
questions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TypeAlias

from dynconstraints.facts.product.analysis import State, analyse
from dynconstraints.facts.product.box import Box
from dynconstraints.ir.evaluate import truth_of
from dynconstraints.ir.fold import names, walk
from dynconstraints.ir.nodes import (
    TRUE,
    Add,
    Call,
    Formula,
    Function,
    IfElse,
    Int,
    Member,
    Mul,
    Name,
    Neg,
    Node,
    Pow,
    SetOf,
    Term,
)
from dynconstraints.ir.printer import in_order
from dynconstraints.solver.algebra.definitions import Definitions, definitions
from dynconstraints.solver.algebra.polynomial import Polynomial, TooLarge
from dynconstraints.solver.limits import (
    CANDIDATES,
    EXHAUSTED,
    EXHAUSTIVE_NAMES,
    FEW_NAMES,
    FUEL,
    MOST_CHOICES,
    MOST_LISTED,
    MOST_NAMES,
    RLIMIT,
    Limited,
)
from dynconstraints.solver.search.enumerate_box import TooMany, assignments_in
from dynconstraints.solver.search.levels import Endless, Progression
from dynconstraints.solver.search.pigeonholes import too_few_values
from dynconstraints.solver.search.residue_refutation import contradictory
from dynconstraints.solver.search.unbounded_curves import UnboundedCurves
from dynconstraints.solver.tableau.branch import Fuel
from dynconstraints.solver.tableau.branch_models import candidates
from dynconstraints.solver.tableau.lower_terms import polynomial
from dynconstraints.solver.tableau.nnf import falsifying_cases
from dynconstraints.solver.tableau.tableau import Model, Tableau
from dynconstraints.solver.verdicts import Implied, Open, Refuted, Unknown, Verdict

Wanted: TypeAlias = Callable[[Mapping[str, int]], bool]
Found: TypeAlias = Model | Limited | None


class Portfolio:
    """The conjunction of formulas, ready for questions. Safe to share between threads: what it caches never changes."""

    def __init__(self, formulas: Sequence[Formula]) -> None:
        self.formulas = in_order(formulas)
        self.names = tuple(sorted(frozenset().union(*map(names, self.formulas))))
        self._verdicts: dict[tuple[Formula, int], Verdict] = {}
        self._models: dict[int, Found] = {}
        self._curves: dict[tuple[str, ...], UnboundedCurves] = {}
        self.attained: dict[tuple[Term, int], list[int] | None] = {}

    def curves(self, symbols: tuple[str, ...]) -> UnboundedCurves:
        """Curves of models, along which terms over the symbols may grow."""
        key = () if symbols is self.names else symbols  # thousands of names take long to hash
        if key not in self._curves:
            self._curves[key] = UnboundedCurves(self.facts, symbols, self.formulas, self.samples)
        return self._curves[key]

    @cached_property
    def samples(self) -> tuple[Mapping[str, int], ...]:
        """Some models, which cost little: at ends of ranges and near 0."""
        ends = [model for model in self._at_ends() if self.holds(model)] if self.is_large else []
        return tuple(ends) or self.facts.candidates

    @cached_property
    def reduced(self) -> Reduced | None:
        """With many names: the same without those that are defined by others, if any are."""
        if len(self.names) <= FEW_NAMES:
            return None
        found = definitions(self.formulas)
        return Reduced(found, Portfolio(found.rest)) if found.images else None

    @cached_property
    def _own(self) -> frozenset[str]:
        return frozenset(self.names)

    @cached_property
    def is_large(self) -> bool:
        """Whether there are too many names for proofs by cases: z3 alone decides, or a part of the formulas does."""
        return len(self.names) > MOST_NAMES and (self.reduced is None or self.reduced.portfolio.is_large)

    @cached_property
    def tableau(self) -> Tableau:
        """The formulas, taken in as far as that takes no case split."""
        return Tableau.of(() if self.is_large else self.formulas)

    @cached_property
    def facts(self) -> State:
        """What the abstract domains say."""
        return analyse(self.formulas)

    @cached_property
    def listed(self) -> tuple[Model, ...] | None:
        """All assignments that satisfy the formulas, where the ranges hold few combinations; None elsewhere."""
        ranges: dict[str, Progression] = {}
        combinations = 1
        for name in self.names:
            low, high = self.facts.range_of(Name(name))
            if low is None or high is None:
                return None
            combinations *= min(high - low + 1, self._set_sizes.get(name, high - low + 1))
            if combinations > (MOST_LISTED if len(self.names) > 1 else max(MOST_LISTED, *self._set_sizes.values(), 0)):
                return None
            ranges[name] = Progression(low, high)
        return tuple(assignments_in(self.formulas, ranges, combinations * len(ranges)))

    @cached_property
    def _set_sizes(self) -> dict[str, int]:
        """How many values sets of numbers leave to names."""
        sizes: dict[str, int] = {}
        for formula in self.formulas:
            match formula:
                case Member(Name(name), SetOf(elements)) if all(isinstance(element, Int) for element in elements):
                    sizes[name] = min(len(elements), sizes.get(name, len(elements)))
        return sizes

    @cached_property
    def _is_crowded(self) -> bool:
        """Whether names that all differ have too few values, so that nothing satisfies the formulas."""
        return too_few_values(self.formulas, lambda name: self.facts.range_of(Name(name)))

    @cached_property
    def exhausted(self) -> tuple[Model, ...] | None:
        """All assignments that satisfy the formulas, where equations and divisors leave few to try; else None."""
        if len(self.names) > EXHAUSTIVE_NAMES or self.is_large:
            return None
        ends = {name: self.facts.range_of(Name(name)) for name in self.names}
        width = {name: math.inf if low is None or high is None else high - low for name, (low, high) in ends.items()}
        order = sorted(self.names, key=lambda name: (width[name], name))
        try:
            found = assignments_in(self.formulas, {name: Progression(*ends[name]) for name in order}, EXHAUSTED)
            return tuple(dict(sorted(model.items())) for model in found)
        except (TooMany, Endless):
            return None

    def image(self, term: Term) -> Polynomial | None:
        """The term over unknowns of the tableau's case; None where that does not say all, or it is no polynomial."""
        tableau = self.tableau
        if self.is_large or tableau.closed or tableau.todo or tableau.case.lossy:
            return None
        if not all(map(_is_polynomial, walk(term))):
            return None
        try:
            return polynomial(tableau.case, term)
        except TooLarge:
            return None

    def solved_image(self, term: Term) -> tuple[Polynomial, frozenset[str]] | None:
        """The term as a polynomial over unknowns any choice of which is a model, and those that must not be negative.

        None where the formulas are not solved to that extent, or the term is no polynomial.
        """
        image, case = self.image(term), self.tableau.case
        try:
            if image is None or case.prover.rest or case.equations or case.distinct or case.choices:
                return None
            return case.prover.image(image), case.prover.slacks
        except TooLarge:
            return None

    def holds(self, model: Mapping[str, int]) -> bool:
        """Whether the evaluator finds every formula to hold."""
        return all(truth_of(formula, model) is True for formula in self.formulas)

    def implies(self, query: Formula, limit: int = RLIMIT) -> Verdict:
        """Whether the query is true under all, some or none of the assignments that satisfy the formulas."""
        key = query, limit
        if key not in self._verdicts:
            self._verdicts[key] = self._implies(query, limit)
        return self._verdicts[key]

    def _implies(self, query: Formula, limit: int) -> Verdict:
        if self.reduced is not None:
            return self._lifted_verdict(self.reduced, query, limit)
        seen = self.facts.truth(query) if choices(query) <= MOST_CHOICES else None
        if seen is not None:
            return Implied() if seen or self._is_empty(limit) else Refuted()
        holds_at, fails_at = self._witnesses(query)
        if fails_at is None:
            found = self.model_without(query, limit)
            if found is None:
                return Implied()
            if isinstance(found, Limited):
                return Unknown(found.reason) if holds_at else self._refuted_or(query, limit, found)
            fails_at = found
        if holds_at is None:
            also = self.model_with(query, limit)
            if also is None:
                return Refuted()
            if isinstance(also, Limited):
                return Unknown(also.reason)
            holds_at = also
        return Open(holds_at, fails_at)

    def _lifted_verdict(self, reduced: Reduced, query: Formula, limit: int) -> Verdict:
        """The verdict of the free names, its witnesses with values for all."""
        verdict = reduced.portfolio.implies(reduced.definitions.formula(query), limit)
        if not isinstance(verdict, Open):
            return verdict
        symbols = self.names_with(query)
        holds_at, fails_at = verdict.holds_at, verdict.fails_at
        return Open(self._lifted(reduced, holds_at, symbols), self._lifted(reduced, fails_at, symbols))

    def _lifted(self, reduced: Reduced, model: Mapping[str, int], symbols: tuple[str, ...]) -> Model:
        full = reduced.definitions.lifted(model)
        return {name: full.get(name, 0) for name in symbols}

    def _refuted_or(self, query: Formula, limit: int, reason: Limited) -> Verdict:
        if self.model_with(query, limit) is not None:
            return Unknown(reason.reason)
        return Implied() if self._is_empty(limit) else Refuted()

    def _is_empty(self, limit: int) -> bool:
        """Whether it is proved that nothing satisfies the formulas."""
        return self._corner is None and not self.facts.has_candidates and self.model(limit) is None

    @cached_property
    def _corner(self) -> Model | None:
        """The plainest assignment, where it satisfies the formulas."""
        corner = Box(self.formulas).corner(self.names)
        return corner if self.holds(corner) else None

    def _witnesses(self, query: Formula) -> tuple[Model | None, Model | None]:
        """Candidates that satisfy the formulas: one under which the query is true, one under which it isn't."""
        holds_at = fails_at = None
        if not self._lists(query) and not self.is_large and not self.tableau.closed:
            for model in candidates(self.tableau.case, self.names_with(query), CANDIDATES):
                if holds_at is not None and fails_at is not None:
                    break
                if self.holds(model):
                    if truth_of(query, model) is True:
                        holds_at = holds_at or model
                    else:
                        fails_at = fails_at or model
        return holds_at, fails_at

    def model(self, limit: int = RLIMIT) -> Found:
        """An assignment that satisfies the formulas; None if there is none."""
        if limit not in self._models:
            self._models[limit] = self._model(limit)
        return self._models[limit]

    def _model(self, limit: int) -> Found:
        if self.reduced is not None:
            found = self.reduced.portfolio.model(limit)
            return self._lifted(self.reduced, found, self.names) if isinstance(found, dict) else found
        if self._corner is not None:
            return self._corner
        if self.facts.is_empty or self._is_crowded:
            return None
        if self.listed is None and not self.is_large and not self.tableau.closed:
            for model in candidates(self.tableau.case, self.names, CANDIDATES):
                if self.holds(model):
                    return model
        for model in self._at_ends() if self.is_large else ():
            if self.holds(model):
                return model
        return self.model_with(TRUE, limit)

    def _at_ends(self) -> Iterator[Model]:
        """Every name at its least value, every name at its greatest; 0 where there is none.

        Then the least values, from those on, that keep the distances that the facts know of.
        """
        ranges = {name: self.facts.range_of(Name(name)) for name in self.names}
        yield {name: next((end for end in (low, high) if end is not None), 0) for name, (low, high) in ranges.items()}
        yield {name: next((end for end in (high, low) if end is not None), 0) for name, (low, high) in ranges.items()}
        lower = {name: low if low is not None else min(0, high or 0) for name, (low, high) in ranges.items()}
        distant = self.facts.least_values(lower)
        if distant is not None:
            yield distant

    def model_with(self, query: Formula = TRUE, limit: int = RLIMIT) -> Found:
        """An assignment that satisfies the formulas and the query; None if there is none."""
        if self.reduced is not None:
            found = self.reduced.portfolio.model_with(self.reduced.definitions.formula(query), limit)
            return self._lifted(self.reduced, found, self.names_with(query)) if isinstance(found, dict) else found
        if self._lists(query):
            return next((model for model in self.listed or () if truth_of(query, model) is True), None)
        if self.is_large:
            return self._by_z3((query,), (), limit)
        symbols = self.names_with(query)
        return self._search(
            (query,), symbols, lambda m: truth_of(query, m) is True, lambda: self._by_z3((query,), (), limit)
        )

    def model_without(self, query: Formula, limit: int = RLIMIT) -> Found:
        """As ``model_with``, for an assignment under which the query is false or undefined."""
        if self.reduced is not None:
            found = self.reduced.portfolio.model_without(self.reduced.definitions.formula(query), limit)
            return self._lifted(self.reduced, found, self.names_with(query)) if isinstance(found, dict) else found
        if self._lists(query):
            return next((model for model in self.listed or () if truth_of(query, model) is not True), None)
        if self.is_large:
            return self._by_z3((), (query,), limit)
        symbols = self.names_with(query)

        return self._search(
            falsifying_cases(query),
            symbols,
            lambda m: truth_of(query, m) is not True,
            lambda: self._by_z3((), (query,), limit),
        )

    def _search(
        self,
        ways: Sequence[Formula],
        symbols: tuple[str, ...],
        wanted: Wanted,
        last: Callable[[], Found],
    ) -> Found:
        """A wanted assignment that satisfies the formulas, in one of the ways; None if there is none."""
        fuel = Fuel(FUEL)
        for way in ways:
            found = self.tableau.search(way, fuel, symbols, lambda model: self.holds(model) and wanted(model))
            if found is None and not contradictory((*self.formulas, way)):
                return last()
            if isinstance(found, dict):
                return found
        return None

    def _lists(self, query: Formula) -> bool:
        """Whether the question is one about a short list."""
        return self.listed is not None and names(query) <= set(self.names)

    def _by_z3(self, true: tuple[Formula, ...], not_true: tuple[Formula, ...], limit: int) -> Found:
        if all(names(formula) <= self._own for formula in (*true, *not_true)) and self.exhausted is not None:
            return next((model for model in self.exhausted if _is_wanted(model, true, not_true)), None)
        if too_few_values((*self.formulas, *true), lambda name: self.facts.range_of(Name(name))):
            return None
        from dynconstraints.solver.search.z3_query import (
            solve,  # z3 takes a while to load, and most questions don't need it
        )

        return solve((*self.formulas, *true), not_true, limit)

    def names_with(self, node: Node) -> tuple[str, ...]:
        """The names of the formulas and of the node, in alphabetical order."""
        others = names(node) - self._own
        return tuple(sorted({*self.names, *others})) if others else self.names


@lru_cache(maxsize=8192)
def choices(formula: Formula) -> int:
    """How many conditionals and minima, maxima and absolute values it has."""
    chosen = (Function.MIN, Function.MAX, Function.ABS)
    return sum(isinstance(n, IfElse) or (isinstance(n, Call) and n.function in chosen) for n in walk(formula))


@dataclass(frozen=True, slots=True)
class Reduced:
    """Definitions, and what is left of the formulas, ready for questions."""

    definitions: Definitions
    portfolio: Portfolio


def _is_wanted(model: Model, true: Sequence[Formula], not_true: Sequence[Formula]) -> bool:
    return all(truth_of(f, model) is True for f in true) and all(truth_of(f, model) is not True for f in not_true)


def _is_polynomial(node: Node) -> bool:
    return isinstance(node, Int | Name | Neg | Add | Mul | Pow)
