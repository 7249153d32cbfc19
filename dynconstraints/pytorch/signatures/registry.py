"""Which functions and modules have a signature.

A function that was declared has a code object of its own, so that no other shares its graphs, and is known by that. A
module holds its signature itself: copies, pickles and wrappers of it have it, too.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Mapping
from types import CodeType
from typing import Any

import torch

from dynconstraints.pytorch.declarations.suspension import is_suspended
from dynconstraints.signature.signature import Signature

_ATTRIBUTE = "_dynconstraints_signature"
_functions: dict[int, tuple[Any, Signature]] = {}
_methods: dict[int, Any] = {}
"""By the identity of code objects: equal ones may belong to different functions."""

_copied: dict[int, CodeType] = {}
"""What copies of these code objects were made of, for reports that compile apart; by the identity of the copies."""


def register(code: CodeType, signature: Signature) -> None:
    """Have calls of the code object, as long as it lives, checked against the signature."""
    key = id(code)
    _functions[key] = weakref.ref(code, lambda _: _functions.pop(key, None)), signature


def register_module(module: torch.nn.Module, signature: Signature) -> None:
    """Have calls of the module's ``forward`` checked against the signature."""
    module.__dict__[_ATTRIBUTE] = signature
    know_methods(module)


def know_methods(module: torch.nn.Module) -> None:
    """Have graphs of the module's class ask from now on which module they serve."""
    for code in forward_codes(module):
        _know(code)


def declare_alike(code: CodeType, copy: CodeType) -> None:
    """Have a copy of a code object be declared as the original is."""
    signature = signature_of_code(code)
    if signature is not None:
        register(copy, signature)
    if is_declared_somewhere(code):
        _know(copy)
        _copied[id(copy)] = _copied.get(id(code), code)


def _know(code: CodeType) -> None:
    key = id(code)
    _methods[key] = weakref.ref(code, lambda _: (_methods.pop(key, None), _copied.pop(key, None)))


def signature_of_code(code: CodeType) -> Signature | None:
    """The signature of the function whose code object it is."""
    known = _functions.get(id(code))
    return None if known is None else known[1]


def signature_of_module(value: object) -> Signature | None:
    """The signature of a module; None of anything else."""
    return vars(value).get(_ATTRIBUTE) if issubclass(type(value), torch.nn.Module) else None


def is_declared_somewhere(code: CodeType) -> bool:
    """Whether the code is the ``forward`` of a class of which some module has a signature."""
    return id(code) in _methods


def forward_codes(module: Any) -> Iterator[CodeType]:
    """The code objects that a call of the module may run: its ``forward``, and what decorators made that of."""
    for function in _forwards(module):
        yield function.__code__


def is_of_another(module: Any, code: CodeType, variables: Mapping[str, Any]) -> bool:
    """Whether a frame of the code, called with the module, runs something else that the decorator of a forward made.

    The functions that a decorator makes share their code, and differ by what they close over.
    """
    if not code.co_freevars or not issubclass(type(module), torch.nn.Module):
        return False
    original = _copied.get(id(code), code)
    for function in _forwards(module):
        if function.__code__ is original:
            cells = zip(code.co_freevars, function.__closure__ or (), strict=False)
            if all(name not in variables or variables[name] is cell.cell_contents for name, cell in cells):
                return False
    return True


def _forwards(module: Any) -> Iterator[Any]:
    for found in (vars(module).get("forward"), getattr(type(module), "forward", None)):
        seen: set[int] = set()
        while found is not None and id(found) not in seen:
            seen.add(id(found))
            function = getattr(found, "__func__", found)
            if isinstance(getattr(function, "__code__", None), CodeType):
                yield function
            found = getattr(function, "__wrapped__", None)


def are_any() -> bool:
    """Whether anything was declared in this process, and counts in the trace that is under way."""
    return bool(_functions or _methods) and not is_suspended()
