"""The places in torch that are wrapped, each with what it does for programs that don't use this package: nothing.

Dynamo takes seconds to import, so the wrappers go in when it is imported, by torch.compile or by anything else.
"""

from __future__ import annotations

import importlib
import importlib.abc
import sys
import warnings
from collections.abc import Callable
from functools import cache, wraps
from inspect import getattr_static
from pathlib import Path
from types import ModuleType
from typing import Any

from dynconstraints import __version__
from dynconstraints.pytorch._torch.dynamo import hook_points, leave_out_of_user_frames
from dynconstraints.pytorch._torch.release import NEXT, release
from dynconstraints.pytorch._torch.shape_env import stack_summary
from dynconstraints.pytorch.declarations.declaration import at_first_declaration

_DYNAMO, _LOWERING, _COMPILING = "torch._dynamo", "torch._inductor.lowering", "torch._inductor.compile_fx"


def install() -> None:
    """Wrap Dynamo and Inductor now if they are loaded, else as soon as they are. Calling it again does nothing.

    A release newer than those known is tried out at once: facts off rather than wrong.
    """
    if release() >= NEXT:
        importlib.import_module(_DYNAMO)
    _once_loaded(_DYNAMO, _wrap_all)
    _once_loaded(_LOWERING, _wrap_lowering)
    _once_loaded(_COMPILING, _wrap_compiling)
    if release() >= NEXT:
        _try_out()


def _once_loaded(name: str, act: Callable[[], None]) -> None:
    module = sys.modules.get(name)
    if module is not None and not getattr(module.__spec__, "_initializing", False):
        act()
    elif not any(isinstance(finder, _AfterImport) and finder.name == name for finder in sys.meta_path):
        sys.meta_path.insert(0, _AfterImport(name, act))


class _AfterImport(importlib.abc.MetaPathFinder):
    """Acts right after a module has run, then leaves; who only asks for the module does not end it."""

    def __init__(self, name: str, act: Callable[[], None]) -> None:
        self.name, self._act = name, act

    def find_spec(self, fullname: str, *where: Any) -> Any:
        if fullname != self.name:
            return None
        others = (finder.find_spec(fullname, *where) for finder in sys.meta_path if finder is not self)
        spec = next((found for found in others if found is not None), None)
        if spec is not None and spec.loader is not None:
            setattr(spec.loader, "exec_module", self._then(spec.loader.exec_module))  # noqa: B010  of an instance
        return spec

    def _then(self, execute: Callable[[ModuleType], None]) -> Callable[[ModuleType], None]:
        def run(module: ModuleType) -> None:
            execute(module)
            if self in sys.meta_path:
                sys.meta_path.remove(self)
            self._act()

        return run


def _wrap_lowering() -> None:
    from dynconstraints.pytorch.inductor import unit_sizes, variance

    variance.install()
    unit_sizes.install()


def _wrap_compiling() -> None:
    from dynconstraints.pytorch.inductor import strides

    strides.install()


_wrapped: list[tuple[Any, str, Any]] = []
"""The methods that are wrapped, as they were."""


@cache
def _wrap_all() -> None:
    """Wrap what this torch has; where it lacks a part, nothing is wrapped, and a warning says so."""
    from dynconstraints.pytorch.oracle import decide  # noqa: F401  a fault of our own is no fault of torch's
    from dynconstraints.pytorch.oracle.float_rounding import OPERATIONS
    from dynconstraints.pytorch.tracing import python_operations

    try:
        points = hook_points()
        for (owner, name), wrap in (
            (points.ask_about_frame, _check_calls),
            (points.wrap_value, _wrap_values),
            (points.wrap_tensor, _wrap_tensors),
            (points.create_symbol, _named_sizes),
            (points.evaluate_static, _ask_oracle),
            (points.guard_relation, _sharpen_ranges),
            (points.set_replacement, _settle_sizes),
            (points.print_guards, _show_guards),
            (points.call_backend, _tag_caches),
            (points.create_proxy, _lower_floats),
            (points.call_user_function, _bind_computed),
            *((point, _keep_calls) for point in points.handle_functions),
            (points.end_graph, _note_ends),
            (points.end_trace, _note_unfinished),
            *(((points.symbolic_node, name), _keep_rounding) for name in OPERATIONS),
        ):
            _put_around(owner, name, wrap)
        python_operations.install()
        leave_out_of_user_frames(map(str, Path(__file__).parents[1].rglob("*.py")))
        at_first_declaration(_check_entries)
        _place_guards(*stack_summary())
    except (AttributeError, ImportError) as error:
        _unwrap_all(error)


def _put_around(owner: Any, name: str, wrap: Callable[..., Any]) -> None:
    original = getattr_static(owner, name)
    setattr(owner, name, wrap(original))
    _wrapped.append((owner, name, original))


