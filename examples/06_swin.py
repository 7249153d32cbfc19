"""Swin from transformers, unchanged: windows of 7 patches of 4 pixels on two levels, so images are multiples of 56."""

import torch
from beside import beside
from transformers import SwinConfig, SwinModel

from dynconstraints import name_dims

torch.set_grad_enabled(False)
torch.set_num_threads(1)
config = SwinConfig(patch_size=4, embed_dim=16, depths=[2, 2], num_heads=[2, 4], window_size=7)
swin = SwinModel(config, add_pooling_layer=False).eval()


def forward(image: torch.Tensor) -> torch.Tensor:
    return swin(image).last_hidden_state


beside(
    forward,
    inputs=lambda size: (torch.randn(1, 3, *size),),
    declare=lambda image: (name_dims(image, {2: "h", 3: "w"}),),
    constraints=["h % 56 == 0", "w % 56 == 0", "h > 56", "w > 56"],  # one window alone is not shifted
    sizes=[(112, 168), (168, 112), (224, 224), (280, 112), (168, 336), (224, 168)],
)
