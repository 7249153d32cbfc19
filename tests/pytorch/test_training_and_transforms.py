"""Where programs take the parameters along: backward, checkpointing, transforms, higher-order operators, modes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch._dynamo as dynamo
from torch._dynamo.testing import CompileCounterWithBackend
from torch._higher_order_ops.map import map as torch_map
from torch.utils.checkpoint import checkpoint

from dynconstraints import DynamicInt, name_dims

SIZES = (16, 24, 40, 64)


def rows(n: int) -> torch.Tensor:
    return name_dims(torch.randn(n, 6), {0: "n"}, constraints=["n % 8 == 0", "n >= 16"])


def block(x: torch.Tensor) -> torch.Tensor:
    return torch.softmax(x.view(-1, 8, 6) * 2, 1).sum(1)


def halves(x: torch.Tensor) -> torch.Tensor:
    return block(x).sum() + x[: x.shape[0] // 2].sum()


def with_cond(x: torch.Tensor) -> torch.Tensor:
    return torch.cond(x.sum() > 0, lambda t: block(t).sum(0), lambda t: t.sum(0) - t.shape[0], (x,))


def with_while(x: torch.Tensor) -> torch.Tensor:
    def body(i: torch.Tensor, t: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return i + 1, (t.view(-1, 8, 6) * 0.5).reshape(t.shape)

    return torch._higher_order_ops.while_loop(lambda i, t: i < 3, body, (torch.zeros((), dtype=torch.int64), x))[1]


@torch.library.custom_op("dynconstraints_tests::double", mutates_args=())
def double(x: torch.Tensor, n: int) -> torch.Tensor:
    return x * 2 + n


@double.register_fake
def _(x: torch.Tensor, n: int) -> torch.Tensor:
    return torch.empty_like(x)


FORWARD: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "checkpoint": lambda x: checkpoint(block, x, use_reentrant=False),
    "func.grad": torch.func.grad(lambda x: halves(x).sum()),
    "vmap": lambda x: torch.vmap(lambda r: torch.softmax(r, 0))(block(x)),
    "autocast": lambda x: torch.autocast("cpu", torch.bfloat16)(lambda t: block(t) @ torch.ones(6, 2))(x),
    "cond": with_cond,
    "while_loop": with_while,
    "map": lambda x: torch_map(lambda r: torch.softmax(r, 0) + 1, block(x)),
    "custom operator": lambda x: double(block(x), x.shape[0] // 8),
    "nested compile": lambda x: torch.compile(block, backend="eager")(x) + 1,
    "no_grad": torch.no_grad()(block),
}


@pytest.mark.parametrize("kind", list(FORWARD))
def test_one_graph_equal_to_eager(kind: str) -> None:
    """Four sizes through AOTAutograd."""
    program = FORWARD[kind]
    dynamo.reset()
    counter = CompileCounterWithBackend("aot_eager")
    compiled = torch.compile(lambda x: program(x), backend=counter, fullgraph=True)
    for n in SIZES:
        x = rows(n)
        torch.testing.assert_close(compiled(x), program(x), atol=2e-2 if kind == "autocast" else 1e-5, rtol=1e-2)
    assert counter.frame_count == 1


@pytest.mark.parametrize("kind", ["checkpoint", "vmap", "cond", "nested compile"])
def test_gradients_equal_eagers(kind: str) -> None:
    """Backward through the same forms, one graph."""
    program = FORWARD[kind]
    dynamo.reset()
    counter = CompileCounterWithBackend("aot_eager")
    compiled = torch.compile(lambda x: program(x).sum(), backend=counter, fullgraph=True)
    for n in SIZES:
        x = rows(n).requires_grad_()
        y = x.detach().clone().requires_grad_()
        compiled(x).backward()
        program(y).sum().backward()
        torch.testing.assert_close(x.grad, y.grad)
    assert counter.frame_count == 1


def test_an_optimizer_step_over_many_sizes() -> None:
    """Forward, backward and step, the weights equal to eager's."""
    torch.manual_seed(0)
    ours, eager = torch.nn.Linear(6, 6), torch.nn.Linear(6, 6)
    eager.load_state_dict(ours.state_dict())
    steps = [torch.optim.SGD(m.parameters(), lr=0.1) for m in (ours, eager)]
    dynamo.reset()
    dynamo.utils.counters.clear()
    compiled = torch.compile(lambda x: (ours(block(x)) ** 2).mean(), backend="aot_eager", fullgraph=True)
    for n in SIZES:
        x = rows(n)
        for step, loss in zip(steps, (compiled(x), (eager(block(x)) ** 2).mean()), strict=True):
            step.zero_grad()
            loss.backward()
            step.step()
        torch.testing.assert_close(ours.weight, eager.weight)
    assert dynamo.utils.counters["stats"]["unique_graphs"] == 1


@pytest.mark.inductor
@pytest.mark.parametrize(
    "options", [{"mode": "default"}, {"mode": "max-autotune-no-cudagraphs"}, {"backend": "cudagraphs"}]
)
def test_modes_of_torch_compile(options: dict[str, str]) -> None:
    """Each mode compiles once and is right, or leaves a CPU tensor alone."""
    dynamo.reset()
    dynamo.utils.counters.clear()
    compiled = torch.compile(lambda n, x: block(x) * n, fullgraph=True, **options)
    for n in SIZES:
        x = rows(n)
        torch.testing.assert_close(compiled(DynamicInt(n, name="n"), x), block(x) * n)
    assert dynamo.utils.counters["stats"]["unique_graphs"] == 1
