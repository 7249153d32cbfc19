"""The programs that the sweeps compile: each with the facts about its sizes, valid sizes, and names of dimensions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F


@dataclass(frozen=True)
class Program:
    """A function of tensors and ints; ``arguments`` makes them for one size; ``dims`` names their dimensions in order.

    An int argument has a name in place of the mapping; None leaves an argument undeclared.
    """

    name: str
    make: Callable[[], Callable[..., torch.Tensor]]
    constraints: tuple[str, ...]
    sizes: Sequence[Any]
    arguments: Callable[[Any], tuple[Any, ...]]
    dims: tuple[Any, ...]


class UNet(torch.nn.Module):
    """Four stride-2 convolutions down, four upsamplings with skip connections up."""

    def __init__(self, channels: int = 8) -> None:
        super().__init__()
        c = [3, *(channels * 2**i for i in range(4))]
        self.down = torch.nn.ModuleList(torch.nn.Conv2d(a, b, 3, 2, 1) for a, b in pairwise(c))
        self.up = torch.nn.ModuleList(torch.nn.Conv2d(b + a, a, 3, 1, 1) for a, b in pairwise(c))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        skips = []
        for layer in self.down:
            skips.append(x)
            x = torch.relu(layer(x))
        for layer in reversed(self.up):
            x = F.interpolate(x, scale_factor=2.0)
            x = torch.relu(layer(torch.cat([x, skips.pop()], 1)))
        return x


class WindowAttention(torch.nn.Module):
    """Swin's block: partition into 7x7 windows, attention in each, and back."""

    def __init__(self, dim: int = 32, heads: int = 4, window: int = 7) -> None:
        super().__init__()
        self.heads, self.window = heads, window
        self.norm, self.qkv, self.out = (
            torch.nn.LayerNorm(dim),
            torch.nn.Linear(dim, 3 * dim),
            torch.nn.Linear(dim, dim),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        b, h, w, c = x.shape
        k = self.window
        y = self.norm(x).view(b, h // k, k, w // k, k, c).permute(0, 1, 3, 2, 4, 5).reshape(-1, k * k, c)
        q, key, v = self.qkv(y).view(-1, k * k, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4)
        y = F.softmax(q @ key.transpose(-2, -1) * (c // self.heads) ** -0.5, -1) @ v
        y = self.out(y.transpose(1, 2).reshape(-1, k * k, c))
        return x + y.view(b, h // k, w // k, k, k, c).permute(0, 1, 3, 2, 4, 5).reshape(b, h, w, c)


def pixel(x: torch.Tensor) -> torch.Tensor:
    y = F.pixel_unshuffle(x, 4)
    return F.pixel_shuffle(torch.relu(y) * 2 + 1, 4) + x


def grouped_attention(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    b, hq, s, d = q.shape
    kv = k.shape[1]
    groups = hq // kv
    k = k[:, :, None].expand(b, kv, groups, s, d).reshape(b, kv * groups, s, d)
    v = v[:, :, None].expand(b, kv, groups, s, d).reshape(b, kv * groups, s, d)
    blocks = (q @ k.transpose(-2, -1) * d**-0.5).softmax(-1) @ v
    return blocks.view(b, hq, s // 64, 64, d).mean(3)


def patchify(x: torch.Tensor) -> torch.Tensor:
    b, c, h, w = x.shape
    p = 4
    y = x.view(b, c, h // p, p, w // p, p).permute(0, 2, 4, 1, 3, 5).reshape(b, (h // p) * (w // p), c * p * p)
    y = F.layer_norm(y, (c * p * p,))
    y = y.view(b, h // p, w // p, c, p, p).permute(0, 3, 1, 4, 2, 5).reshape(b, c, h, w)
    return F.fold(F.unfold(y, p, stride=p), (h, w), p, stride=p) + x


def halves(n: int, x: torch.Tensor) -> torch.Tensor:
    rows = x.view(-1, n)
    return torch.softmax(rows[:, : n // 2] * 2 + rows[:, n // 2 :], -1)


def chunked_cross_entropy(x: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    t = x.shape[0]
    total = x.new_zeros(())
    for part, labels in zip(x.view(8, t // 8, -1), target.view(8, t // 8), strict=True):
        total = total + F.cross_entropy(part, labels, reduction="sum")
    return total / t


def _pairs(step: int, sizes: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    return [(a * step, b * step) for a, b in sizes]


_TEN = [(4, 6), (6, 4), (5, 5), (3, 8), (10, 15), (2, 2), (7, 3), (9, 12), (1, 4), (16, 16)]


def _image(channels: int) -> Callable[[tuple[int, int]], tuple[torch.Tensor]]:
    return lambda hw: (torch.randn(2, channels, *hw),)


PROGRAMS = (
    Program(
        "U-Net",
        lambda: UNet().eval().requires_grad_(False),
        ("h % 16 == 0", "w % 16 == 0", "h >= 16", "w >= 16"),
        _pairs(16, _TEN),
        _image(3),
        ({2: "h", 3: "w"},),
    ),
    Program(
        "Swin",
        lambda: WindowAttention().eval().requires_grad_(False),
        ("h % 7 == 0", "w % 7 == 0", "h >= 7", "w >= 7"),
        _pairs(7, _TEN),
        lambda hw: (torch.randn(2, *hw, 32),),
        ({1: "h", 2: "w"},),
    ),
    Program(
        "pixel",
        lambda: lambda x: pixel(x),
        ("h % 4 == 0", "w % 4 == 0", "h >= 4", "w >= 4"),
        _pairs(4, _TEN),
        _image(3),
        ({2: "h", 3: "w"},),
    ),
    Program(
        "GQA",
        lambda: lambda q, k, v: grouped_attention(q, k, v),
        ("hq == 4*kv", "s % 64 == 0", "kv >= 1", "s >= 64"),
        [(4, 192), (3, 128), (2, 64), (2, 256), (5, 64), (8, 128), (6, 320), (3, 64), (1, 128), (7, 192)],
        lambda kv_s: (
            torch.randn(2, 4 * kv_s[0], kv_s[1], 16),
            torch.randn(2, kv_s[0], kv_s[1], 16),
            torch.randn(2, kv_s[0], kv_s[1], 16),
        ),
        ({1: "hq", 2: "s"}, {1: "kv", 2: "s"}, {1: "kv", 2: "s"}),
    ),
    Program(
        "patchify",
        lambda: lambda x: patchify(x),
        ("h % 4 == 0", "w % 4 == 0", "h >= 4", "w >= 4"),
        _pairs(4, _TEN),
        _image(3),
        ({2: "h", 3: "w"},),
    ),
    Program(
        "int n",
        lambda: lambda n, x: halves(n, x),
        ("n % 16 == 0", "n >= 16", "rows >= 1"),
        [64, 48, 128, 32, 96, 160, 112, 256, 16, 80],
        lambda n: (n, torch.randn(24 * n)),
        ("n", {0: "rows*n"}),
    ),
    Program(
        "chunked CE",
        lambda: lambda x, target: chunked_cross_entropy(x, target),
        ("t % 8 == 0", "t >= 8"),
        [64, 48, 128, 32, 96, 160, 112, 256, 8, 80],
        lambda t: (torch.randn(t, 10), torch.randint(0, 10, (t,))),
        ({0: "t"}, {0: "t"}),
    ),
)
