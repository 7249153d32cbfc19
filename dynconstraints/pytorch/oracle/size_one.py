"""Whether a size is 1, not asked where the answer changes nothing.

torch's shape functions ask it of every dimension, since 1 broadcasts and its stride is free, and each answer is a
guard: a second graph for the least size. For two sizes that are one expression there is nothing to broadcast, whatever
its value, and a tensor whose strides are those of its sizes in a row has every view. Each wrapper gives torch's own
result there, for every value alike, and elsewhere leaves the question to torch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from functools import wraps
from itertools import zip_longest
from typing import Any

import sympy
import torch

from dynconstraints.pytorch._torch import eager, shape_env
from dynconstraints.pytorch._torch import inductor as torch_inductor
from dynconstraints.pytorch.frame.restart import KEY


def common_shape(original: Callable[..., Any]) -> Callable[..., Any]:
    """_refs._broadcast_shapes: the shape that shapes broadcast to, each a tuple, an int or None."""

    @wraps(original)
    def _broadcast_shapes(*shapes: Any) -> Any:
        known = [shape for shape in shapes if shape is not None]
        if _declared(size for shape in known if isinstance(shape, Sequence) for size in shape):
            common = _common(known) if all(isinstance(shape, Sequence) for shape in known) else None
            if common is not None:
                return common
        return original(*shapes)

    return _broadcast_shapes


def as_they_are(original: Callable[..., Any]) -> Callable[..., Any]:
    """_refs._maybe_broadcast: tensors expanded to a common shape; numbers and None as they are."""

    @wraps(original)
    def _maybe_broadcast(*args: Any, **kwargs: Any) -> Any:
        shapes = [value.shape for value in args if isinstance(value, torch.Tensor)]
        if shapes and _declared(shapes[0]) and all(_same_shape(shape, shapes[0]) for shape in shapes[1:]):
            return args
        return original(*args, **kwargs)

    return _maybe_broadcast


def common_shape_of_two(original: Callable[..., Any]) -> Callable[..., Any]:
    """fake_impls.infer_size: the shape that two shapes broadcast to."""

    @wraps(original)
    def infer_size(a: Any, b: Any) -> Any:
        common = _common([a, b]) if _declared((*a, *b)) else None
        return original(a, b) if common is None else tuple(common)

    return infer_size


def expanded(original: Callable[..., Any]) -> Callable[..., Any]:
    """prims.broadcast_in_dim's meta function: the tensor with sizes of 1 expanded, and with new dimensions."""

    @wraps(original)
    def broadcast_in_dim(a: Any, shape: Any, dimensions: Any) -> Any:
        strides = _expanded_strides(a, shape, dimensions) if _declared(a.shape) else None
        return original(a, shape, dimensions) if strides is None else a.as_strided(shape, strides, a.storage_offset())

    return broadcast_in_dim


def _expanded_strides(a: Any, shape: Sequence[Any], dimensions: Sequence[int]) -> list[Any] | None:
    """The strides of the expanded tensor, where no value of a symbol matters for them; None elsewhere."""
    kept = {place: dimension for dimension, place in enumerate(dimensions)}
    strides, following = [], 1
    for place in reversed(range(len(shape))):
        size, dimension = shape[place], kept.get(place)
        if dimension is None:
            stride = 0 if _is_several(size) else following if _same(size, 1) else None
        else:
            stride, following = a.stride(dimension), a.stride(dimension) * a.shape[dimension]
            if not _same(size, a.shape[dimension]):
                stride = 0 if _is_several(size) and _same(a.shape[dimension], 1) else None
        if stride is None:
            return None
        strides.append(stride)
    return strides[::-1]


def viewed(original: Callable[..., Any]) -> Callable[..., Any]:
    """_refs._reshape_view_helper: a view of the tensor with other sizes, or a copy where no strides give one."""

    @wraps(original)
    def _reshape_view_helper(a: Any, *shape: Any, allow_copy: bool) -> Any:
        if len(shape) == 1 and isinstance(shape[0], Sequence):
            (shape,) = shape
        if a.ndim and shape and _declared(a.shape) and sympy.sympify(_expression(a.numel())).is_positive:
            sizes = eager.inferred_sizes(shape, a.numel())
            row, new = _row(a.shape), _row(sizes)
            if all(map(_same, a.stride(), row[1:])) and _same(row[0], new[0]):
                return a.as_strided(sizes, new[1:])
        return original(a, *shape, allow_copy=allow_copy)

    return _reshape_view_helper