def _check_entries() -> None:
    """From the first declaration on, have each call of a compiled function checked."""
    from dynconstraints.pytorch._torch.compilation import compiled_calls
    from dynconstraints.pytorch.guards.compiled_calls import checking_entries

    if _wrapped and compiled_calls().code is not None:
        module, name = compiled_calls().choose_callback
        _put_around(module, name, checking_entries)


def _try_out() -> None:
    from dynconstraints.pytorch.install.selftest import selftest

    try:
        selftest()
    except Exception as error:
        _unwrap_all(error)


def _unwrap_all(error: Exception) -> None:
    while _wrapped:
        owner, name, original = _wrapped.pop()
        setattr(owner, name, original)
    _warn(error)


def _warn(error: Exception) -> None:
    import torch

    warnings.warn(
        f"dynconstraints does not fit torch {torch.__version__} ({error}): declared sizes are "
        "checked where they are made, and torch.compile treats them as dynamic ints without constraints",
        stacklevel=2,
    )


_NEVER_COMPILED = tuple(f"dynconstraints.pytorch.{name}." for name in ("_torch", "declarations", "values", "frame"))
"""The packages whose functions eager programs run, between a compiled function's graphs, too: Dynamo leaves them."""


def _check_calls(original: Callable[..., Any]) -> Callable[..., Any]:
    """CatchErrorsWrapper.__call__, Dynamo's callback: a violated declaration raises before the frame is traced.

    Dynamo is asked about its own helpers and the standard library, too; what they are handed is no call of the user's.
    """
    from dynconstraints.pytorch._torch.dynamo import as_in_file_of, dynamo
    from dynconstraints.pytorch.frame.call_check import (
        answer_for_good,
        arguments,
        check_entry,
        checked_call,
        keep_asking,
    )
    from dynconstraints.pytorch.frame.frame_facts import forgetting_traces
    from dynconstraints.pytorch.install.observe import compiling, note_answer

    @wraps(original)
    def __call__(self: Any, frame: Any, cache_entry: Any, state: Any) -> Any:  # noqa: N807  the method that it stands for
        known = answer_for_good(state)
        if known is not None:
            check_entry(arguments(frame.f_code, frame.f_locals))
            return known
        if dynamo().is_left_alone(frame.f_code):
            return original(self, frame, cache_entry, state)
        if str(frame.f_globals.get("__name__")).startswith(_NEVER_COMPILED):
            return dynamo().ConvertFrameReturn()  # leave it, and ask no more
        with checked_call(frame.f_code, frame.f_locals) as declared, compiling(frame.f_code), forgetting_traces():
            result = original(self, frame, cache_entry, state)
            note_answer(result)
        return keep_asking(result, state) if declared else result

    return as_in_file_of(original, __call__)


def _wrap_values(original: Callable[..., Any]) -> Callable[..., Any]:
    """VariableBuilder._wrap: our ints, before upstream's own branch for dynamic ints, and our floats."""
    from dynconstraints.pytorch.values.dynamic_float import DynamicFloat
    from dynconstraints.pytorch.values.dynamic_int import DynamicInt

    @wraps(original)
    def _wrap(self: Any, value: Any) -> Any:
        kind = type(value)  # not what `isinstance` asks: a proxy may answer that itself
        if issubclass(kind, DynamicInt):
            from dynconstraints.pytorch.tracing.inputs import wrap_int

            return wrap_int(self, value)
        if issubclass(kind, DynamicFloat):
            from dynconstraints.pytorch.tracing.inputs import wrap_float

            return wrap_float(self, value)
        return original(self, value)

    return _wrap


def _wrap_tensors(original: Callable[..., Any]) -> Callable[..., Any]:
    """VariableBuilder.wrap_tensor: the expressions of named dimensions, before the sizes become symbols."""
    from dynconstraints.pytorch.values.named_dims import base_of, named_dims

    @wraps(original)
    def wrap_tensor(self: Any, value: Any) -> Any:
        if named_dims(value) is not None or named_dims(base_of(value)) is not None:
            from dynconstraints.pytorch.tracing.inputs import bind_dimensions

            bind_dimensions(self, value)
        return original(self, value)

    return wrap_tensor


