"""A schedule of learning rates: one compiled step serves them all; with plain floats torch compiles again and again."""

import math
import sys
from collections.abc import Callable

import torch
import torch._dynamo as dynamo
from torch._dynamo.utils import counters

from dynconstraints import DynamicFloat

STEPS = int(sys.argv[1]) if sys.argv[1:] else 200


def declared(rate: float) -> float:
    return DynamicFloat(rate, name="lr", constraints=["0.0 < lr <= 0.1"])


def train(
    kind: type[torch.optim.Optimizer], rate: Callable[[float], float], backend: str | None = None
) -> tuple[torch.Tensor, int]:
    """The weights after all steps of a cosine schedule, and how many graphs were compiled."""
    torch.manual_seed(0)
    x, y = torch.randn(64, 8), torch.randn(64, 1)
    model = torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1))
    optimizer = kind(model.parameters(), lr=rate(0.1))
    step = optimizer.step
    dynamo.reset()
    counters.clear()
    if backend is not None:
        step = torch.compile(lambda: optimizer.step(), backend=backend)
    for i in range(STEPS):
        optimizer.zero_grad()
        (model(x) - y).square().mean().backward()
        optimizer.param_groups[0]["lr"] = rate(0.05 * (1 + math.cos(math.pi * i / STEPS)))
        step()
    return torch.cat([p.detach().flatten() for p in model.parameters()]), counters["stats"]["unique_graphs"]


dynamo.config.recompile_limit = STEPS + 1  # with plain floats torch would stop compiling after eight
torch.set_default_dtype(torch.float64)  # compiled AdamW counts its steps in a tensor of the default type
for kind in (torch.optim.SGD, torch.optim.AdamW):
    expected, _ = train(kind, float)
    weights, ours = train(kind, declared, "inductor")
    _, plain = train(kind, float, "aot_eager")
    error = ((weights - expected).abs() / expected.abs()).max().item()
    print(f"{kind.__name__}: graphs compiled: {ours} declared, {plain} with plain floats")
    print(f"{kind.__name__}: weights as in eager within 1e-6 relative: {error <= 1e-6}")
