"""Random numbers with a parameter that may change: for a seed, eager's own where torch draws as eager does.

Inductor draws others, with a constant as well, unless its ``fallback_random`` is set.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional

from dynconstraints.pytorch.floats.ops.elementwise import choose
from dynconstraints.pytorch.floats.ops.whole import written_out
from dynconstraints.pytorch.floats.table import NotLowered, lowers
from dynconstraints.pytorch.floats.values import HALF, Number, Operand, Value, combined


@lowers(functional.dropout, torch.dropout)
def dropout(x: Value, p: Number, training: bool = True, inplace: bool = False) -> Value:
    """Each element zero with probability ``p``, else scaled by ``1/(1 - p)``."""
    if not training:
        return x.call("view_as", x)
    return _dropped(x, x, p, inplace)


def _register(layer: Callable[..., Any], dims: int) -> None:
    @lowers(layer)
    def feature_dropout(input: Value, p: Number, training: bool = True, inplace: bool = False) -> Value:  # noqa: A002
        """Each channel zero with probability ``p``, else scaled by ``1/(1 - p)``."""
        if not training:
            return input.call("view_as", input)
        if input.fake.ndim != dims:
            raise NotLowered  # without a batch, or with a warning
        channels = input.call(torch.sum, list(range(2, dims)), keepdim=True)
        return _dropped(input, channels, p, inplace)


_register(functional.dropout1d, 3)
_register(functional.dropout2d, 4)
_register(functional.dropout3d, 5)


def _dropped(x: Value, like: Value, p: Number, inplace: bool) -> Value:
    """One draw for each element of ``like``."""
    kept = combined(operator.lt, _uniform(like), 1 - p)
    noise = choose(kept, kept.to(HALF.get(x.dtype, x.dtype)) / (1 - p), 0.0)
    return _into(x, x * noise.to(x.dtype), inplace)


@lowers("normal_")
def normal_(x: Value, mean: Operand = 0.0, std: Operand = 1.0, generator: Any = None) -> Value:
    """Of the mean and the standard deviation."""
    return _filled(x, _normal, generator, mean, std)


@lowers("uniform_")
def uniform_(x: Value, low: Operand = 0.0, high: Operand = 1.0, generator: Any = None) -> Value:
    """Between the two."""
    return _filled(x, _uniform_between, generator, low, high)


@lowers("exponential_")
def exponential_(x: Value, lambd: Operand = 1.0, generator: Any = None) -> Value:
    """Of the rate ``lambd``."""
    return _filled(x, _exponential, generator, lambd)


@written_out("drawn.normal_")
def _normal(x: Value, mean: Operand, std: Operand) -> Value:
    return (_drawn(x, "normal_") * std + mean).to(x.dtype)


@written_out("drawn.uniform_")
def _uniform_between(x: Value, low: Operand, high: Operand) -> Value:
    return (_drawn(x, "uniform_") * (high - low) + low).to(x.dtype)


@written_out("drawn.exponential_")
def _exponential(x: Value, lambd: Operand) -> Value:
    return (_drawn(x, "exponential_") / lambd).to(x.dtype)


def _filled(x: Value, draw: Callable[..., Value], generator: Any, *parameters: Operand) -> Value:
    if generator is not None or not x.dtype.is_floating_point:
        raise NotLowered
    return x.call("copy_", draw(x.call("detach"), *parameters))


@lowers("bernoulli_")
def bernoulli_(x: Value, p: Number, generator: Any = None) -> Value:
    """One with probability ``p``, else zero."""
    if generator is not None:
        raise NotLowered
    return x.call("copy_", combined(operator.lt, _uniform(x), p))


@lowers(functional.gumbel_softmax)
def gumbel_softmax(logits: Value, tau: Operand = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1) -> Value:
    """A sample of the classes, or a distribution near one at a low temperature ``tau``; ``eps`` is for none."""
    del eps
    layout = {"memory_format": torch.legacy_contiguous_format}
    noise = logits.call(torch.empty_like, **layout).call("exponential_").call(torch.log)
    soft: Value = ((logits + -noise) / tau).call(torch.softmax, dim)
    if not hard:
        return soft
    chosen = soft.call(torch.max, dim, keepdim=True).call(operator.getitem, 1)
    found: Value = logits.call(torch.zeros_like, **layout).call("scatter_", dim, chosen, 1.0) - soft.call("detach")
    answer: Value = found + soft
    return answer


def _into(x: Value, found: Value, inplace: bool) -> Value:
    """What was found, written into ``x`` where the call asks for it."""
    return x.call("copy_", found) if inplace else found


def _uniform(x: Value) -> Value:
    """A draw for each element: on the CPU eager draws doubles for these, whatever the type."""
    return x.call(torch.rand_like, dtype=torch.float64 if x.fake.device.type == "cpu" else torch.float32)


def _drawn(x: Value, draw: str) -> Value:
    return x.call(torch.empty_like, dtype=HALF.get(x.dtype, x.dtype)).call(draw)
