"""Powers: eager has kernels of its own for some exponents, whose results differ from those of the general one.

``(-inf)**0.5`` is NaN there, a square root, and infinite by the general rule; squares and cubes differ in the last bit.
"""

from __future__ import annotations

import operator

import torch

from dynconstraints.pytorch.floats.ops.elementwise import choose
from dynconstraints.pytorch.floats.ops.whole import written_out
from dynconstraints.pytorch.floats.values import Number, Operand, Value, combined, computing_type

_SPECIAL = (2.0, 3.0, -1.0, -2.0, 0.5, -0.5)
"""The exponents with kernels of their own."""


@written_out("torch.pow", torch.pow, "pow", in_place=(operator.ipow, "pow_"))
def power(x: Operand, y: Operand) -> Value:
    """``x**y``."""
    result, _ = computing_type(x, y)
    has_special = isinstance(y, Number) and isinstance(x, Value) and not isinstance(x, Number)
    if not has_special or result.is_complex or (result == torch.float16 and x.fake.device.type == "cpu"):
        return combined(torch.pow, x, y)
    base, special = x.to(result), {exponent: y.call(operator.eq, exponent) for exponent in _SPECIAL}
    ordinary = base
    for applies in special.values():
        ordinary = choose(applies, 1.0, ordinary)
    found = combined(torch.pow, ordinary, y)
    for exponent, applies in special.items():
        # Where it doesn't apply it computes on 1: an infinite derivative there would make the gradient NaN.
        found = choose(applies, choose(applies, base, 1.0).call(torch.pow, exponent), found)
    return found


written_out("operator.pow", operator.pow)(power)
