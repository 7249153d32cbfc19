"""What stands around functions of Dynamo: for programs that don't use this package, nothing.

Each function is given one of torch's and makes what stands for it; its docstring begins with the name of that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, wraps
from typing import Any

import torch

from dynconstraints import __version__
from dynconstraints.pytorch._torch.dynamo import as_in_file_of, dynamo
from dynconstraints.pytorch.declarations.scope import current_scope
from dynconstraints.pytorch.declarations.suspension import is_suspended
from dynconstraints.pytorch.exporting.tracing import is_exporting, wrapped_int
from dynconstraints.pytorch.frame.call_check import answer_for_good, check_again, checked_call, keep_asking
from dynconstraints.pytorch.frame.declared_inputs import declared_inputs, declared_number, declared_tensor
from dynconstraints.pytorch.frame.frame_facts import FrameFacts, forgetting_traces
from dynconstraints.pytorch.frame.restart import KEY
from dynconstraints.pytorch.guards.missing import enforce_arrival
from dynconstraints.pytorch.install.observe import compiling, is_observed, note_answer, note_unfinished
from dynconstraints.pytorch.signatures.checked import after_forward, before_forward
from dynconstraints.pytorch.signatures.registry import are_any
from dynconstraints.pytorch.values.bind import bind
from dynconstraints.pytorch.values.carried_names import Carrying
from dynconstraints.pytorch.values.dynamic_float import DynamicFloat
from dynconstraints.pytorch.values.dynamic_int import DynamicInt
from dynconstraints.pytorch.values.named_dims import base_of, named_dims
from dynconstraints.pytorch.values.result_dims import is_result

_NUMBERS = (int, float, DynamicInt, DynamicFloat)
_NEVER_COMPILED = tuple(
    f"dynconstraints.pytorch.{name}." for name in ("_torch", "declarations", "values", "signatures", "frame")
)
"""The packages whose functions eager programs run, between a compiled function's graphs, too: Dynamo leaves them."""


def check_calls(original: Callable[..., Any]) -> Callable[..., Any]:
    """CatchErrorsWrapper.__call__, Dynamo's callback: a violated declaration raises before the frame is traced.

    Dynamo is asked about its own helpers and the standard library, too; what they are handed is no call of the user's.
    """

    @wraps(original)
    def __call__(self: Any, frame: Any, cache_entry: Any, state: Any) -> Any:  # noqa: N807  the method that it stands for
        known = answer_for_good(state)
        if known is not None:
            check_again(frame.f_code, frame.f_locals)
            return known
        if dynamo().is_left_alone(frame.f_code):
            return original(self, frame, cache_entry, state)
        if str(frame.f_globals.get("__name__")).startswith(_NEVER_COMPILED):
            return dynamo().ConvertFrameReturn()  # leave it, and ask no more
        with (
            checked_call(frame.f_code, frame.f_locals) as declared,
            compiling(frame.f_code),
            forgetting_traces() as traced,
        ):
            result = original(self, frame, cache_entry, state)
            note_answer(result)
            if getattr(result, "guarded_code", None) is not None and (declared or current_scope().blocks):
                enforce_arrival(frame.f_code, frame.f_locals, traced[-1] if traced else None)
        return keep_asking(result, state) if declared else result

    return as_in_file_of(original, __call__)


def wrap_values(original: Callable[..., Any]) -> Callable[..., Any]:
    """VariableBuilder._wrap: our ints, before upstream's own branch for dynamic ints, and our floats.

    Where Dynamo looks a method of tensors up in the class, it doesn't ask a descriptor what it stands for.
    """

    @wraps(original)
    def _wrap(self: Any, value: Any) -> Any:
        if is_suspended():
            exported = wrapped_int(self, value) if is_exporting() else None
            return original(self, value) if exported is None else exported
        kind = type(value)  # not what `isinstance` asks: a proxy may answer that itself
        if kind in _NUMBERS and (number := declared_number(self.source)) is not None:
            from dynconstraints.pytorch.tracing.inputs import wrap_declared

            return wrap_declared(self, value, *number)
        if issubclass(kind, DynamicInt):
            from dynconstraints.pytorch.tracing.inputs import wrap_int

            return wrap_int(self, value)
        if issubclass(kind, DynamicFloat):
            from dynconstraints.pytorch.tracing.inputs import wrap_float

            return wrap_float(self, value)
        return original(self, value.original if kind is Carrying else value)

    return _wrap


def wrap_tensors(original: Callable[..., Any]) -> Callable[..., Any]:
    """VariableBuilder.wrap_tensor: the expressions of named dimensions, before the sizes become symbols."""

    @wraps(original)
    def wrap_tensor(self: Any, value: Any) -> Any:
        if not is_suspended() and (
            named_dims(value) is not None
            or named_dims(base_of(value)) is not None
            or declared_tensor(value, self.source) is not None
            or is_result(value)
        ):
            from dynconstraints.pytorch.tracing.inputs import bind_dimensions

            bind_dimensions(self, value)
        return original(self, value)

    return wrap_tensor


