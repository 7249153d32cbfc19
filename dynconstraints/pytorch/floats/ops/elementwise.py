"""Operations that work element by element: arithmetic, comparisons, choices, and their in-place forms."""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import partial
from typing import Any

import torch

from dynconstraints.pytorch._torch.eager import fused_multiply_add, has_gradient_on_limit
from dynconstraints.pytorch.floats.ops.whole import whole, written_out
from dynconstraints.pytorch.floats.table import NotLowered, kept, lowers
from dynconstraints.pytorch.floats.values import HALF, Number, Operand, Value, combined, widened

# Not floor division: Inductor rounds the quotient of tensors before it takes the floor, and 1.5 // 0.1 is 14.
_PLAIN: tuple[tuple[Callable[..., Any], Callable[..., Any] | None, tuple[Any, ...]], ...] = (
    (torch.mul, operator.mul, (torch.multiply, "mul", "multiply")),
    (torch.remainder, operator.mod, ("remainder",)),
    (torch.fmod, None, ("fmod",)),
    (torch.eq, operator.eq, ("eq",)),
    (torch.ne, operator.ne, (torch.not_equal, "ne", "not_equal")),
    (torch.lt, operator.lt, (torch.less, "lt", "less")),
    (torch.le, operator.le, (torch.less_equal, "le", "less_equal")),
    (torch.gt, operator.gt, (torch.greater, "gt", "greater")),
    (torch.ge, operator.ge, (torch.greater_equal, "ge", "greater_equal")),
)
"""Operations that do with a number what they do with a tensor of it, unless it comes first; and their other names."""


def _register(full_name: str, operation: Callable[..., Any], names: tuple[Any, ...]) -> None:
    @written_out(full_name)
    def of_number_first(x: Operand, y: Operand) -> Value:
        return combined(operation, x, y)

    @lowers(*names, in_place=tuple(f"{name}_" for name in names if isinstance(name, str)))
    def plain(x: Operand, y: Operand) -> Value:
        return of_number_first(x, y) if isinstance(x, Number) else combined(operation, x, y)


for _operation, _operator, _names in _PLAIN:
    _register(f"torch.{_operation.__name__}", _operation, (_operation, *_names))
    if _operator is not None:
        _register(f"operator.{_operator.__name__}", _operation, (_operator,))


@written_out("torch.copysign", torch.copysign, "copysign", in_place=("copysign_",))
def copysign(x: Operand, y: Operand) -> Value:
    """``x`` with the sign of ``y``."""
    return combined(torch.copysign, x, y)


@written_out("torch.xlogy", torch.xlogy, torch.special.xlogy, "xlogy", in_place=("xlogy_",))
def xlogy(x: Operand, y: Operand) -> Value:
    """``x*log(y)``, zero where ``x`` is."""
    return combined(torch.xlogy, x, y)


@lowers(operator.add, torch.add, "add", in_place=(operator.iadd, "add_"))
def add(x: Operand, y: Operand, *, alpha: Operand = 1) -> Value:
    """``x + alpha*y``."""
    return combined(operator.add, x, y) if _is_one(alpha) else _added(x, y, alpha=alpha)


@lowers(operator.sub, torch.sub, torch.subtract, "sub", "subtract", in_place=(operator.isub, "sub_"))
def sub(x: Operand, y: Operand, *, alpha: Operand = 1) -> Value:
    """``x - alpha*y``."""
    if any(isinstance(v, Value) and not isinstance(v, Number) and v.dtype == torch.bool for v in (x, y)):
        raise NotLowered  # eager refuses truth values, which fake tensors do not
    return combined(operator.sub, x, y) if _is_one(alpha) else _subtracted(x, y, alpha=alpha)


@written_out("torch.add")
def _added(x: Operand, y: Operand, *, alpha: Operand) -> Value:
    return _fused(x, y, alpha) if _fuses(y, alpha) else combined(operator.add, x, y * alpha)


@written_out("torch.sub")
def _subtracted(x: Operand, y: Operand, *, alpha: Operand) -> Value:
    return _fused(x, y, -alpha) if _fuses(y, alpha) else combined(operator.sub, x, y * alpha)


def _is_one(factor: Operand) -> bool:
    return isinstance(factor, int) and factor == 1


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


@lowers(operator.truediv, in_place=(operator.itruediv,))
def quotient(x: Operand, y: Operand) -> Value:
    """``x/y``, by the operators of tensors: with the number first the reciprocal times it."""
    if isinstance(x, Number):
        found: Value = y.call(torch.reciprocal) * x
        return found
    return combined(torch.div, x, y)


