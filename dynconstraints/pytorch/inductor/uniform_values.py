"""Tensors that hold one value in each place, such as ``x * 0``, are made anew by Inductor only of sizes at hand.

It writes ``full(sizes)`` in the place of such a tensor, with the first node of the graph that has each size. A size
that is an input of the graph is there from the start; one that is an expression, as ``2*k``, may be a node further
down, and the graph is not in order then.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import torch


def unless_later(original: Callable[..., bool]) -> Callable[..., bool]:
    """joint_graph._has_self_referential_shape: whether sizes need the node that a tensor of them is to replace."""

    @wraps(original)
    def _has_self_referential_shape(shapes: Sequence[Any], node: Any) -> bool:
        return original(shapes, node) or any(isinstance(s, torch.fx.Node) and node < s for s in shapes)

    return _has_self_referential_shape
