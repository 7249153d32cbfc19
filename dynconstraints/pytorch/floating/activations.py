"""Activation functions, and others that put a number in the place of elements, with a parameter that may change."""

from __future__ import annotations

import operator
from typing import Any

import torch
from torch.nn import functional

from dynconstraints.pytorch._compat import padding
from dynconstraints.pytorch.floating.elementwise import choose, clamp, into
from dynconstraints.pytorch.floating.table import NotLowered, lowers
from dynconstraints.pytorch.floating.values import Operand, Value, combined, widened


@lowers(functional.hardtanh)
def hardtanh(x: Value, min_val: Operand = -1.0, max_val: Operand = 1.0, inplace: bool = False) -> Value:
    """Between ``min_val`` and ``max_val``; on the limits, which its gradient takes unrounded, it has none."""
    _, (wide, low, high) = widened(x, min_val, max_val)
    inside = combined(operator.gt, wide, low).call(torch.logical_and, combined(operator.lt, wide, high))
    return into(x, choose(inside, x, clamp(x, min_val, max_val).call("detach")), inplace)


@lowers(functional.leaky_relu)
def leaky_relu(x: Value, negative_slope: Operand = 0.01, inplace: bool = False) -> Value:
    """``x`` where it is positive, ``negative_slope*x`` elsewhere."""
    return into(x, choose(x > 0, x, x * negative_slope), inplace)


@lowers(functional.elu)
def elu(x: Value, alpha: Operand = 1.0, inplace: bool = False) -> Value:
    """``x`` where it is positive, ``alpha*(e**x - 1)`` elsewhere."""
    result, (wide, factor) = widened(x, alpha)
    return into(x, choose(wide > 0, wide, wide.call(torch.expm1) * factor).to(result), inplace)


@lowers(functional.celu)
def celu(x: Value, alpha: Operand = 1.0, inplace: bool = False) -> Value:
    """``x`` where it is positive, ``alpha*(e**(x/alpha) - 1)`` elsewhere."""
    result, (wide, factor, inverse) = widened(x, alpha, 1 / alpha)
    return into(x, choose(wide > 0, wide, (wide * inverse).call(torch.expm1) * factor).to(result), inplace)


@lowers(functional.softplus)
def softplus(x: Value, beta: Operand = 1.0, threshold: Operand = 20.0) -> Value:
    """``log(1 + e**(beta*x)) / beta``, and ``x`` itself where ``beta*x`` is above the threshold."""
    result, (wide, factor, limit) = widened(x, beta, threshold)
    scaled = wide * factor
    return choose(scaled > limit, wide, scaled.call(torch.exp).call(torch.log1p) / factor).to(result)


@lowers(functional.threshold, torch.threshold)
def threshold(x: Value, threshold: Operand, value: Operand, inplace: bool = False) -> Value:
    """``value`` where ``x`` is at most the threshold, ``x`` elsewhere."""
    result, (wide, limit) = widened(x, threshold)
    return into(x, choose(combined(operator.le, wide, limit), value, x).to(result), inplace)


@lowers(functional.hardshrink)
def hardshrink(x: Value, lambd: Operand = 0.5) -> Value:
    """Zero where ``x`` is at most ``lambd`` away from it, ``x`` elsewhere."""
    return choose(combined(operator.le, x.call(torch.abs), lambd), 0.0, x)


@lowers(functional.softshrink)
def softshrink(x: Value, lambd: Operand = 0.5) -> Value:
    """``x`` moved towards zero by ``lambd``; zero where it is no further away, and NaN where it is NaN.

    Its gradient takes the limit in the type of ``x``.
    """
    result, (wide, limit) = widened(x, lambd)
    below = choose(combined(operator.lt, wide, -limit), wide + limit, wide * 0)
    found = choose(wide > limit, wide - limit, below)
    _, (size, rounded) = widened(x.call(torch.abs), lambd, exact=False)
    return choose(combined(operator.eq, size, rounded), found.call("detach"), found).to(result)


@lowers(functional.pad, *padding())
def pad(input: Value, pad: Any, mode: str = "constant", value: Operand = None) -> Value:  # noqa: A002
    """The tensor with a margin of the value."""
    if mode != "constant" or not input.dtype.is_floating_point:
        raise NotLowered  # eager makes an integer of the number
    inside = input.call(torch.ones_like, dtype=torch.bool).call(functional.pad, pad)
    return choose(inside, input.call(functional.pad, pad), value)


@lowers(torch.nan_to_num, "nan_to_num")
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
