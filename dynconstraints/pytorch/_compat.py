"""The private names of torch that the project touches, and nowhere else: what each is for, and the releases it fits."""

from __future__ import annotations

import dataclasses
import importlib
import linecache
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import CodeType, SimpleNamespace
from typing import Any

from dynconstraints.diagnostics.diagnostic import Diagnostic
from dynconstraints.diagnostics.errors import UnsupportedTorchError

OLDEST, NEXT = (2, 10), (2, 16)
"""The releases that this file was read against: from the first, below the second."""


def _unsupported(what: str, mend: str) -> UnsupportedTorchError:
    return UnsupportedTorchError(Diagnostic("DC701", what, help=(mend,)))


try:
    import torch
except ModuleNotFoundError as error:
    if error.name != "torch":
        raise
    raise _unsupported(
        "declared sizes need torch, which is not installed", "pip install dynconstraints[torch]"
    ) from None

try:
    # 2.10 to 2.15. Dynamo recognises a dynamic integer by `isinstance` of this class, so ours derives from it.
    from torch.fx.experimental.sym_node import DynamicInt as UpstreamDynamicInt
except ImportError:
    raise _unsupported(
        f"torch {torch.__version__} has no dynamic integers", "install torch 2.10 or later, below 2.16"
    ) from None


NO_TORCH_FUNCTION: Any = torch._C._disabled_torch_function_impl  # noqa: SLF001  what torch's own classes say it with
"""As ``__torch_function__`` of a class: torch has nothing to ask of its objects."""


function_modes: Any = torch._C._is_torch_function_mode_enabled  # noqa: SLF001
"""Whether a mode, such as ``with torch.device(...)``, sees the functions of torch that are called."""


unseen: Any = torch._C.DisableTorchFunction  # noqa: SLF001
"""In ``with unseen():`` no mode and no subclass (``__torch_function__``) sees what is asked of tensors."""


DispatchMode: Any = importlib.import_module("torch.utils._python_dispatch").TorchDispatchMode
"""Sees each operation on tensors before it runs."""


_transforms = torch._C._functorch.peek_interpreter_stack  # noqa: SLF001


_NO_DIMENSION = 2**40
"""No tensor has so many."""


def marked(tensor: Any) -> None:
    """Have graphs that were made for a tensor without names leave this one to graphs that know them.

    Torch guards that a tensor has no other dimensions marked as dynamic than the one of the compilation, and marks of
    its own accord nothing. The mark here is on a dimension that there is not, so it says nothing else. 2.10 to 2.15.
    """
    known = tensor.__dict__
    if "_dynamo_dynamic_indices" not in known:  # else torch takes it that the others are there, too
        known.update(_dynamo_dynamic_indices=set(), _dynamo_dynamic_range=set(), _dynamo_hint_overrides={})
        known["_has_dynamo_dim_marking"] = True  # 2.13 on: what is guarded first
    known["_dynamo_dynamic_indices"].add(_NO_DIMENSION)


def in_transforms() -> bool:
    """Whether vmap, grad and their like (``torch.func``) are at work, also in what Dynamo traces at the moment."""
    return _transforms() is not None


def release() -> tuple[int, int]:
    """Major and minor number of the torch at hand."""
    major, minor, *_ = torch.__version__.split(".")
    return int(major), int(minor)


__all__ = [
    "CONTIGUITY",
    "NEXT",
    "NO_TORCH_FUNCTION",
    "OLDEST",
    "Called",
    "DispatchMode",
    "UpstreamDynamicInt",
    "allow_numbers_of_tensors",
    "as_in_file_of",
    "assert_in_graph",
    "attention_is_fused",
    "backed_values",
    "bound_place",
    "called",
    "code_of_compilation",
    "compiled_calls",
    "continuations",
    "current_trace",
    "dispatch_anew",
    "dynamo",
    "evaluated",
    "forget_simplified",
    "function_modes",
    "functional",
    "functions",
    "fused_attention",
    "has_gradient_on_limit",
    "hook_points",
    "in_transforms",
    "indexed",
    "inductor",
    "inferred_sizes",
    "inlined",
    "is_backed_condition",
    "is_ending",
    "is_lowering",
    "is_resumed",
    "is_variable",
    "is_wrapper",
    "keep_no_fakes",
    "known",
    "lazy_text",
    "leave_out_of_user_frames",
    "line_of",
    "line_of_change",
    "marked",
    "most_graphs",
    "must_not_break",
    "narrow",
    "number_of_call",
    "parts_of_source",
    "plain_source",
    "python_operations",
    "recorded",
    "records_symbols",
    "release",
    "replacement_place",
    "scalar_handlers",
    "settings_kept",
    "shape_functions",
    "source_name",
    "trace_values",
    "unguarded",
    "unit_questions",
    "unseen",
    "unseen_value",
    "user_line",
    "variable_of",
]


