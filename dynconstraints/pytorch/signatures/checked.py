"""Functions and modules that check their calls in eager; compiled code has it in its guards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from types import CodeType, FunctionType
from typing import Any

from dynconstraints.ir.fold import names
from dynconstraints.pytorch._torch.release import DYNAMIC_SPEC, inlined, inlined_as, runs_in_eager
from dynconstraints.pytorch.declarations.declaration import Declaration
from dynconstraints.pytorch.declarations.dropping import dropping_trace
from dynconstraints.pytorch.declarations.moments import FIRST_DECLARATION
from dynconstraints.pytorch.signatures.calls import (
    check,
    is_traced,
    items_of,
    known_call,
    placed_constraints,
    results_of,
)
from dynconstraints.pytorch.signatures.parameters import Parameters, parameters_of_module
from dynconstraints.pytorch.signatures.registry import register, signature_of_module
from dynconstraints.pytorch.values.named_dims import attach
from dynconstraints.signature.signature import Signature

_SIGNATURE = "__dynconstraints_signature__"


def checked(function: FunctionType, signature: Signature) -> Callable[..., Any]:
    """A function that does what this one does, its calls checked.

    Dynamo takes it for what it stands for: a copy of the function, whose code object no other function shares.
    """
    FIRST_DECLARATION.come()
    raw = _copy(function)
    register(raw.__code__, signature)
    parameters = Parameters.of(function)

    @wraps(function)
    def declared(*args: Any, **kwargs: Any) -> Any:
        if runs_in_eager() and not _is_dropped(signature) and signature.check == "always":
            check_arguments(signature, parameters, args, kwargs)
        result = raw(*args, **kwargs)
        return name_results(signature, parameters, args, kwargs, result) if signature.returns else result

    setattr(declared, _SIGNATURE, signature)
    declared.__dict__.pop(DYNAMIC_SPEC, None)  # it is in the signature; torch would trace unbacked sizes for it
    inlined_as(declared, raw, as_compiled=not signature.returns)
    return declared


def _copy(function: FunctionType) -> FunctionType:
    copy = FunctionType(
        function.__code__.replace(),
        function.__globals__,
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )
    copy.__kwdefaults__ = function.__kwdefaults__
    copy.__dict__.update({name: value for name, value in function.__dict__.items() if name != DYNAMIC_SPEC})
    copy.__qualname__, copy.__module__, copy.__doc__ = function.__qualname__, function.__module__, function.__doc__
    copy.__annotations__ = function.__annotations__
    return copy


def signature_on(function: Any) -> Signature | None:
    """The signature of a declared function."""
    found = getattr(function, _SIGNATURE, None)
    return found if isinstance(found, Signature) else None


def undeclared(function: Any) -> Any:
    """The function that was declared."""
    return getattr(function, "__wrapped__", function) if signature_on(function) is not None else function


def called_by(function: Any) -> Any:
    """What a declared function calls, and torch compiles: a copy of what was declared, known by its code."""
    return inlined(function) if signature_on(function) is not None else function


def _is_dropped(signature: Signature) -> bool:
    """Whether a trace that knows of no declaration is under way; its user hears of it."""
    trace = dropping_trace()
    if trace is not None:
        trace.tell(signature.names, placed_constraints(signature))
    return trace is not None


def check_arguments(
    signature: Signature, parameters: Parameters, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> None:
    """Raises the ConstraintError of a call that breaks the signature; a call that is being traced is nobody's."""
    items = items_of(signature, parameters.of_call(args, kwargs))
    if items and not is_traced(items):
        check(signature, items)


def name_results(
    signature: Signature, parameters: Parameters, args: tuple[Any, ...], kwargs: Mapping[str, Any], result: Any
) -> Any:
    """The result, its dimensions named as the signature says. Raises the ConstraintError of sizes that disagree."""
    if _is_dropped(signature):
        return result
    given = items_of(signature, parameters.of_call(args, kwargs))
    returned = results_of(signature, result)
    if is_traced([*given, *returned]):
        return result
    call = known_call(signature, [*given, *returned])
    for item in returned:
        used = tuple(b for b in call.members if any(b.name in names(t) for t in item.terms.values()))
        attach(item.reached.value, dict(item.terms), Declaration(used))  # type: ignore[arg-type]
    return result


def before_forward(module: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
    """The hook on a module's ``forward`` that checks its calls."""
    signature = signature_of_module(module)
    if signature is not None and runs_in_eager() and not _is_dropped(signature):
        check_arguments(signature, parameters_of_module(module), args, kwargs)


def after_forward(module: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], result: Any) -> Any:
    """The hook on a module's ``forward`` that names its results."""
    signature = signature_of_module(module)
    if signature is None:
        return result
    return name_results(signature, parameters_of_module(module), args, kwargs, result)


WRAPPER: CodeType = next(c for c in checked.__code__.co_consts if isinstance(c, CodeType) and c.co_name == "declared")
"""The code of each checked function."""
