"""What stands around traces that take no declaration: the example is checked, and what is dropped is said.

Each function is given one of torch's and makes what stands for it; its docstring begins with the name of that. A
declared function or module that is called within such a trace says it, too (`signatures/checked.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import wraps
from types import FunctionType, MethodType
from typing import Any

import torch

from dynconstraints.pytorch._torch.eager import mapped
from dynconstraints.pytorch._torch.tracers import is_part_of_a_compilation, is_precompiling, without_hooks
from dynconstraints.pytorch.declarations.dropping import Dropping, dropping, dropping_trace
from dynconstraints.pytorch.declarations.suspension import is_suspended, suspended
from dynconstraints.pytorch.frame.call_check import check_call
from dynconstraints.pytorch.signatures.calls import is_traced, items_of, known_call, placed_constraints
from dynconstraints.pytorch.signatures.checked import after_forward, before_forward, signature_on, undeclared
from dynconstraints.pytorch.signatures.parameters import Parameters, parameters_of_module
from dynconstraints.pytorch.signatures.registry import signature_of_module
from dynconstraints.pytorch.values.dynamic_float import DynamicFloat
from dynconstraints.pytorch.values.dynamic_int import DynamicInt
from dynconstraints.signature.signature import Signature

_COMPILE = "compile it with torch.compile, which keeps the declaration, or check sizes before what is made is called"
_SAVE = "save it with torch.compile(f, fullgraph=True).aot_compile(...), which keeps the declaration"
_ONNX = "leave dynamo=False out: torch.onnx.export keeps the declaration then"
_EXPORT = "export it with torch.export.export, which keeps the declaration, once the draft has no findings"


def draft_export(original: Callable[..., Any]) -> Callable[..., Any]:
    """torch.export's draft_export: it finds out what a program asks of sizes, as if nothing was declared."""

    @wraps(original)
    def draft(mod: Any, args: Any, kwargs: Any = None, **options: Any) -> Any:
        if is_suspended():
            return original(mod, args, kwargs, **options)
        with _trace("torch.export.draft_export", _EXPORT, mod, args, kwargs), suspended():
            return original(mod, mapped(_plain, args), mapped(_plain, kwargs), **options)

    return draft


def trace(original: Callable[..., Any]) -> Callable[..., Any]:
    """torch.jit.trace: of a function or a module, by example."""

    @wraps(original)
    def _trace_impl(func: Any, example_inputs: Any = None, *rest: Any, **options: Any) -> Any:
        example = options.get("example_kwarg_inputs")
        with _trace("torch.jit.trace", _COMPILE, func, _tuple(example_inputs), example):
            return original(func, example_inputs, *rest, **options)

    return _trace_impl


def trace_module(original: Callable[..., Any]) -> Callable[..., Any]:
    """torch.jit.trace_module: several methods of a module, by an example for each."""

    @wraps(original)
    def trace_module(mod: Any, inputs: Any, *rest: Any, **options: Any) -> Any:
        examples = inputs if isinstance(inputs, Mapping) else {}
        forward = _tuple(examples.get("forward"))
        others = [_tuple(example) for method, example in examples.items() if method != "forward"]
        with _trace("torch.jit.trace_module", _COMPILE, mod, forward, None, more=others):
            return original(mod, inputs, *rest, **options)

    return trace_module


def trace_graph(original: Callable[..., Any]) -> Callable[..., Any]:
    """torch.jit's _get_trace_graph, by which torch.onnx.export traces where it is asked not to use torch.export."""

    @wraps(original)
    def _get_trace_graph(f: Any, args: Any = (), kwargs: Any = None, *rest: Any, **options: Any) -> Any:
        with _trace("torch.onnx.export with dynamo=False", _ONNX, f, args, kwargs):
            return original(f, args, kwargs, *rest, **options)

    return _get_trace_graph


def script(original: Callable[..., Any]) -> Callable[..., Any]:
    """torch.jit.script, of a module: TorchScript compiles the hooks of a module, and cannot compile ours."""

    @wraps(original)
    def create_script_module(nn_module: Any, stubs_fn: Any, share_types: Any = True, is_tracing: Any = False) -> Any:
        if is_tracing or not _signatures(nn_module):
            return original(nn_module, stubs_fn, share_types, is_tracing)
        with _trace("torch.jit.script", _COMPILE, nn_module), without_hooks(nn_module, (before_forward, after_forward)):
            return original(nn_module, stubs_fn, share_types, is_tracing)

    return create_script_module


