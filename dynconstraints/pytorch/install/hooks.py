"""Every function of torch that is wrapped, and what is added to its tables: one line each, in the order of a compile.

`Installer` puts them in place and undoes them. What stands around a function does nothing for programs that don't use
this package; where it needs more than a few lines of its own, it is next to what it calls.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import sympy
import torch

from dynconstraints.pytorch._torch import exporting as exported
from dynconstraints.pytorch._torch import inductor, packaging, tracers
from dynconstraints.pytorch._torch.compilation import (
    ahead_of_time,
    compiled_calls,
    exports,
    guard_pickler,
    inductor_compilation,
    saved_calls,
)
from dynconstraints.pytorch._torch.dynamo import (
    COMPILING,
    DYNAMO,
    EXPORT,
    LOWERING,
    PACKAGE,
    SAVED,
    hook_points,
    leave_out_of_user_frames,
)
from dynconstraints.pytorch._torch.onnx import EXPORTER, exporter
from dynconstraints.pytorch._torch.shape_env import shape_functions, stack_summary
from dynconstraints.pytorch._torch.trace import python_operations
from dynconstraints.pytorch.declarations.moments import (
    FIRST_DECLARATION,
    FIRST_EXPORT,
    FIRST_EXTREME,
    FIRST_FACTS,
    FIRST_NAMES,
    FIRST_PACKAGE,
    FIRST_REPORT,
    FIRST_TRACED,
    Moment,
)
from dynconstraints.pytorch.exporting import reshapes
from dynconstraints.pytorch.guards.compiled_calls import checking_entries
from dynconstraints.pytorch.guards.saved import telling_refusals, with_marks
from dynconstraints.pytorch.inductor import aot_scalars, codegen_only, strides, uniform_values, unit_sizes, variance
from dynconstraints.pytorch.install import (
    ahead_wrappers,
    dynamo_wrappers,
    onnx_wrappers,
    program_wrappers,
    shape_env_wrappers,
    tracer_wrappers,
)
from dynconstraints.pytorch.oracle import min_max, size_one
from dynconstraints.pytorch.oracle.float_rounding import OPERATIONS
from dynconstraints.pytorch.tracing import python_operations as operations
from dynconstraints.pytorch.values.carried_names import COPYING, Carrying, parameter_carrying, send_names


@dataclass(frozen=True)
class Hook:
    """A function of torch that is wrapped.

    ``where`` finds its owner and its name, and ``wrap`` makes what stands for it of what is there. ``since`` is the
    oldest release that it was read in, ``when`` the module of torch that has to be loaded first, or a later moment.
    Where a release lacks one that is required, no hook is put in place. Others it does without; ``without`` is what
    users are then told.
    """

    where: Callable[[], tuple[Any, str]]
    wrap: Callable[[Any], Any]
    why: str
    since: str = "2.10"
    when: str | Moment = DYNAMO
    is_required: bool = True
    without: str = ""


@dataclass(frozen=True)
class Addition:
    """What is added to tables of torch's; ``put`` does it and returns what undoes it."""

    put: Callable[[], Callable[[], None]]
    why: str
    since: str = "2.10"
    when: str | Moment = DYNAMO


def _optional(since: str, when: str | Moment, *hooks: tuple[Any, Any, str]) -> tuple[Hook, ...]:
    return tuple(Hook(*hook, since, when, is_required=False) for hook in hooks)


_COPIES = _optional(
    "2.10",
    FIRST_NAMES,
    *(
        (lambda name=name: (torch.Tensor, name), Carrying, f"`{name}` of a named tensor has its names")
        for name in COPYING
    ),
    (
        lambda: (torch.nn.Parameter, "__new__"),
        parameter_carrying,
        "a parameter made of a named tensor has its names",
    ),
)

_CALLS = (
    Hook(
        lambda: compiled_calls().choose_callback,
        checking_entries,
        "each call of a compiled function is checked against what its arguments and the open blocks declare",
        "2.13",
        FIRST_DECLARATION,
        is_required=False,
        without="calls that reach a graph made before a declaration are checked by guards alone",
    ),
    Hook(
        lambda: hook_points().ask_about_frame,
        dynamo_wrappers.check_calls,
        "a call that violates a declaration raises before its frame is traced",
    ),
)

