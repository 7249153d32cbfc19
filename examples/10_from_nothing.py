"""From a model that declares nothing to one graph: `suggest` reads its guards, and proposes what to write."""

import torch
import torch.nn.functional as F
from beside import beside

from dynconstraints import name_dims, suggest

torch.set_grad_enabled(False)
torch.set_num_threads(1)


def detail(image: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """What an image has beyond a copy at a quarter of its resolution, where the mask says so."""
    coarse = F.interpolate(F.avg_pool2d(image, 4), scale_factor=4.0)
    return torch.where(mask[:, None], image - coarse, 0.0)


def inputs(size: tuple[int, int, int]) -> tuple[torch.Tensor, torch.Tensor]:
    batch, height, width = size
    return torch.randn(batch, 3, height, width), torch.rand(batch, height, width) > 0.5


# What the guards of two calls amount to, each with the line that asks for it; then the lines to paste.
print(suggest(detail, [inputs((2, 64, 96)), inputs((3, 128, 64))]))


# Pasted, with names of one's own: sizes that are equal have the same one.
def declare(image: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    return name_dims(image, {0: "b", 2: "h", 3: "w"}), name_dims(mask, {0: "b", 1: "h", 2: "w"})


beside(
    detail,
    inputs,
    declare,
    constraints=["h % 4 == 0", "w % 4 == 0", "h >= 8", "w >= 8", "b >= 2"],
    sizes=[(2, 64, 96), (3, 128, 64), (5, 96, 160), (2, 512, 256), (16, 64, 64), (4, 480, 640)],
)
