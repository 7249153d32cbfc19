"""The models of transformers in the zoo, tiny, with random weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from zoo_specimens import IMAGE, Sizes, Specimen, images, squares, tokens

_SMALL = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4}
_TEXT = {**_SMALL, "vocab_size": 64, "max_position_embeddings": 600, "pad_token_id": 0}
_CAUSAL = {**_TEXT, "num_key_value_heads": 2, "bos_token_id": 1, "eos_token_id": 2}
_SEQUENCE = {"b": range(2, 9), "s": range(8, 513, 8)}


def _model(kind: str, **settings: Any) -> Callable[[], torch.nn.Module]:
    """What makes the model of that name from its configuration."""

    def make() -> torch.nn.Module:
        import transformers  # seconds to import

        config = getattr(transformers, f"{kind.removesuffix('Model')}Config")(**settings)
        return getattr(transformers, kind)(config)  # type: ignore[no-any-return]

    return make


def _encoder(name: str, kind: str, **settings: Any) -> Specimen:
    masked = {"input_ids": "b s", "attention_mask": "b s"}
    return Specimen(name, "transformers", _model(kind, **settings), masked, _SEQUENCE, tokens(*masked))


def _decoder(name: str, kind: str, **settings: Any) -> Specimen:
    given = tokens("input_ids", also={"use_cache": False})
    return Specimen(name, "transformers", _model(kind, **settings), {"input_ids": "b s"}, _SEQUENCE, given)


def _vision(name: str, kind: str, step: int, most: int = 256, least: int = 0, **settings: Any) -> Specimen:
    also = {"interpolate_pos_encoding": True} if kind in ("ViTModel", "DeiTModel") else {}
    domain, given = squares(step, most, least), images("pixel_values", also)
    return Specimen(name, "transformers", _model(kind, **settings), {"pixel_values": IMAGE}, domain, given)


_T5 = {"vocab_size": 64, "d_model": 32, "d_kv": 8, "d_ff": 64, "num_layers": 2, "num_heads": 4}
_BART = {"vocab_size": 64, "d_model": 32, "encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 4,
         "decoder_attention_heads": 4, "encoder_ffn_dim": 48, "decoder_ffn_dim": 48, "pad_token_id": 0}  # fmt: skip
_HEARD = {**_BART, "max_source_positions": 64, "max_target_positions": 600, "num_mel_bins": 16}
_SPEECH = {**_SMALL, "conv_dim": (16, 16, 16), "conv_stride": (5, 2, 2), "conv_kernel": (10, 3, 2),
           "num_feat_extract_layers": 3, "num_conv_pos_embeddings": 8, "num_conv_pos_embedding_groups": 4,
           "vocab_size": 32, "mask_time_prob": 0.0, "mask_feature_prob": 0.0}  # fmt: skip


def _encoded(sizes: Sizes) -> dict[str, Any]:
    ends = {"input_ids": sizes["e"], "decoder_input_ids": sizes["s"]}
    return {"use_cache": False, **{n: torch.randint(3, 64, (sizes["b"], length)) for n, length in ends.items()}}


def _heard(sizes: Sizes) -> dict[str, Any]:
    ids = torch.randint(3, 64, (sizes["b"], sizes["s"]))
    return {"input_features": torch.randn(sizes["b"], 16, 128), "decoder_input_ids": ids, "use_cache": False}


_BOTH = {"input_ids": "b e", "decoder_input_ids": "b s"}
_LENGTHS = {"b": range(2, 9), "e": range(8, 257, 8), "s": range(2, 129)}
_HEADS = {"num_hidden_layers": 2, "num_attention_heads": 4, "hidden_size": 32}

TRANSFORMERS = (
    _encoder("BERT", "BertModel", **_TEXT),
    _encoder("RoBERTa", "RobertaModel", **_TEXT),
    _encoder("ALBERT", "AlbertModel", **_TEXT, embedding_size=16),
    _encoder("ELECTRA", "ElectraModel", **_TEXT, embedding_size=16),
    _encoder("DistilBERT", "DistilBertModel", vocab_size=64, dim=32, hidden_dim=48, n_layers=2, n_heads=4,
             max_position_embeddings=600),
    _encoder("DeBERTa-v2", "DebertaV2Model", **_TEXT, relative_attention=True, pos_att_type=["p2c", "c2p"],
             position_biased_input=False),
    _encoder("ModernBERT", "ModernBertModel", **_TEXT, local_attention=32, cls_token_id=1, sep_token_id=2),
    _decoder("GPT-2", "GPT2Model", n_embd=32, n_layer=2, n_head=4, n_positions=600, vocab_size=64),
    _decoder("LLaMA", "LlamaModel", **_CAUSAL),
    _decoder("Qwen2", "Qwen2Model", **_CAUSAL),
    _decoder("Qwen3", "Qwen3Model", **_CAUSAL, head_dim=8),
    _decoder("Mistral", "MistralModel", **_CAUSAL, sliding_window=64),
    _decoder("Gemma 2", "Gemma2Model", **_CAUSAL, head_dim=8, sliding_window=64),
    _decoder("Phi-3", "Phi3Model", **_CAUSAL),
    _decoder("Falcon", "FalconModel", vocab_size=64, hidden_size=32, num_hidden_layers=2, num_attention_heads=4),
    _decoder("Mixtral", "MixtralModel", **_CAUSAL, num_local_experts=4),
    Specimen("T5", "transformers", _model("T5Model", **_T5), _BOTH, _LENGTHS, _encoded),
    Specimen("BART", "transformers", _model("BartModel", **_BART, max_position_embeddings=600), _BOTH, _LENGTHS,
             _encoded),
    Specimen("Whisper", "transformers", _model("WhisperModel", **_HEARD),
             {"input_features": "b 16 128", "decoder_input_ids": "b s"}, {"b": range(2, 9), "s": range(2, 257)},
             _heard),
    Specimen("wav2vec 2.0", "transformers", _model("Wav2Vec2Model", **_SPEECH), {"input_values": "b t"},
             {"b": range(2, 5), "t": range(800, 16001, 20)},
             lambda sizes: {"input_values": torch.randn(sizes["b"], sizes["t"])}),
    Specimen("CLIP text", "transformers", _model("CLIPTextModel", **_TEXT), {"input_ids": "b s", "attention_mask":
             "b s"}, _SEQUENCE, tokens("input_ids", "attention_mask")),
    _vision("ViT", "ViTModel", 8, **_SMALL, image_size=32, patch_size=8),
    _vision("DINOv2", "Dinov2Model", 8, **_HEADS, image_size=32, patch_size=8, mlp_ratio=2),
    _vision("Swin", "SwinModel", 56, 280, embed_dim=16, depths=[2, 2], num_heads=[2, 4], window_size=7, image_size=56),
    _vision("ConvNeXt", "ConvNextModel", 32, hidden_sizes=[8, 16, 24, 32], depths=[1, 1, 2, 1]),
    _vision("ResNet", "ResNetModel", 32, embedding_size=8, hidden_sizes=[8, 16, 24, 32], depths=[1, 1, 1, 1]),
    _vision("SegFormer", "SegformerModel", 32, hidden_sizes=[8, 16, 24, 32], depths=[1, 1, 1, 1],
            num_attention_heads=[1, 2, 3, 4], sr_ratios=[8, 4, 2, 1]),
    _vision("MobileViT", "MobileViTModel", 64, 384, hidden_sizes=[16, 24, 32], num_attention_heads=4,
            neck_hidden_sizes=[8, 8, 16, 16, 24, 24, 32]),
    _vision("PVT v2", "PvtV2Model", 32, hidden_sizes=[8, 16, 24, 32], depths=[1, 1, 1, 1],
            num_attention_heads=[1, 2, 3, 4], sr_ratios=[8, 4, 2, 1]),
)  # fmt: skip