_SAVED = (
    Hook(
        saved_calls,
        telling_refusals,
        "a function that was saved with its graph refuses a call in the words of its declaration",
        "2.13",
        SAVED,
        is_required=False,
        without="calls of saved functions that break a declaration are refused in torch's words",
    ),
    *_optional(
        "2.13",
        DYNAMO,
        (
            guard_pickler,
            with_marks,
            "a named tensor that guards were made for is one in the file that they are saved in",
        ),
        (
            lambda: ahead_of_time()["capture"],
            ahead_wrappers.capture_frames,
            "the example that a frame is traced ahead of time for is checked and named as a call is",
        ),
    ),
    *_optional(
        "2.13",
        SAVED,
        (
            lambda: ahead_of_time()["compile"],
            ahead_wrappers.compile_ahead,
            "a trace ahead of time is started again with what the one before has learnt",
        ),
    ),
)

_EXPORTS = (
    Hook(
        exports,
        program_wrappers.export_declared,
        "the declaration of an example becomes the dynamic shapes of its export, and the program carries it",
        "2.13",
        EXPORT,
        is_required=False,
        without="torch.export drops declarations in silence",
    ),
    *_optional(
        "2.13",
        EXPORT,
        (
            exported.ranges_of_inputs,
            program_wrappers.ranges_of_inputs,
            "a declared input of an exported program is an expression over the parameters",
        ),
        (
            lambda: exported.program_hooks()["program"],
            program_wrappers.programs_enforced,
            "what is made of an exported program has its contract for guards",
        ),
        (
            lambda: exported.program_hooks()["decomposed"],
            program_wrappers.decomposed_as_declared,
            "what is traced again of a program from a file knows its contract",
        ),
        (
            lambda: exported.program_hooks()["module"],
            program_wrappers.modules_checked,
            "a module that is made of an exported program checks calls in the user's words",
        ),
        (
            lambda: exported.program_hooks()["unflattened"],
            program_wrappers.unflattened_checked,
            "so does an unflattened one",
        ),
    ),
    *_optional(
        "2.13",
        EXPORTER,
        (
            exporter,
            onnx_wrappers.models_named,
            "a model of ONNX has the names of a declared program, and its declaration in the metadata",
        ),
    ),
)

_TRACERS = (
    *(
        Hook(
            lambda name=name: tracers.tracers()[name],  # type: ignore[misc]
            wrap,
            f"{what} says that it drops what is declared",
            "2.13",
            FIRST_TRACED,
            is_required=False,
            without=f"{what} drops declarations in silence",
        )
        for name, wrap, what in (
            ("trace", tracer_wrappers.trace, "torch.jit.trace"),
            ("trace_module", tracer_wrappers.trace_module, "torch.jit.trace_module"),
            ("graph", tracer_wrappers.trace_graph, "torch.onnx.export of TorchScript"),
            ("script", tracer_wrappers.script, "torch.jit.script of a module"),
            ("script_function", tracer_wrappers.script_function, "torch.jit.script of a function"),
            ("symbolic", tracer_wrappers.symbolic_trace, "torch.fx.symbolic_trace"),
            ("proxies", tracer_wrappers.make_fx, "make_fx"),
        )
    ),
    Hook(
        tracers.draft,
        tracer_wrappers.draft_export,
        "torch.export.draft_export says that it drops what is declared",
        "2.13",
        tracers.DRAFT,
        is_required=False,
        without="torch.export.draft_export drops declarations in silence",
    ),
)

_PACKAGES = (
    *_optional(
        "2.13",
        FIRST_EXPORT,
        (
            exported.overlap_question,
            reshapes.overlap_unless_known,
            "whether elements of a tensor share memory is no question of one example's",
        ),
    ),
    *_optional(
        "2.13",
        COMPILING,
        (
            lambda: packaging.packages()["compile"],
            program_wrappers.packaged_as_declared,
            "AOTInductor compiles a program with its contract",
        ),
        (
            lambda: packaging.packages()["inputs"],
            program_wrappers.ints_kept,
            "a declared int is an input of the package",
        ),
    ),
    *_optional(
        "2.13",
        FIRST_PACKAGE,
        (
            packaging.package_inputs,
            program_wrappers.check_written,
            "the code of a package checks its inputs by the contract",
        ),
        (
            packaging.package_checks,
            program_wrappers.checks_of_numbers,
            "a package has numbers among its inputs, as tensors",
        ),
        (
            packaging.package_constructor,
            program_wrappers.constructor_of_numbers,
            "the constructor of a package names them",
        ),
    ),
    *_optional(
        "2.13",
        PACKAGE,
        (
            packaging.package_calls,
            program_wrappers.calls_of_package,
            "calls of a package are refused in the user's words",
        ),
    ),
)