@cache
def dynamo() -> SimpleNamespace:
    """Dynamo's names. Importing them takes seconds, so eager programs never do.

    Raises AttributeError or ImportError where this torch does not have one; the caller turns that into its own message.
    """
    builder = importlib.import_module("torch._dynamo.variables.builder")
    source = importlib.import_module("torch._dynamo.source")
    exc = importlib.import_module("torch._dynamo.exc")
    guards = importlib.import_module("torch._dynamo.guards")
    core = importlib.import_module("torch._guards")
    shapes = importlib.import_module("torch.fx.experimental.symbolic_shapes")
    utils = importlib.import_module("torch._dynamo.utils")
    return SimpleNamespace(
        wrap_to_fake_tensor_and_record=builder.wrap_to_fake_tensor_and_record,  # the fake of an input
        GraphArg=builder.GraphArg,  # what a placeholder stands for
        TrackedFake=builder.TrackedFake,  # a symbolic input whose expression is guarded
        SymNodeVariable=importlib.import_module("torch._dynamo.variables.tensor").SymNodeVariable,
        ConstantVariable=importlib.import_module("torch._dynamo.variables.constant").ConstantVariable,
        LazyVariableTracker=importlib.import_module("torch._dynamo.variables.lazy").LazyVariableTracker,
        TupleVariable=importlib.import_module("torch._dynamo.variables.lists").TupleVariable,
        DynamicScalarSource=source.DynamicScalarSource,  # int(base)
        AttrSource=source.AttrSource,  # an attribute of an object
        LocalSource=source.LocalSource,  # an argument
        CallMethodItemSource=getattr(source, "CallMethodItemSource", ()),  # the number in an argument
        # Inside vmap, grad, jvp: inputs of the graph belong to the program outside of them.
        outside_transforms=importlib.import_module("torch._functorch.pyfunctorch").temporarily_clear_interpreter_stack,
        FloatTensorSource=source.FloatTensorSource,  # a float as a tensor, float64
        TensorProperty=source.TensorProperty,
        TensorPropertySource=source.TensorPropertySource,
        ShapeEnvSource=source.ShapeEnvSource,
        ChainedSource=core.ChainedSource,
        Source=core.Source,
        CompileContext=core.CompileContext,  # lives through the restarts of one frame
        TracingContext=core.TracingContext,
        dataclass_with_cached_hash=core.dataclass_with_cached_hash,
        Restart=exc.UnspecializeRestartAnalysis,  # forgets the speculation log, as a changed trace must
        PassThrough=exc.ShortenTraceback,  # reaches the user as it is, without Dynamo's frames
        ConvertFrameReturn=importlib.import_module("torch._dynamo.types").ConvertFrameReturn,  # an answer to the frame
        GuardBuilder=guards.GuardBuilder,
        install_guard=guards.install_guard,
        closure_vars=guards._get_closure_vars,  # noqa: SLF001  the names that guard code may use
        DimDynamic=shapes.DimDynamic,
        ValueRanges=importlib.import_module("torch.utils._sympy.value_ranges").ValueRanges,
        set_example_value=utils.set_example_value,
        get_fake_value=utils.get_fake_value,
        # The floats that torch may not turn into constants of its own, by their symbols' names; for all compilations.
        settled_floats=importlib.import_module("torch._dynamo.symbolic_convert").TensorifyState.force_specializations,
        create_call_function=importlib.import_module("torch._dynamo.bytecode_transformation").create_call_function,
        is_left_alone=importlib.import_module("torch._dynamo.trace_rules").check,  # whether a code is never compiled
    )


@cache
def hook_points() -> SimpleNamespace:
    """The methods that are wrapped, as pairs of their class and their name. Raises like `dynamo`."""
    builder = importlib.import_module("torch._dynamo.variables.builder").VariableBuilder
    env = importlib.import_module("torch.fx.experimental.symbolic_shapes").ShapeEnv
    output = importlib.import_module("torch._dynamo.output_graph")
    functions = importlib.import_module("torch._dynamo.variables.functions")
    callback = importlib.import_module("torch._dynamo.convert_frame").CatchErrorsWrapper
    called = importlib.import_module("torch._dynamo.variables.torch").TorchInGraphFunctionVariable
    return SimpleNamespace(
        ask_about_frame=(callback, "__call__"),
        wrap_value=(builder, "_wrap"),
        wrap_tensor=(builder, "wrap_tensor"),
        create_symbol=(env, "create_symbol"),
        evaluate_static=(env, "_maybe_evaluate_static"),
        guard_relation=(env, "_maybe_guard_rel"),
        print_guards=(env, "produce_guards_verbose"),
        replace_symbols=(env, "replace"),
        set_replacement=(env, "_set_replacement"),
        call_backend=(output.OutputGraph, "_call_user_compiler"),
        call_user_function=(functions.UserFunctionVariable, "call_function"),
        create_proxy=(output.SubgraphTracer, "create_proxy"),
        handle_functions=[(called, "_get_handlers")] if hasattr(called, "_get_handlers") else [],
        end_graph=(output.OutputGraph, "compile_subgraph"),
        end_trace=(output.OutputGraph, "cleanup"),
        symbolic_node=importlib.import_module("torch.fx.experimental.sym_node").SymNode,
    )


def leave_out_of_user_frames(files: Iterable[str]) -> None:
    """Have torch look past the files where it tells which line of a program asks for a guard or an operation."""
    ours = frozenset(files)
    for name in ("torch._dynamo.guards", "torch.fx.experimental.symbolic_shapes"):
        listed: Any = getattr(importlib.import_module(name), "uninteresting_files", None)
        # The second list is made of the first when it is first asked for, which takes seconds of imports.
        if hasattr(listed, "cache_info") and (listed.cache_info().currsize or name == "torch._dynamo.guards"):
            listed().update(ours)


def as_in_file_of(original: Callable[..., Any], wrapper: Callable[..., Any]) -> Callable[..., Any]:
    """The wrapper as a function of the original's file, by which torch tells its own frames from its callers'.

    It looks for who called Dynamo, and for the user's stack above, by walking past the frames of one file. The price:
    a traceback through the wrapper shows a line of that file.
    """
    code = original.__code__
    own = wrapper.__code__.replace(co_filename=code.co_filename, co_firstlineno=code.co_firstlineno)
    wrapper.__code__ = own
    return wrapper


