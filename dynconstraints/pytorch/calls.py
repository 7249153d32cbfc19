"""The check of a call whose frame Dynamo is asked about: what its arguments declare, and the open blocks.

A frame that no compiled graph fits comes here, also when torch has given up on compiling it anew (its recompile limit)
and runs it in eager. A violated declaration raises before anything is traced.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import CodeType
from typing import Any
from weakref import WeakSet

import torch

from dynconstraints.pytorch.checking import check_bindings, constraints_in_force, merged
from dynconstraints.pytorch.declaration import Declaration
from dynconstraints.pytorch.dims import named_dims
from dynconstraints.pytorch.dynamic_float import DynamicFloat
from dynconstraints.pytorch.dynamic_int import DynamicInt

_DEPTH = 3
"""How far into containers the arguments are looked through; deeper values are found when they are traced."""

_declared_codes: WeakSet[CodeType] = WeakSet()
"""The functions that were ever called with declared values."""


def declarations_in(value: object, depth: int = _DEPTH) -> Iterator[Declaration]:
    """What a value and, to a depth, the values in it declare.

    Most values are somebody else's, and none is to notice: it goes by their types (`isinstance` asks for ``__class__``,
    which a proxy answers itself), and containers are read by the methods of list, tuple and dict, whatever their
    subclasses have in the place of them.
    """
    kind = type(value)
    if issubclass(kind, _NUMBERS):
        if value.declaration is not None:  # type: ignore[attr-defined]  # by its type
            yield value.declaration  # type: ignore[attr-defined]
    elif issubclass(kind, torch.Tensor):
        named = named_dims(value)
        if named is not None:
            yield named.declaration
    elif depth:
        for container, items in _ITEMS.items():
            if issubclass(kind, container):
                for item in items(value):
                    yield from declarations_in(item, depth - 1)


_NUMBERS = DynamicInt, DynamicFloat
_ITEMS: Mapping[type, Callable[[Any], list[object]]] = {
    list: list.copy,
    tuple: lambda value: list(tuple.__iter__(value)),
    dict: lambda value: list(dict.values(value)),
}
"""What is in a container at this moment; another thread may change it."""


_values: ContextVar[Mapping[str, int]] = ContextVar("dynconstraints_values")


@contextmanager
def checked_call(code: CodeType, arguments: Mapping[str, object]) -> Iterator[bool]:
    """Whether the function ever had declared values. Raises the ConstraintError of values that break a declaration."""
    found = list(declarations_in(dict(arguments), _DEPTH + 1))
    call = merged(found)
    if found:
        check_bindings(constraints_in_force([call]), call.bindings, call.places)
        _declared_codes.add(code)
    token = _values.set(call.bindings)
    try:
        yield code in _declared_codes
    finally:
        _values.reset(token)


def call_values() -> Mapping[str, int]:
    """What the arguments of the call that is traced bind; a name met elsewhere is not among them."""
    return _values.get({})


def keep_asking(result: Any) -> Any:
    """The answer to Dynamo about a frame that is not compiled: this once, so that the next call is checked again."""
    if result is not None and getattr(result, "guarded_code", None) is None and hasattr(result, "apply_to_code"):
        result.apply_to_code = False
    return result
