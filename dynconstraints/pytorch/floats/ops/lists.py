"""Operations on lists of tensors, as optimizers use them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from dynconstraints.pytorch._torch.eager import foreach
from dynconstraints.pytorch.floats.ops import elementwise as single
from dynconstraints.pytorch.floats.ops import powers
from dynconstraints.pytorch.floats.ops.whole import whole, written_out
from dynconstraints.pytorch.floats.table import NotLowered, kept, lowers
from dynconstraints.pytorch.floats.values import HALF, Number, Operand, Value, widened

_EACH: dict[str, Callable[..., Value]] = {
    "add": lambda x, y, alpha=1: single.add(x, y, alpha=alpha),
    "sub": lambda x, y, alpha=1: single.sub(x, y, alpha=alpha),
    "mul": lambda x, y: x * y,
    "div": lambda x, y: x / y,
    "pow": lambda x, y: powers.power(x, y),
    "clamp_min": lambda x, y: single.clamp_min(x, y),
    "clamp_max": lambda x, y: single.clamp_max(x, y),
    "maximum": lambda x, y: single.clamp_min(x, y),
    "minimum": lambda x, y: single.clamp_max(x, y),
    "lerp": lambda x, end, weight: single.lerp(x, end, weight),
    "addcmul": lambda x, y, z, value=1: single.addcmul(x, y, z, value=value),
    "addcdiv": lambda x, y, z, value=1: single.addcdiv(x, y, z, value=value),
}


@written_out("listed.mul_")
def _rounded_product(x: Value, y: Operand) -> Value:
    _, (wide, factor) = widened(x, y, exact=False)
    found: Value = wide * factor
    return found.to(x.dtype)


def _multiplied(x: Value, y: Operand) -> Value:
    """In place eager rounds a number to half precision first, as it does nowhere else."""
    return whole("listed.mul_", x, y) if isinstance(y, Number) and x.dtype in HALF else x * y


_IN_PLACE = {**_EACH, "mul": _multiplied}


def _register(name: str) -> None:
    def updated(update: Callable[..., Value], xs: list[Value], *operands: Operand, **options: Operand) -> list[Value]:
        if not isinstance(xs, list):
            raise NotLowered  # a number to the power of each
        columns = [_column(v, len(xs)) for v in operands]
        named = {key: _column(v, len(xs)) for key, v in options.items()}
        return [
            update(x, *(c[i] for c in columns), **{key: c[i] for key, c in named.items()}) for i, x in enumerate(xs)
        ]

    @lowers(foreach(name))
    def functional(xs: list[Value], *operands: Operand, **options: Operand) -> Value:
        found = updated(_EACH[name], xs, *operands, **options)
        # Some node has to make a list of them; a product with 1 is the cheapest that does, and fuses away.
        return Value(xs[0].emit, xs[0].emit(foreach("mul"), found, 1))

    @lowers(foreach(f"{name}_"))
    def in_place(xs: list[Value], *operands: Operand, **options: Operand) -> Value:
        found = updated(_IN_PLACE[name], [kept(x) for x in xs], *operands, **options)
        if not all(torch.can_cast(after.dtype, x.dtype) for x, after in zip(xs, found, strict=True)):
            raise NotLowered  # eager refuses it
        return Value(xs[0].emit, xs[0].emit(foreach("copy_"), xs, found))


def _column(operand: Operand, count: int) -> list[Any]:
    return list(operand) if isinstance(operand, list | tuple) else [operand] * count


for _name in _EACH:
    _register(_name)
