"""Operations that make tensors of a number, or write it into one."""

from __future__ import annotations

import operator
from typing import Any

import torch

from dynconstraints.pytorch._compat import tensor_of_symbols
from dynconstraints.pytorch.floating.table import NotLowered, lowers
from dynconstraints.pytorch.floating.values import Number, Value


@lowers(torch.scalar_tensor, torch.as_tensor, *tensor_of_symbols())
def tensor(data: Any, *, dtype: torch.dtype | None = None, **options: Any) -> Value:
    """A tensor of a number, or of a list of them."""
    if isinstance(data, Number):
        return full((), data, dtype=dtype, **options)
    if not isinstance(data, list) or any(isinstance(v, Value) and not isinstance(v, Number) for v in data):
        raise NotLowered
    emit = next(v.emit for v in data if isinstance(v, Number))
    of = dtype or torch.get_default_dtype()
    rows = [
        full((), v, dtype=of, **options) if isinstance(v, Number) else emit(torch.full, (), v, dtype=of) for v in data
    ]
    return Value(emit, emit(torch.stack, rows))


@lowers(torch.full)
def full(size: Any, fill_value: Number, *, dtype: torch.dtype | None = None, **options: Any) -> Value:
    """A tensor of the size, filled."""
    emit = fill_value.emit
    return Value(emit, emit(torch.empty, size, dtype=dtype or torch.get_default_dtype(), **options)).call(
        "fill_", fill_value
    )


@lowers(torch.full_like)
def full_like(x: Value, fill_value: Number, **options: Any) -> Value:
    """A tensor like another, filled."""
    return x.call(torch.empty_like, **options).call("fill_", fill_value)


@lowers("new_full")
def new_full(x: Value, size: Any, fill_value: Number, **options: Any) -> Value:
    """A tensor of the type and on the device of another, filled."""
    return x.call("new_empty", size, **options).call("fill_", fill_value)


@lowers("fill_", torch.fill_)
def fill_(x: Value, value: Number) -> Value:
    """All elements become the number."""
    return x.call("fill_", value)


@lowers(operator.setitem)
def setitem(x: Value, index: Any, value: Number) -> Value:
    """The elements at the index become the number."""
    return x.call(operator.setitem, index, value.at(x.dtype))
