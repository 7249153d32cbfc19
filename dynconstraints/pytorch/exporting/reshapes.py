"""Reshapes in an exported program: whether one is a view is no question of one example's.

Where it depends on the sizes, and torch would guard what the example says, the trace takes it for a copy. What runs the
program asks the tensor at hand, or copies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from typing import Any

import sympy
import torch

from dynconstraints.pytorch._torch.eager import inferred_sizes
from dynconstraints.pytorch._torch.exporting import composite_kernel, unsafe_view
from dynconstraints.pytorch._torch.shape_env import evaluated
from dynconstraints.pytorch.exporting.tracing import is_exported


def copied_unless_known() -> Callable[[], None]:
    """Have traces ask this of reshapes; what is returned undoes it."""
    reshape = composite_kernel(torch.ops.aten.reshape.default, _reshape)
    flatten = composite_kernel(torch.ops.aten.flatten.using_ints, _flatten)

    def undo() -> None:
        reshape()
        flatten()

    return undo


def overlap_unless_known(original: Callable[..., Any]) -> Callable[..., Any]:
    """torch._debug_has_internal_overlap, which says whether elements of a tensor share memory before it is written to:
    what runs the program asks the tensor at hand."""

    @wraps(original)
    def _debug_has_internal_overlap(tensor: Any) -> Any:
        numbers = (*tensor.shape, *tensor.stride())
        if _env(numbers) is None or 0 in [stride for stride in tensor.stride() if isinstance(stride, int)]:
            return original(tensor)
        return _TOO_HARD

    return _debug_has_internal_overlap


_TOO_HARD = 2
"""What torch answers where it can't tell."""


def _reshape(original: Callable[..., Any], tensor: Any, shape: Sequence[Any]) -> Any:
    env = _env((*tensor.shape, *shape))
    if env is None or tensor.is_sparse or not _depends(env, tensor, inferred_sizes(shape, tensor.numel())):
        return original(tensor, shape)
    copy = tensor.clone(memory_format=torch.contiguous_format)
    return unsafe_view(copy, shape)  # as torch's own reshape does


def _flatten(original: Callable[..., Any], tensor: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    if tensor.dim() == 0 or _env(tensor.shape) is None:
        return original(tensor, start_dim, end_dim)
    first, last = start_dim % tensor.dim(), end_dim % tensor.dim()
    if first >= last:
        return original(tensor, start_dim, end_dim)
    whole: Any = 1
    for size in tensor.shape[first : last + 1]:
        whole = whole * size
    return tensor.reshape([*tensor.shape[:first], whole, *tensor.shape[last + 1 :]])


def _env(sizes: Iterable[Any]) -> Any:
    """The ShapeEnv of an exported program, if the sizes are of one."""
    envs = (size.node.shape_env for size in sizes if isinstance(size, torch.SymInt))
    return next((env for env in envs if is_exported(env)), None)


def _depends(env: Any, tensor: Any, shape: Sequence[Any]) -> bool:
    """Whether the reshape is a view for some of the declared sizes alone, as far as is known.

    From the last dimension on, those that lie in one piece are a chunk, which sizes of the new shape have to fill.
    """
    old = [_expression(size) for size in tensor.shape]
    strides = [_expression(stride) for stride in tensor.stride()]
    new = [_expression(size) for size in shape]
    if not old or sympy.S.Zero in old:
        return False
    view, numel, base, filled = len(new) - 1, sympy.S.One, strides[-1], sympy.S.One
    for dimension in range(len(old) - 1, -1, -1):
        numel = numel * old[dimension]
        if dimension:
            next_size, next_stride = old[dimension - 1], strides[dimension - 1]
            ends = _truth(env, sympy.Ne(next_size, 1)), _truth(env, sympy.Ne(next_stride, numel * base))
            if False in ends:
                continue
            if None in ends:
                return True
        while view >= 0:
            more = _truth(env, sympy.Lt(filled, numel)), _truth(env, sympy.Eq(new[view], 1))
            if True not in more:
                if None in more:
                    return True
                break
            filled *= new[view]
            view -= 1
        if _truth(env, sympy.Eq(filled, numel)) is not True:
            return _truth(env, sympy.Eq(filled, numel)) is None
        if dimension:
            numel, base, filled = sympy.S.One, strides[dimension - 1], sympy.S.One
    return False


def _truth(env: Any, condition: Any) -> bool | None:
    condition = sympy.sympify(condition)
    return bool(condition) if condition in (sympy.true, sympy.false) else evaluated(env, condition)


def _expression(size: Any) -> Any:
    return size.node.expr if isinstance(size, torch.SymInt) else sympy.Integer(size)