def _named_sizes(original: Callable[..., Any]) -> Callable[..., Any]:
    """ShapeEnv.create_symbol: a named dimension is an expression that exists already.

    The storage offset of a tensor with named dimensions is dynamic, as torch has it beside dimensions that it made so
    itself, but 0 stays the constant that it nearly always is, and any other serves for 0 as well.
    """
    from dynconstraints.pytorch._torch.dynamo import dynamo
    from dynconstraints.pytorch._torch.shape_env import source_name
    from dynconstraints.pytorch.frame.restart import KEY

    @wraps(original)
    def create_symbol(self: Any, val: Any, source: Any, *args: Any, **kwargs: Any) -> Any:
        facts = self.__dict__.get(KEY)
        if facts is not None and facts.dimensions:
            name = source_name(source)
            expr = facts.dimensions.get(name)
            if expr is not None:
                return expr
            if val and name in facts.offsets:
                kwargs.update(dynamic_dim=dynamo().DimDynamic.DYNAMIC, do_not_specialize_zero_one=True)
        return original(self, val, source, *args, **kwargs)

    return create_symbol


def _ask_oracle(original: Callable[..., Any]) -> Callable[..., Any]:
    """ShapeEnv._maybe_evaluate_static: where it answers None, the declaration is asked."""
    from dynconstraints.pytorch.frame.restart import KEY
    from dynconstraints.pytorch.oracle import min_max

    @wraps(original)
    def _maybe_evaluate_static(self: Any, expr: Any, *args: Any, **kwargs: Any) -> Any:
        declared = KEY in self.__dict__
        if declared:
            min_max.learn_asked(self, expr)
        try:
            answer = original(self, expr, *args, **kwargs)
        except OverflowError:  # torch's bounds of a quotient of floats
            if not declared:
                raise
            answer = None
        if answer is None and declared and not kwargs.get("compute_hint"):
            from dynconstraints.pytorch.oracle.decide import decide

            return decide(self, self.simplify(expr))
        return answer

    for name in ("cache_clear", "cache_info"):  # torch's own decorator, which torch calls by these names
        if hasattr(original, name):
            setattr(_maybe_evaluate_static, name, getattr(original, name))
    return _maybe_evaluate_static


def _sharpen_ranges(original: Callable[..., Any]) -> Callable[..., Any]:
    """ShapeEnv._maybe_guard_rel: a new guard may rule out the least value of a parameter, or settle a minimum."""
    from dynconstraints.pytorch.frame.restart import KEY

    @wraps(original)
    def _maybe_guard_rel(self: Any, expr: Any) -> None:
        original(self, expr)
        if KEY in self.__dict__:
            from dynconstraints.pytorch.oracle import min_max
            from dynconstraints.pytorch.oracle.decide import sharpen

            sharpen(self, expr)
            min_max.learn(self, expr)

    return _maybe_guard_rel


def _settle_sizes(original: Callable[..., Any]) -> Callable[..., Any]:
    """ShapeEnv._set_replacement: of a symbol by what it equals from now on; by no number while Inductor lowers."""
    from dynconstraints.pytorch.frame.restart import KEY

    @wraps(original)
    def _set_replacement(self: Any, symbol: Any, target: Any, *args: Any, **kwargs: Any) -> None:
        if KEY in self.__dict__ and target.is_number:
            from dynconstraints.pytorch.inductor.unit_sizes import meet_number

            meet_number(self, symbol)
        original(self, symbol, target, *args, **kwargs)

    return _set_replacement


def _tag_caches(original: Callable[..., Any]) -> Callable[..., Any]:
    """OutputGraph._call_user_compiler: what is compiled under a declaration is kept under a key that knows it.

    The trace is done there, and the guards aren't made yet.
    """
    from dynconstraints.pytorch.frame.restart import KEY

    @wraps(original)
    def _call_user_compiler(self: Any, *args: Any, **kwargs: Any) -> Any:
        from dynconstraints.pytorch.tracing.inputs import watch_arguments

        watch_arguments(self)
        facts = self.shape_env.__dict__.get(KEY)
        if facts is None:
            return original(self, *args, **kwargs)
        from torch.compiler import config

        from dynconstraints.pytorch.floats.trace import check_no_symbol_left, settled
        from dynconstraints.pytorch.frame.leftover_values import check_unused
        from dynconstraints.pytorch.guards.narrowing import places_known
        from dynconstraints.pytorch.inductor.unit_sizes import settled_before

        check_no_symbol_left(self, facts)
        check_unused(facts, self.graph)
        tag = config.patch(  # type: ignore[attr-defined]  # torch adds it when it is imported
            cache_key_tag=f"{config.cache_key_tag}|dynconstraints {__version__}:{facts.digest}"
        )
        with tag, settled(facts), settled_before(facts), places_known(facts):
            compiled = original(self, *args, **kwargs)
        if facts.computed.errors:
            from dynconstraints.pytorch.tracing.computed_values import telling

            compiled = telling(compiled, args[0], facts)
        if not self.compile_subgraph_reason.graph_break:
            return compiled
        from dynconstraints.pytorch.tracing.graph_breaks import naming_results

        return naming_results(compiled, args[0], facts)

    return _call_user_compiler


