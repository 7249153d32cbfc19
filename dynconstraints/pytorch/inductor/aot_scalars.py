"""Floats of declared sizes on their way through AOTAutograd, which makes tensors of floats that tensors meet.

torch has no tensor operation for several functions that a size is made of, and fails where it meets one: the remainder
of something that may be negative, as padding to a multiple has it, is the one that every program knows. In functions
that a call has declared something to, the missing ones are here, and where there is none, the float stays the number
that it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, wraps
from types import CodeType
from typing import Any
from weakref import WeakSet

import torch

from dynconstraints.pytorch._torch import compilation, shape_env

_declared: WeakSet[CodeType] = WeakSet()
"""What was compiled with a declaration once. A later call may have none, and compiles the same sizes."""


def complete_in(code: CodeType) -> None:
    """Have the missing operations when the function is compiled, now and later."""
    _declared.add(code)


def completed(original: Callable[..., Any]) -> Callable[..., Any]:
    """_run_sympy_handler, as the pass calls it: the tensor of an expression, given those of its arguments."""

    @wraps(original)
    def _run_sympy_handler(analysis: Any, args: Sequence[Any], expr: Any, *rest: Any, **named: Any) -> Any:
        if compilation.code_of_compilation() not in _declared:
            return original(analysis, args, expr, *rest, **named)
        own = _operations().get(expr.func)
        if own is not None:
            return own(*args)
        try:
            return original(analysis, args, expr, *rest, **named)
        except (AttributeError, KeyError):  # no handler, or none with tensors
            raise NotImplementedError(f"no operation on tensors is known for {expr.func.__name__}") from None

    return _run_sympy_handler


def _quotient(a: Any, b: Any) -> Any:
    return torch.ops.aten.div.Tensor_mode(a, b, rounding_mode="floor")


@cache
def _operations() -> Mapping[Any, Callable[..., Any]]:
    """Tensor operations by the functions that torch has none for; a remainder has the sign of the divisor."""
    known, aten = shape_env.functions(), torch.ops.aten
    remainder, negative = aten.remainder.Tensor, aten.neg.default
    found: dict[Any, Callable[..., Any]] = {
        known.PythonMod: remainder,
        known.Mod: remainder,
        known.ModularIndexing: lambda base, divisor, modulus: remainder(_quotient(base, divisor), modulus),
        known.CeilDiv: lambda a, b: negative(_quotient(negative(a), b)),
        known.Where: aten.where.self,
        known.TruncToFloat: aten.trunc.default,
        known.Identity: lambda a: a,
    }
    return {function: operation for function, operation in found.items() if function is not None}