_TRACE = (
    Hook(
        lambda: hook_points().wrap_value,
        dynamo_wrappers.wrap_values,
        "a declared int or float becomes an expression over the parameters of its declaration",
    ),
    Hook(
        lambda: hook_points().wrap_tensor,
        dynamo_wrappers.wrap_tensors,
        "the named dimensions of a tensor become expressions before its sizes become symbols",
    ),
    Hook(
        lambda: hook_points().create_symbol,
        shape_env_wrappers.named_sizes,
        "a named dimension is the expression that exists already, and no symbol of its own",
    ),
    Hook(
        lambda: hook_points().call_user_function,
        dynamo_wrappers.leave_bind,
        "`bind` names a computed value in the trace, and is not traced into",
    ),
    Hook(
        lambda: hook_points().create_proxy,
        dynamo_wrappers.lower_floats,
        "an operation on a declared float takes it as a tensor, so that it is no constant of the graph",
    ),
    Hook(
        lambda: hook_points().handle_functions,
        dynamo_wrappers.keep_calls,
        "an operation with a declared float is not taken apart, which would round it differently",
        is_required=False,
    ),
    *(
        Hook(
            lambda name=name: (hook_points().symbolic_node, name),  # type: ignore[misc]
            shape_env_wrappers.keep_rounding,
            f"`{name}` of a computed float takes it as one term, since sympy does not round",
        )
        for name in OPERATIONS
    ),
    *_optional(
        "2.13",
        DYNAMO,
        (
            lambda: python_operations().builtin,
            operations.function_called("fn"),
            "Python's functions of a declared int are traced as others that torch takes",
        ),
        (
            lambda: python_operations().function,
            operations.function_called("value"),
            "functions of `math` of a declared int are traced as others that torch takes",
        ),
        (
            lambda: python_operations().attribute,
            operations.own_attribute,
            "`n.real` and its like of a declared int are traced",
        ),
        (
            lambda: python_operations().formatted,
            operations.f_string_part,
            "a declared int in an f-string is no constant of the graph unless the text is looked at",
        ),
        (
            lambda: python_operations().put_together,
            operations.f_string,
            "an f-string with such a part is put together when it is looked at",
        ),
        (
            lambda: python_operations().joined,
            operations.str_format,
            "`str.format` of a declared int makes its text when that is looked at",
        ),
    ),
    Hook(
        lambda: hook_points().end_graph,
        dynamo_wrappers.note_ends,
        "a report tells what a frame hands on where its graph ends",
    ),
    Hook(
        lambda: hook_points().end_trace,
        dynamo_wrappers.note_cleanups,
        "a report tells what a frame without a graph looks at",
    ),
)

_SIZES = (
    Hook(
        lambda: hook_points().evaluate_static,
        shape_env_wrappers.ask_oracle,
        "a question about sizes that torch cannot answer is answered by the declaration, without a guard",
    ),
    Hook(
        lambda: hook_points().guard_relation,
        shape_env_wrappers.sharpen_ranges,
        "a new guard narrows the ranges of the parameters",
    ),
    Hook(
        lambda: hook_points().set_replacement,
        shape_env_wrappers.settle_sizes,
        "a size that becomes a number while Inductor lowers has the trace start again",
    ),
    Hook(
        lambda: hook_points().replace_symbols,
        min_max.replacing,
        "a minimum or maximum that a guard leaves one value is that value",
        when=FIRST_EXTREME,
    ),
    *_optional(
        "2.10",
        FIRST_FACTS,
        (
            lambda: shape_functions().broadcast_shapes,
            size_one.common_shape,
            "whether a size is 1 is not asked where shapes are the same expressions",
        ),
        (
            lambda: shape_functions().broadcast_tensors,
            size_one.as_they_are,
            "whether a size is 1 is not asked of tensors of one shape",
        ),
        (
            lambda: shape_functions().broadcast_two,
            size_one.common_shape_of_two,
            "whether a size is 1 is not asked where two shapes are the same expressions",
        ),
        (
            lambda: shape_functions().broadcast_in_dim,
            size_one.expanded,
            "whether a size is 1 is not asked where a tensor is expanded",
        ),
        (
            lambda: shape_functions().view,
            size_one.viewed,
            "whether a size is 1 is not asked where a contiguous tensor is viewed",
        ),
        (
            lambda: shape_functions().contiguous,
            size_one.contiguous,
            "whether a size is 1 is not asked where strides are those of a contiguous tensor",
        ),
        (
            lambda: shape_functions().contiguous_tensor,
            size_one.contiguous_tensor,
            "whether a size is 1 is not asked of a tensor that is contiguous for all sizes",
        ),
        (
            lambda: shape_functions().dense,
            size_one.contiguous,
            "whether a size is 1 is not asked where what is contiguous is asked to be dense",
        ),
        (
            lambda: shape_functions().recorded_format,
            size_one.recorded,
            "make_fx notes the memory format of a result without a guard",
        ),
        (
            lambda: shape_functions().guard_or_false,
            partial(size_one.contiguity_unless_known, False),
            "C++ asks whether a tensor is contiguous without a guard",
        ),
        (
            lambda: shape_functions().guard_or_true,
            partial(size_one.contiguity_unless_known, True),
            "C++ asks whether a tensor is not contiguous without a guard",
        ),
    ),
)

