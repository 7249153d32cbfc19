"""Operations that make tensors of a number, or write it into one."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from typing import Any

import torch

from dynconstraints.pytorch._torch.eager import tensor_of_symbols
from dynconstraints.pytorch.floats.ops.whole import whole
from dynconstraints.pytorch.floats.table import NotLowered, lowers
from dynconstraints.pytorch.floats.values import Emitter, Number, Value


@lowers(torch.scalar_tensor, torch.as_tensor, *tensor_of_symbols())
def tensor(data: Any, *, dtype: torch.dtype | None = None, **options: Any) -> Value:
    """A tensor of a number, or of lists of them."""
    leaves = list(_leaves(data))
    numbers = [v for v in leaves if isinstance(v, Number)]
    if not numbers or any(isinstance(v, Value) and not isinstance(v, Number) for v in leaves):
        raise NotLowered
    return _nested(numbers[0].emit, data, {"dtype": dtype or torch.get_default_dtype(), **options})


def _leaves(data: Any) -> Iterator[Any]:
    if isinstance(data, list):
        for item in data:
            yield from _leaves(item)
    else:
        yield data


def _nested(emit: Emitter, data: Any, options: dict[str, Any]) -> Value:
    if isinstance(data, list):
        return Value(emit, emit(torch.stack, [_nested(emit, v, options) for v in data]))
    if isinstance(data, Number):
        return full((), data, **options)
    return Value(emit, emit(torch.full, (), data, **options))


@lowers(torch.full)
def full(size: Any, fill_value: Number, *, dtype: torch.dtype | None = None, **options: Any) -> Value:
    """A tensor of the size, filled."""
    if dtype is not None and not _holds_floats(dtype):
        return whole("torch.full", size, fill_value, dtype=dtype, **options)
    emit = fill_value.emit
    return Value(emit, emit(torch.empty, size, dtype=dtype or torch.get_default_dtype(), **options)).call(
        "fill_", fill_value
    )


@lowers(torch.full_like, torch.fill)
def full_like(x: Value, fill_value: Number, **options: Any) -> Value:
    """A tensor like another, filled."""
    if not _holds_floats(options.get("dtype") or x.dtype):
        return whole("torch.full_like", x, fill_value, **options)
    return x.call(torch.empty_like, **options).call("fill_", fill_value)


@lowers("new_full")
def new_full(x: Value, size: Any, fill_value: Number, **options: Any) -> Value:
    """A tensor of the type and on the device of another, filled."""
    if not _holds_floats(options.get("dtype") or x.dtype):
        return whole(".new_full", x, size, fill_value, **options)
    return x.call("new_empty", size, **options).call("fill_", fill_value)


@lowers("fill_", torch.fill_)
def fill_(x: Value, value: Number) -> Value:
    """All elements become the number."""
    if not _holds_floats(x.dtype):
        return x.call("copy_", whole("torch.full_like", x, value))
    return x.call("fill_", value)


@lowers(operator.setitem)
def setitem(x: Value, index: Any, value: Number) -> Value:
    """The elements at the index become the number."""
    return x.call(operator.setitem, index, _alone(x, value))


def _holds_floats(dtype: torch.dtype) -> bool:
    return dtype.is_floating_point or dtype.is_complex


def _alone(x: Value, value: Number) -> Value:
    """A tensor without dimensions of the number, converted as eager converts it to the type of ``x``."""
    if not _holds_floats(x.dtype):
        return whole("torch.full", [], value, dtype=x.dtype, device=x.fake.device)
    return x.call("new_empty", []).call("fill_", value)


def _register(fill: str, scatter: str) -> None:
    @lowers(fill)
    def index_fill(x: Value, dim: int, index: Value, value: Number) -> Value:
        """The slices at the indices become the number."""
        return x.call(fill, dim, index, _alone(x, value))

    @lowers(scatter)
    def scattered(x: Value, dim: int, index: Value, value: Number) -> Value:
        """The elements at the indices become the number."""
        source = _alone(x, value).call("expand_as", index)
        return x.call(scatter, dim, index, source)


_register("index_fill", "scatter")
_register("index_fill_", "scatter_")