def tag_caches(original: Callable[..., Any]) -> Callable[..., Any]:
    """OutputGraph._call_user_compiler: what is compiled under a declaration is kept under a key that knows it.

    The trace is done there, and the guards aren't made yet.
    """

    @wraps(original)
    def _call_user_compiler(self: Any, *args: Any, **kwargs: Any) -> Any:
        from dynconstraints.pytorch.tracing.inputs import watch_arguments

        if not is_suspended():
            watch_arguments(self)
        facts = self.shape_env.__dict__.get(KEY)
        if facts is None:
            return original(self, *args, **kwargs)
        from dynconstraints.pytorch.floats.trace import check_no_symbol_left
        from dynconstraints.pytorch.frame.leftover_values import check_unused

        check_no_symbol_left(self, facts)
        check_unused(facts, self.graph)
        with compiled_under(facts):
            compiled = original(self, *args, **kwargs)
        if facts.computed.errors:
            from dynconstraints.pytorch.tracing.computed_values import telling

            compiled = telling(compiled, args[0], facts)
        if not self.compile_subgraph_reason.graph_break:
            from dynconstraints.pytorch.tracing.result_names import knowing_results

            return knowing_results(compiled, args[0], facts)
        from dynconstraints.pytorch.tracing.graph_breaks import naming_results

        return naming_results(compiled, args[0], facts)

    return _call_user_compiler


@contextmanager
def compiled_under(facts: FrameFacts) -> Iterator[None]:
    """While open, the graph of a frame is compiled: kept under a key that knows the declaration, floats and sizes
    staying what they are."""
    from torch.compiler import config

    from dynconstraints.pytorch.floats.trace import settled
    from dynconstraints.pytorch.guards.narrowing import places_known
    from dynconstraints.pytorch.inductor.unit_sizes import settled_before

    tag = config.patch(  # type: ignore[attr-defined]  # torch adds it when it is imported
        cache_key_tag=f"{config.cache_key_tag}|dynconstraints {__version__}:{facts.digest}"
    )
    with tag, settled(facts), settled_before(facts), places_known(facts):
        yield


def note_ends(original: Callable[..., Any]) -> Callable[..., Any]:
    """OutputGraph.compile_subgraph: the end of a graph, or of a frame without one.

    The call's signature is guarded in either case, and a report hears what the frame hands on.
    """

    @wraps(original)
    def compile_subgraph(self: Any, tx: Any, reason: Any, *args: Any, **kwargs: Any) -> Any:
        if declared_inputs().is_of_declared:
            from dynconstraints.pytorch.tracing.inputs import guard_signature

            guard_signature(self)
        if is_observed():
            from dynconstraints.pytorch.tracing.trace_record import note_end

            note_end(self, tx, reason, kwargs.get("stack_pops"))
        return original(self, tx, reason, *args, **kwargs)

    return compile_subgraph


def note_cleanups(original: Callable[..., Any]) -> Callable[..., Any]:
    """OutputGraph.cleanup, the end of an attempt: for the report, what a frame without a graph looks at."""

    @wraps(original)
    def cleanup(self: Any) -> None:
        if is_observed() and self.root_tx is not None:
            note_unfinished(self)
        original(self)

    return cleanup


def lower_floats(original: Callable[..., Any]) -> Callable[..., Any]:
    """SubgraphTracer.create_proxy: an operation on a declared float takes it as a tensor."""

    @wraps(original)
    def create_proxy(self: Any, kind: str, target: Any, args: Any, kwargs: Any, *rest: Any, **named: Any) -> Any:
        facts = self.output_graph.shape_env.__dict__.get(KEY)
        if facts is not None and facts.floats.inputs:
            from dynconstraints.pytorch.floats.trace import lowered

            proxy = lowered(self, facts, kind, target, args, kwargs)
            if proxy is not None:
                return proxy
        return original(self, kind, target, args, kwargs, *rest, **named)

    return create_proxy


def keep_calls(original: Callable[[], dict[Any, Callable[..., Any]]]) -> Any:
    """TorchInGraphFunctionVariable._get_handlers: of a declared float Dynamo takes no `addcdiv` apart, which rounds."""

    def kept(handler: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(handler)
        def handle(self: Any, tx: Any, *args: Any, **kwargs: Any) -> Any:
            value = kwargs["value"].realize() if "value" in kwargs else None  # which adds it to what is declared
            facts = tx.output.shape_env.__dict__.get(KEY)
            is_number = isinstance(value, dynamo().SymNodeVariable)
            return (
                None if is_number and facts is not None and facts.floats.inputs else handler(self, tx, *args, **kwargs)
            )

        return handle

    @cache
    def handlers() -> dict[Any, Callable[..., Any]]:
        found = original()
        return {f: kept(handler) if f is torch.addcdiv else handler for f, handler in found.items()}

    return staticmethod(handlers)


def leave_bind(original: Callable[..., Any]) -> Callable[..., Any]:
    """UserFunctionVariable.call_function: `bind` is not traced into; a declared function's arguments are named."""

    @wraps(original)
    def call_function(self: Any, tx: Any, args: Any, kwargs: Any) -> Any:
        if self.fn is bind:
            from dynconstraints.pytorch.tracing.inputs import bind_computed

            return bind_computed(tx, args, kwargs)
        if self.fn is before_forward:  # the call that it stands before is named itself
            return dynamo().ConstantVariable.create(None)
        if self.fn is after_forward:
            return args[-1]
        if are_any():
            from dynconstraints.pytorch.tracing.inlined_calls import declared_in_trace, name_arguments

            called = declared_in_trace(self, args)
            if called is not None:
                name_arguments(tx, called, list(args), kwargs)
        return original(self, tx, args, kwargs)

    return call_function
