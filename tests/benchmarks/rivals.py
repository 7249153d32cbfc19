"""What torch itself offers for dynamic sizes, each as the way to compile and call a program of the sweeps."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
import torch._dynamo as dynamo

from dynconstraints import ConstraintSystem, DynamicInt, dynamic_int_constraints, name_dims

if TYPE_CHECKING:
    from programs import Program

try:
    from torch.fx.experimental import dynamic_spec
except ImportError:  # torch 2.12 and before
    dynamic_spec = None  # type: ignore[assignment]


def _as_given(_: Program, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    return arguments


@dataclass(frozen=True)
class Approach:
    """How a program's function is compiled, and what its arguments are for each call."""

    options: Callable[[Program, Callable[..., Any]], dict[str, Any]] = lambda program, function: {}
    wrap: Callable[[Program, Callable[..., Any]], Callable[..., Any]] = lambda program, function: function
    prepare: Callable[[Program, tuple[Any, ...]], tuple[Any, ...]] = _as_given
    scope: Callable[[Program], AbstractContextManager[Any]] = lambda program: nullcontext()


def named_sizes(program: Program) -> Iterator[tuple[int, int | None, str]]:
    """Position of the argument, its dimension or None for an int, and the expression that it is equal to."""
    for position, dims in enumerate(program.dims):
        if isinstance(dims, str):
            yield position, None, dims
        else:
            yield from ((position, dimension, text) for dimension, text in (dims or {}).items())


def marked(mark: Callable[[torch.Tensor, int], None]) -> Approach:
    """Every named dimension marked by one of torch's functions."""

    def prepare(program: Program, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        for position, dimension, _ in named_sizes(program):
            if dimension is not None:
                mark(arguments[position], dimension)
        return arguments

    return Approach(prepare=prepare)


def checked(program: Program, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function after a `torch._check` of every fact, ranges first, in the traced region."""
    names = [f"a{i}" for i in range(len(program.dims))]
    known = {text: names[i] + ("" if d is None else f".shape[{d}]") for i, d, text in named_sizes(program)}
    lines = [f"{text} = {where}" for text, where in known.items() if text.isidentifier()]
    ranges_first = sorted(program.constraints, key=lambda text: "%" in text or "==" in text)
    lines += [f"check({text})" for text in ranges_first if {*ConstraintSystem([text]).symbols} <= known.keys()]
    lines += [f"return function({', '.join(names)})"]
    space: dict[str, Any] = {"check": torch._check, "function": function}
    exec("\n    ".join([f"def body({', '.join(names)}):", *lines]), space)
    return space["body"]  # type: ignore[no-any-return]


def spec(program: Program, function: Callable[..., Any]) -> dict[str, Any]:
    """The option of torch.compile that gives it the facts as a ShapesSpec with assumptions.

    It wants each name to be a size or an int by itself; what speaks of others is left out.
    """
    places = [(position, dimension, text) for position, dimension, text in named_sizes(program)]
    least = {text: _least(program, text) for _, _, text in places if text.isidentifier()}
    variables = {text: dynamic_spec.ShapeVar(text, min=least[text]) for text in least}
    variables |= {text: dynamic_spec.IntVar(text, min=least[text]) for _, d, text in places if d is None}

    def size(text: str) -> Any:
        known = {*ConstraintSystem([f"{text} >= 0"]).symbols} <= variables.keys()
        return eval(text, {}, variables) if known else dynamic_spec.ShapeVar()

    params: dict[str, Any] = {}
    called = function.forward if isinstance(function, torch.nn.Module) else function
    for position, parameter in enumerate(inspect.signature(called).parameters):
        dims = program.dims[position]
        if isinstance(dims, str):
            params[parameter] = variables[dims]
        elif dims:
            rank = program.arguments(program.sizes[0])[position].ndim
            params[parameter] = dynamic_spec.TensorSpec([size(dims[i]) if i in dims else None for i in range(rank)])
    ranges = {f"{name} >= {low}" for name, low in least.items()}
    facts = [text for text in program.constraints if {*ConstraintSystem([text]).symbols} <= variables.keys()]
    assumptions = [eval(text, {}, variables) for text in facts if text not in ranges]
    name = "shapes_spec" if "shapes_spec" in inspect.signature(torch.compile).parameters else "dynamic_shapes"
    return {name: dynamic_spec.ShapesSpec(params=params, assumptions=assumptions)}


def _least(program: Program, name: str) -> int:
    written = [text for text in program.constraints if text.startswith(f"{name} >= ")]
    return int(written[0].split()[-1]) if written else 0


def declared(program: Program, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    """The arguments with their names; the constraints are the scope's."""
    given = []
    for value, dims in zip(arguments, program.dims, strict=True):
        if isinstance(value, int) and dims is not None:
            given.append(DynamicInt(value, name=dims))
        else:
            given.append(value if dims is None else name_dims(value, dims))
    return tuple(given)


APPROACHES = {
    "plain": Approach(),
    "dynamic=True": Approach(options=lambda program, function: {"dynamic": True}),
    "maybe_mark": marked(dynamo.maybe_mark_dynamic),
    "_check": Approach(options=lambda program, function: {"dynamic": True}, wrap=checked),
    "ShapesSpec": Approach(options=spec),
    "declared": Approach(prepare=declared, scope=lambda program: dynamic_int_constraints(program.constraints)),
}
if dynamic_spec is None:
    del APPROACHES["ShapesSpec"]
