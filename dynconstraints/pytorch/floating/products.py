"""Matrix products with factors, and attention with a scale."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional

from dynconstraints.pytorch.floating.elementwise import choose
from dynconstraints.pytorch.floating.table import NotLowered, lowers
from dynconstraints.pytorch.floating.values import HALF, Number, Operand, Value, widened


def _register(product: Callable[..., Any], names: tuple[Any, ...], in_place: str) -> None:
    @lowers(*names, in_place=(in_place,))
    def added(x: Value, left: Value, right: Value, *, beta: Operand = 1, alpha: Operand = 1) -> Value:
        """``beta*x + alpha*(left @ right)``; where beta is 0, ``x`` is not read, so its NaN and infinities vanish."""
        tensors = x.autocast(), left.autocast(), right.autocast()
        result, (wide, *factors, scale, scale_of_product) = widened(*tensors, beta, alpha)
        kept: Value = wide * scale
        if isinstance(beta, Number):
            kept = choose(beta.call(operator.ne, 0), kept, 0.0)
        found: Value = kept + factors[0].call(product, factors[1]) * scale_of_product
        return found.to(result)


_register(torch.mm, (torch.addmm, "addmm"), "addmm_")
_register(torch.mv, (torch.addmv, "addmv"), "addmv_")
_register(torch.outer, (torch.addr, "addr"), "addr_")
_register(torch.bmm, (torch.baddbmm, "baddbmm"), "baddbmm_")


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
    **options: Any,
) -> Value:
    """Attention with the query scaled beforehand; on the CPU in single precision, in which its kernels compute."""
    if isinstance(dropout_p, Number):
        raise NotLowered
    result, mask = query.dtype, attn_mask
    if result in HALF and query.fake.device.type == "cpu":
        query, key, value = (v.to(torch.float32) for v in (query, key, value))
        mask = mask.to(torch.float32) if mask is not None and mask.dtype in HALF else mask
    scaled = (query * scale).call(
        functional.scaled_dot_product_attention, key, value, mask, dropout_p, is_causal, scale=1.0, **options
    )
    return scaled.to(result)