_BACKEND = (
    Hook(
        lambda: hook_points().call_backend,
        dynamo_wrappers.tag_caches,
        "what is compiled under a declaration is kept on disk under a key that knows the declaration",
    ),
    *_optional(
        "2.13",
        FIRST_FACTS,
        (
            inductor.scalar_handlers,
            aot_scalars.completed,
            "AOTAutograd makes tensors of floats of sizes by operations that torch has none for",
        ),
    ),
    *_optional(
        "2.10",
        LOWERING,
        (
            lambda: inductor.inductor().two_step_variance,
            variance.two_passes,
            "the variance of a row that is declared to be short takes the faster two passes",
        ),
        (
            lambda: inductor.unit_questions().or_false,
            partial(unit_sizes.unless_known, sympy.Eq, False),
            "Inductor does not settle a size to 1 to broadcast it",
        ),
        (
            lambda: inductor.unit_questions().or_true,
            partial(unit_sizes.unless_known, sympy.Ne, True),
            "Inductor does not settle a size to another than 1 to broadcast it",
        ),
    ),
    *_optional(
        "2.13",
        COMPILING,
        (
            lambda: inductor.inductor_strides().told,
            strides.as_expressions,
            "a backward is told strides of its forward as expressions, and not as the numbers of one call",
        ),
        (
            lambda: inductor.inductor_strides().guard_all,
            strides.ordered,
            "strides of which only the order is asked are not guarded to be numbers",
        ),
        (
            lambda: inductor.inductor_strides().layouts[0],
            strides.to_be_sorted,
            "of the strides of a convolution's input gradient only the order is asked",
        ),
        (
            lambda: inductor.inductor_strides().layouts[1],
            strides.to_be_sorted,
            "of the strides of a convolution's weight gradient only the order is asked",
        ),
        (
            inductor.uniform_values,
            uniform_values.unless_later,
            "a tensor of one value is made anew only of sizes that come before it",
        ),
    ),
    *_optional(
        "2.13",
        FIRST_REPORT,
        (
            lambda: inductor_compilation()["graph"],
            codegen_only.without_kernels,
            "a report has the guards of a graph without compiling its kernels",
        ),
        (
            lambda: inductor_compilation()["module"],
            codegen_only.without_module,
            "a report's graph ends where its code is generated",
        ),
    ),
)

_GUARDS = (
    Hook(
        lambda: hook_points().print_guards,
        shape_env_wrappers.show_guards,
        "a declared frame has fewer guards, and a report shows them",
    ),
    Hook(
        stack_summary,
        shape_env_wrappers.place_guards,
        "a guard that AOTAutograd or Inductor asks for has the user's line of the operation at work",
        is_required=False,
    ),
)

HOOKS: tuple[Hook, ...] = (
    *(*_COPIES, *_CALLS, *_SAVED, *_EXPORTS, *_PACKAGES, *_TRACERS),
    *(*_TRACE, *_SIZES, *_BACKEND, *_GUARDS),
)
"""Each function of torch that is wrapped."""


def _add_whole_calls() -> Callable[[], None]:
    from dynconstraints.pytorch.floats.ops.whole import decompositions  # of use to Inductor alone

    return inductor.decomposed(decompositions())


def _leave_out_own_files() -> Callable[[], None]:
    return leave_out_of_user_frames(map(str, Path(__file__).parents[1].rglob("*.py")))


ADDITIONS: tuple[Addition, ...] = (
    Addition(
        _leave_out_own_files, "a line of this package is no line of the user's where torch tells what asks for a guard"
    ),
    Addition(send_names, "names go along with a tensor to another process", when=FIRST_NAMES),
    Addition(
        reshapes.copied_unless_known,
        "whether a reshape is a view is not asked where an exported program has to serve both",
        since="2.13",
        when=FIRST_EXPORT,
    ),
    Addition(_add_whole_calls, "Inductor calls eager's kernel for an operation with a declared float", when=LOWERING),
)
"""What is added to torch's tables."""
