"""A node that Dynamo is about to add, where a float of the user's is among its arguments."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import torch

from dynconstraints.pytorch._torch.eager import fused_multiply_add, symbolic_functions
from dynconstraints.pytorch.floats.ops import (  # noqa: F401  they fill the table
    activations,
    attention,
    elementwise,
    factories,
    kernels,
    lists,
    losses,
    normalizations,
    powers,
    products,
    random,
)
from dynconstraints.pytorch.floats.ops.domains import defined, fits, taken
from dynconstraints.pytorch.floats.ops.operations import ANY
from dynconstraints.pytorch.floats.table import TABLE, UNGUARDED, NotLowered, arranged
from dynconstraints.pytorch.floats.values import Emitter, Number, Operand, Value, combined

if TYPE_CHECKING:
    import sympy


def _twin(operation: Callable[..., Any]) -> Callable[..., Value]:
    return partial(combined, operation)


def _extreme(beats: Callable[..., Any]) -> Callable[..., Value]:
    def extreme(x: Operand, y: Operand) -> Value:
        """As Python's: the first of two that are alike, as zeros are whatever their sign."""
        emit = next(v.emit for v in (x, y) if isinstance(v, Value))
        return Number(emit, emit(torch.where, combined(beats, y, x), y, x))

    return extreme


def _between_tensors(operation: Callable[..., Any]) -> Callable[..., Value]:
    def computed(x: Operand, y: Operand) -> Value:
        """As Python's: with a number that is fixed torch computes ``a / x`` and some powers in another way."""
        emit = next(v.emit for v in (x, y) if isinstance(v, Value))
        x, y = (v if isinstance(v, Value) else emit(torch.scalar_tensor, v, dtype=torch.float64) for v in (x, y))
        return combined(operation, x, y)

    return computed


# The functions of torch and of Python's math may differ in the last bit of a double.
_NAMED = ("sqrt", "cos", "cosh", "sin", "sinh", "tan", "tanh", "asin", "acos", "atan", "exp", "log2")

_SCALAR: dict[Any, Callable[..., Value] | None] = {
    **{f: _twin(f) for f in (operator.add, operator.sub, operator.mul, operator.neg, operator.pos)},
    operator.truediv: _between_tensors(torch.div),
    operator.pow: _between_tensors(torch.pow),
    **dict.fromkeys((operator.abs, abs), _twin(torch.abs)),
    **dict.fromkeys((float, torch.sym_float), _twin(operator.pos)),
    **{symbolic: _twin(getattr(torch, name)) for name, symbolic in symbolic_functions(_NAMED).items()},
    math.sqrt: _twin(torch.sqrt),
    **dict.fromkeys((torch.sym_max, max), _extreme(operator.gt)),
    **dict.fromkeys((torch.sym_min, min), _extreme(operator.lt)),
    **dict.fromkeys((operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne)),
}
"""Operations between numbers alone, which stay symbols and are decided by guards; each with its twin on tensors."""


def lower(tracer: Any, numbers: dict[sympy.Symbol, Any], target: Any, args: Any, kwargs: Any) -> Any | None:
    """The node with its numbers as tensors, as a proxy; None where it has none, or is about numbers alone.

    ``numbers`` are the graph's inputs of declared floats, by symbol. Raises NotLowered for an operation that cannot.
    """
    flat: list[Any] = []
    torch.fx.node.map_aggregate((args, kwargs), flat.append)
    fakes = [_example(v) for v in flat]
    if not any(isinstance(v, torch.SymFloat) for v in fakes):
        return None
    among_numbers = _is_operator(target) and not any(isinstance(v, torch.Tensor) for v in fakes)
    if target not in (_SCALAR if among_numbers else TABLE):
        raise NotLowered
    if among_numbers:
        if not defined(target, _mapped(args, _number)):
            raise NotLowered
        return None
    bound = arranged(target, args, kwargs)
    if not taken(target, _mapped(bound.arguments, _number)):
        raise NotLowered
    given = [v for v in flat if isinstance(_example(v), torch.SymFloat)]
    if _takes_integers_apart(fakes) and any(map(_may_be_integer, given)):
        raise NotLowered
    if target not in UNGUARDED and not _takes_any(target, fakes, kwargs):
        types = _types(fakes, kwargs)
        if not all(fits(_example(v), types) for v in given):
            raise NotLowered
    emit = Emitter(tracer)
    if target not in fused_multiply_add():  # which Dynamo hands a number in the place of a tensor
        _check_taken(emit, target, args, kwargs)

    def operand(value: Any) -> Any:
        match _example(value):
            case torch.SymFloat():
                return Number(emit, _tensor_of(emit, numbers, value.node))
            case torch.Tensor():
                return Value(emit, value)
            case _:
                return value

    lowered = TABLE[target](*_mapped(bound.args, operand), **_mapped(bound.kwargs, operand))
    del lowered.proxy.node.meta["example_value"]  # Dynamo finds it anew, as for any node
    return lowered.proxy