@lowers(
    *(torch.div, torch.divide, torch.true_divide, "div", "divide", "true_divide"),
    in_place=("div_", "divide_", "true_divide_"),
)
def div(x: Operand, y: Operand, *, rounding_mode: str | None = None) -> Value:
    """``x/y``, rounded as asked."""
    divided = _divided if isinstance(x, Number) else partial(combined, torch.div)
    return divided(x, y, rounding_mode=rounding_mode)


@written_out("torch.div")
def _divided(x: Operand, y: Operand, *, rounding_mode: str | None = None) -> Value:
    return combined(torch.div, x, y, rounding_mode=rounding_mode)


@written_out("torch.addcmul", torch.addcmul, "addcmul", in_place=("addcmul_",))
def addcmul(x: Value, y: Value, z: Value, *, value: Operand = 1) -> Value:
    """``x + value*y*z``."""
    result, (x, y, z, value) = widened(x, y, z, value)
    return x.call(torch.addcmul, y * value, z).to(result)


# Not guarded, since Dynamo takes these apart with a constant, which does as little refuse what is too large.
@written_out("torch.addcdiv", torch.addcdiv, "addcdiv", in_place=("addcdiv_",), guarded=False)
def addcdiv(x: Value, y: Value, z: Value, *, value: Operand = 1) -> Value:
    """``x + value*y/z``."""
    result, (wide, y, z, value) = widened(x, y, z, value)
    found: Value = wide + y * value / z
    return found.to(result)


@lowers(*fused_multiply_add(), guarded=False)
def multiply_add(x: Value, y: Number, z: Value) -> Value:
    """``x*y + z``, where Dynamo has taken ``z.addcmul_(u, v, value=y)`` or ``addcdiv_`` apart, and ``x`` is ``u*v``."""
    made = x.proxy.node
    whole_call = {torch.mul: addcmul, torch.div: addcdiv}.get(made.target)
    if whole_call is None or len(made.args) != 2 or made.kwargs:
        raise NotLowered
    u, v = (Value(x.emit, torch.fx.Proxy(a, x.emit.tracer)) for a in made.args)
    return whole_call(kept(z), u, v, value=y)  # Dynamo writes it into z


@written_out("torch.lerp", torch.lerp, "lerp", in_place=("lerp_",))
def lerp(x: Value, end: Value, weight: Operand) -> Value:
    """``x + weight*(end - x)``."""
    return combined(torch.lerp, x, end, weight)


# Whether an element has a gradient, and whether it is set to the limit.
_ABOVE = operator.ge if has_gradient_on_limit() else operator.gt, operator.lt
_BELOW = operator.le if has_gradient_on_limit() else operator.lt, operator.gt


def clamped(x: Value, low: Operand, high: Operand) -> Value:
    """Not below ``low``, and then not above ``high``."""
    lower = x if low is None else _limited(x, low, torch.clamp_min, *_ABOVE)
    return lower if high is None else _limited(lower, high, torch.clamp_max, *_BELOW)


@written_out("torch.clamp", torch.clamp, torch.clip, "clamp", "clip", in_place=(torch.clamp_, "clamp_", "clip_"))
def clamp(x: Value, min: Operand = None, max: Operand = None) -> Value:  # noqa: A002  torch's names
    """Not below ``min``, and then not above ``max``."""
    return clamped(x, min, max)


def _limited(x: Value, limit: Operand, plain: Any, within: Any, beyond: Any) -> Value:
    """As the kernel for a number does it: ``x`` itself where it equals the limit, as zeros do whatever their sign.

    NaN stays, and has no gradient.
    """
    if not isinstance(limit, Number):
        return combined(plain, x, limit)
    result, (wide, bound) = widened(x, limit, exact=False)
    rest = choose(wide.call(beyond, bound), bound, wide.call("detach"))
    return choose(wide.call(within, bound), wide, rest).to(result)


@written_out("torch.clamp_min", torch.clamp_min, "clamp_min", in_place=(torch.clamp_min_, "clamp_min_"))
def clamp_min(x: Value, min: Operand) -> Value:  # noqa: A002  torch's names
    """Not below ``min``."""
    return clamped(x, min, None)


@written_out("torch.clamp_max", torch.clamp_max, "clamp_max", in_place=(torch.clamp_max_, "clamp_max_"))
def clamp_max(x: Value, max: Operand) -> Value:  # noqa: A002
    """Not above ``max``."""
    return clamped(x, None, max)


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
    if not (x.dtype.is_floating_point or x.dtype.is_complex):
        return whole("torch.masked_fill", x, mask, value)  # which makes an integer of it, or refuses it
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
