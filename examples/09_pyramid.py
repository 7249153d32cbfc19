"""A detection head over a feature pyramid: each level is twice the next, said once, where the levels are declared."""

import torch
import torch.nn.functional as F
from beside import beside

from dynconstraints import name_dims

torch.set_grad_enabled(False)
torch.set_num_threads(1)
CHANNELS, ANCHORS = 16, 3


class Head(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lateral = torch.nn.ModuleList(torch.nn.Linear(width, CHANNELS) for width in (16, 32, 64))
        self.boxes = torch.nn.Linear(CHANNELS, ANCHORS * 4)

    def forward(self, *levels: torch.Tensor) -> torch.Tensor:
        """Boxes of all levels, finest first; each coarser level flows into the finer one that it is half of."""
        merged, boxes = None, []
        for layer, level in reversed(list(zip(self.lateral, levels, strict=True))):
            x = layer(level)
            if merged is not None:
                x = x + merged.repeat_interleave(2, 1).repeat_interleave(2, 2)
            merged = F.relu(x)
            boxes.insert(0, self.boxes(merged).flatten(1, 2).view(len(level), -1, 4))
        return torch.cat(boxes, 1)


head = Head().eval()


def forward(p3: torch.Tensor, p4: torch.Tensor, p5: torch.Tensor) -> torch.Tensor:
    return head(p3, p4, p5)


def declare(*levels: torch.Tensor) -> tuple[torch.Tensor, ...]:
    names = [{1: "4*h", 2: "4*w"}, {1: "2*h", 2: "2*w"}, {1: "h", 2: "w"}]
    return tuple(name_dims(level, dims) for level, dims in zip(levels, names, strict=True))


beside(
    forward,
    inputs=lambda hw: tuple(torch.randn(2, hw[0] * k, hw[1] * k, c) for k, c in ((4, 16), (2, 32), (1, 64))),
    declare=declare,
    constraints=["2 <= h <= 64", "2 <= w <= 64"],
    sizes=[(8, 12), (12, 8), (16, 16), (6, 20), (25, 25), (10, 33)],
)
