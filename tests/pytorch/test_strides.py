"""Training of convolutions by Inductor: one graph, where torch takes the strides of the first size for all of them."""

from __future__ import annotations

import pytest
import torch
from compiled import Compiled
from torch import nn

from dynconstraints import dynamic_int_constraints, name_dims

DECLARED = ["h % 16 == 0", "w % 16 == 0", "16 <= h <= 64", "16 <= w <= 64"]
SIZES = [(32, 64), (16, 16), (64, 16), (48, 48), (64, 64)]


@pytest.mark.parametrize("first", [0, 1], ids=["least size later", "least size first"])
def test_convolutions_train_on_one_graph(first: int) -> None:
    """Strided, transposed and normalised; the gradients of all parameters and of the input are eager's."""
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(3, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.ReLU(), nn.ConvTranspose2d(8, 4, 4, 2, 1), nn.Conv2d(4, 2, 1)
    ).double()
    compiled = Compiled(model, backend="inductor")
    for h, w in (SIZES[first], *SIZES):
        x = torch.randn(2, 3, h, w, dtype=torch.float64)
        with dynamic_int_constraints(DECLARED):
            got = _trained(compiled, model, name_dims(x.clone(), {2: "h", 3: "w"}))
        torch.testing.assert_close(got, _trained(model, model, x))
    assert compiled.graphs == 1


def _trained(call, model: nn.Module, x: torch.Tensor) -> list[torch.Tensor]:  # type: ignore[no-untyped-def]  # any call
    """The output and all gradients."""
    model.zero_grad()
    output = call(x.requires_grad_())
    output.square().sum().backward()
    return [output.detach(), x.grad, *(p.grad.clone() for p in model.parameters())]  # type: ignore[list-item,union-attr]
