"""What was declared and did not arrive: names that no input of a compiled function has, paths that lead nowhere."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from types import CodeType
from typing import Any

import torch

from dynconstraints.diagnostics.diagnostic import Diagnostic, Label
from dynconstraints.diagnostics.errors import UnboundNameError
from dynconstraints.ir.constraint import Constraint
from dynconstraints.pytorch.declarations.scope import Policy, Scope, current_scope
from dynconstraints.pytorch.declarations.warning import warn
from dynconstraints.pytorch.frame.call_check import parameters, traced_call
from dynconstraints.pytorch.frame.declared_inputs import DeclaredInputs, declared_inputs
from dynconstraints.pytorch.frame.frame_facts import FrameFacts
from dynconstraints.pytorch.signatures.calls import place_of
from dynconstraints.pytorch.values.size_equations import last_named

_told: dict[int, Any] = {}
"""The functions that were warned about, by the identity of their code objects."""

_ALIKE = 0.5
"""How alike a name has to be to one that is missing, as `difflib` measures it, to be taken for it misspelt."""


def enforce_arrival(code: CodeType, variables: Mapping[str, Any], facts: FrameFacts | None) -> None:
    """Warn, once a function, or raise UnboundNameError, where a call that was compiled lacks what is declared.

    The rest of a function after a graph break is no call of its own, and lacks what the first part has.
    """
    if code.co_name.startswith("torch_dynamo_resume_in"):
        return
    call, inputs, scope = traced_call(), declared_inputs(), current_scope()
    arrived = {**dict.fromkeys(call.names)}
    if facts is not None:
        arrived.update(dict.fromkeys((*facts.members, *facts.computed.expressions, *facts.floats.values)))
    policy = inputs.signature.on_missing if inputs.signature is not None else "warn"
    for found, strictness in (
        (_block(scope, arrived, code, variables), scope.on_missing),
        (_misspelt(facts, arrived), policy),
        (_astray(inputs), policy),
    ):
        if found is not None and strictness != "allow":
            _tell(found, strictness, code)


def _tell(found: Diagnostic, policy: Policy, code: CodeType) -> None:
    if policy == "error":
        raise UnboundNameError(found, "")
    key = id(code)
    if key not in _told:
        _told[key] = weakref.ref(code, lambda _: _told.pop(key, None))
        text = str(UnboundNameError(found.changed(severity="warning")))
        warn(text, code.co_filename, code.co_firstlineno)


def _block(
    scope: Scope, arrived: Mapping[str, None], code: CodeType, variables: Mapping[str, Any]
) -> Diagnostic | None:
    """A block whose names no input carries, or not all of them."""
    missing = [name for name in scope.system.symbols if name not in arrived]
    sized = list(_sized((name, variables.get(name)) for name in parameters(code))) if missing else []
    if not sized:
        return None
    labels = _mentions(missing, scope.constraints)
    return _missing(missing, arrived, labels, f"{code.co_name} is compiled inside the block", sized)


def _misspelt(facts: FrameFacts | None, arrived: Mapping[str, None]) -> Diagnostic | None:
    """A name in the constraints of a value that nothing has, while something has one much like it, without a rule."""
    if facts is None:
        return None
    carried = [c for member in facts.members.values() for c in member.constraints]
    spoken = dict.fromkeys(name for c in carried for name in c.symbols)
    free = [name for name in arrived if name not in spoken]
    missing = [name for name in spoken if name not in arrived and nearest(name, free) is not None]
    return _missing(missing, dict.fromkeys(free), _mentions(missing, carried), "", []) if missing else None


def _astray(inputs: DeclaredInputs) -> Diagnostic | None:
    """A path of a signature that leads to nothing in what was passed."""
    if inputs.signature is None or not inputs.astray:
        return None
    path, wrong, known = inputs.astray[0]
    place = place_of(inputs.signature)
    above, _, step = wrong.rpartition(".")
    fix = f"did you mean {above}.{nearest(step, known)}? {above} has {', '.join(known)}"
    label = place.label(f'{path}="{inputs.signature.arguments[path]}"')
    return Diagnostic("DC407", f"declared, but no argument has it: {path}", (label,), help=(fix,))


def _missing(
    missing: list[str], arrived: Mapping[str, None], labels: tuple[Label, ...], where: str, sized: list[tuple[str, Any]]
) -> Diagnostic:
    notes = [where] if where else []
    for name in missing:
        place = last_named(name)
        if place is not None:
            notes.append(f"{name} was named by {place}; names end where an operation makes a new tensor")
    helps = []
    for name in missing:
        near = nearest(name, arrived)
        if near is not None:
            helps.append(f"{near} did arrive: did you mean {near} where {name} is written, or {name} for {near}?")
    if not helps:
        given = ", ".join(f"{path} is {'x'.join(map(str, value.shape))}" for path, value in sized[:3])
        notes += [f"unnamed: {given}"] if given else []
        path = sized[0][0] if sized else "x"
        helps = [f'name the size that is meant: name_dims({path}, ...), or declare(f, {path}="...") at the function']
    listed = ", ".join(missing)
    return Diagnostic("DC407", f"declared, but no input has it: {listed}", labels, tuple(notes), tuple(helps))


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The name that is most likely meant by another; None where none is."""
    listed = list(known)
    close = get_close_matches(name, listed, 1, _ALIKE)
    if close:
        return close[0]
    return next((k for k in listed if k.startswith(name) or name.startswith(k)), None)


def _mentions(names: list[str], constraints: Iterable[Constraint]) -> tuple[Label, ...]:
    return tuple(c.label() for c in dict.fromkeys(constraints) if not set(names).isdisjoint(c.symbols))[:3]


def _sized(given: Iterable[tuple[str, Any]], depth: int = 2) -> Iterator[tuple[str, Any]]:
    """The tensors among the arguments that have sizes, by their paths."""
    for path, value in given:
        if isinstance(value, torch.Tensor):
            if value.dim():
                yield path, value
        elif type(value) in (list, tuple, dict) and depth:
            items = value.items() if isinstance(value, dict) else enumerate(value)
            yield from _sized(((f"{path}.{key}", each) for key, each in items), depth - 1)