@cache
def compiled_calls() -> SimpleNamespace:
    """What each call of a compiled function goes through, also where a stance runs it in eager; read in 2.13.

    ``choose_callback`` is called by a frame of ``code``, whose variables are ``args``, ``kwargs`` and ``fn``, and the
    ``cleanups`` that are called when the call ends; the code is None where a release has no such frame.
    """
    frames = importlib.import_module("torch._dynamo.eval_frame")
    c = importlib.import_module("torch._C._dynamo.eval_frame")
    name, used = "_callback_from_stance", {"args", "kwargs", "fn", "cleanups"}
    parts = frames._TorchDynamoContext.__call__.__code__.co_consts  # noqa: SLF001
    codes = [part for part in parts if isinstance(part, CodeType) and name in part.co_names]
    found = [code for code in codes if used <= {*code.co_varnames, *code.co_freevars}]

    def ask_again(function: Any) -> None:
        """Forget that the function is never to be compiled."""
        actions = (c._FrameAction.DEFAULT, c._FrameAction.DEFAULT)  # noqa: SLF001
        c.set_code_exec_strategy(function.__code__, c._FrameExecStrategy(*actions))  # noqa: SLF001

    return SimpleNamespace(
        choose_callback=(frames, name), code=found[0] if len(found) == 1 else None, ask_again=ask_again
    )


@cache
def inductor() -> SimpleNamespace:
    """Inductor's names, once it is imported; what a release lacks is None, and is done without."""
    lowering = importlib.import_module("torch._inductor.lowering")
    return SimpleNamespace(
        lowering=lowering,
        two_step_variance="use_two_step_variance",  # 2.10 on: x, the axes, and more
        reduced_axes=getattr(lowering, "_validate_reduction_axis", None),
        two_step_threshold=lambda: getattr(lowering.config.cpp, "use_two_step_variance_threshold", 0),
        graph=lambda: lowering.V.graph,  # that is being compiled
        decompositions=_decomposition_tables(),
    )


def _decomposition_tables() -> tuple[dict[Any, Any], ...]:
    """What Inductor takes operations apart by: its table, and the copy that it keeps for its own random numbers."""
    module = importlib.import_module("torch._inductor.decomposition")
    copied = getattr(module, "fast_random_decomps", None)
    return (module.decompositions, copied()) if copied is not None else (module.decompositions,)


@cache
def inductor_strides() -> SimpleNamespace:
    """What hands strides from a forward to its backward, and asks for those of a convolution's gradients.

    Read in 2.13; what a release lacks is None.
    """
    output, sizes = (importlib.import_module(f"torch._inductor.{name}") for name in ("output_code", "sizevars"))
    convolution = importlib.import_module("torch._inductor.kernel.conv")
    numbers = "guarding_hint_or_throw" if hasattr(sizes.SizeVarAllocator, "guarding_hint_or_throw") else "size_hint"
    return SimpleNamespace(
        told=(output, "set_tracing_context_output_strides"),  # the inputs, the compiled graph
        layouts=((convolution, "conv_bwd_input_layout"), (convolution, "conv_bwd_weight_layout")),
        guard_all=(sizes.SizeVarAllocator, "guard_int_seq"),
        hint=lambda sizes, expr: getattr(sizes, numbers)(expr),  # its value in this call, without a guard
    )


@cache
def unit_questions() -> SimpleNamespace:
    """What Inductor asks, among other conditions, whether sizes are 1; what a release lacks is None or left out."""
    sizes = importlib.import_module("torch._inductor.sizevars").SizeVarAllocator
    return SimpleNamespace(or_false=(sizes, "guard_or_false"), or_true=(sizes, "guard_or_true"))


def is_lowering() -> bool:
    """Whether Inductor makes loops of a graph at the moment, or code of loops."""
    lowering = sys.modules.get("torch._inductor.graph")
    return lowering is not None and isinstance(lowering.V.graph, lowering.GraphLowering)


@contextmanager
def strides_as_expressions(key: str) -> Iterator[None]:
    """While open, strides of a graph whose ShapeEnv has the key are told to the backward's compilation as expressions.

    It is what torch does where it runs a compiled forward on fake tensors.
    """
    context = importlib.import_module("torch._guards").TracingContext.try_get()
    env = getattr(getattr(context, "fake_mode", None), "shape_env", None)
    if env is None or key not in env.__dict__ or not hasattr(context, "fakify_first_call"):
        yield
        return
    before, context.fakify_first_call = context.fakify_first_call, True
    try:
        yield
    finally:
        context.fakify_first_call = before


def compilation_of(compiled: Any) -> Any:
    """What torch.compile keeps of how it was called, for what it made; None for what it did not make."""
    asked = getattr(compiled, "get_compiler_config", None)
    held = [cell.cell_contents for cell in getattr(asked, "__closure__", None) or ()]
    kind = importlib.import_module("torch._dynamo.eval_frame").OptimizeContext if held else ()
    return next((context for context in held if isinstance(context, kind)), None)


def backend_of(compilation: Any) -> Any:
    """The backend as it was given to torch.compile, with its options; None where torch.compile is switched off."""
    if compilation is None:
        return None
    return importlib.import_module("torch._dynamo.eval_frame").innermost_backend(compilation.callback)


def compiled_alike(compilation: Any, function: Any, backend: Any, **others: Any) -> Any:
    """The function compiled with the options of another call of torch.compile, but for these, by its own backend."""
    options = {"guard_filter_fn": getattr(getattr(compilation, "_hooks", None), "guard_filter_fn", None)}
    specs = ("shapes_spec", "dynamic_shapes") if "dynamic" not in others else ()  # torch takes one of the two
    options |= {name: getattr(compilation, f"_{name}", None) for name in ("dynamic", *specs)} | others
    fullgraph = bool(getattr(compilation, "fullgraph", False))
    if not fullgraph:
        options["error_on_graph_break"] = getattr(compilation, "error_on_graph_break", None)
    given = {name: value for name, value in options.items() if value is not None}
    return torch._dynamo.optimize(backend, nopython=fullgraph, **given)(function)  # noqa: SLF001


