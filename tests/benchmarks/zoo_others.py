"""The models of other libraries in the zoo, tiny, with random weights; each library is imported when it is needed."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import torch
from zoo_specimens import IMAGE, Sizes, Specimen, images, squares

_UNET = {"block_out_channels": (8, 16), "layers_per_block": 1, "norm_num_groups": 4}


def _made(module: str, kind: str, *given: Any, **settings: Any) -> Callable[[], torch.nn.Module]:
    """What calls that name of that module."""
    return lambda: getattr(import_module(module), kind)(*given, **settings)


def _vision(library: str, name: str, make: Callable[[], torch.nn.Module], step: int, most: int = 256) -> Specimen:
    return Specimen(name, library, make, {"x": IMAGE}, squares(step, most), images("x"))


def _torchvision(name: str, kind: str, step: int = 32, **settings: Any) -> Specimen:
    make = _made("torchvision.models", kind, weights=None, **settings)
    return _vision("torchvision", name, make, step)


def _segmented(name: str, kind: str, parameter: str = "x") -> Specimen:
    make = _made("torchvision.models.segmentation", kind, weights=None, weights_backbone=None, num_classes=4)
    return Specimen(name, "torchvision", make, {parameter: IMAGE}, squares(32, 192), images(parameter))


def _timm(name: str, kind: str, step: int = 32, **settings: Any) -> Specimen:
    make = _made("timm", "create_model", kind, pretrained=False, num_classes=8, **settings)
    return _vision("timm", name, make, step, 192)


def _segmentation(kind: str) -> Specimen:
    make = _made("segmentation_models_pytorch", kind, "resnet18", encoder_weights=None, classes=4)
    return _vision("segmentation_models_pytorch", f"{kind} on ResNet-18", make, 32, 192)


def _graph(sizes: Sizes) -> dict[str, torch.Tensor]:
    nodes, edges = sizes["n"], sizes["e"]
    return {"x": torch.randn(nodes, 8), "edge_index": torch.randint(0, nodes, (2, edges))}


def _convolved(kind: str) -> Specimen:
    shapes, domain = {"x": "n 8", "edge_index": "2 e"}, {"n": range(2, 200), "e": range(2, 1000)}
    return Specimen(kind, "torch_geometric", _made("torch_geometric.nn", kind, 8, 16, 2), shapes, domain, _graph)


def _denoised(sizes: Sizes) -> dict[str, torch.Tensor]:
    return {**_noise(sizes), "encoder_hidden_states": torch.randn(sizes["b"], sizes["t"], 16)}


def _noise(sizes: Sizes) -> dict[str, torch.Tensor]:
    image = torch.randn(sizes["b"], 4, sizes["h"], sizes["w"])
    return {"sample": image, "timestep": torch.full((sizes["b"],), 7)}


def _x_transformer() -> torch.nn.Module:
    library = import_module("x_transformers")
    layers = library.Decoder(dim=32, depth=2, heads=4, attn_dim_head=8, rotary_pos_emb=True)
    return library.TransformerWrapper(num_tokens=64, max_seq_len=600, attn_layers=layers)  # type: ignore[no-any-return]


_CONDITIONED = {**_UNET, "in_channels": 4, "out_channels": 4, "cross_attention_dim": 16, "attention_head_dim": 4,
                "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
                "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D")}  # fmt: skip
_CODED = {**_UNET, "down_block_types": ("DownEncoderBlock2D",) * 2, "up_block_types": ("UpDecoderBlock2D",) * 2}

OTHERS = (
    _torchvision("ResNet-18", "resnet18"),
    _torchvision("MobileNet v3", "mobilenet_v3_small"),
    _torchvision("EfficientNet", "efficientnet_b0"),
    _torchvision("DenseNet", "densenet121"),
    _vision("torchvision", "Swin, shifted windows", _made("torchvision.models", "SwinTransformer", patch_size=[4, 4],
            embed_dim=16, depths=[2, 2], num_heads=[2, 4], window_size=[7, 7]), 56, 280),
    _segmented("DeepLab v3", "deeplabv3_mobilenet_v3_large"),
    _segmented("LR-ASPP", "lraspp_mobilenet_v3_large", "input"),
    _timm("ViT", "vit_tiny_patch16_224", 16, depth=2, dynamic_img_size=True),
    _timm("ConvNeXt", "convnext_atto", depths=(1, 1, 1, 1)),
    _timm("ViT, fixed images", "test_vit"),
    _timm("EfficientFormer", "efficientvit_b0"),
    Specimen("UNet2D", "diffusers", _made("diffusers", "UNet2DModel", **_UNET, in_channels=4, out_channels=4,
             down_block_types=("DownBlock2D", "AttnDownBlock2D"), up_block_types=("AttnUpBlock2D", "UpBlock2D")),
             {"sample": "b 4 h w", "timestep": "b"}, squares(8, 64), _noise),
    Specimen("UNet2DCondition", "diffusers", _made("diffusers", "UNet2DConditionModel", **_CONDITIONED),
             {"sample": "b 4 h w", "timestep": "b", "encoder_hidden_states": "b t 16"},
             {**squares(8, 64), "t": range(2, 78)}, _denoised),
    Specimen("AutoencoderKL", "diffusers", _made("diffusers", "AutoencoderKL", **_CODED), {"sample": IMAGE},
             squares(8, 128), images("sample")),
    _segmentation("Unet"),
    _segmentation("FPN"),
    _segmentation("DeepLabV3Plus"),
    _convolved("GCN"),
    _convolved("GraphSAGE"),
    _convolved("GAT"),
    Specimen("decoder, rotary", "x_transformers", _x_transformer, {"x": "b s"},
             {"b": range(2, 9), "s": range(8, 513, 8)},
             lambda sizes: {"x": torch.randint(0, 64, (sizes["b"], sizes["s"]))}),
)  # fmt: skip
