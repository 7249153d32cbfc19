"""A training loop: workers, autocast, accumulation, averaged weights, a smaller last batch. One graph a mode."""

import copy
from collections.abc import Iterator

import torch
from beside import QUICK
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pad_sequence
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader

from dynconstraints import declare
from dynconstraints.pytorch.install.observe import observe

torch.set_num_threads(1)
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def collate(numbers: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
    """A batch of songs, each padded to the longest of them; runs in a worker."""
    songs = [torch.linspace(-i, i, 16 * 32 * (2 + i % 5)).sin().view(-1, 16) for i in numbers]
    return pad_sequence(songs, batch_first=True), torch.tensor(numbers) % 3


class Listener(torch.nn.Sequential):
    def forward(self, songs: torch.Tensor) -> torch.Tensor:
        return super().forward(songs.unflatten(1, (-1, 32)).flatten(2).tanh().mean(1))


def train(model: torch.nn.Module, backend: str | None = None) -> Iterator[float]:
    """The losses of two epochs: of the model, batch by batch as it learns, and of its averaged weights after each."""
    torch.manual_seed(0)
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.9))
    for module in (model, average) if backend else ():
        module.compile(backend=backend, fullgraph=True)
    loader = DataLoader(range(22), 4, collate_fn=collate, num_workers=2, pin_memory=DEVICE == "cuda")
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for learns in [True, False] * 2:
        used = model.train() if learns else average.eval()
        for step, (songs, kinds) in enumerate(loader):
            with torch.autocast(DEVICE, torch.bfloat16), torch.set_grad_enabled(learns):
                loss = cross_entropy(used(songs.to(DEVICE)), kinds.to(DEVICE))
            yield loss.item()
            if learns:
                (loss / 2).backward()
                if step % 2:
                    optimizer.step()
                    optimizer.zero_grad()
                    average.update_parameters(model)


layers = torch.nn.Linear(512, 24), torch.nn.BatchNorm1d(24), torch.nn.Tanh(), torch.nn.Linear(24, 3)
eager = Listener(*layers).to(DEVICE)
model = declare(copy.deepcopy(eager), songs="b t 16", constraints=["t % 32 == 0", "64 <= t <= 4096", "2 <= b <= 64"])
with observe() as frames:
    losses = torch.tensor(list(train(model, "aot_eager" if QUICK else "inductor")))
same = torch.allclose(losses, torch.tensor(list(train(eager))), rtol=1e-2)
print(f"graphs: {len(frames)}, losses equal to eager: {same}")
