"""Matrix products with factors."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import torch

from dynconstraints.pytorch.floating.elementwise import choose
from dynconstraints.pytorch.floating.table import lowers
from dynconstraints.pytorch.floating.values import Number, Operand, Value, widened


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
