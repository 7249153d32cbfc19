"""Inductor: its lowerings, and the strides that its forward hands to its backward."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from types import SimpleNamespace
from typing import Any


@cache
def inductor() -> SimpleNamespace:
    """Inductor's names, once it is imported; what a release lacks is None, and is done without.

    ``two_step_variance`` is called with x, the axes, and more, from 2.10 on.
    """
    lowering = importlib.import_module("torch._inductor.lowering")
    reduced_axes = getattr(lowering, "_validate_reduction_axis", None)
    return SimpleNamespace(
        two_step_variance=(None if reduced_axes is None else lowering, "use_two_step_variance"),
        reduced_axes=reduced_axes,
        two_step_threshold=lambda: getattr(lowering.config.cpp, "use_two_step_variance_threshold", 0),
        graph=lambda: lowering.V.graph,  # that is being compiled
    )


def decomposed(decompositions: Mapping[Any, Any]) -> Callable[[], None]:
    """Have Inductor take operations apart as told. What is returned undoes it."""
    before = [(table, {name: table.get(name) for name in decompositions}) for table in _decomposition_tables()]
    for table, _ in before:
        table.update(decompositions)

    def undo() -> None:
        for table, were in before:
            table.update(were)
            for name in (name for name, known in were.items() if known is None):
                del table[name]

    return undo


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


def uniform_values() -> tuple[Any, str]:
    """What asks whether a tensor of those sizes can take the place of a node; missing in releases that never ask."""
    return importlib.import_module("torch._inductor.fx_passes.joint_graph"), "_has_self_referential_shape"


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


def scalar_handlers() -> tuple[Any, str]:
    """What AOTAutograd's pass that makes tensors of floats asks for the tensor of an expression: its module and name.

    It is given the class that has an operation on tensors for each function, the arguments as such tensors, and the
    expression; where it raises NotImplementedError, the float stays what it is. Read in 2.13.
    """
    return importlib.import_module("torch.fx.passes._tensorify_python_scalars"), "_run_sympy_handler"
