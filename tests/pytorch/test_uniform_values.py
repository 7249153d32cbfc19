"""Tensors that hold one value in each place, of declared sizes, which Inductor makes anew."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from dynconstraints import explain, name_dims


def times_zero(x: torch.Tensor) -> torch.Tensor:
    t = x * 0
    return (t.new_zeros(t.size()) + t).sum()


def minus_nothing(x: torch.Tensor) -> torch.Tensor:
    t = torch.zeros_like(x) * x
    return t + torch.ones(t.shape[0])


def of_a_part(x: torch.Tensor) -> torch.Tensor:
    t = x[: x.shape[0] // 2] * 0
    return t.new_ones(t.size()) * t + 1


@pytest.mark.parametrize("program", [times_zero, minus_nothing, of_a_part])
def test_a_size_that_is_no_input_of_the_graph_is_one_of_such_a_tensor(program: Callable[..., torch.Tensor]) -> None:
    """Inductor has a graph in order, and one for all of the domain: of 2*k, which n is, no input has the value."""
    x = name_dims(torch.arange(6.0), {0: "n"}, constraints=["n % 2 == 0", "4 <= n <= 12"])
    assert explain(program, x).covers_domain is True
