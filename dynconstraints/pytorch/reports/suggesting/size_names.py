"""The sizes of a call that nothing names: where they are, which differ from call to call, and names for them."""

from __future__ import annotations

import inspect
import keyword
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from dynconstraints.ir.nodes import Function, Predicate, Term
from dynconstraints.pytorch.values.dynamic_int import DynamicInt
from dynconstraints.pytorch.values.named_dims import carrying_names, name_dims, named_dims

_WORDS = frozenset(f.value for f in Function) | frozenset(p.value for p in Predicate) | {"true", "false", "range"}

Slot = tuple[str, "int | None"]
"""An argument as the user writes it (``x``, ``batch["ids"]``), and the dimension, None for an int."""


@dataclass(frozen=True)
class Size:
    """A size of a call, and the name that it is given."""

    argument: str
    dimension: int | None
    name: str

    @property
    def where(self) -> str:
        """``x.size(2)``, or the argument itself where it is an int."""
        return self.argument if self.dimension is None else f"{self.argument}.size({self.dimension})"


def sizes_of(call: inspect.BoundArguments) -> dict[Slot, int]:
    """The sizes in the arguments that carry no names: dimensions of tensors, and ints."""
    found: dict[Slot, int] = {}

    def note(text: str, value: Any) -> Any:
        if isinstance(value, torch.Tensor):
            named = named_dims(value)
            known = () if named is None else named.dims
            found.update({(text, d): int(size) for d, size in enumerate(value.shape) if d not in known})
        else:
            found[text, None] = value
        return value

    _changed(call, note)
    return found


def ranks_of(call: inspect.BoundArguments) -> dict[str, int]:
    """How many dimensions each tensor in the arguments has, by how the user writes it."""
    found: dict[str, int] = {}

    def note(text: str, value: Any) -> Any:
        if isinstance(value, torch.Tensor):
            found[text] = value.dim()
        return value

    _changed(call, note)
    return found


def terms_of(call: inspect.BoundArguments) -> dict[Slot, Term]:
    """What the user has named already, of the dimensions of tensors."""
    found: dict[Slot, Term] = {}

    def note(text: str, value: Any) -> Any:
        named = named_dims(value)
        found.update({} if named is None else {(text, d): term for d, term in named.dims.items()})
        return value

    _changed(call, note)
    return found


def differing(calls: Sequence[Mapping[Slot, int]]) -> tuple[Slot, ...]:
    """The sizes that all calls have and that differ between them; of a single call all that may be others."""
    first = calls[0]
    if len(calls) == 1:
        return tuple(slot for slot, value in first.items() if abs(value) > 1)
    common = [slot for slot in first if all(slot in call for call in calls)]
    return tuple(slot for slot in common if len({call[slot] for call in calls}) > 1)


def named_slots(
    slots: Iterable[Slot], taken: Iterable[str] = (), said: Mapping[Slot, str] | None = None
) -> tuple[Size, ...]:
    """A name for each size: what the program itself calls it (``said``), else one made from its source, ``x_2`` for
    ``x.size(2)``; no word of the language, none taken."""
    used, sizes = set(taken), []
    for argument, dimension in slots:
        stem = re.sub(r"\W+", "_", argument).strip("_") or "size"
        made = stem if dimension is None else f"{stem}_{dimension}"
        name = (said or {}).get((argument, dimension), made)
        name = made if name in used else name
        while name in used or name in _WORDS or keyword.iskeyword(name) or not name.isidentifier():
            name += "_"
        used.add(name)
        sizes.append(Size(argument, dimension, name))
    return tuple(sizes)


