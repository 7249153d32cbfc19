"""`suggest`: what a program without declarations could declare, from the guards that its calls leave.

The sizes that differ from call to call get names without constraints, and the program is compiled for one of the calls.
The guards on the names are what the program asks of its sizes; what follows from all of them, ranges, multiples,
equalities, is what to declare, where it implies them. Guards that other calls fail can't be declared: there the program
takes another way, and needs another graph.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.fold import names, substitute
from dynconstraints.ir.nodes import Compare, Name, Relation
from dynconstraints.ir.printer import show
from dynconstraints.pytorch.frame.call_check import declarations_in
from dynconstraints.pytorch.guards.narrowing import ExtraGuard
from dynconstraints.pytorch.guards.plain_guards import plain
from dynconstraints.pytorch.reports.compilation import Backend, original_of
from dynconstraints.pytorch.reports.explain import title_of
from dynconstraints.pytorch.reports.given_calls import Call, Given, calls_of
from dynconstraints.pytorch.reports.progress import Progress, progress
from dynconstraints.pytorch.reports.rendering.suggestion_text import suggestion_text
from dynconstraints.pytorch.reports.report import Report
from dynconstraints.pytorch.reports.suggesting.paste_code import declared, pasted
from dynconstraints.pytorch.reports.suggesting.search import Proposed, Saving, Search
from dynconstraints.pytorch.reports.suggesting.shapes import shapes_of
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

    ``splits`` are what no constraint can say; ``savings`` are not among the constraints, since they forbid too much;
    ``report`` is about the graphs of the same calls under the proposal. ``tuples`` are arguments, as the user writes
    them, whose items can't be assigned; ``shapes`` the texts that `declare` takes, by the paths of the arguments.
    ``stopped`` says before what, where the time was up.
    """

    function: str
    signature: inspect.Signature
    sizes: tuple[Size, ...]
    proposed: tuple[Proposed, ...]
    splits: tuple[Split, ...]
    savings: tuple[Saving, ...]
    report: Report
    tuples: frozenset[str] = frozenset()
    shapes: Mapping[str, str] = field(default_factory=dict)
    stopped: str | None = None
    is_module: bool = False

    @property
    def constraints(self) -> tuple[str, ...]:
        """What to give to `declare`, or to `dynamic_int_constraints`."""
        return tuple(p.constraint for p in self.proposed)

    def named(self, *args: Any, **kwargs: Any) -> inspect.BoundArguments:
        """The arguments of a call under the proposed names: call the function with its ``args`` and ``kwargs``.

        Tensors are named in place, as `name_dims` does.
        """
        return with_names(self.signature.bind(*args, **kwargs), self.sizes)

    @property
    def declaration(self) -> str:
        """The call of `declare` to paste where the function is."""
        known = self.function if self.function.isidentifier() else "function"
        return declared("model" if self.is_module else known, self.shapes, self.constraints)

    @property
    def code(self) -> str:
        """The same for one call: lines to paste in front of it, and around it."""
        return pasted(self.function, self.sizes, self.constraints, self.tuples)

    def __str__(self) -> str:
        return suggestion_text(self)


