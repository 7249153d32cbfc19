"""What is declared of a frame's inputs by the signature of a function, and by nothing that the values carry.

A frame is the function's own, or it belongs to a call of it: the rest of the function after a graph break, a decorator
around it, a function that it calls. Tensors are told by their identity, so that a name stands for the very tensor that
the call passed; numbers by the local variable that got them.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import CodeType, FrameType
from typing import Any

import torch

from dynconstraints.diagnostics.errors import ConstraintError
from dynconstraints.ir.fold import names
from dynconstraints.ir.nodes import Term
from dynconstraints.pytorch._torch.compilation import compiled_calls, is_inlining_frame, is_module_call
from dynconstraints.pytorch._torch.shape_env import source_name
from dynconstraints.pytorch.declarations.declaration import Binding, Declaration
from dynconstraints.pytorch.signatures.calls import Item, is_traced, items_of, known_call, place_of
from dynconstraints.pytorch.signatures.checked import WRAPPER
from dynconstraints.pytorch.signatures.parameters import Parameters, collecting, of_frame, parameters_of_module
from dynconstraints.pytorch.signatures.paths import Reached, astray
from dynconstraints.pytorch.signatures.registry import (
    are_any,
    is_declared_somewhere,
    is_of_another,
    signature_of_code,
    signature_of_module,
)
from dynconstraints.pytorch.values.dims_record import NamedDims
from dynconstraints.signature.signature import Signature


@dataclass(frozen=True)
class Owner:
    """The module whose call a frame is: what Dynamo calls its source, and the signature that it has, if any.

    Where a graph is loaded, it serves a module without a signature, too: its guards are what was declared.
    """

    access: str
    signature: Signature | None
    is_loaded: bool = False

    def __reduce__(self) -> tuple[Any, ...]:
        return _saved_owner, (self.access, taken_apart(self.signature))


def taken_apart(signature: Signature | None) -> Any:
    """A signature for a file of guards, in which torch leaves out the very object that is an attribute of a module."""
    return None if signature is None else signature.__reduce__()


def put_together(parts: Any) -> Signature | None:
    """The signature that was taken apart."""
    return None if parts is None else parts[0](*parts[1])


def _saved_owner(access: str, parts: Any) -> Owner:
    return Owner(access, put_together(parts), True)


@dataclass
class DeclaredInputs:
    """What is declared of a frame's inputs: tensors by identity, and by the text of their source where a trace met one
    first; numbers by the text of theirs."""

    signature: Signature | None = None
    call: Declaration | None = None
    owner: Owner | None = None
    accesses: frozenset[str] = frozenset()
    paths: frozenset[str] = frozenset()
    parameters: Parameters | None = None
    first: int = 0
    astray: tuple[tuple[str, str, list[str]], ...] = ()
    tensors: dict[int, tuple[torch.Tensor, NamedDims]] = field(default_factory=dict)
    sources: dict[str, NamedDims] = field(default_factory=dict)
    numbers: dict[str, tuple[Term, Declaration]] = field(default_factory=dict)

    @property
    def is_of_declared(self) -> bool:
        """Whether the frame is the call of a declared function, or of a class of which a module is declared."""
        return self.signature is not None or self.owner is not None

    def add(self, signature: Signature, items: Iterable[Item], call: Declaration) -> None:
        """Take in what a call declares."""
        place = place_of(signature)
        for item in items:
            members = _used(item.terms.values(), call)
            value = item.reached.value
            if None not in item.terms:
                record = NamedDims(dict(item.terms), tuple(value.shape), Declaration(members), place)  # type: ignore[arg-type]
                known = self.tensors.get(id(value))
                self.tensors[id(value)] = value, record if known is None else _both(known[1], record)
            elif item.reached.access:
                self.numbers[item.reached.access] = item.terms[None], Declaration(members)

    def add_by_source(self, signature: Signature, items: Iterable[Item], call: Declaration) -> None:
        """The same of tensors that a trace has met, by what it calls their sources."""
        place = place_of(signature)
        for item in items:
            declaration = Declaration(_used(item.terms.values(), call))
            record = NamedDims(dict(item.terms), tuple(item.reached.value.shape), declaration, place)  # type: ignore[arg-type]
            self.sources[item.reached.access] = record

    def of_tensor(self, value: Any, source: str) -> NamedDims | None:
        """What is declared of a tensor."""
        known = self.tensors.get(id(value))
        return known[1] if known is not None and known[0] is value else self.sources.get(source)


def _used(terms: Iterable[Term], call: Declaration) -> tuple[Binding, ...]:
    used = frozenset(name for term in terms for name in names(term))
    return tuple(member for member in call.members if member.name in used)


def _both(one: NamedDims, other: NamedDims) -> NamedDims:
    """What two paths say of the same tensor. Its sizes agreed with both."""
    members = {m.name: m for m in (*one.declaration.members, *other.declaration.members)}
    return NamedDims({**other.dims, **one.dims}, one.sizes, Declaration(tuple(members.values())), one.place)


_NONE = DeclaredInputs()
_current: ContextVar[DeclaredInputs] = ContextVar("dynconstraints_declared_inputs", default=_NONE)


def declared_inputs() -> DeclaredInputs:
    """What is declared of the inputs of the frame that is being traced."""
    return _current.get()


def declared_tensor(value: Any, source: Any) -> NamedDims | None:
    """What a signature says of a tensor that a trace meets at the source."""
    inputs = _current.get()
    return inputs.of_tensor(value, source_name(source)) if inputs.tensors or inputs.sources else None


def declared_number(source: Any) -> tuple[Term, Declaration] | None:
    """What a signature says of a number that a trace meets at the source."""
    numbers = _current.get().numbers
    return numbers.get(_plain(source_name(source))) if numbers else None


def _plain(access: str) -> str:
    """The text of an access; Dynamo reaches some attributes by the ``__dict__`` of their object."""
    return _BY_DICT.sub(r".\1", access)


_BY_DICT = re.compile(r"\.__dict__\['(\w+)'\]")


@contextmanager
def known_inputs(inputs: DeclaredInputs) -> Iterator[None]:
    """While open, a frame with these inputs is traced, in one attempt or several."""
    token = _current.set(inputs)
    try:
        yield
    finally:
        _current.reset(token)


def inputs_of(code: CodeType, variables: Mapping[str, Any]) -> DeclaredInputs:
    """What is declared of the inputs of a frame. Raises the ConstraintError of a call that breaks its signature."""
    found = DeclaredInputs()
    if not are_any():
        return found
    own = _own(code, variables)
    if own is None:
        _add_call_under_way(found)
        return found
    signature = own.signature
    found.owner, found.signature, found.parameters, found.first = own.owner, signature, own.parameters, own.first
    if signature is not None:
        arguments = arguments_in(code, variables, own.parameters, own.first)
        items = items_of(signature, arguments)
        if not is_traced(items):
            found.call = known_call(signature, items)
            found.add(signature, items, found.call)
            found.accesses = frozenset(item.reached.access for item in items)
            found.paths = frozenset(item.reached.path for item in items)
            found.astray = tuple(_astray(signature, arguments))
    return found


def _astray(signature: Signature, arguments: Mapping[str, Reached]) -> Iterator[tuple[str, str, list[str]]]:
    """The paths that are misspelt: the path, how far it leads, and what is there instead."""
    for path in signature.arguments:
        start = arguments.get(path.partition(".")[0])
        found = None if start is None or "." not in path else astray(path, start)
        if found is not None:
            yield path, *found


def check_frame(code: CodeType, variables: Mapping[str, Any]) -> Declaration | None:
    """What the signature of the frame's function declares. Raises the ConstraintError of a call that breaks it."""
    own = _own(code, variables) if are_any() else None
    if own is None or own.signature is None:
        return None
    items = items_of(own.signature, arguments_in(code, variables, own.parameters, own.first))
    return None if is_traced(items) else known_call(own.signature, items)


