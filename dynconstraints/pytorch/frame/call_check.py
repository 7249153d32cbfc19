"""The check of a call: what its arguments declare, and the open blocks.

It is made where Dynamo is asked about a frame, and where a compiled function is entered (`entering`). A frame that no
compiled graph fits comes here, also when torch has given up on compiling it anew (its recompile limit) and runs it in
eager. A violated declaration raises before anything is traced.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import CodeType
from typing import Any
from weakref import WeakSet

import torch

from dynconstraints.pytorch.declarations.check_values import check_bindings, constraints_in_force, differ, merged
from dynconstraints.pytorch.declarations.declaration import Declaration
from dynconstraints.pytorch.declarations.scope import current_scope
from dynconstraints.pytorch.frame.declared_inputs import check_frame, inputs_of, known_inputs
from dynconstraints.pytorch.values.dynamic_float import DynamicFloat
from dynconstraints.pytorch.values.dynamic_int import DynamicInt
from dynconstraints.pytorch.values.named_dims import named_dims

_DEPTH = 3
"""How far into containers the arguments are looked through; deeper values are found when they are traced."""

_NUMBERS = DynamicInt, DynamicFloat
_UNDECLARED = frozenset({int, float, bool, str, type(None)})
"""Classes of what most arguments are that declare nothing."""

_declared_codes: WeakSet[CodeType] = WeakSet()
"""The functions that were ever called with declared values."""


def declarations_in(value: object, depth: int = _DEPTH) -> Iterator[Declaration]:
    """What a value and, to a depth, the values in it declare."""
    return (declaration for declaration, _ in _found(value, depth))


def _found(value: object, depth: int, held: bool = False) -> Iterator[tuple[Declaration, bool]]:
    """The same, each with whether it is in something that a program may change: a list or a dict.

    Most values are somebody else's, and none is to notice: it goes by their types (`isinstance` asks for ``__class__``,
    which a proxy answers itself), and containers are read by the methods of list, tuple and dict, whatever their
    subclasses have in the place of them.
    """
    kind = type(value)
    if kind in _UNDECLARED:
        return
    if issubclass(kind, _NUMBERS):
        if value.declaration is not None:  # type: ignore[attr-defined]  # by its type
            yield value.declaration, held  # type: ignore[attr-defined]
    elif issubclass(kind, torch.Tensor):
        named = named_dims(value)
        if named is not None:
            yield named.declaration, held
    elif depth:
        for container, items in _ITEMS.items():
            if issubclass(kind, container):
                for item in items(value):
                    yield from _found(item, depth - 1, held or container is not tuple)


_ITEMS: Mapping[type, Callable[[Any], list[object]]] = {
    list: list.copy,
    tuple: lambda value: list(tuple.__iter__(value)),
    dict: lambda value: list(dict.values(value)),
}
"""What is in a container at this moment; another thread may change it."""


def call_of(given: Iterable[object]) -> Declaration | None:
    """What the arguments declare together, if anything. Raises ConflictingBindingError for a name with two values.

    Beside a value that is passed, another one in a list or a dict may be what a former call left there: it counts where
    the trace finds that it is used (`leftovers`).
    """
    found = _found_in(given)
    return _together(found) if found else None


def _found_in(given: Iterable[object]) -> list[tuple[Declaration, bool]]:
    return [each for value in given if type(value) not in _UNDECLARED for each in _found(value, _DEPTH)]


def _together(found: list[tuple[Declaration, bool]]) -> Declaration:
    call = merged(declaration for declaration, held in found if not held)
    passed = call.bindings
    kept = [d for d, held in found if held and not any(differ(v, passed.get(n, v)) for n, v in d.bindings.items())]
    return merged([call, *kept]) if kept else call


def arguments(code: CodeType, variables: Mapping[str, object]) -> list[object]:
    """What the function was called with; of its variables those of an outer function are none."""
    return [variables.get(name) for name in parameters(code)]


def parameters(code: CodeType) -> tuple[str, ...]:
    """The names of the function's parameters."""
    flags = (inspect.CO_VARARGS, inspect.CO_VARKEYWORDS)
    number = code.co_argcount + code.co_kwonlyargcount + sum(bool(code.co_flags & flag) for flag in flags)
    return code.co_varnames[:number]


def check_call(given: Iterable[object], signed: Declaration | None = None) -> Declaration | None:
    """The same. Raises the ConstraintError of values that break what they, or open blocks, declare.

    ``signed`` is what the signature of the function declares of the call.
    """
    call = call_of(given)
    if signed is not None:
        call = signed if call is None else merged([signed, call])
    if call is not None:
        check_bindings(constraints_in_force([call]), call.bindings, call.places)
    return call


def check_entry(given: Iterable[object]) -> None:
    """The same for calls that come again and again: what was accepted once, under the same blocks, is."""
    found = _found_in(given)
    if not found:
        return
    scope = current_scope().constraints
    key: list[object] = [id(scope)]
    for declaration, held in found:
        for m in declaration.members:  # values of either type, and zeros of either sign, are told apart
            key += m.name, repr(m.value), id(m.constraints), held
    if (known := tuple(key)) in _accepted:
        return
    call = _together(found)
    check_bindings(constraints_in_force([call]), call.bindings, call.places)
    if len(_accepted) >= _MOST_ACCEPTED:
        _accepted.clear()
    _accepted[known] = scope, found


_MOST_ACCEPTED = 4096
_accepted: dict[tuple[object, ...], object] = {}
"""Calls that break nothing, told by what they declare; each with the objects whose identities are in its key."""

_NOTHING = Declaration(())
_traced: ContextVar[tuple[CodeType | None, Declaration]] = ContextVar(
    "dynconstraints_traced_call", default=(None, _NOTHING)
)


@contextmanager
def checked_call(code: CodeType, variables: Mapping[str, object]) -> Iterator[bool]:
    """Whether the function ever had declared values. Raises the ConstraintError of values that break a declaration."""
    inputs = inputs_of(code, variables)
    call = check_call(arguments(code, variables), inputs.call)
    if call is not None or inputs.signature is not None:
        _declared_codes.add(code)
    token = _traced.set((code, call or _NOTHING))
    try:
        with known_inputs(inputs):
            yield code in _declared_codes
    finally:
        _traced.reset(token)


def check_again(code: CodeType, variables: Mapping[str, object]) -> None:
    """The check of a call that is not compiled. Raises the ConstraintError of values that break a declaration."""
    check_entry(arguments(code, variables))
    signed = check_frame(code, variables)
    if signed is not None:
        check_bindings(constraints_in_force([signed]), signed.bindings, signed.places)


def traced_call() -> Declaration:
    """What the arguments of the call that is traced declare; a name met elsewhere is not among theirs."""
    return _traced.get()[1]


def traced_code() -> CodeType | None:
    """The function that is traced; None outside of a trace."""
    return _traced.get()[0]


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
