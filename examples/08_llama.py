"""LLaMA from transformers with a static cache: one graph for prompts of any length, one for decoding."""

import torch
from beside import beside
from transformers import LlamaConfig, LlamaForCausalLM, StaticCache

from dynconstraints import name_dims

torch.set_grad_enabled(False)
torch.set_num_threads(1)
LONGEST = 256
config = LlamaConfig(
    vocab_size=512, hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4,
    num_key_value_heads=2, max_position_embeddings=LONGEST,
)  # fmt: skip
llama = LlamaForCausalLM(config).eval()


def forward(tokens: torch.Tensor, cache: StaticCache) -> torch.Tensor:
    return llama(tokens, cache=cache, logits_to_keep=1).logits


def prompt(length: int) -> tuple[torch.Tensor, StaticCache]:
    cache = StaticCache(config, LONGEST)
    cache.early_initialization(1, 2, 16, torch.float32, torch.device("cpu"))
    return torch.randint(0, 512, (1, length)), cache


beside(
    forward,
    inputs=prompt,
    declare=lambda tokens, cache: (name_dims(tokens, {1: "s"}), cache),
    constraints=[f"1 <= s <= {LONGEST}"],
    sizes=[16, 1, 120, 64, 250, 33, 200],  # a decoding step is a prompt of length 1
)
