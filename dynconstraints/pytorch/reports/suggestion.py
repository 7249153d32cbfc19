"""`suggest`: what a program without declarations could declare, from the guards that its calls leave.

The sizes that differ from call to call get names without constraints, and the program is compiled for one of the calls.
The guards on the names are what the program asks of its sizes; what follows from all of them, ranges, multiples,
equalities, is what to declare, where it implies them. Guards that other calls fail can't be declared: there the program
takes another way, and needs another graph.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import torch

from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.fold import names, substitute
from dynconstraints.ir.nodes import Compare, Formula, Name, Relation
from dynconstraints.pytorch.declarations.check_values import constraints_in_force, merged
from dynconstraints.pytorch.declarations.scope import dynamic_int_constraints
from dynconstraints.pytorch.declarations.violation_error import shown
from dynconstraints.pytorch.frame.call_check import declarations_in
from dynconstraints.pytorch.guards.narrowing import ExtraGuard, extra_guards
from dynconstraints.pytorch.reports.compilation import Backend, Way, apart, original_of
from dynconstraints.pytorch.reports.explain import explained, title_of
from dynconstraints.pytorch.reports.given_calls import calls_of
from dynconstraints.pytorch.reports.rendering.text import under
from dynconstraints.pytorch.reports.rendering.wrap import code_line, fitted
from dynconstraints.pytorch.reports.report import Report
from dynconstraints.pytorch.reports.suggesting.generalize import generalised, needed_by
from dynconstraints.pytorch.reports.suggesting.paste_code import pasted
from dynconstraints.pytorch.reports.suggesting.size_names import (
    Size,
    differing,
    named_slots,
    ranks_of,
    sizes_of,
    tuples_in,
    with_names,
)
from dynconstraints.pytorch.reports.suggesting.source_names import names_in_source
from dynconstraints.pytorch.reports.suggesting.trial_runs import Trials
from dynconstraints.solver.verdicts import Implied
from dynconstraints.syntax.parser import parse
from dynconstraints.system import ConstraintSystem

_ROUNDS = 3
"""How often what is left under a proposal may add to it."""

_ATTEMPTS = 3
"""How many of the calls are compiled in search of one whose guards the others pass."""


@dataclass(frozen=True)
class Proposed:
    """A constraint to declare, and the user's line that first needs it, where that is known."""

    constraint: str
    line: str | None


@dataclass(frozen=True)
class Split:
    """A condition that some of the calls fail: the program takes another way there, and no declaration unites them.

    ``specialises`` is the name of the size that the program needs as a constant, where that is what the condition says.
    """

    condition: str
    line: str | None
    specialises: str | None


@dataclass(frozen=True)
class Saving:
    """A constraint that only torch asks for: declared, it saves a graph, and forbids what the program serves in eager.

    ``refuses`` is such an assignment; None where none was small enough to be tried.
    """

    constraint: str
    line: str | None
    refuses: Mapping[str, int] | None


@dataclass(frozen=True)
class Suggestion:
    """What `suggest` proposes: names for sizes, and constraints over them.

    ``splits`` are what no constraint can say; ``savings`` are not among the constraints, since they forbid too much;
    ``report`` is about the graphs of the same calls under the proposal. ``tuples`` are arguments, as the user writes
    them, whose items can't be assigned.
    """

    function: str
    signature: inspect.Signature
    sizes: tuple[Size, ...]
    proposed: tuple[Proposed, ...]
    splits: tuple[Split, ...]
    savings: tuple[Saving, ...]
    report: Report
    tuples: frozenset[str] = frozenset()

    @property
    def constraints(self) -> tuple[str, ...]:
        """What to give to `dynamic_int_constraints`."""
        return tuple(p.constraint for p in self.proposed)

    def named(self, *args: Any, **kwargs: Any) -> inspect.BoundArguments:
        """The arguments of a call under the proposed names: call the function with its ``args`` and ``kwargs``.

        Tensors are named in place, as `name_dims` does.
        """
        return with_names(self.signature.bind(*args, **kwargs), self.sizes)

    @property
    def code(self) -> str:
        """Lines to paste in front of the call, and around it."""
        return pasted(self.function, self.sizes, self.constraints, self.tuples)

    def __str__(self) -> str:
        if not self.sizes:
            return f"{self.function}: no size that could be declared differs from call to call"
        lines = [f"{self.function}: what its calls could declare"]
        numbers = {size.name for size in self.sizes if size.name == size.where}
        lines += [f"  {s.name} is {'the number ' * (s.name in numbers)}{s.where}" for s in self.sizes]
        for proposed in self.proposed:
            lines.append(f"  declare: {proposed.constraint}")
            lines += [code_line("    for ", proposed.line)] if proposed.line else []
        for split in self.splits:
            lines.append(f"  not for all of the calls: {split.condition}")
            lines += [f"    {split.specialises} is needed as a constant"] if split.specialises else []
            lines += [code_line("    from ", split.line)] if split.line else []
        written = "\n".join(["write", *(f"  {line}" for line in self.code.splitlines())])  # never folded: it is code
        graphs = len(self.report.graphs)
        claims = [f"then these calls need {graphs} graph{'s' * (graphs != 1)} {under(self.report)}"]
        if self.report.covers_domain and not self.splits:
            claims.append("proved: they serve every input that these constraints allow")
        for saving in self.savings:
            claims.append(f"not declared, though it would save a graph: {saving.constraint}")
            claims += [code_line("    for ", saving.line)] if saving.line else []
            claims += [f"    refuses {shown(saving.refuses)}, which eager serves"] if saving.refuses else []
        return f"{fitted(lines)}\n{written}\n{fitted(claims)}"


