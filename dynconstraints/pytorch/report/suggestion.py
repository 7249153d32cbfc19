"""`suggest`: what a program without declarations could declare, from the guards that its calls leave.

The sizes that differ from call to call get names without constraints, and the program is compiled for one of the calls.
The guards on the names are what the program asks of its sizes; what follows from all of them, ranges, multiples,
equalities, is what to declare, where it implies them. Guards that other calls fail can't be declared: there the program
takes another way, and needs another graph.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Any

import torch

from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.fold import names, substitute
from dynconstraints.ir.nodes import Compare, Formula, Name, Relation
from dynconstraints.pytorch.calls import declarations_in
from dynconstraints.pytorch.checking import constraints_in_force, merged
from dynconstraints.pytorch.observe import observe
from dynconstraints.pytorch.policies import Narrowing, narrowings
from dynconstraints.pytorch.report.compiling import apart, original_of
from dynconstraints.pytorch.report.explain import explained, title_of
from dynconstraints.pytorch.report.generalise import generalised, needed_by
from dynconstraints.pytorch.report.layout import code_line, fitted
from dynconstraints.pytorch.report.model import Report
from dynconstraints.pytorch.report.naming import Size, differing, named_slots, ranks_of, sizes_of, with_names
from dynconstraints.pytorch.report.saying import names_in_source
from dynconstraints.pytorch.scope import dynamic_int_constraints
from dynconstraints.syntax.parser import parse

_ROUNDS = 3
"""How often what is left under a proposal may add to it."""

_ATTEMPTS = 3
"""How many of the calls are compiled in search of one whose guards the others pass."""

_COLUMNS = 76
"""Lines to paste are no longer, where the constraints allow it."""


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
class Suggestion:
    """What `suggest` proposes: names for sizes, and constraints over them.

    ``splits`` are what no constraint can say; ``report`` is about the graphs of the same calls under the proposal.
    """

    function: str
    signature: inspect.Signature
    sizes: tuple[Size, ...]
    proposed: tuple[Proposed, ...]
    splits: tuple[Split, ...]
    report: Report

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
        lines = []
        for argument in dict.fromkeys(size.argument for size in self.sizes):
            mine = [size for size in self.sizes if size.argument == argument]
            if mine[0].dimension is None:
                lines.append(f'{argument} = DynamicInt({argument}, name="{mine[0].name}")')
            else:
                dims = ", ".join(f'{size.dimension}: "{size.name}"' for size in mine)
                lines.append(f"name_dims({argument}, {{{dims}}})")
        call = f"{self.function if self.function.isidentifier() else 'function'}(...)"
        if not self.constraints:
            return "\n".join([*lines, call])
        opening, closing = "with dynamic_int_constraints([", "]):"
        listed = ", ".join(f'"{text}"' for text in self.constraints)
        if len(opening + listed + closing) <= _COLUMNS:
            lines.append(opening + listed + closing)
        else:
            lines += [opening, *(f'    "{text}",' for text in self.constraints), closing]
        return "\n".join([*lines, f"    {call}"])

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
        lines += ["write", *(f"  {line}" for line in self.code.splitlines())]
        graphs = len(self.report.graphs)
        lines.append(f"then these calls need {graphs} graph{'s' * (graphs != 1)}")
        if self.report.covers_domain and not self.splits:
            lines.append("proved: they serve every input that these constraints allow")
        return fitted(lines)


def suggest(fn: Callable[..., Any], calls: Iterable[tuple[Any, ...]]) -> Suggestion:
    """What to declare, so that one graph serves these calls, and others like them.

    ``calls`` are tuples of arguments, of a few sizes each; sizes that differ from one to the next are what is proposed
    for. Of a single call every size above 1 counts as one that may differ. Names and constraints that the arguments
    carry are left as they are. Compiles the function a few times, apart from the user's own graphs, and runs it.
    Raises ValueError where there is no call, and what the calls themselves raise.
    """
    target = original_of(fn)
    signature = inspect.signature(target.forward if isinstance(target, torch.nn.Module) else target)
    bound = [signature.bind(*call) for call in calls]
    if not bound:
        raise ValueError("suggest needs a call to look at: suggest(fn, [(x,), (y,)]), each a tuple of arguments")
    taken = {name for call in bound for d in declarations_in(call.arguments) for name in d.names}
    said = names_in_source(target.forward if isinstance(target, torch.nn.Module) else target, ranks_of(bound[0]))
    sizes = named_slots(differing([sizes_of(call) for call in bound]), taken, said)
    named = [with_names(call, sizes, apart=True) for call in bound]
    values = [_values(call) for call in named]
    asked, failing = _asked(target, named, values)
    constant = {n.name for n in asked if n.name is not None}
    if constant:
        sizes = tuple(size for size in sizes if size.name not in constant)
        named = [with_names(call, sizes, apart=True) for call in bound]
    held = [n for n in asked if n not in failing and n.name is None and n.bounds is None]
    guards = {n.condition: n.line for n in held if n.condition is not None}
    proposed, report = _proposed(target, named, values, guards)
    equal = _equal(proposed, sizes, {name for n in failing if n.condition is not None for name in names(n.condition)})
    if equal:
        sizes = tuple(replace(size, name=equal.get(size.name, size.name)) for size in sizes)
        named = [with_names(call, sizes, apart=True) for call in bound]
        guards = {substitute(g, {old: Name(new) for old, new in equal.items()}): line for g, line in guards.items()}
        proposed, report = _proposed(target, named, [_values(call) for call in named], guards)
    splits = tuple(Split(n.text, n.line, n.name) for n in failing)
    return Suggestion(title_of(target), signature, sizes, proposed, splits, report)


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


def _values(call: inspect.BoundArguments) -> Mapping[str, int]:
    return merged(declarations_in(call.arguments)).bindings


def _asked(
    target: Callable[..., Any], calls: Sequence[inspect.BoundArguments], values: Sequence[Mapping[str, int]]
) -> tuple[list[Narrowing], list[Narrowing]]:
    """The conditions of a compiled call, and those of them that other calls fail; the call with fewest of these."""
    found: list[tuple[list[Narrowing], list[Narrowing]]] = []
    for call in calls[:_ATTEMPTS]:
        with observe() as frames:
            torch.compile(apart(target), backend="eager", dynamic=False)(*call.args, **call.kwargs)
        asked = [n for frame in frames if frame.facts is not None for n in narrowings(frame.facts)]
        found.append((asked, [n for n in asked if not all(_may_hold(n.condition, v) for v in values)]))
        if not found[-1][1]:
            break
    return min(found, key=lambda one: len(one[1]))


def _may_hold(condition: Formula | None, values: Mapping[str, int]) -> bool:
    if condition is None:
        return True
    constraint = Constraint.of(condition)
    return not all(name in values for name in constraint.symbols) or constraint.holds(values)


def _proposed(
    target: Callable[..., Any],
    calls: Sequence[inspect.BoundArguments],
    values: Sequence[Mapping[str, int]],
    guards: dict[Formula, str | None],
) -> tuple[tuple[Proposed, ...], Report]:
    """The constraints that the guards amount to, and the report on the calls under them.

    Under the constraints the program is traced anew, and may ask what it did not ask before: then so do they.
    """
    known = constraints_in_force(declarations_in(calls[0].arguments))
    for _ in range(_ROUNDS):
        constraints = generalised(tuple(guards), known, values)
        with dynamic_int_constraints(constraints):
            report = explained(target, [(call.args, call.kwargs) for call in calls])
        new = {
            r.true: r.line for g in report.graphs for r in g.remaining if r.true is not None and r.specialises is None
        }
        new = {f: line for f, line in new.items() if f not in guards and all(_may_hold(f, v) for v in values)}
        if not new:
            break
        guards.update(new)
    proposed = []
    for constraint in constraints:
        others = known.extend(c for c in constraints if c is not constraint)
        first = needed_by(others, guards)
        proposed.append(Proposed(constraint.text, None if first is None else guards[first]))
    return tuple(proposed), report
