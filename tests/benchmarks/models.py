"""Models of the transformers library, built tiny from their configurations with random weights, for the sweeps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from programs import Program

_SMALL = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4}


def _frozen(kind: str, **settings: Any) -> torch.nn.Module:
    """The model of that name in its configuration."""
    import transformers  # seconds to import

    config = getattr(transformers, f"{kind}Config")(**settings)
    return getattr(transformers, f"{kind}Model")(config).eval().requires_grad_(False)  # type: ignore[no-any-return]


def _language(kind: str, **settings: Any) -> Callable[[], Callable[..., torch.Tensor]]:
    def make() -> Callable[..., torch.Tensor]:
        model = _frozen(kind, vocab_size=64, **settings)
        return lambda ids: model(ids, use_cache=False).last_hidden_state

    return make


def _vision(kind: str, **settings: Any) -> Callable[[], Callable[..., torch.Tensor]]:
    def make() -> Callable[..., torch.Tensor]:
        model = _frozen(kind, **settings)
        return lambda pixels: model(pixels, interpolate_pos_encoding=True).last_hidden_state

    return make


def _tokens(s: int) -> tuple[torch.Tensor]:
    return (torch.randint(0, 64, (2, s)),)


def _image(hw: tuple[int, int]) -> tuple[torch.Tensor]:
    return (torch.randn(2, 3, *hw),)


_LENGTHS = (64, 48, 128, 32, 96, 160, 112, 256, 8, 80)
_PATCHES = [
    (8 * a, 8 * b) for a, b in ((4, 6), (6, 4), (5, 5), (3, 8), (10, 15), (2, 2), (7, 3), (9, 12), (1, 4), (8, 8))
]
# Windows of 7 patches on two levels; an image of one window alone is not shifted, another program.
_WINDOWS = [
    (56 * a, 56 * b) for a, b in ((2, 3), (3, 2), (2, 2), (2, 4), (4, 2), (3, 3), (4, 3), (3, 4), (5, 2), (2, 5))
]

MODELS = (
    Program(
        "LLaMA",
        _language("Llama", **_SMALL, num_key_value_heads=2, max_position_embeddings=512),
        ("s % 8 == 0", "s >= 8", "s <= 512"),
        _LENGTHS,
        _tokens,
        ({1: "s"},),
    ),
    Program(
        "GPT-2",
        _language("GPT2", n_embd=32, n_layer=2, n_head=4, n_positions=512),
        ("s % 8 == 0", "s >= 8", "s <= 512"),
        _LENGTHS,
        _tokens,
        ({1: "s"},),
    ),
    Program(
        "ViT",
        _vision("ViT", **_SMALL, image_size=32, patch_size=8),
        ("h % 8 == 0", "w % 8 == 0", "h >= 8", "w >= 8"),
        _PATCHES,
        _image,
        ({2: "h", 3: "w"},),
    ),
    Program(
        "Swin-T",
        _vision("Swin", embed_dim=16, depths=[2, 2], num_heads=[2, 4], window_size=7, image_size=56, patch_size=4),
        ("h % 56 == 0", "w % 56 == 0", "h >= 112", "w >= 112"),
        _WINDOWS,
        _image,
        ({2: "h", 3: "w"},),
    ),
)
