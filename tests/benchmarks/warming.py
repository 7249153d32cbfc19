"""A program unlike those of the sweeps, compiled in each approach's way: what torch loads and fills only once."""

from __future__ import annotations

import torch
import torch._dynamo as dynamo
import torch.nn.functional as F

from dynconstraints import DynamicInt, dynamic_int_constraints, name_dims


class Mixed(torch.nn.Module):
    """An operation of each kind."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 4, 3, padding=1)
        self.linear, self.norm = torch.nn.Linear(5, 4), torch.nn.LayerNorm(5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        height, width = x.shape[2:]
        y = F.interpolate(torch.relu(self.conv(x)), scale_factor=2.0)
        y = torch.cat([y, y], 1).reshape(x.shape[0], -1, 5)
        z = F.softmax(self.linear(self.norm(y)), -1)
        folded = F.fold(F.unfold(x, 5, stride=5), (height, width), 5, stride=5)
        loss = F.cross_entropy(z.reshape(-1, 4), torch.zeros(z.numel() // 4, dtype=torch.int64))
        products = (y @ y.transpose(-2, -1)).permute(0, 2, 1).mean()
        return z.sum() + folded.sum() + loss + products + F.pixel_shuffle(y.new_zeros(1, 4, height, width), 2).sum()


def warm_up() -> None:
    """Compile it as dynamic, marked and declared, at a general size and at the least."""
    module = Mixed().eval().requires_grad_(False)
    for way in ("dynamic", "marked", "declared"):
        dynamo.reset()
        compiled = torch.compile(module, backend="eager", dynamic=True if way == "dynamic" else None)
        for size in ((10, 15), (5, 5)):
            x = torch.randn(1, 3, *size)
            if way == "marked":
                for dimension in (2, 3):
                    dynamo.maybe_mark_dynamic(x, dimension)
            if way == "declared":
                name_dims(x, {2: "p", 3: "q"})
            with dynamic_int_constraints(["p % 5 == 0", "q % 5 == 0", "p >= 5", "q >= 5"] if way == "declared" else []):
                compiled(x)
    rows = torch.compile(lambda n, x: x.view(-1, n) * n, backend="eager")
    rows(DynamicInt(9, name="zz", constraints=["zz % 3 == 0"]), torch.ones(27))