def contiguous(original: Callable[..., Any]) -> Callable[..., Any]:
    """_prims_common.check_contiguous_sizes_strides: whether a tensor of these sizes and strides is contiguous.

    Inductor, which asks to choose layouts, is told what is known.
    """

    @wraps(original)
    def check_contiguous_sizes_strides(sizes: Any, strides: Any, *args: Any, **kwargs: Any) -> Any:
        if not _declared(sizes):
            return original(sizes, strides, *args, **kwargs)
        if _in_a_row(sizes, strides):
            return True
        with shape_env.unguarded() if torch_inductor.is_lowering() else nullcontext():
            return original(sizes, strides, *args, **kwargs)

    return check_contiguous_sizes_strides


def contiguous_tensor(original: Callable[..., Any]) -> Callable[..., Any]:
    """_prims_common.is_contiguous: whether the tensor is."""

    @wraps(original)
    def is_contiguous(a: Any, *args: Any, **kwargs: Any) -> Any:
        sizes = a.shape
        if _declared(sizes) and _in_a_row(sizes, a.stride()):
            return True
        return original(a, *args, **kwargs)

    return is_contiguous


def recorded(original: Callable[..., Any]) -> Callable[..., Any]:
    """is_contiguous_for_memory_format_or_false, as make_fx asks it of each result, to note the answer beside the graph:
    it notes what is known, without a guard."""

    @wraps(original)
    def is_contiguous_for_memory_format_or_false(a: Any, *, memory_format: Any) -> Any:
        if not _declared(a.shape):
            return original(a, memory_format=memory_format)
        if memory_format == torch.contiguous_format and _in_a_row(a.shape, a.stride()):
            return True
        with shape_env.unguarded():
            return original(a, memory_format=memory_format)

    return is_contiguous_for_memory_format_or_false


def contiguity_unless_known(answer: bool, original: Callable[..., Any]) -> Callable[..., Any]:
    """SymNode.guard_or_false and guard_or_true, which C++ asks: in its first attempt at contiguity, without a guard."""

    @wraps(original)
    def guard_or(self: Any, file: str, line: int) -> bool:
        if file.endswith(shape_env.CONTIGUITY) and KEY in getattr(self.shape_env, "__dict__", ()):
            known = shape_env.known(self)
            return answer if known is None else known
        return original(self, file, line)  # type: ignore[no-any-return]

    return guard_or


def _in_a_row(sizes: Sequence[Any], strides: Sequence[Any]) -> bool:
    """Whether the strides are those of a contiguous tensor, whatever the sizes are."""
    return all(map(_same, strides, _row(sizes)[1:]))


def _row(sizes: Sequence[Any]) -> list[Any]:
    """The number of elements, and the strides of a contiguous tensor of these sizes."""
    row: list[Any] = [1]
    for size in reversed(sizes):
        row.append(row[-1] * size)
    return row[::-1]


def _common(shapes: list[Any]) -> list[Any] | None:
    """The shape that the shapes broadcast to, where no value of a symbol matters for it; None elsewhere."""
    common = []
    for sizes in zip_longest(*map(reversed, shapes), fillvalue=1):
        first, *others = [size for size in sizes if not _same(size, 1)] or [1]
        if not all(_same(size, first) for size in others):
            return None
        common.append(first)
    return common[::-1]


def _same_shape(left: Sequence[Any], right: Sequence[Any]) -> bool:
    return len(left) == len(right) and all(map(_same, left, right))


def _same(left: Any, right: Any) -> bool:
    """Whether two sizes are one number or one expression; no question is asked of torch, and no guard is left."""
    return bool(_expression(left) == _expression(right))


def _is_several(size: Any) -> bool:
    """Whether the size is a number that is not 1."""
    known = sympy.sympify(_expression(size))
    return bool(known.is_number and known != 1)


def _expression(size: Any) -> Any:
    return size.node.expr if isinstance(size, torch.SymInt) else size


def _declared(sizes: Iterable[Any]) -> bool:
    """Whether one of the sizes belongs to a frame with declarations."""
    return any(isinstance(s, torch.SymInt) and KEY in getattr(s.node.shape_env, "__dict__", ()) for s in sizes)