def forget_compiled(code: Any, backend: Any) -> None:
    """Take out what the backend compiled for the code object; what others did stays."""
    frames: Any = torch._C._dynamo.eval_frame  # noqa: SLF001
    deleted: Any = getattr(importlib.import_module("torch._dynamo.guards"), "DeletedGuardManagerWrapper", None)
    for entry in frames._debug_get_cache_entry_list(code) if deleted is not None else ():  # noqa: SLF001
        manager = entry.guard_manager
        if getattr(entry, "backend", None) is backend and getattr(manager, "extra_state", None) is not None:
            manager.extra_state.invalidate(manager.cache_entry, deleted("it was compiled for a report"))


KEPT_BY_AUTOGRAD = dict.fromkeys(
    ("enable_autograd_cache", "enable_remote_autograd_cache", "bundled_autograd_cache", "force_autograd_cache"), False
)
KEPT_BY_INDUCTOR = dict.fromkeys(("fx_graph_cache", "fx_graph_remote_cache"), False)
"""AOTAutograd's and Inductor's settings under which they keep compiled graphs on disk and elsewhere, all off."""


@contextmanager
def patched(module: str, settings: Mapping[str, Any]) -> Iterator[None]:
    """While open, settings of a config module of torch's; those that a release lacks are left out."""
    config = importlib.import_module(module)
    with config.patch({name: value for name, value in settings.items() if hasattr(config, name)}):
        yield


def inductor_compilation() -> dict[str, tuple[Any, str]]:
    """From a graph to what runs it, and within that the step from lowered code to a loaded module. Read in 2.13."""
    return {
        "graph": (importlib.import_module("torch._inductor.compile_fx"), "_compile_fx_inner"),
        "module": (importlib.import_module("torch._inductor.graph").GraphLowering, "compile_to_module"),
    }


def env_of(inputs: Any) -> Any:
    """The ShapeEnv of the trace that a backend is given a graph of; None where there is none."""
    mode = importlib.import_module("torch._guards").detect_fake_mode(inputs)
    return getattr(mode, "shape_env", None)


def compiles_ahead() -> bool:
    """Whether Inductor is at work for AOTInductor, whose result is a file."""
    return bool(importlib.import_module("torch._inductor.virtualized").V.aot_compilation)


@contextmanager
def nothing_built() -> Iterator[None]:
    """While open, Inductor keeps no graph on disk, and builds nothing to measure it.

    Where it looks for the vector instructions of the CPU it takes the CPU's word; what it concluded is forgotten, so
    that whoever runs its code has the compiler tried, too.
    """
    config = importlib.import_module("torch._inductor.config")
    trials = dict.fromkeys(("benchmark_fusion", "benchmark_combo_kernel", "benchmark_kernel"), False)
    settings = {**KEPT_BY_INDUCTOR, **trials}
    if config.max_autotune or config.max_autotune_gemm:
        settings["deterministic"] = True  # of several kernels for an operation, one without a trial
    with patched("torch._inductor.config", settings), _untried_instructions():
        yield


@contextmanager
def _untried_instructions() -> Iterator[None]:
    isa = importlib.import_module("torch._inductor.cpu_vec_isa")
    known = getattr(isa.valid_vec_isa_list, "cache_info", None)
    if known is None or known().currsize or not hasattr(isa.VecISA, "check_build"):
        yield
        return
    original, isa.VecISA.check_build = isa.VecISA.check_build, lambda *_: True
    try:
        yield
    finally:
        isa.VecISA.check_build = original
        isa.valid_vec_isa_list.cache_clear()
        kinds = [kind for kind in vars(isa).values() if isinstance(kind, type) and issubclass(kind, isa.VecISA)]
        for method in (method for kind in kinds for method in vars(kind).values()):
            getattr(method, "cache_clear", lambda: None)()


@cache
def shape_functions() -> SimpleNamespace:
    """Functions from shapes to shapes that ask whether sizes are 1, as pairs of their module or object and their name.

    Read in 2.10 to 2.15; what a release lacks is left out by the caller.
    """
    refs = importlib.import_module("torch._refs")
    fakes = importlib.import_module("torch._subclasses.fake_impls")
    common = importlib.import_module("torch._prims_common")
    nodes = importlib.import_module("torch.fx.experimental.sym_node").SymNode
    metadata = importlib.import_module("torch.fx.passes.shape_prop")
    return SimpleNamespace(
        broadcast_shapes=(refs, "_broadcast_shapes"),
        broadcast_tensors=(refs, "_maybe_broadcast"),
        broadcast_two=(fakes, "infer_size"),
        broadcast_in_dim=(torch.ops.prims.broadcast_in_dim.default, "prim_meta_impl"),
        view=(refs, "_reshape_view_helper"),
        contiguous=(common, "check_contiguous_sizes_strides"),
        contiguous_tensor=(common, "is_contiguous"),
        dense=(common, "_is_non_overlapping_and_dense_or_false"),
        recorded_format=(metadata, "is_contiguous_for_memory_format_or_false"),
        guard_or_false=(nodes, "guard_or_false"),
        guard_or_true=(nodes, "guard_or_true"),
    )


def unguarded() -> Any:
    """A context in which torch takes a question that has an answer for the unknown, too, for what is known of sizes."""
    return importlib.import_module("torch.fx.experimental._config").patch(backed_size_oblivious=True)


def scalar_handlers() -> tuple[Any, str]:
    """What AOTAutograd's pass that makes tensors of floats asks for the tensor of an expression: its module and name.

    It is given the class that has an operation on tensors for each function, the arguments as such tensors, and the
    expression; where it raises NotImplementedError, the float stays what it is. Read in 2.13.
    """
    return importlib.import_module("torch.fx.passes._tensorify_python_scalars"), "_run_sympy_handler"


