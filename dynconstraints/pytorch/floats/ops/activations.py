"""Activation functions, and others that put a number in the place of elements, written out for Inductor.

Which fuses them with what surrounds them.
"""

from __future__ import annotations

import inspect
import operator
from functools import wraps
from typing import Any

import torch
from torch.nn import functional

from dynconstraints.pytorch._torch.eager import padding
from dynconstraints.pytorch.floats.ops.elementwise import choose, clamped
from dynconstraints.pytorch.floats.ops.whole import written_out
from dynconstraints.pytorch.floats.table import Lowering, NotLowered, kept, lowers
from dynconstraints.pytorch.floats.values import Operand, Value, combined, widened


def _activation(arithmetic: Lowering) -> Lowering:
    """Register a function of torch's of the same name, which writes into its first argument where it is told so."""
    layer: Any = getattr(functional, arithmetic.__name__)
    signature = inspect.signature(layer)
    unchanged = written_out(f"torch.nn.functional.{arithmetic.__name__}")(arithmetic)

    @wraps(arithmetic)
    def activation(*args: Operand, **kwargs: Operand) -> Value:
        given = signature.bind(*args, **kwargs).arguments
        inplace, x = given.pop("inplace", False), given.pop("input")
        return x.call("copy_", unchanged(kept(x), **given)) if inplace else unchanged(x, **given)

    activation.__signature__ = signature  # type: ignore[attr-defined]  # by which the arguments have their names
    return lowers(layer)(activation)


@_activation
def hardtanh(x: Value, min_val: Operand = -1.0, max_val: Operand = 1.0) -> Value:
    """Between ``min_val`` and ``max_val``; on the limits, which its gradient takes unrounded, it has none."""
    _, (wide, low, high) = widened(x, min_val, max_val)
    inside = combined(operator.gt, wide, low).call(torch.logical_and, combined(operator.lt, wide, high))
    return choose(inside, x, clamped(x, min_val, max_val).call("detach"))


@_activation
def leaky_relu(x: Value, negative_slope: Operand = 0.01) -> Value:
    """``x`` where it is positive, ``negative_slope*x`` elsewhere."""
    return choose(x > 0, x, x * negative_slope)


@_activation
def elu(x: Value, alpha: Operand = 1.0) -> Value:
    """``x`` where it is positive, ``alpha*(e**x - 1)`` elsewhere."""
    result, (wide, factor) = widened(x, alpha)
    return choose(wide > 0, wide, wide.call(torch.expm1) * factor).to(result)


@_activation
def celu(x: Value, alpha: Operand = 1.0) -> Value:
    """``x`` where it is positive, ``alpha*(e**(x/alpha) - 1)`` elsewhere."""
    result, (wide, factor, inverse) = widened(x, alpha, 1 / alpha)
    return choose(wide > 0, wide, (wide * inverse).call(torch.expm1) * factor).to(result)


written_out("torch.celu", torch.celu)(celu)


@written_out("torch.nn.functional.softplus", functional.softplus)
def softplus(x: Value, beta: Operand = 1.0, threshold: Operand = 20.0) -> Value:
    """``log(1 + e**(beta*x)) / beta``, and ``x`` itself where ``beta*x`` is above the threshold."""
    result, (wide, factor, limit) = widened(x, beta, threshold)
    scaled = wide * factor
    return choose(scaled > limit, wide, scaled.call(torch.exp).call(torch.log1p) / factor).to(result)


@_activation
def threshold(x: Value, threshold: Operand, value: Operand) -> Value:
    """``value`` where ``x`` is at most the threshold, ``x`` elsewhere."""
    if not x.dtype.is_floating_point:
        raise NotLowered  # eager makes integers of the numbers
    result, (wide, limit) = widened(x, threshold)
    return choose(combined(operator.le, wide, limit), value, x).to(result)


written_out("torch.threshold", torch.threshold)(threshold)


@written_out("torch.hardshrink", torch.hardshrink, "hardshrink")
def hardshrink(x: Value, lambd: Operand = 0.5) -> Value:
    """Zero where ``x`` is at most ``lambd`` away from it, ``x`` elsewhere."""
    return choose(combined(operator.le, x.call(torch.abs), lambd), 0.0, x)


@written_out("torch.nn.functional.softshrink", functional.softshrink)
def softshrink(x: Value, lambd: Operand = 0.5) -> Value:
    """``x`` moved towards zero by ``lambd``; zero where it is no further away, and NaN where it is NaN.

    Its gradient takes the limit in the type of ``x``.
    """
    result, (wide, limit) = widened(x, lambd)
    below = choose(combined(operator.lt, wide, -limit), wide + limit, wide * 0)
    found = choose(wide > limit, wide - limit, below)
    _, (size, rounded) = widened(x.call(torch.abs), lambd, exact=False)
    return choose(combined(operator.eq, size, rounded), found.call("detach"), found).to(result)


@written_out("torch.nn.functional.pad", functional.pad, *padding())
def pad(input: Value, pad: Any, mode: str = "constant", value: Operand = None) -> Value:  # noqa: A002
    """The tensor with a margin of the value."""
    if mode != "constant" or not input.dtype.is_floating_point:
        raise NotLowered  # eager makes an integer of the number
    inside = input.call(torch.ones_like, dtype=torch.bool).call(functional.pad, pad)
    return choose(inside, input.call(functional.pad, pad), value)


@written_out("torch.nan_to_num", torch.nan_to_num, "nan_to_num", in_place=("nan_to_num_",), guarded=False)
def nan_to_num(x: Value, nan: Operand = None, posinf: Operand = None, neginf: Operand = None) -> Value:
    """Numbers in the place of NaN and of infinities."""
    if not x.dtype.is_floating_point:
        raise NotLowered  # nothing to replace, or parts of complex numbers
    limits = torch.finfo(x.dtype)
    replacements = (
        (x.call(torch.isnan), 0.0 if nan is None else nan),
        (x.call(torch.isposinf), limits.max if posinf is None else posinf),
        (x.call(torch.isneginf), limits.min if neginf is None else neginf),
    )
    found = x
    for applies, number in replacements:
        found = choose(applies, number, found)
    return found
