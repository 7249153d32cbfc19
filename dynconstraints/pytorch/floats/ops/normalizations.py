"""Normalizations with an ``eps`` that may change, written out for Inductor in the precision of eager's kernels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.nn import functional

from dynconstraints.pytorch._torch.eager import in_transforms
from dynconstraints.pytorch.floats.ops.whole import whole, whole_list, written_out
from dynconstraints.pytorch.floats.table import NotLowered, lowers
from dynconstraints.pytorch.floats.values import HALF, Operand, Value


def _standardised(x: Value, dims: Sequence[int], eps: Operand) -> Value:
    """Of mean 0, and of variance 1 but for eps, along the dimensions."""
    mean = x.call(torch.mean, dims, keepdim=True)
    centred = x - mean
    variance = centred.call(torch.square).call(torch.mean, dims, keepdim=True)
    return _over_root(centred, variance, eps)


def _over_root(x: Value, square: Value, eps: Operand) -> Value:
    scaled: Value = x * (square + eps).call(torch.rsqrt)
    return scaled


def _check(x: Value, sizes: Sequence[Any], own: Sequence[int], *parameters: Value | None) -> None:
    """Leaves to torch what it refuses, or casts by itself: other sizes than the tensor's own, types that don't fit."""
    given = [v for v in parameters if v is not None]
    sizes = [v.node.meta["example_value"] if isinstance(v, torch.fx.Proxy) else v for v in sizes]
    shapes = [sizes, *(v.fake.shape for v in given)]
    fitting = all(len(s) == len(own) and all(a == b for a, b in zip(s, own, strict=True)) for s in shapes)
    types = {v.dtype for v in given} <= {x.dtype, HALF.get(x.dtype, x.dtype)}
    if not (fitting and types) or torch.is_autocast_enabled(x.fake.device.type):
        raise NotLowered


def _wide(x: Value) -> Value:
    return x.to(HALF.get(x.dtype, x.dtype))


def _scaled(x: Value, weight: Value | None, bias: Value | None, like: Value) -> Value:
    """``x*weight + bias`` in the type of the operand."""
    x = x if weight is None else x * _wide(weight)
    x = x if bias is None else x + _wide(bias)
    return x.to(like.dtype)


@written_out("torch.layer_norm", torch.layer_norm, guarded=False)
@written_out("torch.nn.functional.layer_norm", functional.layer_norm, guarded=False)
def layer_norm(
    input: Value,  # noqa: A002  torch's name
    normalized_shape: Sequence[int],
    weight: Value | None = None,
    bias: Value | None = None,
    eps: Operand = 1e-5,
) -> Value:
    """Over the last dimensions."""
    dims = list(range(-len(normalized_shape), 0))
    _check(input, normalized_shape, input.fake.shape[dims[0] :], weight, bias)
    return _scaled(_standardised(_wide(input), dims, eps), weight, bias, input)


@written_out("torch.rms_norm", torch.rms_norm, guarded=False)
@written_out("torch.nn.functional.rms_norm", functional.rms_norm, guarded=False)
def rms_norm(
    input: Value,  # noqa: A002
    normalized_shape: Sequence[int],
    weight: Value | None = None,
    eps: Operand = None,
) -> Value:
    """By the root of the mean square, over the last dimensions."""
    x, dims = _wide(input), list(range(-len(normalized_shape), 0))
    _check(input, normalized_shape, input.fake.shape[dims[0] :], weight)
    return _scaled(_over_root(x, x.call(torch.square).call(torch.mean, dims, keepdim=True), eps), weight, None, input)


@written_out("torch.nn.functional.group_norm", functional.group_norm, guarded=False)
def group_norm(
    input: Value,  # noqa: A002
    num_groups: int,
    weight: Value | None = None,
    bias: Value | None = None,
    eps: Operand = 1e-5,
) -> Value:
    """Over the channels of a group, and all positions."""
    if input.fake.ndim < 3:
        raise NotLowered  # eager refuses some sizes here
    _check(input, input.fake.shape[1:2], input.fake.shape[1:2], weight, bias)
    if input.dtype in HALF and not in_transforms():
        raise NotLowered  # what is written out is too exact: eager's kernels round between
    groups = _wide(input).call("unflatten", 1, (num_groups, -1))
    found = _standardised(groups, list(range(2, input.fake.ndim + 1)), eps).call("flatten", 1, 2)
    return _scaled(found, _channels(weight, input), _channels(bias, input), input)


@lowers(functional.batch_norm, guarded=False)
def batch_norm(
    input: Value,  # noqa: A002
    running_mean: Value | None,
    running_var: Value | None,
    weight: Value | None = None,
    bias: Value | None = None,
    training: bool = False,
    momentum: Operand = 0.1,
    eps: Operand = 1e-5,
) -> Value:
    """Channel by channel, by the batch's own mean and variance in training, else by what was collected of them."""
    given = input, running_mean, running_var, weight, bias, training, momentum, eps
    if not training or (running_mean is None and running_var is None):
        return whole("torch.nn.functional.batch_norm", *given)
    if running_mean is None or running_var is None:
        raise NotLowered  # eager refuses it
    before = running_mean.call(torch.clone), running_var.call(torch.clone)  # which the gradient keeps, unwritten
    found, mean, variance = whole_list(3, "collected.batch_norm", input, *before, *given[3:])
    running_mean.call("copy_", mean)
    running_var.call("copy_", variance)
    return found


def _with_collected(
    input: Value,  # noqa: A002
    running_mean: Value | None,
    running_var: Value | None,
    weight: Value | None,
    bias: Value | None,
    training: bool,
    momentum: Operand,
    eps: Operand,
) -> Any:
    sizes, x = input.fake.shape, _wide(input)
    _check(input, sizes[1:2], sizes[1:2], running_mean, running_var, weight, bias)
    dims = [d for d in range(input.fake.ndim) if d != 1]
    if training:
        found, plain = _standardised(x, dims, eps), x.call("detach")
        after = (
            _collected(running_mean, plain.call(torch.mean, dims), momentum),
            _collected(running_var, plain.call(torch.var, dims, correction=1), momentum),
        )
    elif running_mean is None or running_var is None:
        raise NotLowered
    else:
        centred, after = x - _channel(_wide(running_mean), input), (running_mean, running_var)
        found = _over_root(centred, _channel(_wide(running_var), input), eps)
    return _scaled(found, _channels(weight, input), _channels(bias, input), input), *after


written_out("collected.batch_norm")(_with_collected)


@written_out("torch.nn.functional.batch_norm")
def _alone(*given: Any) -> Value:
    found: Value = _with_collected(*given)[0]
    return found


def _collected(running: Value | None, found: Value, momentum: Operand) -> Value | None:
    if running is None:
        return None
    after: Value = found * momentum + _wide(running) * (1 - momentum)
    return after.to(running.dtype)


def _channels(parameter: Value | None, like: Value) -> Value | None:
    return None if parameter is None else _channel(parameter, like)


def _channel(parameter: Value, like: Value) -> Value:
    """One number a channel, to be broadcast over all else."""
    return parameter.call("view", -1, *[1] * (like.fake.ndim - 2))