def _note_ends(original: Callable[..., Any]) -> Callable[..., Any]:
    """OutputGraph.compile_subgraph: for the report, what a frame hands on where its graph ends."""
    from dynconstraints.pytorch.install.observe import is_observed

    @wraps(original)
    def compile_subgraph(self: Any, tx: Any, reason: Any, *args: Any, **kwargs: Any) -> Any:
        if is_observed():
            from dynconstraints.pytorch.tracing.trace_record import note_end

            note_end(self, tx, reason, kwargs.get("stack_pops"))
        return original(self, tx, reason, *args, **kwargs)

    return compile_subgraph


def _note_unfinished(original: Callable[..., Any]) -> Callable[..., Any]:
    """OutputGraph.cleanup, the end of an attempt: for the report, what a frame without a graph looks at."""
    from dynconstraints.pytorch.install.observe import is_observed, note_unfinished

    @wraps(original)
    def cleanup(self: Any) -> None:
        if is_observed() and self.root_tx is not None:
            note_unfinished(self)
        original(self)

    return cleanup


def _lower_floats(original: Callable[..., Any]) -> Callable[..., Any]:
    """SubgraphTracer.create_proxy: an operation on a declared float takes it as a tensor."""
    from dynconstraints.pytorch.frame.restart import KEY

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


def _keep_calls(original: Callable[[], dict[Any, Callable[..., Any]]]) -> Any:
    """TorchInGraphFunctionVariable._get_handlers: of a declared float Dynamo takes no `addcdiv` apart, which rounds."""
    import torch

    from dynconstraints.pytorch._torch.dynamo import dynamo
    from dynconstraints.pytorch.frame.restart import KEY

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


def _bind_computed(original: Callable[..., Any]) -> Callable[..., Any]:
    """UserFunctionVariable.call_function: `bind` is not traced into."""
    from dynconstraints.pytorch.values.bind import bind

    @wraps(original)
    def call_function(self: Any, tx: Any, args: Any, kwargs: Any) -> Any:
        if self.fn is bind:
            from dynconstraints.pytorch.tracing.inputs import bind_computed

            return bind_computed(tx, args, kwargs)
        return original(self, tx, args, kwargs)

    return call_function


def _keep_rounding(original: Callable[..., Any]) -> Callable[..., Any]:
    """SymNode.add and its like: a computed float is one term to sympy, which does not round.

    Where make_fx traces, as in an operator's own Python, it is handed what the program has, which it knows by identity,
    and asks again for the result.
    """
    from dynconstraints.pytorch._torch.shape_env import records_symbols
    from dynconstraints.pytorch.frame.restart import KEY
    from dynconstraints.pytorch.oracle.float_rounding import whole

    @wraps(original)
    def operation(self: Any, other: Any) -> Any:
        # Sizes come here by the thousand: theirs is the question that costs least.
        if (self.is_float() or other.is_float()) and KEY in getattr(self.shape_env, "__dict__", ()):
            return original(self, other) if records_symbols() else original(whole(self), whole(other))
        return original(self, other)

    return operation


def _place_guards(owner: Any, name: str) -> None:
    """ShapeEnv._get_stack_summary: behind Dynamo the line of a guard is that of the operation at work."""
    from dynconstraints.pytorch._torch.shape_env import placed_at_operation
    from dynconstraints.pytorch.frame.restart import KEY

    original = getattr(owner, name, None)
    if original is None:  # the line stays unknown
        return

    @wraps(original)
    def _get_stack_summary(self: Any, *args: Any, **kwargs: Any) -> Any:
        place, more = original(self, *args, **kwargs)
        return (placed_at_operation(place) if KEY in self.__dict__ else place), more

    setattr(owner, name, _get_stack_summary)
    _wrapped.append((owner, name, original))


def _show_guards(original: Callable[..., Any]) -> Callable[..., Any]:
    """ShapeEnv.produce_guards_verbose: what it prints, for the report; of a declared frame in fewer guards.

    None is simplified by what it says itself.
    """
    from dynconstraints.pytorch.frame.restart import KEY
    from dynconstraints.pytorch.guards.merge_guards import join
    from dynconstraints.pytorch.install.observe import record
    from dynconstraints.pytorch.oracle import min_max

    @wraps(original)
    def produce_guards_verbose(self: Any, placeholders: Any, sources: Any, *args: Any, **kwargs: Any) -> Any:
        with min_max.kept(self):
            printed = original(self, placeholders, sources, *args, **kwargs)
        langs = kwargs.get("langs", ("python", "verbose_python"))
        if "verbose_python" in langs:  # without it, for the key of a cache on disk
            if KEY in self.__dict__:
                spoken = dict(zip(langs, (part.exprs for part in printed), strict=True))
                join(spoken["python"], spoken["verbose_python"])
            record(self, printed[0].exprs)
        return printed

    return produce_guards_verbose