def code_of_compilation() -> Any:
    """The code of the frame that is being compiled; None outside of a compilation."""
    tx = current_trace()
    return None if tx is None else tx.output.root_tx.f_code


CONTIGUITY = "c10/core/Contiguity.h"
"""Where C++ works out whether a tensor is contiguous: first as if nothing were known of sizes that torch can't tell,
which may find that it is, whatever they are; then, if not, as a condition on them, asked by whoever wants to know."""


def known(node: Any) -> bool | None:
    """Whether the condition is known to hold, or not to, without a guard."""
    return evaluated(node.shape_env, node.expr)


def evaluated(env: Any, condition: Any) -> bool | None:
    """Whether the ShapeEnv knows the condition to hold, or not to, without a guard."""
    found = env._maybe_evaluate_static(condition)  # noqa: SLF001
    return None if found is None else bool(found)


@cache
def python_operations() -> SimpleNamespace:
    """Where Dynamo traces Python's own functions, as pairs of a class and a method's name; read in 2.13.

    What a release lacks is left out by the caller.
    """
    variables = importlib.import_module("torch._dynamo.variables")
    translator = importlib.import_module("torch._dynamo.symbolic_convert").InstructionTranslatorBase
    variable = importlib.import_module("torch._dynamo.variables.base").VariableTracker
    return SimpleNamespace(
        can_inline=hasattr(translator, "inline_user_function_return") and hasattr(variable, "build"),
        builtin=(getattr(variables, "BuiltinVariable", None), "call_function"),
        function=(getattr(variables, "TorchInGraphFunctionVariable", None), "call_function"),
        attribute=(getattr(variables, "SymNodeVariable", None), "var_getattr"),
        formatted=(translator, "_format_value"),
        put_together=(translator, "BUILD_STRING"),
        joined=(getattr(variables, "StringFormatVariable", None), "create"),
    )


def dispatch_anew(translator: Any, name: str, before: Any) -> None:
    """Have the translator and those derived from it, which look opcodes up in tables, call what the name is now."""
    for kind in (translator, *translator.__subclasses__()):
        table = vars(kind).get("dispatch_table")
        if isinstance(table, list):
            table[:] = [getattr(kind, name) if function is before else function for function in table]


def variable_of(tx: Any, value: Any) -> Any:
    """The variable of the trace for a constant, a class or a function; for a variable itself."""
    base = importlib.import_module("torch._dynamo.variables.base").VariableTracker
    return value if isinstance(value, base) else base.build(tx, value)


def inlined(tx: Any, function: Any, args: Any) -> Any:
    """The function traced for variables, and for constants of Python's among them."""
    return tx.inline_user_function_return(variable_of(tx, function), [variable_of(tx, arg) for arg in args], {})


def unseen_value(variable: Any) -> Any:
    """What a variable of the trace stands for that Dynamo has not looked at yet; None for others."""
    is_lazy = type(variable) is dynamo().LazyVariableTracker
    return variable.peek_value() if is_lazy and not variable.is_realized() else None


@cache
def lazy_text() -> SimpleNamespace:
    """What stands for a value that nobody has looked at, and for text that is formatted where the graph ends."""
    lazy = importlib.import_module("torch._dynamo.variables.lazy")
    formatted = importlib.import_module("torch._dynamo.variables").StringFormatVariable
    return SimpleNamespace(Cache=lazy.LazyCache, Variable=lazy.LazyVariableTracker, Formatted=formatted)


def is_backed_condition(variable: Any) -> bool:
    """Whether the variable is a condition on sizes that are known before the graph runs."""
    condition = variable.sym_num if isinstance(variable, dynamo().SymNodeVariable) else None
    return isinstance(condition, torch.SymBool) and condition.node.has_hint()


def must_not_break(tx: Any) -> bool:
    """Whether the graph must not break."""
    return bool(getattr(tx, "one_graph", False))


def is_ending(tx: Any) -> bool:
    """Whether the trace of a graph is done, and code is written for what it leaves."""
    return getattr(tx.output, "compile_subgraph_reason", None) is not None


def current_trace() -> Any:
    """The translator at work; None where a release does not tell."""
    translator = importlib.import_module("torch._dynamo.symbolic_convert").InstructionTranslator
    current = getattr(translator, "current_tx", None)
    return None if current is None else current()


@cache
def trace_values() -> SimpleNamespace:
    """The classes of what stands for values in a trace; what a release lacks is the empty tuple."""
    variables = importlib.import_module("torch._dynamo.variables")
    rooms = {n: importlib.import_module(f"torch._dynamo.variables.{n}") for n in ("ctx_manager", "functions", "misc")}
    dicts, lists = (importlib.import_module(f"torch._dynamo.variables.{name}") for name in ("dicts", "lists"))

    def known(room: str, name: str) -> Any:
        return getattr(rooms[room], name, ())

    return SimpleNamespace(
        Attribute=known("misc", "GetAttrVariable"),  # a method that is not called yet
        Cell=known("misc", "CellVariable"),  # of a closure
        Constant=variables.ConstantVariable,
        Exit=known("ctx_manager", "WithExitFunctionVariable"),  # of a block that is open
        Lazy=variables.LazyVariableTracker,  # what nobody has looked at so far
        Mapping=dicts.ConstDictVariable,
        NestedFunction=known("functions", "NestedUserFunctionVariable"),  # defined in the frame
        Null=known("misc", "NullVariable"),
        Number=variables.SymNodeVariable,
        # A variable that is set, rather than an object.
        Rebound=(known("misc", "CellVariable"), known("misc", "NewGlobalVariable")),
        Sequence=lists.BaseListVariable,
        Setting=known("ctx_manager", "ContextWrappingVariable"),  # one of torch's own blocks, such as no_grad
        Size=lists.SizeVariable,
        Tensor=variables.TensorVariable,
    )