def suggest(
    fn: Callable[..., Any],
    calls: Iterable[Given],
    *,
    backend: Backend | None = None,
    time_limit: float | None = None,
) -> Suggestion:
    """What to declare, so that one graph serves these calls, and others like them.

    Sizes that differ from one call to the next are what is proposed for; of a single call every size above 1 counts as
    one that may differ. Names and constraints that the arguments carry are left as they are. What is proposed forbids
    nothing that the function serves in eager: a separate copy is compiled a few times, as `explain` compiles it, apart
    from the user's own graphs, and run, in eager for other sizes, too. Standard error tells how far it is.

    Args:
        fn: A function or a module, compiled or not.
        calls: The calls, each the tuple of its arguments, or a mapping of them by name; a few sizes each are enough.
        backend: The backend to judge for, as `explain` takes it.
        time_limit: Seconds, after which it tells what was found so far; nothing is interrupted that compiles.

    Returns:
        A Suggestion: ``declaration`` to paste, ``constraints``, and the ``report`` on the same calls under the
        proposal.

    Raises:
        ArgumentError: A call is no tuple or mapping of arguments, or there is none.
        Exception: What the calls themselves raise.

    Example:
        >>> import torch
        >>> def pairs(x):
        ...     return x.view(-1, 2) * 2
        >>> found = suggest(pairs, [(torch.ones(8),), {"x": torch.ones(12)}])
        >>> print(found.declaration)
        pairs = declare(pairs, x="x_0", constraints=["x_0 % 2 == 0", "x_0 >= 2"])
    """
    target, listed = original_of(fn), calls_of(calls, "suggest")
    with progress(f"suggest {title_of(target)}", time_limit) as shown:
        return _suggested(fn, target, listed, backend, shown)


def _suggested(
    fn: Callable[..., Any],
    target: Callable[..., Any],
    calls: Iterable[Call],
    backend: Backend | None,
    shown: Progress,
) -> Suggestion:
    called = target.forward if isinstance(target, torch.nn.Module) else target
    signature = inspect.signature(called)
    bound = [signature.bind(*args, **kwargs) for args, kwargs in calls]
    taken = {name for call in bound for d in declarations_in(call.arguments) for name in d.names}
    said = names_in_source(called, ranks_of(bound[0]))
    sizes = named_slots(differing([sizes_of(call) for call in bound]), taken, said)
    search, splits = Search(fn, target, backend, bound, sizes, shown), dict[str, Split]()
    while True:
        asked, failing = search.asked()
        splits |= {n.text: _split(n, search) for n in failing}
        constant = {n.name for n in asked if n.name is not None}
        sizes = tuple(size for size in search.sizes if size.name not in constant)
        if len(sizes) == len(search.sizes):
            break
        search = replace(search, sizes=sizes)  # where a size is a constant, others may be asked for multiples of it
    held = [n for n in asked if n not in failing and n.name is None and n.bounds is None]
    guards = {n.condition: n.line for n in held if n.condition is not None and search.can_say(n.condition)}
    guards = dict(search.in_normal_form(guards))
    divided = search.divided(guards, guards)
    split = {name for n in failing if n.condition is not None for name in names(n.condition)}
    equal = _equal(divided[0], sizes, split)
    if not equal:
        found = search.proposal(guards, divided)
    else:
        search = replace(search, sizes=tuple(replace(size, name=equal.get(size.name, size.name)) for size in sizes))
        guards = {substitute(g, {old: Name(new) for old, new in equal.items()}): line for g, line in guards.items()}
        found = search.proposal(search.in_normal_form(guards))
    return Suggestion(
        title_of(target),
        signature,
        search.sizes,
        found.proposed,
        tuple(splits.values()),
        found.savings,
        found.report,
        tuples_in(bound[0]),
        shapes_of(search),
        shown.stopped_at,
        isinstance(target, torch.nn.Module),
    )


def _split(found: ExtraGuard, search: Search) -> Split:
    said = found.text if found.condition is None or found.bounds else show(plain(found.condition, search.known))
    return Split(said, found.line, found.name)


def _equal(proposed: Iterable[Constraint], sizes: Iterable[Size], split: AbstractSet[str]) -> dict[str, str]:
    """Of names proposed to be equal, the later ones with the first: sizes that are one have one name.

    Names that the calls are split by keep to themselves.
    """
    order, found = [size.name for size in sizes], dict[str, str]()
    for one in proposed:
        match one.formula:
            case Compare((Name(a), Name(b)), (Relation.EQ,)) if {a, b} <= set(order) and not {a, b} & split:
                first, later = sorted((found.get(a, a), found.get(b, b)), key=order.index)
                found = {name: first if to == later else to for name, to in found.items()} | {later: first}
    return found
