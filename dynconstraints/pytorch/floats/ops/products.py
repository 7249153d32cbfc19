"""Matrix products with factors, written out for Inductor: scaled after the product, which differs in the last bits."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import torch

from dynconstraints.pytorch.floats.ops.elementwise import choose
from dynconstraints.pytorch.floats.ops.whole import written_out
from dynconstraints.pytorch.floats.values import Number, Operand, Value, widened


def _register(product: Callable[..., Any], name: str) -> None:
    @written_out(f"torch.{name}", getattr(torch, name), name, in_place=(f"{name}_",))
    def added(x: Value, left: Value, right: Value, *, beta: Operand = 1, alpha: Operand = 1) -> Value:
        """``beta*x + alpha*(left @ right)``; where beta is 0, ``x`` is not read, so its NaN and infinities vanish."""
        tensors = x.autocast(), left.autocast(), right.autocast()
        result, (wide, *factors, scale, scale_of_product) = widened(*tensors, beta, alpha)
        kept: Value = wide * scale
        if isinstance(beta, Number):
            kept = choose(beta.call(operator.ne, 0), kept, 0.0)
        found: Value = kept + factors[0].call(product, factors[1]) * scale_of_product
        return found.to(result)


for _product, _name in ((torch.mm, "addmm"), (torch.mv, "addmv"), (torch.outer, "addr"), (torch.bmm, "baddbmm")):
    _register(_product, _name)
