"""Attention with a scale that may change."""

from __future__ import annotations

import math
import operator

import torch
from torch.nn import functional

from dynconstraints.pytorch._torch.eager import attention_is_fused, in_transforms
from dynconstraints.pytorch.floats.ops.elementwise import choose
from dynconstraints.pytorch.floats.ops.fused import fused
from dynconstraints.pytorch.floats.ops.whole import whole
from dynconstraints.pytorch.floats.table import NotLowered, lowers
from dynconstraints.pytorch.floats.values import HALF, Number, Value


@lowers(functional.scaled_dot_product_attention)
def attention(
    query: Value,
    key: Value,
    value: Value,
    attn_mask: Value | None = None,
    dropout_p: Number | float = 0.0,
    is_causal: bool = False,
    *,
    scale: Number,
    enable_gqa: bool = False,
) -> Value:
    """Eager's fused kernel on the CPU, or what eager does where it has none that fits."""
    if isinstance(dropout_p, Number):
        raise NotLowered
    query, key, value = query.autocast(), key.autocast(), value.autocast()
    mask = None if attn_mask is None else attn_mask.autocast()
    fixed = dropout_p, is_causal
    if query.fake.device.type != "cpu" or in_transforms():
        return _attended((query * scale, key, value), mask, *fixed, enable_gqa=enable_gqa)
    fakes = [v.fake for v in (query, key, value)]
    with query.emit.tx.fake_mode, torch.no_grad():
        is_fused = attention_is_fused(*fakes, None if mask is None else mask.fake, *fixed, enable_gqa=enable_gqa)
    if is_fused and enable_gqa:
        name = "torch.nn.functional.scaled_dot_product_attention"
        return whole(name, query, key, value, mask, *fixed, scale=scale, enable_gqa=True)
    if is_fused:
        both = query.emit(fused(), query, key, value, _added(mask, query), scale, is_causal)
        return Value(query.emit, query.emit(operator.getitem, both, 0))
    root = scale.call(torch.abs).call(torch.sqrt)
    signed = Number(root.emit, choose(scale.call(operator.lt, 0), -root, root).proxy)
    result = query.dtype
    if result in HALF:
        query, key, value = (v.to(HALF[result]) for v in (query, key, value))
        mask = mask.to(HALF[result]) if mask is not None and mask.dtype in HALF else mask
    tensors = query * signed, key * Number(root.emit, root.proxy), value
    return _attended(tensors, mask, *fixed, enable_gqa=enable_gqa).to(result)


def _added(mask: Value | None, query: Value) -> Value | None:
    """The mask as numbers to be added, which a kernel takes for one of truth values."""
    if mask is None or mask.dtype != torch.bool:
        return mask
    zeros = mask.call(torch.zeros_like, dtype=query.dtype)
    return zeros.call("masked_fill", mask.call(torch.logical_not), -math.inf)


def _attended(
    tensors: tuple[Value, Value, Value], mask: Value | None, dropout_p: float, is_causal: bool, *, enable_gqa: bool
) -> Value:
    """Attention whose scale has been seen to."""
    query, key, value = tensors
    return query.call(
        functional.scaled_dot_product_attention,
        *(key, value, mask, dropout_p, is_causal),
        scale=1.0,
        enable_gqa=enable_gqa,
    )
