"""`generate()` with a static cache: two graphs, prefill and decode, whatever the prompts, the batch and the cache."""

import copy

import torch
import transformers as hf
from beside import QUICK

from dynconstraints import ConstraintSystem, declare
from dynconstraints.pytorch.install.observe import observe

torch.set_num_threads(1)
hf.logging.set_verbosity_error()
CALLS = [(2, 8, 6), (3, 12, 6), (2, 20, 6), (5, 9, 30)]  # batch, prompt, new tokens
DOMAIN = ConstraintSystem(["2 <= b <= 64", "1 <= s <= t", "2 <= t <= 256", "2 <= e <= 512"])
small = {"vocab_size": 128, "num_hidden_layers": 2, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
causal = {**small, "hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 4, "num_key_value_heads": 2}
t5 = {**small, "d_model": 32, "d_kv": 8, "d_ff": 64, "num_layers": 2, "num_heads": 4}
whisper = {**small, "d_model": 32, "encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 4,
           "decoder_attention_heads": 4, "num_mel_bins": 16, "max_source_positions": 32,
           "max_target_positions": 256}  # fmt: skip


def cache(path: str, length: str) -> dict[str, str]:
    """What the layers of a static cache hold. Its length is an int while they are empty, and a size afterwards."""
    layer, shape = f"{path}.layers.*", f"b _ {length} _"
    return {f"{layer}.keys": shape, f"{layer}.values": shape, f"{layer}.max_cache_len": length}


alone = {**cache("cache", "t"), "input_ids": "b s", "position_ids": "b s"}
encoded = {"attention_mask": "b e", "encoder_outputs.last_hidden_state": "b e _"}
caches = {**cache("cache.self_attention_cache", "t"), **cache("cache.cross_attention_cache", "e")}
both = {**caches, **encoded, "decoder_input_ids": "b s", "decoder_attention_mask": "b ... t"}
MODELS = {
    "LLaMA": (hf.LlamaForCausalLM(hf.LlamaConfig(**causal)), {**alone, "attention_mask": "b ... t"}),
    "Qwen": (hf.Qwen2ForCausalLM(hf.Qwen2Config(**causal)), {**alone, "attention_mask.*": "b ... t"}),
    "T5": (hf.T5ForConditionalGeneration(hf.T5Config(**t5, decoder_start_token_id=0)), both),
    "Whisper": (hf.WhisperForConditionalGeneration(hf.WhisperConfig(**whisper, decoder_start_token_id=3)), both),
}


def run(model: hf.PreTrainedModel, batch: int, length: int, new: int) -> torch.Tensor:
    prompt = torch.randint(3, 128, (batch, length), generator=torch.Generator().manual_seed(length))
    speech = torch.linspace(-1, 1, batch * 16 * 64).view(batch, 16, 64)
    heard = model.main_input_name == "input_features"
    given = {"input_features": speech, "decoder_input_ids": prompt} if heard else {"input_ids": prompt}
    return model.generate(**given, max_new_tokens=new, do_sample=False, cache_implementation="static")


for name, (model, shapes) in MODELS.items():
    eager = copy.deepcopy(model.eval())
    model = declare(model, shapes, constraints=DOMAIN)
    model.forward = torch.compile(model.forward, backend="eager" if QUICK else "inductor")
    with observe() as frames:
        equal = [torch.equal(run(model, *call), run(eager, *call)) for call in CALLS]
    print(f"{name:8} graphs: {len(frames)}, equal to eager: {all(equal)}")