def script_function(original: Callable[..., Any]) -> Callable[..., Any]:
    """torch.jit.script, of a function: each is looked at before it is compiled, also one that another calls."""

    @wraps(original)
    def _check_directly_compile_overloaded(obj: Any) -> Any:
        with _trace("torch.jit.script", _COMPILE, obj):
            return original(obj)

    return _check_directly_compile_overloaded


def symbolic_trace(original: Callable[..., Any]) -> Callable[..., Any]:
    """torch.fx.symbolic_trace, and other uses of its Tracer."""

    @wraps(original)
    def trace(self: Any, root: Any, concrete_args: Any = None) -> Any:
        given = list(concrete_args.values()) if isinstance(concrete_args, dict) else []
        with _trace("torch.fx.symbolic_trace", _COMPILE, root, more=given):
            return original(self, root, concrete_args)

    return trace


def make_fx(original: Callable[..., Any]) -> Callable[..., Any]:
    """make_fx, in each of its modes, also as torch.compiler.precompile calls it; torch.compile's use is left alone."""

    @wraps(original)
    def trace(self: Any, f: Any, *args: Any) -> Any:
        what, fix = ("torch.compiler.precompile", _SAVE) if is_precompiling() else ("make_fx", _COMPILE)
        with _trace(what, fix, f, args):
            return original(self, f, *args)

    return trace


def _trace(
    what: str, fix: str, subject: Any, args: Any = (), kwargs: Any = None, more: Iterable[Any] = ()
) -> AbstractContextManager[None]:
    """The trace as one that drops what is declared, once that is said of the subject and the example.

    A trace within another of these, or within a compilation, is a part of that. Raises the ConstraintError of an
    example that breaks what is declared.
    """
    if is_suspended() or dropping_trace() is not None or is_part_of_a_compilation():
        return nullcontext()
    known = Dropping(what, fix)
    args, kwargs = _tuple(args), kwargs if isinstance(kwargs, dict) else {}
    signatures = _signatures(subject)
    call = check_call([*args, *kwargs.values(), *more], _call_of(subject, args, kwargs))
    if call is not None:
        known.tell(call.names, [c for p in call.members for c in _placed(p)])
    elif signatures:
        known.tell(
            (n for one in signatures for n in one.names), (c for one in signatures for c in placed_constraints(one))
        )
    return dropping(known)


def _placed(member: Any) -> Iterator[Any]:
    place = member.place
    yield from (c if place is None else place.constraint(c) for c in member.constraints)


def _signatures(subject: Any) -> list[Signature]:
    """What is declared of a function, or of a module and the modules in it; of other things nothing is asked."""
    kind = type(subject)
    if issubclass(kind, torch.nn.Module) and not issubclass(kind, torch.jit.ScriptModule):
        found = [signature_of_module(one) for one in torch.nn.Module.modules(subject)]
    elif kind is MethodType:
        found = [signature_on(subject.__func__), signature_of_module(subject.__self__)]
    else:
        found = [signature_on(subject) if kind is FunctionType else None]
    return [one for one in found if one is not None]


def _call_of(subject: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """What the signature of the subject itself declares of the example, if there is one."""
    is_module = issubclass(type(subject), torch.nn.Module)
    signature = signature_of_module(subject) if is_module else None
    if type(subject) is FunctionType:
        signature = signature_on(subject)
    if signature is None or not (args or kwargs):
        return None
    parameters = parameters_of_module(subject) if is_module else Parameters.of(undeclared(subject))
    items = items_of(signature, parameters.of_call(args, kwargs))
    return None if is_traced(items) else known_call(signature, items)


def _tuple(example: Any) -> tuple[Any, ...]:
    return tuple(example) if isinstance(example, tuple | list) else () if example is None else (example,)


def _plain(value: Any) -> Any:
    """A declared number as the number that it is."""
    kind = type(value)
    return int(value) if issubclass(kind, DynamicInt) else float(value) if issubclass(kind, DynamicFloat) else value
