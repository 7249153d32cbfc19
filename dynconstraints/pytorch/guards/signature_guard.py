"""The guards of a signature: which module a graph serves, and what the frame's own guards leave of its call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from types import CodeType
from typing import Any

from dynconstraints.diagnostics.errors import ConstraintError
from dynconstraints.pytorch._torch.dynamo import dynamo
from dynconstraints.pytorch.frame.call_check import parameters
from dynconstraints.pytorch.frame.declared_inputs import (
    DeclaredInputs,
    Owner,
    arguments_in,
    declared_inputs,
    put_together,
    taken_apart,
)
from dynconstraints.pytorch.frame.frame_facts import FrameFacts
from dynconstraints.pytorch.guards.entry_data import EntryData, Signed
from dynconstraints.pytorch.guards.saved import remember
from dynconstraints.pytorch.signatures.calls import check, is_traced, items_of
from dynconstraints.pytorch.signatures.parameters import Parameters
from dynconstraints.pytorch.signatures.paths import ALL
from dynconstraints.pytorch.signatures.registry import signature_of_module
from dynconstraints.signature.signature import Signature

_OWNER, _SIGNED = "___dynconstraints_owner", "___dynconstraints_signature"


def guard_owner(owner: Owner) -> None:
    """Have the graph of a module's class serve that module, or others declared alike: they share their code."""
    d = dynamo()
    d.install_guard(d.ShapeEnvSource().make_guard(partial(_create_owner, owner)))


def _create_owner(owner: Owner, builder: Any, _guard: Any) -> None:
    def declared_alike(module: Any) -> bool:
        found = signature_of_module(module)
        return found is owner.signature or found == owner.signature or (found is None and owner.is_loaded)

    names = {**dynamo().closure_vars(), _OWNER: declared_alike}
    text = "declared: nothing" if owner.signature is None else f"declared: {owner.signature!r}"
    builder.add_python_lambda_leaf_guard_to_root([f"{_OWNER}({owner.access})"], [text], closure_vars=names)


@dataclass
class SignedCall:
    """The call of a function, or of a module, with a signature: how the arguments are found among a frame's variables.

    ``absent`` are the parameters that have shapes and were None, or not passed, when the frame was compiled.
    ``is_done`` where the frame's own guards check the rest: all that is there is an input that the trace has named.
    """

    signature: Signature
    code: CodeType
    parameters: Parameters | None
    first: int
    absent: tuple[str, ...] = ()
    is_done: bool = False

    def __reduce__(self) -> tuple[Any, ...]:
        rest = (self.code, self.parameters, self.first, self.absent, self.is_done)
        return _saved_call, (taken_apart(self.signature), *rest)

    def check(self, variables: Mapping[str, Any]) -> None:
        """Raises the ConstraintError of a call that breaks the signature, or the open blocks."""
        items = items_of(self.signature, arguments_in(self.code, variables, self.parameters, self.first))
        if not is_traced(items):
            check(self.signature, items)


def _saved_call(parts: Any, *rest: Any) -> SignedCall:
    signature = put_together(parts)
    assert signature is not None  # noqa: S101  a call has one
    return SignedCall(signature, *rest)


class _Pending:
    """The same until the trace is done, which tells what is left to check."""

    def __init__(self, call: SignedCall, facts: FrameFacts | None = None, inputs: DeclaredInputs | None = None) -> None:
        self._call, self._facts, self._inputs = call, facts, inputs

    def call(self) -> SignedCall:
        """The call, with what is left."""
        if self._inputs is not None:
            self._call.is_done = _is_done(self._call.signature, self._facts, self._inputs)
            self._facts = self._inputs = None
        return self._call

    def __reduce__(self) -> tuple[Any, ...]:
        return _Pending, (self._call,)


def guard_signature(code: CodeType, facts: FrameFacts | None) -> None:
    """Have each call of a declared function checked by the signature where the frame's own guards don't do all of it.

    So it is with an argument that the program never uses, a name that only expressions tell, a frame without a graph.
    """
    d, inputs = dynamo(), declared_inputs()
    if inputs.signature is not None:
        absent = tuple(n for n in parameters(code) if n in inputs.signature.arguments and n not in inputs.paths)
        call = SignedCall(inputs.signature, code, inputs.parameters, inputs.first, absent)
        d.install_guard(d.ShapeEnvSource().make_guard(partial(_create_signed, _Pending(call, facts, inputs))))


def _is_done(signature: Signature, facts: FrameFacts | None, inputs: DeclaredInputs) -> bool:
    if facts is None or any("." in path and (ALL in path or path not in inputs.paths) for path in signature.arguments):
        return False
    places = [place for place in EntryData.of(facts).places if place.by_signature]
    signed = Signed.of(places)
    needed = {name for path in inputs.paths if path in signature.arguments for name in signature.arguments[path].names}
    return signed is not None and needed <= signed.told and inputs.accesses <= {place.access for place in places}


def _create_signed(pending: _Pending, builder: Any, _guard: Any) -> None:
    call = pending.call()
    remember(builder, call)
    if call.is_done and not call.absent:
        return
    names = parameters(call.code)

    def holds(*values: Any) -> bool:
        if call.is_done and all(value is None for value in values[len(names) :]):
            return True
        try:
            call.check(dict(zip(names, values, strict=False)))
        except ConstraintError:
            return False
        return True

    known = {**dynamo().closure_vars(), _SIGNED: holds}
    given = ", ".join(f"L[{name!r}]" for name in (*names, *call.absent))
    text = f"declared: {call.signature!r}"
    builder.add_python_lambda_leaf_guard_to_root([f"{_SIGNED}({given})"], [text], closure_vars=known)
