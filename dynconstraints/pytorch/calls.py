"""The check of a call whose frame Dynamo is asked about: what its arguments declare, and the open blocks.

A frame that no compiled graph fits comes here, also when torch has given up on compiling it anew (its recompile limit)
and runs it in eager. A violated declaration raises before anything is traced.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
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
    """What a value and, to a depth, the values in it declare."""
    if isinstance(value, DynamicInt | DynamicFloat):
        if value.declaration is not None:
            yield value.declaration
    elif isinstance(value, torch.Tensor):
        named = named_dims(value)
        if named is not None:
            yield named.declaration
    elif depth and isinstance(value, list | tuple):
        for item in value:
            yield from declarations_in(item, depth - 1)
    elif depth and isinstance(value, dict):
        for item in value.values():
            yield from declarations_in(item, depth - 1)


def check_call(arguments: object) -> Declaration | None:
    """What the arguments declare together, if anything. Raises the ConstraintError of values that break it."""
    found = list(declarations_in(arguments, _DEPTH + 1))
    if not found:
        return None
    call = merged(found)
    check_bindings(constraints_in_force([call]), call.bindings, call.places)
    return call


_values: ContextVar[Mapping[str, int]] = ContextVar("dynconstraints_values")


@contextmanager
def checked_call(code: CodeType, arguments: Mapping[str, object]) -> Iterator[bool]:
    """Whether the function ever had declared values. Raises the ConstraintError of values that break a declaration."""
    call = check_call(tuple(arguments.values()))
    if call is not None:
        _declared_codes.add(code)
    token = _values.set({} if call is None else call.bindings)
    try:
        yield code in _declared_codes
    finally:
        _values.reset(token)


def call_values() -> Mapping[str, int]:
    """What the arguments of the call that is traced bind; a name met elsewhere is not among them."""
    return _values.get({})


_ANSWER = "_dynconstraints_answer"


def answer_for_good(state: Mapping[str, Any]) -> Any:
    """What torch answered for good about the frame whose state it is; None where it has not."""
    return state.get(_ANSWER)


def keep_asking(result: Any, state: MutableMapping[str, Any]) -> Any:
    """The answer to Dynamo about a frame: where it is never compiled, one for this call, so that the next is checked.

    ``state`` is what torch keeps of the frame's code until it is reset. The answer stays there, for torch to look at
    the frame once: tracing it, and giving up again, would cost each call what a compilation does.
    """
    if result is not None and getattr(result, "guarded_code", None) is None and getattr(result, "apply_to_code", False):
        result.apply_to_code = False
        state[_ANSWER] = result
    return result
