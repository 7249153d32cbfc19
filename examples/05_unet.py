"""A U-Net over many resolutions: skip connections fit since height and width are multiples of 16; so say it, once."""

from itertools import pairwise

import torch
import torch.nn.functional as F
from beside import beside

from dynconstraints import name_dims

torch.set_grad_enabled(False)
torch.set_num_threads(1)


class UNet(torch.nn.Module):
    def __init__(self, channels: int = 8) -> None:
        super().__init__()
        widths = [3, *(channels * 2**level for level in range(4))]
        self.down = torch.nn.ModuleList(torch.nn.Conv2d(a, b, 3, 2, 1) for a, b in pairwise(widths))
        self.up = torch.nn.ModuleList(torch.nn.Conv2d(b + a, a, 3, 1, 1) for a, b in pairwise(widths))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        skips = []
        for layer in self.down:
            skips.append(x)
            x = torch.relu(layer(x))
        for layer in reversed(self.up):
            x = F.interpolate(x, scale_factor=2.0)
            x = torch.relu(layer(torch.cat([x, skips.pop()], 1)))  # the sizes must agree: guards, or a fact
        return x


unet = UNet().eval()


def forward(image: torch.Tensor) -> torch.Tensor:
    return unet(image)


beside(
    forward,
    inputs=lambda size: (torch.randn(1, 3, *size),),
    declare=lambda image: (name_dims(image, {2: "h", 3: "w"}),),
    # The last two are what the report of `explain` asked for: the CPU has another convolution for small images.
    constraints=["h % 16 == 0", "w % 16 == 0", "h*w > 40960", "min(h, w) > 16"],
    sizes=[(208, 208), (256, 320), (192, 256), (240, 240), (384, 192), (320, 320), (224, 224), (480, 320)],
)