def suggest(fn: Callable[..., Any], calls: Iterable[tuple[Any, ...]], *, backend: Backend | None = None) -> Suggestion:
    """What to declare, so that one graph serves these calls, and others like them.

    Sizes that differ from one call to the next are what is proposed for; of a single call every size above 1 counts as
    one that may differ. Names and constraints that the arguments carry are left as they are. What is proposed forbids
    nothing that the function serves in eager: a separate copy is compiled a few times, as `explain` compiles it, apart
    from the user's own graphs, and run, in eager for other sizes, too.

    Args:
        fn: A function or a module, compiled or not.
        calls: The calls, each the tuple of its arguments; a few sizes each are enough.
        backend: The backend to judge for, as `explain` takes it.

    Returns:
        A Suggestion: ``code`` to paste, ``constraints``, and the ``report`` on the same calls under the proposal.

    Raises:
        ArgumentError: A call is no tuple of arguments, or there is none.
        Exception: What the calls themselves raise.

    Example:
        >>> import torch
        >>> def pairs(x):
        ...     return x.view(-1, 2) * 2
        >>> print(suggest(pairs, [(torch.ones(8),), (torch.ones(12),)]).constraints)
        ('x_0 % 2 == 0', 'x_0 >= 2')
    """
    target, listed = original_of(fn), calls_of(calls, "suggest")
    signature = inspect.signature(target.forward if isinstance(target, torch.nn.Module) else target)
    bound = [signature.bind(*call) for call in listed]
    taken = {name for call in bound for d in declarations_in(call.arguments) for name in d.names}
    said = names_in_source(target.forward if isinstance(target, torch.nn.Module) else target, ranks_of(bound[0]))
    sizes = named_slots(differing([sizes_of(call) for call in bound]), taken, said)
    search, splits = _Search(fn, target, backend, bound, sizes), dict[str, Split]()
    while True:
        asked, failing = search.asked()
        splits |= {n.text: Split(n.text, n.line, n.name) for n in failing}
        constant = {n.name for n in asked if n.name is not None}
        sizes = tuple(size for size in search.sizes if size.name not in constant)
        if len(sizes) == len(search.sizes):
            break
        search = replace(search, sizes=sizes)  # where a size is a constant, others may be asked for multiples of it
    held = [n for n in asked if n not in failing and n.name is None and n.bounds is None]
    guards = {n.condition: n.line for n in held if n.condition is not None and search.can_say(n.condition)}
    proposed, savings, report = search.proposed(guards)
    split = {name for n in failing if n.condition is not None for name in names(n.condition)}
    equal = _equal(proposed, sizes, split)
    if equal:
        search = replace(search, sizes=tuple(replace(size, name=equal.get(size.name, size.name)) for size in sizes))
        guards = {substitute(g, {old: Name(new) for old, new in equal.items()}): line for g, line in guards.items()}
        proposed, savings, report = search.proposed(guards)
    return Suggestion(
        title_of(target),
        signature,
        search.sizes,
        proposed,
        tuple(splits.values()),
        savings,
        report,
        tuples_in(bound[0]),
    )


def _equal(proposed: Iterable[Proposed], sizes: Iterable[Size], split: AbstractSet[str]) -> dict[str, str]:
    """Of names proposed to be equal, the later ones with the first: sizes that are one have one name.

    Names that the calls are split by keep to themselves.
    """
    order, found = [size.name for size in sizes], dict[str, str]()
    for one in proposed:
        match parse(one.constraint).formula:
            case Compare((Name(a), Name(b)), (Relation.EQ,)) if {a, b} <= set(order) and not {a, b} & split:
                first, later = sorted((found.get(a, a), found.get(b, b)), key=order.index)
                found = {name: first if to == later else to for name, to in found.items()} | {later: first}
    return found


