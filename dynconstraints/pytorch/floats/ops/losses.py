"""Losses with a parameter that may change, written out for Inductor: they sum in another order than eager's."""

from __future__ import annotations

import operator
from typing import Any

import torch
from torch.nn import functional

from dynconstraints.pytorch.floats.ops.elementwise import choose
from dynconstraints.pytorch.floats.ops.whole import written_out
from dynconstraints.pytorch.floats.table import NotLowered
from dynconstraints.pytorch.floats.values import Operand, Value, combined, widened


@written_out("torch.nn.functional.huber_loss", functional.huber_loss, guarded=False)
def huber_loss(
    input: Value,  # noqa: A002  torch's name
    target: Value,
    reduction: str = "mean",
    delta: Operand = 1.0,
) -> Value:
    """Half the square of the difference where it is below delta, delta times what it has above delta/2 elsewhere."""
    result, (x, y, limit) = widened(_same_size(input, target), target, delta)
    size = (x - y).call(torch.abs)
    found = choose(combined(operator.lt, size, limit), size * size * 0.5, (size - limit * 0.5) * limit)
    return _reduced(found.to(result), reduction)


@written_out("torch.nn.functional.smooth_l1_loss", functional.smooth_l1_loss, guarded=False)
def smooth_l1_loss(
    input: Value,  # noqa: A002
    target: Value,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    beta: Operand = 1.0,
) -> Value:
    """Half the square of the difference over beta where it is below beta, the difference less beta/2 elsewhere."""
    if size_average is not None or reduce is not None:
        raise NotLowered
    result, (x, y, limit) = widened(_same_size(input, target), target, beta)
    size = (x - y).call(torch.abs)
    found = choose(combined(operator.lt, size, limit), size * size * 0.5 / limit, size - limit * 0.5)
    return _reduced(found.to(result), reduction)


@written_out("torch.nn.functional.cross_entropy", functional.cross_entropy, guarded=False)
def cross_entropy(
    input: Value,  # noqa: A002
    target: Value,
    weight: Value | None = None,
    size_average: Any = None,
    ignore_index: int = -100,
    reduce: Any = None,
    reduction: str = "mean",
    label_smoothing: Operand = 0.0,
) -> Value:
    """The loss of the class, mixed with the mean loss of all classes."""
    if torch.is_autocast_enabled(input.fake.device.type) or size_average is not None or reduce is not None:
        raise NotLowered
    if weight is not None or target.dtype.is_floating_point or input.fake.ndim != 2:
        raise NotLowered
    ignored = target.call(torch.eq, ignore_index)
    logs = input.call(torch.log_softmax, 1)
    plain = logs.call(functional.nll_loss, target, ignore_index=ignore_index, reduction=reduction)
    every = logs.call(torch.neg).call(torch.mean, 1).call("masked_fill", ignored, 0.0)
    if reduction == "sum":
        every = every.call(torch.sum)
    elif reduction == "mean":
        every = every.call(torch.sum).call(torch.div, ignored.call(torch.logical_not).call(torch.sum))
    found: Value = plain * (1 - label_smoothing) + every * label_smoothing
    return found


def _same_size(x: Value, y: Value) -> Value:
    """The first; of tensors of different sizes eager warns, and what is declared of them has to be asked."""
    sizes, others = x.fake.shape, y.fake.shape
    same = len(sizes) == len(others) and all(a == b for a, b in zip(sizes, others, strict=True))
    if not same or torch.is_autocast_enabled(x.fake.device.type):
        raise NotLowered
    return x


def _reduced(x: Value, reduction: str) -> Value:
    if reduction == "none":
        return x
    if reduction not in ("mean", "sum"):
        raise NotLowered  # eager refuses it
    return x.call(torch.mean if reduction == "mean" else torch.sum)
