"""transformers' Trainer: a collator pads to a multiple, a declaration on the model says so. One graph a mode."""

import copy
import tempfile

import torch
from beside import QUICK
from transformers import LlamaConfig, LlamaForCausalLM, Trainer, TrainingArguments, logging

from dynconstraints import declare
from dynconstraints.pytorch.install.observe import observe

torch.set_num_threads(1)
logging.set_verbosity_error()
MULTIPLE = 8
TEXTS = [{"input_ids": [1 + i % 7] * (9 + 5 * i % 40)} for i in range(22)]
config = LlamaConfig(
    vocab_size=64, hidden_size=32, intermediate_size=64, num_hidden_layers=1, num_attention_heads=4,
    num_key_value_heads=2, use_cache=False,
)  # fmt: skip


def collate(texts: list[dict[str, list[int]]]) -> dict[str, torch.Tensor]:
    """Padded to the longest text, and on to a multiple, as the collators of transformers do it with a tokenizer."""
    rows = [text["input_ids"] for text in texts]
    length = -(-max(map(len, rows)) // MULTIPLE) * MULTIPLE
    tokens = torch.tensor([row + [0] * (length - len(row)) for row in rows])
    return {"input_ids": tokens, "attention_mask": (tokens != 0).long(), "labels": tokens.where(tokens != 0, -100)}


def train(model: LlamaForCausalLM) -> list[float]:
    """The losses of the steps of two epochs, the last batch of each smaller, and of the evaluation after each."""
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            folder, num_train_epochs=2, per_device_train_batch_size=4, per_device_eval_batch_size=4,
            eval_strategy="epoch", logging_steps=1, save_strategy="no", report_to=[], use_cpu=True,
        )  # fmt: skip
        trainer = Trainer(model, arguments, collate, train_dataset=TEXTS, eval_dataset=TEXTS)
        trainer.train()
    return [entry[key] for entry in trainer.state.log_history for key in ("loss", "eval_loss") if key in entry]


eager = LlamaForCausalLM(config)
model = copy.deepcopy(eager)
declare(
    model, input_ids="b s", attention_mask="b s", labels="b s",
    constraints=["2 <= b <= 64", f"s % {MULTIPLE} == 0", "8 <= s <= 512"],
)  # fmt: skip
model.compile(backend="aot_eager" if QUICK else "inductor")
with observe() as frames:
    losses = torch.tensor(train(model))
same = torch.allclose(losses, torch.tensor(train(eager)), rtol=1e-3)
print(f"graphs: {len(frames)}, losses equal to eager: {same}")
