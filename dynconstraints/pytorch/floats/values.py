"""Numbers of the user's, as tensors: they promote as the Python numbers that they stand for.

A declared float enters the graph as a tensor of no dimensions, float64. As a tensor it would widen what it meets
(``int_tensor * x`` would be float64) and, in half precision, be rounded first. Eager does neither: the number is
converted once, to the type in which the operation computes.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, TypeAlias

import torch

from dynconstraints.pytorch._torch.dynamo import dynamo

_TAKES_EXACT = frozenset({operator.mul, torch.mul, operator.truediv, torch.div, torch.lerp})
"""Operations that take a number as exactly as they compute; others round it to the type of the tensor first."""

Operand: TypeAlias = "Value | Number | Any"
"""A tensor, a number that changes, or what is fixed: numbers, sizes, None."""

HALF = {torch.float16: torch.float32, torch.bfloat16: torch.float32}
"""Types in which no operation computes, each with the type in which it does."""


class Emitter:
    """Adds operations to the graph of a tracer, each with the fake value that Dynamo wants to see."""

    def __init__(self, tracer: Any) -> None:
        self.tracer = tracer
        self.tx = tracer.output_graph.current_tx

    def __call__(self, target: Callable[..., Any] | str, *args: Any, **kwargs: Any) -> Any:
        """The proxy of a call of the function, or of the method where the target is a name."""
        kind = "call_method" if isinstance(target, str) else "call_function"
        bare = torch.fx.node.map_aggregate(args, _bare), torch.fx.node.map_aggregate(kwargs, _bare)
        proxy = self.tracer.create_proxy(kind, target, *bare)
        d = dynamo()
        d.set_example_value(proxy.node, d.get_fake_value(proxy.node, self.tx))
        return proxy

    def example(self, proxy: Any) -> Any:
        """The fake tensor that stands for what a proxy is."""
        return proxy.node.meta["example_value"]


class Immediate(Emitter):
    """Runs operations where they are asked for, on the tensors themselves: what holds a lowering is a trace already."""

    def __init__(self) -> None:
        """Needs no tracer."""

    def __call__(self, target: Callable[..., Any] | str, *args: Any, **kwargs: Any) -> Any:
        """The result of the call."""
        subject, *rest = torch.fx.node.map_aggregate(args, _bare)
        named = torch.fx.node.map_aggregate(kwargs, _bare)
        if isinstance(target, str):
            return getattr(subject, target)(*rest, **named)
        return target(subject, *rest, **named)

    def example(self, proxy: Any) -> Any:
        """The tensor itself."""
        return proxy


def _bare(value: Any) -> Any:
    return value.proxy if isinstance(value, Value) else value


class Value:
    """A tensor of the graph, with the operators that lowerings are written in."""

    def __init__(self, emit: Emitter, proxy: Any) -> None:
        self.emit, self.proxy = emit, proxy

    @property
    def fake(self) -> Any:
        """The fake tensor: its type, its device, its sizes."""
        return self.emit.example(self.proxy)

    @property
    def dtype(self) -> torch.dtype:
        """The type of the elements."""
        return self.fake.dtype  # type: ignore[no-any-return]

    def call(self, target: Callable[..., Any] | str, *args: Operand, **kwargs: Operand) -> Value:
        """The operation on this tensor and others, as torch's own promotion has it."""
        return Value(self.emit, self.emit(target, self, *args, **kwargs))

    def to(self, dtype: torch.dtype) -> Value:
        """In another type; itself where it has it."""
        return self if self.dtype == dtype else self.call("to", dtype)

    def autocast(self) -> Value:
        """As an operation gets it that the surrounding ``torch.autocast``, if any, has compute in half precision."""
        device = self.fake.device.type
        cast = torch.is_autocast_enabled(device) and self.dtype.is_floating_point and self.dtype != torch.float64
        return self.to(torch.get_autocast_dtype(device)) if cast else self

    def __add__(self, other: Operand) -> Value:
        return combined(operator.add, self, other)

    def __radd__(self, other: Operand) -> Value:
        return combined(operator.add, other, self)

    def __sub__(self, other: Operand) -> Value:
        return combined(operator.sub, self, other)

    def __rsub__(self, other: Operand) -> Value:
        return combined(operator.sub, other, self)

    def __mul__(self, other: Operand) -> Value:
        return combined(operator.mul, self, other)

    __rmul__ = __mul__

    def __truediv__(self, other: Operand) -> Value:
        return combined(operator.truediv, self, other)

    def __rtruediv__(self, other: Operand) -> Value:
        return combined(operator.truediv, other, self)

    def __neg__(self) -> Any:
        return combined(operator.neg, self)

    def __gt__(self, other: Operand) -> Value:
        return combined(operator.gt, self, other)

    def __ge__(self, other: Operand) -> Value:
        return combined(operator.ge, self, other)


class Number(Value):
    """A float of the user's: a tensor without dimensions, float64, exact."""

    def at(self, dtype: torch.dtype) -> Value:
        """The number, converted once, as an operation that computes in the type takes it."""
        return Value(self.emit, self.proxy).to(dtype)


def computing_type(*operands: Operand) -> tuple[torch.dtype, torch.dtype]:
    """The type of the result of an operation between tensors and floats, and the one in which it is computed."""
    tensors = [v.fake for v in operands if isinstance(v, Value) and not isinstance(v, Number)]
    result = torch.result_type(tensors[0], 1.0) if tensors else torch.get_default_dtype()
    for tensor in tensors[1:]:
        result = torch.promote_types(result, torch.result_type(tensor, 1.0))
    return result, HALF.get(result, result)


def combined(operation: Callable[..., Any], *operands: Operand, **kwargs: Any) -> Value:
    """The elementwise operation between tensors and numbers, with eager's promotion and precision."""
    emit = next(v.emit for v in operands if isinstance(v, Value))
    if not any(isinstance(v, Number) for v in operands):
        return Value(emit, emit(operation, *operands, **kwargs))
    if not any(isinstance(v, Value) and not isinstance(v, Number) for v in operands):
        return Number(emit, emit(operation, *operands, **kwargs))
    result, taken = widened(*operands, exact=operation in _TAKES_EXACT)
    found = Value(emit, emit(operation, *taken, **kwargs))
    return found if found.dtype == torch.bool else found.to(result)


def widened(*operands: Operand, exact: bool = True) -> tuple[torch.dtype, list[Any]]:
    """The type of the result, and the operands in the type in which eager computes, numbers as tensors.

    Without ``exact`` numbers are rounded to the type of the result on the way, as eager does for most operations. In
    half precision that is a conversion there and back, since Inductor holds what has such a type unrounded, in single.
    """
    result, computing = computing_type(*operands)
    return result, [_at(v, computing if exact else result, computing) for v in operands]


def _at(operand: Operand, taken: torch.dtype, computing: torch.dtype) -> Operand:
    match operand:
        case Number():
            return operand.at(taken).to(computing)
        case Value():
            return operand.to(computing)
        case _:
            return operand
