"""The private names of torch that the project touches, and nowhere else: what each is for, and the releases it fits."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterable
from functools import cache
from types import SimpleNamespace
from typing import Any

DYNAMO, LOWERING, COMPILING = "torch._dynamo", "torch._inductor.lowering", "torch._inductor.compile_fx"
SAVED, EXPORT = "torch._dynamo.aot_compile", "torch.export._trace"
PACKAGE = "torch.export.pt2_archive._package"
"""Modules that torch imports when something is compiled."""


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
        TensorVariable=importlib.import_module("torch._dynamo.variables.tensor").TensorVariable,
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
        handle_functions=(called, "_get_handlers"),
        end_graph=(output.OutputGraph, "compile_subgraph"),
        end_trace=(output.OutputGraph, "cleanup"),
        symbolic_node=importlib.import_module("torch.fx.experimental.sym_node").SymNode,
    )


def leave_out_of_user_frames(files: Iterable[str]) -> Callable[[], None]:
    """Have torch look past the files where it tells which line of a program asks for a guard or an operation.

    What is returned undoes it.
    """
    ours, lists = frozenset(files), []
    for name in ("torch._dynamo.guards", "torch.fx.experimental.symbolic_shapes"):
        listed: Any = getattr(importlib.import_module(name), "uninteresting_files", None)
        # The second list is made of the first when it is first asked for, which takes seconds of imports.
        if hasattr(listed, "cache_info") and (listed.cache_info().currsize or name == "torch._dynamo.guards"):
            listed().update(ours)
            lists.append(listed())

    def undo() -> None:
        for listed in lists:
            listed.difference_update(ours)

    return undo


def as_in_file_of(original: Callable[..., Any], wrapper: Callable[..., Any]) -> Callable[..., Any]:
    """The wrapper as a function of the original's file, by which torch tells its own frames from its callers'.

    It looks for who called Dynamo, and for the user's stack above, by walking past the frames of one file. The price:
    a traceback through the wrapper shows a line of that file.
    """
    code = original.__code__
    own = wrapper.__code__.replace(co_filename=code.co_filename, co_firstlineno=code.co_firstlineno)
    wrapper.__code__ = own
    return wrapper


KEPT_BY_INDUCTOR = dict.fromkeys(("fx_graph_cache", "fx_graph_remote_cache"), False)
"""AOTAutograd's and Inductor's settings under which they keep compiled graphs on disk and elsewhere, all off."""


_LOWERING = "torch._inductor.graph"
_OPERATION = "at the operation "
_TRACED = re.compile(r'File "(?P<file>[^"\n]+)", line (?P<line>\d+), in (?P<function>[^\n]+)\n +(?P<code>[^\n]+)')
