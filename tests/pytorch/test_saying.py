"""The names that a program has for the sizes of its arguments, read from its source."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from dynconstraints.pytorch.reports.suggesting.source_names import names_in_source

Float = dict[Any, Any]
Tensor = torch.Tensor


def unpacked(x, y):  # type: ignore[no-untyped-def]
    b, _, h, w = x.shape
    n = y.size(0)
    return b, h, w, n


def from_the_end(x):  # type: ignore[no-untyped-def]
    h, w = x.shape[-2:]
    channels = x.shape[1]
    return h, w, channels


def one_by_one(x, batch):  # type: ignore[no-untyped-def]
    rows = x.shape[-1]
    if rows:
        columns = x.size(dim=0)
        length = batch["ids"].shape[1]
    return rows, columns, length


def annotated(x: Float[Tensor, "batch 3 height width"], y: Float[Tensor, "*rest d"]) -> None:  # type: ignore[type-arg]  # noqa: F722
    return None


def changed_before(x, y):  # type: ignore[no-untyped-def]
    x = x.permute(0, 2, 1)
    b, c, h = x.shape
    d, e = y.shape
    return b, c, h, d, e


def of_something_else(x):  # type: ignore[no-untyped-def]
    z = x * 2
    b, c = z.shape
    n, m = x.T.shape
    return b, c, n, m


CASES = [
    (unpacked, {"x": 4, "y": 1}, {("x", 0): "b", ("x", 2): "h", ("x", 3): "w", ("y", 0): "n"}),
    (from_the_end, {"x": 4}, {("x", 2): "h", ("x", 3): "w", ("x", 1): "channels"}),
    (one_by_one, {"x": 2, 'batch["ids"]': 2}, {("x", 1): "rows", ('batch["ids"]', 1): "length"}),
    (annotated, {"x": 4, "y": 2}, {("x", 0): "batch", ("x", 2): "height", ("x", 3): "width"}),
    (changed_before, {"x": 3, "y": 2}, {("y", 0): "d", ("y", 1): "e"}),
    (of_something_else, {"x": 2}, {}),
    (torch.nn.functional.linear, {"x": 2}, {}),
    (lambda x: x.shape, {"x": 2}, {}),
]


@pytest.mark.parametrize(("function", "ranks", "expected"), CASES, ids=[f.__name__ for f, *_ in CASES])
def test_a_name_is_taken_where_it_can_only_mean_that_size(
    function: Callable[..., Any], ranks: dict[str, int], expected: dict[tuple[str, int], str]
) -> None:
    """Of an argument as it came: not of one that is assigned anew, nor of what is made from it."""
    assert names_in_source(function, ranks) == expected