@dataclasses.dataclass(frozen=True)
class Called:
    """A call that a trace has come to: the variables of the function and its arguments, None for unpacked ones."""

    function: Any
    arguments: tuple[Any, ...] | None
    keywords: tuple[str, ...]


def called(tx: Any) -> Called | None:
    """The call that the trace is about to make, by where each version of Python has its parts; None if it isn't any."""
    instruction, stack = tx.current_instruction, list(tx.stack)
    name, count = instruction.opname, instruction.arg or 0
    if name not in ("CALL", "CALL_KW", "CALL_FUNCTION", "CALL_METHOD", "CALL_FUNCTION_KW", "CALL_FUNCTION_EX"):
        return None
    keywords: tuple[str, ...] = ()
    if name in ("CALL_KW", "CALL_FUNCTION_KW"):
        keywords = tuple(stack.pop().as_python_constant())
    elif getattr(tx, "kw_names", None) is not None:
        keywords = tuple(tx.kw_names.as_python_constant())
    if name == "CALL_FUNCTION_EX":
        count = 1 + (count & 1 if sys.version_info < (3, 14) else 1)
    arguments = stack[len(stack) - count :]
    null = trace_values().Null
    below = [variable for variable in stack[: len(stack) - count][-2:] if not isinstance(variable, null)]
    if not below:
        return None
    return Called(below[-1], None if name == "CALL_FUNCTION_EX" else tuple(arguments), keywords)


def indexed(tx: Any) -> tuple[Any, Any] | None:
    """The operands of the subscript that the trace has come to; None for other instructions."""
    name, text = tx.current_instruction.opname, str(tx.current_instruction.argrepr)
    if name != "BINARY_SUBSCR" and (name, text) != ("BINARY_OP", "[]"):
        return None
    return tx.stack[-2], tx.stack[-1]


def parts_of_source(source: Any) -> tuple[str | None, tuple[str | None, ...]]:
    """The variable that a source starts from, None for what is global or the state of torch; and the names of the
    attributes and keys that lead to it from there, None for steps of other kinds."""
    path: list[str | None] = []
    while hasattr(source, "base"):
        step = getattr(source, "member", getattr(source, "index", None))
        path.append(step if isinstance(step, str) else None)
        source = source.base
    name = getattr(source, "global_name", None)
    if name is not None:
        path.append(name)
    return getattr(source, "local_name", None), tuple(reversed(path))


def line_of_change(effects: Any, variable: Any) -> str | None:
    """The user's line that changes what the variable of the trace stands for; None in a release that keeps none."""
    stacks = getattr(effects, "mutation_user_stacks", {}).get(variable) or [()]
    own = [place for place in stacks[-1] if Path(torch.__file__).parent not in Path(place.filename).parents]
    return line_of(own[-1]) if own else None


def line_of(place: Any) -> str | None:
    """The line of an entry of a stack, as torch tells lines: ``code  # file:3 in f``; None where it is one of ours."""
    return user_line(f"{place.line}  # {place.filename}:{place.lineno} in {place.name}")


def is_variable(source: Any) -> bool:
    """Whether it is a variable of the frame itself, rather than something that is found by way of one."""
    return source is not None and not hasattr(source, "base") and hasattr(source, "local_name")


def continuations(output: Any) -> tuple[Any, ...]:
    """The codes of the rest of a function that a frame's graph break may go on with."""
    names = [name for name in output.installed_globals if name.startswith("__resume_at_")]
    return tuple(code for name in names for code in _codes_in(output.global_scope.get(name)))


def _codes_in(value: Any) -> list[Any]:
    """The code of a function; for a factory, of what makes such functions with a closure, that of these."""
    code = getattr(value, "__code__", value)
    cells = [cell.cell_contents for cell in getattr(value, "__closure__", None) or ()]
    found = [c for c in (code, *cells) if isinstance(c, CodeType) and is_resumed(c)]
    return found[:1]


def is_resumed(code: Any) -> bool:
    """Whether it is the rest of a function after a graph break."""
    return bool(code.co_name.startswith("torch_dynamo_resume_in_"))


def settings_kept() -> Callable[[], bool]:
    """A question that can be asked later: whether torch's settings that guards look at are what they are now."""
    guard = importlib.import_module("torch._C._dynamo.guards").GlobalStateGuard()
    return lambda: bool(guard.check())


def most_graphs() -> int:
    """How often torch compiles a function before it gives up on it."""
    config = importlib.import_module("torch._dynamo.config")
    return int(getattr(config, "recompile_limit", None) or config.cache_size_limit)


def inferred_sizes(shape: Any, numel: Any) -> Any:
    """The shape with its -1, if any, replaced by the size that the number of elements asks for."""
    return importlib.import_module("torch._prims_common").infer_size(shape, numel)


def narrow(env: Any, symbol: Any, low: int | None, high: int | None) -> None:
    """Intersect the symbol's range in the ShapeEnv, which prints it as a guard, with low..high, both inclusive."""
    ranges = dynamo().ValueRanges
    known = ranges.unknown_int()
    found = ranges(known.lower if low is None else low, known.upper if high is None else high)
    env._update_var_to_range(symbol, found)  # noqa: SLF001  what torch's own constraints call


def forget_simplified(env: Any) -> None:
    """Have the ShapeEnv simplify anew: what it, and from 2.12 on its nodes, keep of expressions is out of date."""
    env._version_counter += 1  # noqa: SLF001
    if hasattr(env, "_replacements_version_counter"):
        env._replacements_version_counter += 1  # noqa: SLF001


