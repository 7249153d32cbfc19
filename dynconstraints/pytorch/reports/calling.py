"""A call of a function made from values of names: declared numbers for its parameters, tensors of sizes over names."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from dynconstraints.ir.evaluate import value_of
from dynconstraints.ir.fold import names
from dynconstraints.ir.nodes import Int, Term
from dynconstraints.ir.printer import show
from dynconstraints.pytorch.reports.compilation import original_of
from dynconstraints.pytorch.values.dynamic_float import DynamicFloat
from dynconstraints.pytorch.values.dynamic_int import DynamicInt
from dynconstraints.pytorch.values.named_dims import name_dims


@dataclass(frozen=True)
class TensorOf:
    """A tensor to be made: each size an expression over names, and the type of its elements by its name in torch."""

    sizes: tuple[Term, ...]
    dtype: str = "float32"


class CallError(ValueError):
    """What is given does not make a call of the function."""


def call_of(
    fn: Callable[..., Any], values: Mapping[str, int], tensors: Mapping[str, TensorOf]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments, positional and named, that the values and tensors make for the function's parameters.

    A parameter that is named like a value is that value, declared; one that is named like a tensor is that tensor, its
    dimensions named. Others need a default. Raises CallError for what is missing, unknown or of negative size.
    """
    target = original_of(fn)
    signature = inspect.signature(target.forward if isinstance(target, torch.nn.Module) else target)
    used: set[str] = set()
    arguments: dict[str, Any] = {}
    for name, parameter in signature.parameters.items():
        if name in tensors:
            arguments[name] = _tensor(name, tensors[name], values)
            used |= {n for size in tensors[name].sizes for n in names(size)}
        elif name in values:
            value = values[name]
            arguments[name] = (DynamicFloat if isinstance(value, float) else DynamicInt)(value, name=name)
            used.add(name)
        elif parameter.default is parameter.empty and parameter.kind not in (
            parameter.VAR_POSITIONAL,
            parameter.VAR_KEYWORD,
        ):
            raise CallError(f"nothing is given for the parameter {name}: assign it a value, or describe a tensor")
    _refuse(sorted(tensors.keys() - arguments.keys()), "is no parameter", list(signature.parameters))
    _refuse(sorted(values.keys() - used), "is neither a parameter nor in the size of a tensor", None)
    bound = inspect.BoundArguments(signature, arguments)
    return bound.args, bound.kwargs


def _refuse(unknown: Sequence[str], what: str, known: Sequence[str] | None) -> None:
    if unknown:
        listed = "" if known is None else f"; there are {', '.join(known) or 'none'}"
        raise CallError(f"{unknown[0]} {what}{listed}")


def _tensor(name: str, described: TensorOf, values: Mapping[str, int]) -> torch.Tensor:
    sizes = []
    for term in described.sizes:
        missing = sorted(names(term) - values.keys())
        if missing:
            raise CallError(f"a size of {name} is {show(term)}, and {missing[0]} has no value")
        size = value_of(term, values)
        if size is None or size < 0:
            raise CallError(f"a size of {name} is {show(term)}, and that is {size}")
        sizes.append(size)
    dtype = getattr(torch, described.dtype, None)
    if not isinstance(dtype, torch.dtype):
        raise CallError(f"{described.dtype} is no type of torch's, such as float32 or int64")
    dims = {i: show(term) for i, term in enumerate(described.sizes) if not isinstance(term, Int)}
    tensor = torch.zeros(sizes, dtype=dtype)  # a valid index, a valid label, and in the domain of most functions
    return name_dims(tensor, dims) if dims else tensor
