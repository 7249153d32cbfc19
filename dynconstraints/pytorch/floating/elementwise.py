"""Operations that work element by element: arithmetic, comparisons, choices, and their in-place forms."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import torch

from dynconstraints.pytorch._compat import fused_multiply_add, has_gradient_on_limit
from dynconstraints.pytorch.floating.table import lowers
from dynconstraints.pytorch.floating.values import HALF, Number, Operand, Value, combined, widened

# Not floor division: Inductor rounds the quotient of tensors before it takes the floor, and 1.5 // 0.1 is 14.
_PLAIN: tuple[tuple[Callable[..., Any], tuple[Any, ...]], ...] = (
    (torch.mul, (operator.mul, torch.multiply, "mul", "multiply")),
    (torch.remainder, (operator.mod, "remainder")),
    (torch.fmod, ("fmod",)),
    (torch.copysign, ("copysign",)),
    (torch.xlogy, (torch.special.xlogy, "xlogy")),
    (torch.eq, (operator.eq, "eq")),
    (torch.ne, (operator.ne, torch.not_equal, "ne", "not_equal")),
    (torch.lt, (operator.lt, torch.less, "lt", "less")),
    (torch.le, (operator.le, torch.less_equal, "le", "less_equal")),
    (torch.gt, (operator.gt, torch.greater, "gt", "greater")),
    (torch.ge, (operator.ge, torch.greater_equal, "ge", "greater_equal")),
)
"""Operations on two tensors that do with a number what they do with a tensor of it, and their other names."""


def _register(operation: Callable[..., Any], names: tuple[Any, ...]) -> None:
    @lowers(operation, *names, in_place=tuple(f"{name}_" for name in names if isinstance(name, str)))
    def plain(x: Operand, y: Operand) -> Value:
        return combined(operation, x, y)


for _operation, _names in _PLAIN:
    _register(_operation, _names)


@lowers(operator.add, torch.add, "add", in_place=(operator.iadd, "add_"))
def add(x: Operand, y: Operand, *, alpha: Operand = 1) -> Value:
    """``x + alpha*y``."""
    return _fused(x, y, alpha) if _fuses(y, alpha) else combined(operator.add, x, _times(y, alpha))


@lowers(operator.sub, torch.sub, torch.subtract, "sub", "subtract", in_place=(operator.isub, "sub_"))
def sub(x: Operand, y: Operand, *, alpha: Operand = 1) -> Value:
    """``x - alpha*y``."""
    return _fused(x, y, -alpha) if _fuses(y, alpha) else combined(operator.sub, x, _times(y, alpha))


@lowers(torch.rsub, "rsub")
def rsub(x: Operand, y: Operand, *, alpha: Operand = 1) -> Value:
    """``y - alpha*x``."""
    return sub(y, x, alpha=alpha)


@lowers(in_place=(operator.imul,))
def mul(x: Value, y: Operand) -> Value:
    """``x*y``."""
    return combined(torch.mul, x, y)


@lowers(in_place=(operator.imod,))
def remainder(x: Value, y: Operand) -> Value:
    """The remainder, with the sign of ``y``."""
    return combined(torch.remainder, x, y)


@lowers(
    operator.truediv,
    torch.div,
    torch.divide,
    torch.true_divide,
    "div",
    "divide",
    "true_divide",
    in_place=(operator.itruediv, "div_", "divide_"),
)
def div(x: Operand, y: Operand, *, rounding_mode: str | None = None) -> Value:
    """``x/y``, rounded as asked."""
    if isinstance(x, Number) and isinstance(y, Value) and not isinstance(y, Number):
        return y.call(torch.reciprocal) * x  # what the operator of tensors does
    return combined(torch.div, x, y, rounding_mode=rounding_mode)


@lowers(torch.addcmul, "addcmul", in_place=("addcmul_",))
def addcmul(x: Value, y: Value, z: Value, *, value: Operand = 1) -> Value:
    """``x + value*y*z``."""
    result, (x, y, z, value) = widened(x, y, z, value)
    return x.call(torch.addcmul, y * value, z).to(result)


@lowers(*fused_multiply_add())
def multiply_add(x: Operand, y: Operand, z: Operand) -> Value:
    """``x*y + z``, rounded once."""
    return combined(torch.addcmul, z, *((x, y) if isinstance(y, Number) else (y, x)))


@lowers(torch.addcdiv, "addcdiv", in_place=("addcdiv_",))
def addcdiv(x: Value, y: Value, z: Value, *, value: Operand = 1) -> Value:
    """``x + value*y/z``."""
    result, (wide, y, z, value) = widened(x, y, z, value)
    found: Value = wide + y * value / z
    return found.to(result)


@lowers(torch.lerp, "lerp", in_place=("lerp_",))
def lerp(x: Value, end: Value, weight: Operand) -> Value:
    """``x + weight*(end - x)``."""
    return combined(torch.lerp, x, end, weight)


# Whether an element has a gradient, and whether it is set to the limit.
_ABOVE = operator.ge if has_gradient_on_limit() else operator.gt, operator.lt
_BELOW = operator.le if has_gradient_on_limit() else operator.lt, operator.gt


@lowers(torch.clamp, torch.clip, "clamp", "clip", in_place=(torch.clamp_, "clamp_", "clip_"))
def clamp(x: Value, min: Operand = None, max: Operand = None) -> Value:  # noqa: A002  torch's names
    """Not below ``min``, and then not above ``max``."""
    lower = x if min is None else _limited(x, min, torch.clamp_min, *_ABOVE)
    return lower if max is None else _limited(lower, max, torch.clamp_max, *_BELOW)


def _limited(x: Value, limit: Operand, plain: Any, within: Any, beyond: Any) -> Value:
    """As the kernel for a number does it: ``x`` itself where it equals the limit, as zeros do whatever their sign.

    NaN stays, and has no gradient.
    """
    if not isinstance(limit, Number):
        return combined(plain, x, limit)
    result, (wide, bound) = widened(x, limit, exact=False)
    rest = choose(wide.call(beyond, bound), bound, wide.call("detach"))
    return choose(wide.call(within, bound), wide, rest).to(result)


@lowers(torch.clamp_min, "clamp_min", in_place=(torch.clamp_min_, "clamp_min_"))
def clamp_min(x: Value, min: Operand) -> Value:  # noqa: A002
    """Not below ``min``."""
    return clamp(x, min)


@lowers(torch.clamp_max, "clamp_max", in_place=(torch.clamp_max_, "clamp_max_"))
def clamp_max(x: Value, max: Operand) -> Value:  # noqa: A002
    """Not above ``max``."""
    return clamp(x, None, max)


@lowers(torch.where)
def choose(condition: Value, x: Operand, y: Operand) -> Value:
    """``x`` where the condition holds, ``y`` elsewhere."""
    if not any(isinstance(v, Number) for v in (x, y)):
        return condition.call(torch.where, x, y)
    result, taken = widened(x, y, exact=False)
    return condition.call(torch.where, *taken).to(result)


@lowers("where")
def choose_method(x: Value, condition: Value, other: Operand) -> Value:
    """``x`` where the condition holds, ``other`` elsewhere."""
    return choose(condition, x, other)


@lowers(torch.masked_fill, "masked_fill", in_place=("masked_fill_",))
def masked_fill(x: Value, mask: Value, value: Number) -> Value:
    """``value`` where the mask holds, ``x`` elsewhere."""
    if x.dtype not in HALF:
        return x.call("masked_fill", mask, value.at(x.dtype))
    result, (wide, taken) = widened(x, value, exact=False)
    found: Value = wide.call("masked_fill", mask, taken)
    return found.to(result)


def _fuses(y: Operand, factor: Operand) -> bool:
    return isinstance(factor, Number) and isinstance(y, Value) and not isinstance(y, Number)


def _fused(x: Operand, y: Operand, factor: Operand) -> Value:
    """``x + factor*y``, rounded once, as eager's kernels do."""
    return combined(torch.addcmul, x, y, factor)


def _times(x: Operand, factor: Operand) -> Operand:
    return x if isinstance(factor, int) and factor == 1 else combined(operator.mul, x, factor)


def into(x: Value, found: Value, inplace: bool) -> Value:
    """What was found, written into ``x`` where the call asks for it."""
    return x.call("copy_", found) if inplace else found
