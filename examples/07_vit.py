"""ViT from transformers at other resolutions than its own: positions are interpolated, patches are 16 pixels wide."""

import torch
from beside import beside
from transformers import ViTConfig, ViTModel

from dynconstraints import name_dims

torch.set_grad_enabled(False)
torch.set_num_threads(1)
config = ViTConfig(
    hidden_size=64, num_hidden_layers=2, num_attention_heads=4, intermediate_size=128, image_size=224, patch_size=16
)
vit = ViTModel(config, add_pooling_layer=False).eval()


def forward(images: torch.Tensor) -> torch.Tensor:
    return vit(images, interpolate_pos_encoding=True).last_hidden_state


beside(
    forward,
    inputs=lambda size: (torch.randn(4, 3, *size),),
    declare=lambda images: (name_dims(images, {2: "h", 3: "w"}),),
    constraints=["h % 16 == 0", "w % 16 == 0", "h >= 32", "w >= 32", "h*w != 224*224"],
    sizes=[(128, 192), (192, 128), (256, 256), (96, 160), (320, 208), (160, 160), (224, 384)],
)
