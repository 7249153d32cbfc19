"""The search for what a program could declare: what it asks, what that amounts to, and what eager makes of it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.fold import names
from dynconstraints.ir.nodes import Formula
from dynconstraints.ir.printer import show
from dynconstraints.pytorch.declarations.check_values import constraints_in_force, merged
from dynconstraints.pytorch.declarations.scope import dynamic_int_constraints
from dynconstraints.pytorch.frame.call_check import declarations_in
from dynconstraints.pytorch.guards.narrowing import ExtraGuard, extra_guards
from dynconstraints.pytorch.guards.normal_guards import normal_form
from dynconstraints.pytorch.guards.plain_guards import plain
from dynconstraints.pytorch.reports.compilation import Backend, Way, apart
from dynconstraints.pytorch.reports.explain import explained, title_of
from dynconstraints.pytorch.reports.progress import Progress
from dynconstraints.pytorch.reports.report import Report
from dynconstraints.pytorch.reports.suggesting.generalize import generalised, needed_by
from dynconstraints.pytorch.reports.suggesting.implications import Implications
from dynconstraints.pytorch.reports.suggesting.size_names import Size, with_names
from dynconstraints.pytorch.reports.suggesting.trial_runs import Refusal, Trials
from dynconstraints.system import ConstraintSystem

_ROUNDS = 3
"""How often what is left under a proposal may add to it."""

_PLAIN = 80
"""Characters of a guard from which on it is no help to see what follows from others."""

_ATTEMPTS = 3
"""How many of the calls are compiled in search of one whose guards the others pass."""


@dataclass(frozen=True)
class Proposed:
    """A constraint to declare, and why.

    ``line`` is the user's line that first needs it, and ``asked`` the condition there, where that is another one than
    the constraint; None where they aren't known. ``refused`` is an assignment that the constraint rules out and the
    program refuses in eager, with what it raises; ``reason`` says why there is none.
    """

    constraint: str
    line: str | None
    asked: str | None = None
    refused: Refusal | None = None
    reason: str = ""


@dataclass(frozen=True)
class Saving:
    """A constraint that only torch asks for: declared, it saves a graph, and forbids what the program serves in eager.

    ``refuses`` is such an assignment; None where none was small enough to be tried.
    """

    constraint: str
    line: str | None
    refuses: Mapping[str, int] | None


Divided: TypeAlias = tuple[tuple[Constraint, ...], dict[str, Mapping[str, int]]]
"""Constraints that the program itself needs, and what it serves though a constraint like them forbids it, by texts."""


@dataclass(frozen=True)
class Proposal:
    """What is to be declared, what would save a graph, and the report on the calls under the first."""

    proposed: tuple[Proposed, ...]
    savings: tuple[Saving, ...]
    report: Report


@dataclass(frozen=True)
class Search:
    """A function, its calls, and the sizes in them that are to have names."""

    fn: Callable[..., Any]
    target: Callable[..., Any]
    backend: Backend | None
    bound: Sequence[inspect.BoundArguments]
    sizes: tuple[Size, ...]
    progress: Progress = field(compare=False)

    @cached_property
    def calls(self) -> list[inspect.BoundArguments]:
        """The calls with names; the user's own tensors stay without."""
        return [with_names(call, self.sizes, apart=True) for call in self.bound]

    @cached_property
    def values(self) -> list[Mapping[str, int]]:
        """What the names are in each call."""
        return [merged(declarations_in(call.arguments)).bindings for call in self.calls]

    @cached_property
    def known(self) -> ConstraintSystem:
        """What is declared already."""
        return constraints_in_force(declarations_in(self.calls[0].arguments))

    @cached_property
    def asking(self) -> Implications:
        """What follows from what, about the names."""
        return Implications(self.values)

    @cached_property
    def trials(self) -> Trials:
        """The function in eager, for other sizes."""
        return Trials(self.target, self.bound, self.sizes, self.values, self.asking.tried)

    def can_say(self, condition: Formula) -> bool:
        """Whether every name in the condition stands on an argument."""
        return names(condition) <= set(self.known.symbols).union(*self.values)

    def asked(self) -> tuple[list[ExtraGuard], list[ExtraGuard]]:
        """The conditions of a compiled call, and those of them that other calls fail; the call with fewest of these."""
        found: list[tuple[list[ExtraGuard], list[ExtraGuard]]] = []
        eager = Way.of(self.fn, "eager")
        for number, call in enumerate(self.calls[:_ATTEMPTS], 1):
            if found and self.progress.is_over("what other calls ask"):
                break
            self.progress.stage(f"tracing call {number} of {len(self.calls)}")
            with eager.observed(apart(self.target), dynamic=False) as (compiled, frames):
                compiled(*call.args, **call.kwargs)
            asked = [n for frame in frames if frame.facts is not None for n in extra_guards(frame.facts)]
            found.append((asked, [n for n in asked if not self._may_hold(n.condition)]))
            if not found[-1][1]:
                break
        return min(found, key=lambda one: len(one[1]))

    def _may_hold(self, condition: Formula | None) -> bool:
        """Whether all calls satisfy it, as far as they have values for its names."""
        if condition is None:
            return True
        constraint = Constraint.of(condition)
        return all(constraint.holds(v) for v in self.values if v.keys() >= set(constraint.symbols))

    def in_normal_form(self, guards: Mapping[Formula, str | None]) -> dict[Formula, str | None]:
        """The guards in normal form, each once, with the line of the first that says so.

        Sizes that the guards say to be positive are so in it: they are proposed to be.
        """
        self.progress.stage(f"reading {len(guards)} guards")
        base = self.known.extend(Constraint.of(formula) for formula in self._positive(guards))
        found: dict[Formula, str | None] = {}
        for guard, line in guards.items():
            if not self.asking.implied(base, Constraint.of(said := normal_form(guard, base))):
                found.setdefault(said, line)
        positive = {formula: self._line_about(formula, guards) for formula in self._positive(guards)}
        return found | {formula: line for formula, line in positive.items() if formula not in found}

    def _line_about(self, formula: Formula, guards: Mapping[Formula, str | None]) -> str | None:
        """The line of the first guard that speaks of the same name."""
        return next((line for guard, line in guards.items() if line and names(formula) <= names(guard)), None)

    def proposal(self, asked: Mapping[Formula, str | None], divided: Divided | None = None) -> Proposal:
        """The constraints that the guards amount to, those that would save a graph, and the report under the first.

        Under the constraints the program is traced anew, and may ask what it did not ask before: then so do they.
        ``divided`` is what `divided` made of the guards, if it was asked already.
        """
        guards, report = dict(asked), Report(title_of(self.target), ())
        for turn in range(_ROUNDS):
            constraints, refused = divided if divided and turn == 0 else self.divided(guards, asked)
            if self.progress.is_over("the calls were compiled under the proposal"):
                break
            self.progress.stage(f"compiling {len(self.calls)} calls under the proposal")
            with dynamic_int_constraints(constraints):
                report = explained(self.fn, [(call.args, call.kwargs) for call in self.calls], self.backend)
            left = {
                r.true: r for g in report.graphs for r in g.remaining if r.true is not None and r.specialises is None
            }
            new = [f for f in left if f not in guards and self._may_hold(f) and self.can_say(f)]
            if not new:
                break
            guards |= {f: left[f].line for f in new}
        proposed = tuple(self._with_reason(c, constraints, guards) for c in constraints)
        return Proposal(proposed, self._savings(guards, constraints, refused), report)

    def divided(self, guards: Mapping[Formula, str | None], own: Mapping[Formula, str | None]) -> Divided:
        """What the program itself needs: constraints whose violation it refuses in eager. Beside them assignments that
        it serves though a constraint like them forbids them."""
        positive = tuple(self._positive(guards))
        asked = dict.fromkeys((*guards, *positive))
        needed = [g for g in asked if g in positive or self._is_needed(g, [o for o in guards if o != g], g in own)]
        self.progress.stage(f"putting {len(needed)} conditions together")
        found = list(generalised(needed, self.known, self.values, self.asking, self.progress))
        refused = dict[str, Mapping[str, int]]()
        for constraint in found[:]:
            others = [c for c in found if c is not constraint]
            served = None
            if constraint.formula not in positive and not self.progress.is_over("all of it was tried in eager"):
                served = self.trials.served(constraint.formula, self.known.extend(others))
            if served is not None:
                refused[constraint.text] = served
                found.remove(constraint)
        return tuple(sorted(found, key=self._place)), refused

    def _place(self, constraint: Constraint) -> tuple[bool, int, bool]:
        """Where a person would put it: size by size, its multiple before its bounds, relations last."""
        order = list(dict.fromkeys(size.name for size in self.sizes))
        known = [order.index(name) for name in constraint.symbols if name in order]
        return len(constraint.symbols) > 1, min(known, default=len(order)), "%" not in constraint.text

    def _positive(self, guards: Iterable[Formula]) -> Iterator[Formula]:
        """That sizes aren't 0, as far as the guards say so: torch traces sizes that may be 0 in few programs."""
        told = self.known.extend(Constraint.of(guard) for guard in guards if len(show(guard)) <= _PLAIN)
        for constraint in ConstraintSystem(f"{name} >= 1" for name in dict.fromkeys(s.name for s in self.sizes)):
            alone = [g for g in guards if names(g) == {constraint.symbols[0]}]
            if any(
                self.asking.implied(known, constraint) for known in (self.known.extend(map(Constraint.of, alone)), told)
            ):
                yield constraint.formula

    def _is_needed(self, guard: Formula, others: Sequence[Formula], is_own: bool) -> bool:
        """Whether eager refuses what the guard refuses. Of what is too large to be tried the program's own counts."""
        if self.progress.is_over("all of it was tried in eager"):
            return is_own
        self.progress.stage(f"trying what fails {show(guard)[:60]} in eager")
        beside = self.known.extend(Constraint.of(other) for other in others)
        if not self.trials.at_hand(guard, beside):  # the others imply it, as far as one sees
            beside = self.known
        if self.trials.served(guard, beside) is not None:
            return False
        return is_own or not self.trials.cannot_be_tried(guard, beside)

    def _with_reason(
        self, constraint: Constraint, constraints: Sequence[Constraint], guards: Mapping[Formula, str | None]
    ) -> Proposed:
        """The constraint, with what first needs it and what the program makes of its violation."""
        others = self.known.extend(c for c in constraints if c is not constraint)
        together = others.extend([constraint])
        served = [guard for guard in guards if self.asking.implied(together, Constraint.of(guard))]
        needing = [g for g in served if not self.asking.implied(others, Constraint.of(g))]
        enough = (g for g in needing if self.asking.implied(others.extend([Constraint.of(g)]), constraint))
        first = next(enough, next(iter(needing), None))
        line = self._line_about(constraint.formula, guards) if first is None else guards[first]
        is_alike = first is not None and names(first) == set(constraint.symbols)
        asked = show(plain(first, self.known)) if first is not None and is_alike else None
        refused = self.trials.refusal(constraint.formula, others)
        reason = "" if refused else self._why_untried(constraint, others)
        return Proposed(constraint.text, line, asked if asked != constraint.text else None, refused, reason)

    def _why_untried(self, constraint: Constraint, others: ConstraintSystem) -> str:
        """Why no assignment is told that the constraint rules out."""
        positive = ConstraintSystem(f"{size.name} >= 1" for size in self.sizes)
        if self.asking.implied(others.extend(positive), constraint):
            return "an empty tensor has no graph in common with others"
        if self.progress.stopped_at is not None:
            return "the program asks it; the time was up before it was tried in eager"
        return "the program asks it; nothing that it rules out was small enough to be tried"

    def _savings(
        self,
        guards: Mapping[Formula, str | None],
        constraints: Sequence[Constraint],
        refused: Mapping[str, Mapping[str, int]],
    ) -> tuple[Saving, ...]:
        """What the other guards amount to beside the constraints."""
        if self.progress.is_over("it was looked for what would save a graph"):
            return ()
        self.progress.stage("looking for what would save a graph")
        beside = self.known.extend(constraints)
        found = generalised(tuple(guards), beside, self.values, self.asking, self.progress)
        return tuple(
            Saving(c.text, self._line(c, found, guards), refused.get(c.text) or self.trials.served(c.formula, beside))
            for c in found
        )

    def _line(
        self, constraint: Constraint, beside: Sequence[Constraint], guards: Mapping[Formula, str | None]
    ) -> str | None:
        """The line of the first guard that needs the constraint."""
        others = self.known.extend(c for c in beside if c is not constraint)
        first = needed_by(others, guards, self.asking)
        return None if first is None else guards[first]