def with_names(call: inspect.BoundArguments, sizes: Iterable[Size], *, apart: bool = False) -> inspect.BoundArguments:
    """The arguments of the call with names for those sizes; ``apart``: the user's own tensors are left as they are."""
    dimensions: dict[str, dict[int, str]] = {}
    ints: dict[str, str] = {}
    for size in sizes:
        if size.dimension is None:
            ints[size.argument] = size.name
        else:
            dimensions.setdefault(size.argument, {})[size.dimension] = size.name
    copies: dict[int, torch.Tensor] = {}

    def change(text: str, value: Any) -> Any:
        if isinstance(value, torch.Tensor):
            if text not in dimensions:
                return value
            given = copies.setdefault(id(value), _alias(value)) if apart else value
            return name_dims(given, dimensions[text])
        return DynamicInt(value, name=ints[text]) if text in ints else value

    return _changed(call, change)


def resized(
    call: inspect.BoundArguments, sizes: Iterable[Size], values: Mapping[str, int], most: int
) -> inspect.BoundArguments | None:
    """A call like this one, with these values for its sizes, and elements that it has; None where that takes more
    than ``most`` elements."""
    wanted = {(size.argument, size.dimension): values[size.name] for size in sizes if size.name in values}
    elements = 0

    def change(text: str, value: Any) -> Any:
        nonlocal elements
        if not isinstance(value, torch.Tensor):
            return wanted.get((text, None), value)
        shape = [wanted.get((text, d), int(size)) for d, size in enumerate(value.shape)]
        count = math.prod(shape)
        elements += count
        if elements > most or min(shape, default=0) < 0:
            elements = most + 1
            return value
        return of_shape(value.detach(), shape).clone()

    made = _changed(call, change)
    return None if elements > most else made


def of_shape(tensor: torch.Tensor, shape: Sequence[int]) -> torch.Tensor:
    """A tensor of this shape, with elements that the given one has."""
    for d, size in enumerate(shape):
        if size != tensor.shape[d]:
            here = torch.arange(size, device=tensor.device) % max(int(tensor.shape[d]), 1)
            short = tensor.shape[d] == 0 and size
            tensor = tensor.new_zeros(tuple(shape)) if short else tensor.index_select(d, here)
    return tensor


def tuples_in(call: inspect.BoundArguments) -> frozenset[str]:
    """The tuples in the arguments, as the user writes them: their items can't be assigned."""
    found: set[str] = set()

    def go(text: str, value: Any) -> None:
        if type(value) is tuple:
            found.add(text)
        if type(value) in (list, tuple):
            for i, item in enumerate(value):
                go(f"{text}[{i}]", item)
        elif type(value) is dict:
            for key, item in value.items():
                go(f"{text}[{_quoted(key)}]", item)

    for name, value in call.arguments.items():
        if call.signature.parameters[name].kind is inspect.Parameter.VAR_KEYWORD:
            for key, item in value.items():
                go(key, item)
        else:
            go(name, value)
    return frozenset(found)


def _alias(tensor: torch.Tensor) -> torch.Tensor:
    """Another tensor over the same data, with the names that it has."""
    return carrying_names(tensor, tensor.detach().requires_grad_(tensor.requires_grad))


def _changed(call: inspect.BoundArguments, change: Callable[[str, Any], Any]) -> inspect.BoundArguments:
    """The call with ``change`` applied to its tensors and plain ints, in lists, tuples and dicts too."""

    def go(text: str, value: Any) -> Any:
        if isinstance(value, torch.Tensor) or type(value) is int:
            return change(text, value)
        if type(value) in (list, tuple):
            return type(value)(go(f"{text}[{i}]", item) for i, item in enumerate(value))
        if type(value) is dict:
            return {key: go(f"{text}[{_quoted(key)}]", item) for key, item in value.items()}
        return value

    changed: dict[str, Any] = {}
    for name, value in call.arguments.items():
        if call.signature.parameters[name].kind is inspect.Parameter.VAR_KEYWORD:
            changed[name] = {key: go(key, item) for key, item in value.items()}
        else:
            changed[name] = go(name, value)
    return inspect.BoundArguments(call.signature, changed)


def _quoted(key: Any) -> str:
    return f'"{key}"' if isinstance(key, str) and '"' not in key else repr(key)
