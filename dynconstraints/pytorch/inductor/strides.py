"""Strides of declared sizes stay expressions over them where Inductor would take the numbers of the first call.

What a forward saves for its backward has the strides that Inductor chose; torch tells them to the compilation of the
backward as numbers, which are those of one size, and guards that, or asserts it at run time. The backward of a
convolution takes the numbers of its gradients' strides to sort them. Both made training a graph a size. The wrappers
act only in graphs with declared sizes, and where the order of the strides is one for all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from itertools import pairwise
from typing import Any

from dynconstraints.pytorch._torch import inductor as torch_inductor
from dynconstraints.pytorch.frame.restart import KEY


class _Sorted(list[Any]):
    """Strides of which only the order is asked."""


def as_expressions(original: Callable[..., None]) -> Callable[..., None]:
    """output_code.set_tracing_context_output_strides: strides of what a compiled forward gives, for its backward."""

    @wraps(original)
    def set_tracing_context_output_strides(inputs: Any, graph: Any) -> None:
        with torch_inductor.strides_as_expressions(KEY):
            original(inputs, graph)

    return set_tracing_context_output_strides


def to_be_sorted(original: Callable[..., Any]) -> Callable[..., Any]:
    """kernel.conv.conv_bwd_input_layout and conv_bwd_weight_layout: the layout of a gradient, of whose strides the
    lowering asks the order."""

    @wraps(original)
    def layout_of(*args: Any, **kwargs: Any) -> Any:
        layout = original(*args, **kwargs)
        layout.stride = _Sorted(layout.stride)
        return layout

    return layout_of


def ordered(original: Callable[..., list[int]]) -> Callable[..., list[int]]:
    """SizeVarAllocator.guard_int_seq: numbers in the place of expressions, with a guard."""

    @wraps(original)
    def guard_int_seq(self: Any, left: Sequence[Any]) -> list[int]:
        if isinstance(left, _Sorted) and KEY in self.shape_env.__dict__ and (ranks := _ranks(self, left)):
            return ranks
        return original(self, left)

    return guard_int_seq


def _ranks(sizes: Any, strides: Sequence[Any]) -> list[int]:
    """Numbers in the order of the strides; empty where that depends on the sizes."""
    hint = torch_inductor.inductor_strides().hint
    ascending = sorted(range(len(strides)), key=lambda i: hint(sizes, strides[i]))
    ranks, rank = [0] * len(strides), 0
    for before, after in pairwise(ascending):
        if not sizes.statically_known_leq(strides[before], strides[after]):
            return []
        rank += not sizes.statically_known_equals(strides[before], strides[after])
        ranks[after] = rank
    return ranks
