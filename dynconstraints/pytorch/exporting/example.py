"""What the example of an export declares: terms of the sizes and numbers among its inputs, and their constraints."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch

from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.nodes import Name, Term
from dynconstraints.pytorch._torch.exporting import Leaf, leaves_of, mapped_leaves
from dynconstraints.pytorch.declarations.declaration import Declaration
from dynconstraints.pytorch.declarations.scope import Scope, current_scope
from dynconstraints.pytorch.exporting.contract import Contract, Input, carried
from dynconstraints.pytorch.exporting.places import Place
from dynconstraints.pytorch.frame.call_check import check_call
from dynconstraints.pytorch.signatures.calls import Item, is_traced, items_of, known_call
from dynconstraints.pytorch.signatures.parameters import parameters_of_module
from dynconstraints.pytorch.signatures.registry import signature_of_module
from dynconstraints.pytorch.values.dynamic_float import DynamicFloat
from dynconstraints.pytorch.values.dynamic_int import DynamicInt
from dynconstraints.pytorch.values.named_dims import named_dims


@dataclass(frozen=True)
class Example:
    """The inputs that a program is exported with: what they declare, and together with the open blocks.

    ``added`` is what dynamic_shapes say besides, or the contract of a program that is exported again.
    """

    leaves: tuple[Leaf, ...]
    places: tuple[Place, ...]
    call: Declaration
    scope: Scope
    added: tuple[Constraint, ...] = ()

    @cached_property
    def constraints(self) -> tuple[Constraint, ...]:
        """All that is in force, each with the place where it was said."""
        places = self.call.places
        found = dict.fromkeys((*self.call.constraints, *self.scope.constraints, *self.added))
        said = [(c, next((places[n] for n in c.symbols if n in places), None)) for c in found]
        return tuple(c if place is None else place.constraint(c) for c, place in said)

    @cached_property
    def floats(self) -> Mapping[str, float]:
        """The declared floats, which are constants of the program."""
        values = [(place.term, self.leaves[place.leaf].value) for place in self.places]
        return {t.id: float(v) for t, v in values if isinstance(v, float) and isinstance(t, Name)}

    def contract(self, narrowed: Iterable[Constraint]) -> Contract:
        """That of the program that is exported, with the conditions that it adds."""
        declared = {place.leaf for place in self.places}
        inputs = {x.index: Input(x.index, x.path, x.access) for x in self.leaves if x.index in declared}
        return Contract(inputs, self.places, self.constraints, self.floats, tuple(narrowed))


def example_of(module: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Example | None:
    """What the inputs declare; None where they declare nothing. Raises the ConstraintError of those that break it."""
    scope, contract = current_scope(), carried(module)
    if contract is not None:
        leaves = leaves_of(module, args, kwargs)
        call = contract.declared_by([leaf.value for leaf in leaves])
        if call is not None:
            return Example(tuple(leaves), contract.places, call, scope, (*contract.constraints, *contract.narrowed))
    signature = signature_of_module(module) if isinstance(module, torch.nn.Module) else None
    signed: Declaration | None = None
    by_value: dict[int, list[Item]] = {}
    if signature is not None:
        args, kwargs = mapped_leaves(_told_apart, (args, dict(kwargs)))
        items = items_of(signature, parameters_of_module(module).of_call(args, kwargs))
        if not is_traced(items):
            signed = known_call(signature, items)
            for item in items:
                by_value.setdefault(id(item.reached.value), []).append(item)
    leaves = leaves_of(module, args, kwargs)
    call = check_call([leaf.value for leaf in leaves], signed)
    places = tuple(
        Place(leaf.index, dimension, term)
        for leaf in leaves
        for dimension, term in dict.fromkeys(_terms(leaf.value, by_value.get(id(leaf.value), ())))
    )
    places = (*places, *_anonymous(leaves, places, call, scope))
    if call is None and not places and not scope.blocks:
        return None
    return Example(tuple(leaves), places, call or Declaration(()), scope)


def _anonymous(
    leaves: Iterable[Leaf], places: Iterable[Place], call: Declaration | None, scope: Scope
) -> Iterator[Place]:
    """Ints without a name have one of their own, as in every trace: they are inputs, about which nothing is said."""
    known = {place.leaf for place in places}
    taken = {*(() if call is None else call.names), *scope.system.symbols}
    for leaf in leaves:
        if isinstance(leaf.value, DynamicInt) and leaf.index not in known:
            name = re.sub(r"\W", "_", f"int_{leaf.path}")
            while name in taken:
                name += "_"
            yield Place(leaf.index, None, Name(name))


class _Int(int):
    """An int that is told from others by its identity."""


class _Float(float):
    """The same of a float."""


def _told_apart(value: Any) -> Any:
    return _Int(value) if type(value) is int else _Float(value) if type(value) is float else value


def _terms(value: Any, signed: Iterable[Item]) -> Iterator[tuple[int | None, Term]]:
    """What an input is declared to be by itself, and by the signature of the module."""
    if isinstance(value, torch.Tensor):
        record = named_dims(value)
        yield from () if record is None else record.dims.items()
    elif isinstance(value, DynamicInt) and value.expression is not None and value.declaration is not None:
        yield None, value.expression
    elif isinstance(value, DynamicFloat) and value.name is not None:
        yield None, Name(value.name)
    for item in signed:
        yield from item.terms.items()