_AS_TENSORS = {
    *("add", "sub", "rsub", "mul", "multiply", "div", "divide", "truediv", "remainder", "mod", "fmod"),
    *("eq", "ne", "lt", "le", "gt", "ge"),
}
"""Operations to which eager hands a number as a tensor, perhaps an infinite one; others refuse what they can't hold."""


def _takes_any(target: Any, fakes: list[Any], kwargs: dict[str, Any]) -> bool:
    name = (target if isinstance(target, str) else target.__name__).rstrip("_")
    if name == "pow":
        return isinstance(fakes[0], torch.SymFloat)  # the base
    return "alpha" not in kwargs and bool(_AS_TENSORS & {name, name.removeprefix("i")})


def _types(fakes: list[Any], kwargs: dict[str, Any]) -> set[torch.dtype]:
    """The types that the operation may convert its numbers to."""
    dtypes: set[torch.dtype] = {v.dtype for v in fakes if isinstance(v, torch.Tensor)}
    if kwargs.get("dtype") is not None:
        dtypes.add(kwargs["dtype"])
    return dtypes if any(d.is_floating_point or d.is_complex for d in dtypes) else {torch.get_default_dtype()}


def _check_taken(emit: Emitter, target: Any, args: Any, kwargs: Any) -> None:
    """Leaves to torch what eager refuses of any number: ``bool_tensor - 0.5``, a number in the place of a tensor."""

    def stand_in(value: Any) -> Any:
        example = _example(value)
        if isinstance(example, torch.SymFloat):
            return ANY
        return example.detach() if isinstance(example, torch.Tensor) else value if example is None else example

    with emit.tx.fake_mode, torch.no_grad():
        given = _mapped(list(args), stand_in)
        try:
            call = getattr(given.pop(0), target) if isinstance(target, str) else target
            call(*given, **_mapped(kwargs, stand_in))
        except Exception:  # whatever it is, torch meets it again
            raise NotLowered from None


def _takes_integers_apart(fakes: list[Any]) -> bool:
    """Whether the type of the result depends on a number's: there is no tensor of floats among the operands."""
    return not any(isinstance(v, torch.Tensor) and (v.is_floating_point() or v.is_complex()) for v in fakes)


def _may_be_integer(value: Any) -> bool:
    """Whether a number that the trace computes may be an integer in eager, as ``max(a, 1)``; the trace has a float."""
    example = _example(value)
    if example is None:
        return isinstance(value, int)
    if not isinstance(example, torch.SymFloat):
        return isinstance(example, torch.SymInt)
    node = value.node if isinstance(value, torch.fx.Proxy) else value
    if node.target in _OF_EITHER:
        return any(map(_may_be_integer, node.args))
    return node.target in _OF_BOTH and all(map(_may_be_integer, node.args))


_OF_EITHER = (torch.sym_max, torch.sym_min, max, min)
_OF_BOTH = (operator.add, operator.sub, operator.mul, operator.neg, operator.pos, operator.abs, abs, operator.pow)
"""Operations among numbers that give an integer where one operand is, and where all are."""


def _is_operator(target: Any) -> bool:
    """Whether it is an operation of Python's, which gives a number for numbers."""
    return target in _SCALAR or getattr(target, "__module__", None) in ("_operator", "builtins", "math")


def _number(value: Any) -> Any:
    return value if _example(value) is None else _example(value)


def _mapped(values: Any, operand: Callable[[Any], Any]) -> Any:
    """Like fx's own, with lists and tuples left to be lists and tuples of Python's."""
    match values:
        case list() | tuple():
            return [_mapped(v, operand) for v in values]
        case dict():
            return {key: _mapped(v, operand) for key, v in values.items()}
        case _:
            return operand(values)


def _example(value: Any) -> Any:
    node = value.node if isinstance(value, torch.fx.Proxy) else value
    return node.meta.get("example_value") if isinstance(node, torch.fx.Node) else None


def _tensor_of(emit: Emitter, numbers: dict[sympy.Symbol, Any], node: torch.fx.Node) -> Any:
    """The number that a node of the graph computes, as a proxy of a float64 tensor."""
    example = node.meta["example_value"]
    if not isinstance(example, torch.SymFloat):
        return emit(torch.scalar_tensor, _proxy(emit, node), dtype=torch.float64)
    if node.op != "call_function":  # an input's item, or a symbol that a subgraph takes
        if example.node.expr in numbers:
            return numbers[example.node.expr]
        raise NotLowered
    twin = _SCALAR.get(node.target) if node.op == "call_function" else None
    if twin is None or node.kwargs:
        raise NotLowered
    operands = [Number(emit, _tensor_of(emit, numbers, a)) if isinstance(a, torch.fx.Node) else a for a in node.args]
    return twin(*operands).proxy


def _proxy(emit: Emitter, node: torch.fx.Node) -> Any:
    return torch.fx.Proxy(node, emit.tracer)
