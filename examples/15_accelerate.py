"""accelerate: `prepare` keeps what is declared of a compiled model; gradients accumulate. One graph a mode."""

import copy
from collections.abc import Iterator

import torch
from accelerate import Accelerator
from beside import QUICK
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader

from dynconstraints import declare
from dynconstraints.pytorch.install.observe import observe

torch.set_num_threads(1)


class Tagger(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.head = torch.nn.Embedding(32, 16), torch.nn.Linear(32, 3)
        self.local = torch.nn.Conv1d(16, 16, 4, stride=4)

    def forward(self, tokens: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        x = self.embedding(tokens) * mask[..., None]
        near = self.local(x.mT).tanh().repeat_interleave(4, 2).mT
        return self.head(torch.cat([x, near], -1))  # which fits, since there are whole fours


def collate(lengths: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
    longest = -(-max(lengths) // 4) * 4
    mask = torch.arange(longest) < torch.tensor(lengths)[:, None]
    return torch.arange(longest).expand(len(lengths), -1) % 32 * mask, mask.float()


def train(model: torch.nn.Module, backend: str | None = None) -> Iterator[float]:
    """The losses of two epochs' batches, each epoch followed by an evaluation."""
    accelerator = Accelerator(cpu=True, gradient_accumulation_steps=2)
    model = torch.compile(model, backend=backend) if backend else model
    loader = DataLoader([5 + 7 * i % 60 for i in range(22)], 4, collate_fn=collate)
    model, optimizer, loader = accelerator.prepare(model, torch.optim.AdamW(model.parameters(), lr=1e-2), loader)
    for learns in [True, False] * 2:
        model.train(learns)
        for tokens, mask in loader:
            with accelerator.accumulate(model), torch.set_grad_enabled(learns):
                loss = cross_entropy(model(tokens, mask).flatten(0, 1), tokens.flatten() % 3)
                yield loss.item()
                if learns:
                    accelerator.backward(loss)
                    optimizer.step()
                    optimizer.zero_grad()


eager = Tagger()
model = declare(copy.deepcopy(eager), tokens="b t", mask="b t", constraints=["t % 4 == 0", "t >= 8", "b >= 2"])
with observe() as frames:
    losses = torch.tensor(list(train(model, "aot_eager" if QUICK else "inductor")))
same = torch.allclose(losses, torch.tensor(list(train(eager))), rtol=1e-3)
print(f"graphs: {len(frames)}, losses equal to eager: {same}")