def backed_values(env: Any) -> dict[Any, Any]:
    """The values of the symbols that are known before the graph runs; up to 2.10 under another name."""
    found: dict[Any, Any] = env.backed_var_to_val if hasattr(env, "backed_var_to_val") else env.var_to_val
    return found


def number_of_call(variable: Any, env: Any) -> tuple[int, Any] | None:
    """The value and the source of an int that the call has, and the trace did not take for a constant; None for others.

    It was not looked at, or is a symbol with a value: ``x.item()`` of an argument x is one, too.
    """
    if not getattr(variable, "is_realized", lambda: True)():
        return (variable.peek_value(), variable.source) if variable.peek_type() is int else None
    variable = variable.realize()
    if not isinstance(variable, dynamo().SymNodeVariable) or variable.python_type() is not int:
        return None
    symbol, known = variable.sym_num.node.expr, backed_values(env)
    sources = env.var_to_sources.get(symbol)
    return (int(known[symbol]), sources[0]) if sources and symbol in known else None


def allow_numbers_of_tensors(env: Any) -> None:
    """Let the graph, here and in the compilers that it goes to, take numbers out of tensors.

    A program's own ``x.item()`` is asked for by Dynamo's setting, which stays as the user has it.
    """
    env.settings = dataclasses.replace(env.settings, allow_scalar_outputs=True)


def keep_no_fakes(output: Any) -> None:
    """Have the trace compute the metadata of each operation, rather than look them up by what the operation is given.

    To keep an entry torch makes its tensor anew from it; with symbolic sizes that costs as much as the metadata, and
    hardly an entry is found again.
    """
    output.fake_mode.cache_enabled = False


def assert_in_graph(env: Any, condition: Any) -> bool:
    """Have the graph assert the condition when it runs, or guard it where no computed value is in it; as torch._check.

    False where it is known not to hold.
    """
    return bool(env.guard_or_defer_runtime_assert(condition, f"{condition}"))


@cache
def functions() -> SimpleNamespace:
    """The sympy functions that torch defines for sizes; names that a release lacks are None."""
    module = importlib.import_module("torch.utils._sympy.functions")
    names = ["FloorDiv", "CleanDiv", "ModularIndexing", "PythonMod", "Mod", "CeilDiv", "Max", "Min", "PowByNatural"]
    names += ["Where", "Identity", "FloatTrueDiv", "ToFloat", "TruncToFloat"]
    return SimpleNamespace(**{name: getattr(module, name, None) for name in names})


def records_symbols() -> bool:
    """Whether make_fx, at work for AOTAutograd or anything else, records what is computed of symbols."""
    return importlib.import_module("torch.fx.experimental.proxy_tensor").get_proxy_mode() is not None


def symbolic_node(node: Any, expr: Any) -> Any:
    """The node of a SymFloat, with another expression for the same number."""
    return type(node)(expr, node.shape_env, node.pytype, node._hint, fx_node=node.fx_node)  # noqa: SLF001


def fused_multiply_add() -> tuple[Any, ...]:
    """What Dynamo makes of ``addcmul_`` and ``addcdiv_`` with a factor; nothing in a release that lacks it."""
    prims = importlib.import_module("torch._inductor.inductor_prims")
    found = getattr(prims, "fma", None)
    return () if found is None else (found,)


def is_wrapper(tensor: Any) -> bool:
    """Whether the tensor is of a class that wraps other tensors and sees to operations by itself."""
    modes = importlib.import_module("torch.utils._python_dispatch")
    return bool(modes.is_traceable_wrapper_subclass(tensor))


@contextmanager
def recorded() -> Iterator[None]:
    """Has autograd record what is computed, also inside of a dispatch mode, where its keys are excluded."""
    c = torch._C  # noqa: SLF001
    included, excluded = c._dispatch_tls_local_include_set(), c._dispatch_tls_local_exclude_set()  # noqa: SLF001
    for key in (c.DispatchKey.AutogradFunctionality, c.DispatchKey.ADInplaceOrView):
        excluded = excluded - c.DispatchKeySet(key)
    with c._ForceDispatchKeyGuard(included, excluded), torch.enable_grad():  # noqa: SLF001
        yield


def functional(call: Callable[..., Any]) -> Callable[..., Any]:
    """The function as one of operations that write into nothing, for a trace that is past making them so."""
    module = importlib.import_module("torch._subclasses.functional_tensor")
    found: Callable[..., Any] = module.dispatch_functionalize(call)
    return found


def attention_is_fused(*args: Any, **kwargs: Any) -> bool:
    """Whether attention on these fake tensors is the CPU's fused kernel.

    As eager chooses, which the context manager ``sdpa_kernel`` has a say in; so it is run, to see what it calls.
    """
    called = set()

    class Watch(DispatchMode):  # type: ignore[misc]  # torch's classes come untyped
        def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            called.add(function)
            return function(*args, **(kwargs or {}))

    with Watch():
        torch.nn.functional.scaled_dot_product_attention(*args, **kwargs)
    return fused_attention()[0] in called


def fused_attention() -> tuple[Any, Any]:
    """The CPU's kernels, forward and backward."""
    name, aten = "_scaled_dot_product_flash_attention_for_cpu", torch.ops.aten
    return getattr(aten, name).default, getattr(aten, f"{name}_backward").default


def padding() -> tuple[Any, ...]:
    """What Dynamo makes of ``functional.pad``."""
    found = getattr(torch._C._nn, "pad", None)  # noqa: SLF001
    return () if found is None else (found,)


