"""Activation functions that are written out for Inductor, which fuses them with what surrounds them."""

from __future__ import annotations

import operator

import torch
from torch.nn import functional

from dynconstraints.pytorch.floats.ops.elementwise import choose, clamped
from dynconstraints.pytorch.floats.ops.whole import written_out
from dynconstraints.pytorch.floats.table import kept, lowers
from dynconstraints.pytorch.floats.values import Operand, Value, combined, widened


@written_out("torch.nn.functional.hardtanh")
def _hardtanh(x: Value, min_val: Operand = -1.0, max_val: Operand = 1.0) -> Value:
    """Between ``min_val`` and ``max_val``; on the limits, which its gradient takes unrounded, it has none."""
    _, (wide, low, high) = widened(x, min_val, max_val)
    inside = combined(operator.gt, wide, low).call(torch.logical_and, combined(operator.lt, wide, high))
    return choose(inside, x, clamped(x, min_val, max_val).call("detach"))


@written_out("torch.nn.functional.leaky_relu")
def _leaky_relu(x: Value, negative_slope: Operand = 0.01) -> Value:
    """``x`` where it is positive, ``negative_slope*x`` elsewhere."""
    return choose(x > 0, x, x * negative_slope)


@lowers(functional.hardtanh)
def hardtanh(x: Value, min_val: Operand = -1.0, max_val: Operand = 1.0, inplace: bool = False) -> Value:
    """Written into ``x`` where the call asks for it."""
    return x.call("copy_", _hardtanh(kept(x), min_val, max_val)) if inplace else _hardtanh(x, min_val, max_val)


@lowers(functional.leaky_relu)
def leaky_relu(x: Value, negative_slope: Operand = 0.01, inplace: bool = False) -> Value:
    """Written into ``x`` where the call asks for it."""
    return x.call("copy_", _leaky_relu(kept(x), negative_slope)) if inplace else _leaky_relu(x, negative_slope)
