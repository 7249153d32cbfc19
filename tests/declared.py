"""Programs and declarations that tests of `declare` share."""

from __future__ import annotations

import torch

RULES = ["h % 32 == 0", "2 <= b <= 64", "32 <= h <= 4096"]
SIZES = [(2, 64), (3, 96), (4, 32), (5, 128), (2, 32)]
TEXTS = {"x": "b h", "y": "b 2*h", "constraints": RULES}


def pairs(b: int, h: int) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.randn(b, h), torch.randn(b, 2 * h)


def halves(x: torch.Tensor) -> torch.Tensor:
    return x.view(-1, 32).sum(1) * x.shape[1]


def both(x, y):
    return halves(x), y * 2


class Net(torch.nn.Module):
    def forward(self, x, y):
        return both(x, y)