def symbolic_functions(names: Iterable[str]) -> dict[str, Any]:
    """What Dynamo makes of the functions of ``math`` on a symbol, by their names; a release may lack some."""
    found = {name: getattr(torch, f"_sym_{name}", None) for name in names}
    return {name: function for name, function in found.items() if function is not None}


@cache
def has_gradient_on_limit() -> bool:
    """Whether an element that equals the limit of ``clamp`` has a gradient; in 2.15 it has none.

    Tried out, apart from whatever traces or transforms at the moment.
    """
    modes = importlib.import_module("torch.utils._python_dispatch")
    apart = modes._disable_current_modes(), dynamo().outside_transforms()  # noqa: SLF001
    with apart[0], apart[1], torch.inference_mode(False), torch.enable_grad():
        x = torch.zeros(1, device="cpu", requires_grad=True)
        x.clamp(min=0.0).sum().backward()  # type: ignore[no-untyped-call]  # torch does not type it
        return bool(x.grad)


def tensor_of_symbols() -> tuple[Any, ...]:
    """What Dynamo makes of ``torch.tensor`` with a symbol in its data."""
    found = getattr(importlib.import_module("torch._refs"), "tensor", None)
    return () if found is None else (found,)


def source_name(source: Any) -> str:
    """The guard expression that gives a source's value; a method up to 2.10, a property after."""
    name = source.name
    return str(name() if callable(name) else name)


def plain_source(name: str) -> str:
    """A guard expression as the user would write it: ``x.size(2)`` for ``L['x'].size()[2]``."""
    local = re.sub(r"\bL\['(\w+)'\]", r"\1", name)
    return re.sub(r"\.size\(\)\[(\d+)\]", r".size(\1)", re.sub(r"\bG\['(\w+)'\]", r"\1", local))


def replacement_place(env: Any, symbol: Any) -> Any:
    """Where a ShapeEnv learned what it replaces the symbol by; None if it keeps none."""
    return getattr(env, "replacements_slocs", {}).get(symbol)


def bound_place(env: Any, symbol: Any, *, is_upper: bool) -> Any:
    """Where a ShapeEnv learned an end of the symbol's range; None if it keeps none."""
    ends = getattr(env, "var_to_range_sloc", {}).get(symbol)
    return getattr(ends, "upper" if is_upper else "lower", None)


def stack_summary() -> tuple[Any, str]:
    """The method of ShapeEnv that tells where a guard comes from, and what about it is of interest to debug it."""
    return importlib.import_module("torch.fx.experimental.symbolic_shapes").ShapeEnv, "_get_stack_summary"


def placed_at_operation(sloc: Any) -> Any:
    """The place of a guard with the user's line of the operation at work, and its name, where only those know it.

    Behind Dynamo, which follows the user's lines, AOTAutograd and Inductor go from operation to operation.
    """
    if sloc.maybe_user_loc is not None:
        return sloc
    graph = importlib.import_module("torch._inductor.virtualized").V.graph if _LOWERING in sys.modules else None
    node = getattr(graph, "current_node", None)
    meta = importlib.import_module("torch.fx.traceback").get_current_meta() if node is None else node.meta
    line = _last_line(meta.get("stack_trace") or "")
    if line is None:
        return sloc
    sources = meta.get("source_fn_stack") or meta.get("fwd_source_fn_stack") or [("", "")]
    target = sources[-1][1] if node is None else node.target
    called = f"{target}" if isinstance(target, torch._ops.OpOverload) else getattr(target, "__name__", f"{target}")  # noqa: SLF001
    return dataclasses.replace(sloc, maybe_user_loc=line, framework_loc=f"{_OPERATION}{called}")


_LOWERING = "torch._inductor.graph"
_OPERATION = "at the operation "
_TRACED = re.compile(r'File "(?P<file>[^"\n]+)", line (?P<line>\d+), in (?P<function>[^\n]+)\n +(?P<code>[^\n]+)')


def _last_line(trace: str) -> str | None:
    """The last line of a traceback that is not in torch, as torch tells the line of a guard."""
    torchs = str(Path(torch.__file__).parent)
    lines = [found for found in _TRACED.finditer(trace) if not found["file"].startswith(torchs)]
    return None if not lines else "{code}  # {file}:{line} in {function}".format(**lines[-1].groupdict())


def operation_of(sloc: Any) -> str | None:
    """The operation that a guard was asked at, where AOTAutograd or Inductor asked; None for others."""
    place = getattr(sloc, "framework_loc", None)
    return place.removeprefix(_OPERATION) if isinstance(place, str) and place.startswith(_OPERATION) else None


def user_line(sloc: Any) -> str | None:
    """The line that a guard comes from, as torch tells it: ``code  # file:3 in f``; None where that is one of ours.

    Torch leaves out what the file's path has in common with its own, and one character more where that is only the
    root; the file is there to be found.
    """
    known = getattr(sloc, "maybe_user_loc", None)
    file = getattr(getattr(sloc, "framework_loc", None), "filename", "")
    if known is None and file.startswith(str(Path(__file__).parent)):
        return None
    line = _FILE.sub(_whole_path, known or str(sloc))
    return re.sub(r"(?<= in )torch_dynamo_resume_in_(\w+)_at_\d+$", r"\1", line)


_FILE = re.compile(r"(?<=  # )(?:(?!  # ).)+(?=:\d+ in [^#]*$)")
"""The file in such a line, whose code may have a comment of its own."""


def _whole_path(found: re.Match[str]) -> str:
    cut = found[0]
    whole = [str(folder / cut) for folder in Path(torch.__file__).parents]
    whole += [file for file in linecache.cache if file.endswith(cut) and len(file) == len(cut) + 2]
    read = [file for file in whole if file in linecache.cache]
    return next(iter([*read, *filter(os.path.isfile, whole)]), cut)