def check_compiled(function: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
    """Raises the ConstraintError of a call of a compiled function that breaks its signature."""
    if are_any():
        found = signature_and_parameters(function)
        if found is not None:
            items = items_of(found[0], found[1].of_call(args, kwargs))
            if not is_traced(items):
                known_call(found[0], items)


@dataclass(frozen=True)
class _Own:
    """Whose call a frame is: the signature, and how the arguments stand among its variables (`arguments_in`)."""

    signature: Signature | None
    parameters: Parameters | None = None
    first: int = 0
    owner: Owner | None = None


def _own(code: CodeType, variables: Mapping[str, Any]) -> _Own | None:
    """Whose call the frame is; None for one that is no call of what is declared."""
    signature = signature_of_code(code)
    if signature is not None:
        return _Own(signature)
    first, (access, module) = 1, _first_argument(code, variables)
    if is_inlining_frame(code):
        first, access, module = 0, "L['fn']", variables.get("fn")
    elif is_module_call(code):
        access, module = "L['self']", variables.get("self")
    elif not is_declared_somewhere(code) or is_of_another(module, code, variables):
        return None
    if not isinstance(module, torch.nn.Module):
        return None
    signature = signature_of_module(module)
    if signature is None and first and not is_declared_somewhere(code):
        return None
    parameters = None if signature is None else parameters_of_module(module)
    return _Own(signature, parameters, first, Owner(access, signature))


def _first_argument(code: CodeType, variables: Mapping[str, Any]) -> tuple[str, Any]:
    """What a method has for ``self``, and how it is reached: decorators often take it with all the rest."""
    if code.co_argcount:
        name = code.co_varnames[0]
        return f"L[{name!r}]", variables.get(name)
    rest, _ = collecting(code)
    given = () if rest is None else variables.get(rest, ())
    return f"(L[{rest!r}] or [None])[0]", given[0] if given else None


def arguments_in(
    code: CodeType, variables: Mapping[str, Any], parameters: Parameters | None, first: int
) -> Mapping[str, Reached]:
    """The arguments of a call among the variables of its frame: its own parameters, or those of a module's call.

    ``first`` is the number of the frame's parameters that are none of the call's.
    """
    if parameters is not None:
        return of_frame(parameters, code, variables, first)
    number = code.co_argcount + code.co_kwonlyargcount + bool(code.co_flags & 4) + bool(code.co_flags & 8)
    return {n: Reached(n, f"L[{n!r}]", variables[n]) for n in code.co_varnames[:number] if n in variables}


def _add_call_under_way(found: DeclaredInputs) -> None:
    """What the nearest call of something declared that the frame belongs to says of the tensors that it passed."""
    for called, args, kwargs in _calls_above():
        known = signature_and_parameters(called) if not isinstance(called, tuple) else called
        if known is None:
            continue
        signature, parameters = known
        try:
            items = items_of(signature, parameters.of_call(args, kwargs))
            if not is_traced(items):
                found.add(signature, items, known_call(signature, items))
        except ConstraintError:  # it is told where that call is checked
            return
        return


def _calls_above() -> Iterator[tuple[Any, tuple[Any, ...], Mapping[str, Any]]]:
    entry = compiled_calls().code
    frame: FrameType | None = sys._getframe(2)  # noqa: SLF001  inspect.currentframe is the same, slower
    while frame is not None:
        code = frame.f_code
        if code is entry:
            given = frame.f_locals
            yield given["fn"], given["args"], given["kwargs"]
        elif code is WRAPPER:
            given = frame.f_locals
            yield (given["signature"], given["parameters"]), given["args"], given["kwargs"]
        elif is_module_call(code):
            given = frame.f_locals
            yield given["self"], given["args"], given["kwargs"]
        frame = frame.f_back


def signature_and_parameters(called: Any) -> tuple[Signature, Parameters] | None:
    """The signature of what is called, and its parameters."""
    module = called if isinstance(called, torch.nn.Module) else getattr(called, "__self__", None)
    if isinstance(module, torch.nn.Module):
        signature = signature_of_module(module)
        if signature is not None:
            return signature, parameters_of_module(module)
    code = getattr(getattr(called, "__func__", called), "__code__", None)
    signature = None if code is None else signature_of_code(code)
    return None if signature is None else (signature, Parameters.of(called))