@dataclass(frozen=True)
class _Search:
    """A function, its calls, and the sizes in them that are to have names."""

    fn: Callable[..., Any]
    target: Callable[..., Any]
    backend: Backend | None
    bound: Sequence[inspect.BoundArguments]
    sizes: tuple[Size, ...]

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
    def trials(self) -> Trials:
        """The function in eager, for other sizes."""
        return Trials(self.target, self.bound, self.sizes, self.values)

    def can_say(self, condition: Formula) -> bool:
        """Whether every name in the condition stands on an argument."""
        return names(condition) <= set(self.known.symbols).union(*self.values)

    def asked(self) -> tuple[list[ExtraGuard], list[ExtraGuard]]:
        """The conditions of a compiled call, and those of them that other calls fail; the call with fewest of these."""
        found: list[tuple[list[ExtraGuard], list[ExtraGuard]]] = []
        eager = Way.of(self.fn, "eager")
        for call in self.calls[:_ATTEMPTS]:
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

    def proposed(self, asked: Mapping[Formula, str | None]) -> tuple[tuple[Proposed, ...], tuple[Saving, ...], Report]:
        """The constraints that the guards amount to, those that would save a graph, and the report under the first.

        Under the constraints the program is traced anew, and may ask what it did not ask before: then so do they.
        """
        guards = dict(asked)
        for _ in range(_ROUNDS):
            constraints, refused = self._divided(guards, asked)
            with dynamic_int_constraints(constraints):
                report = explained(self.fn, [(call.args, call.kwargs) for call in self.calls], self.backend)
            left = {
                r.true: r for g in report.graphs for r in g.remaining if r.true is not None and r.specialises is None
            }
            new = [f for f in left if f not in guards and self._may_hold(f) and self.can_say(f)]
            if not new:
                break
            guards |= {f: left[f].line for f in new}
        proposed = tuple(Proposed(c.text, self._line(c, constraints, guards)) for c in constraints)
        savings = self._savings(guards, constraints, refused)
        return proposed, savings, report

    def _divided(
        self, guards: Mapping[Formula, str | None], own: Container[Formula]
    ) -> tuple[tuple[Constraint, ...], dict[str, Mapping[str, int]]]:
        """What the program itself needs: constraints whose violation it refuses in eager. Beside them assignments that
        it serves though a constraint like them forbids them."""
        positive = tuple(self._positive(guards))
        asked = dict.fromkeys((*guards, *positive))
        needed = [g for g in asked if g in positive or self._is_needed(g, [o for o in guards if o != g], g in own)]
        found, refused = list(generalised(needed, self.known, self.values)), dict[str, Mapping[str, int]]()
        for constraint in found[:]:
            others = [c for c in found if c is not constraint]
            served = None
            if constraint.formula not in positive:
                served = self.trials.served(constraint.formula, self.known.extend(others))
            if served is not None:
                refused[constraint.text] = served
                found.remove(constraint)
        return tuple(found), refused

    def _positive(self, guards: Iterable[Formula]) -> Iterator[Formula]:
        """That sizes aren't 0, as far as the guards say so: torch traces sizes that may be 0 in few programs."""
        told = self.known.extend(map(Constraint.of, guards))
        for constraint in ConstraintSystem(f"{name} >= 1" for name in dict.fromkeys(s.name for s in self.sizes)):
            if isinstance(told.implies(constraint), Implied):
                yield constraint.formula

    def _is_needed(self, guard: Formula, others: Iterable[Formula], is_own: bool) -> bool:
        """Whether eager refuses what the guard refuses. Of what is too large to be tried the program's own counts."""
        beside = self.known.extend(Constraint.of(other) for other in others)
        if isinstance(beside.implies(Constraint.of(guard)), Implied):
            beside = self.known
        if self.trials.served(guard, beside) is not None:
            return False
        return is_own or not self.trials.cannot_be_tried(guard, beside)

    def _savings(
        self,
        guards: Mapping[Formula, str | None],
        constraints: Sequence[Constraint],
        refused: Mapping[str, Mapping[str, int]],
    ) -> tuple[Saving, ...]:
        """What the other guards amount to beside the constraints."""
        beside = self.known.extend(constraints)
        found = generalised(tuple(guards), beside, self.values)
        return tuple(
            Saving(c.text, self._line(c, found, guards), refused.get(c.text) or self.trials.served(c.formula, beside))
            for c in found
        )

    def _line(
        self, constraint: Constraint, beside: Sequence[Constraint], guards: Mapping[Formula, str | None]
    ) -> str | None:
        """The line of the first guard that needs the constraint."""
        first = needed_by(self.known.extend(c for c in beside if c is not constraint), guards)
        return None if first is None else guards[first]
