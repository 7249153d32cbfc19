"""Floats computed of declared sizes: by the program, by operators' own Python, and by compilers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import pytest
import torch
import torch.distributed as dist
import torch.nn.functional as F
from compiled import Compiled
from torch import nn
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh
from torch.distributed.tensor import Replicate, Shard, distribute_tensor
from torch.distributed.tensor.parallel import ColwiseParallel, RowwiseParallel, parallelize_module
from torch.testing._internal.distributed.fake_pg import FakeStore

from dynconstraints import name_dims


@pytest.fixture
def mesh() -> Iterator[DeviceMesh]:
    """Two ranks, of which this process is one and the other is nowhere."""
    dist.init_process_group("fake", store=FakeStore(), rank=0, world_size=2)
    yield init_device_mesh("cpu", (2,))
    dist.destroy_process_group()


@pytest.mark.parametrize("constraints", [["s % 16 == 0", "s >= 16"], ["s >= 2"]])
def test_a_distributed_tensor_is_redistributed_under_a_declaration(mesh: DeviceMesh, constraints: list[str]) -> None:
    """Its costs are floats of sizes, which the operator's Python computes while make_fx traces."""
    compiled = Compiled(lambda x: (x * 2).redistribute(mesh, [Replicate()]).to_local(), backend="aot_eager")
    for size in (16, 32, 48):
        x = name_dims(distribute_tensor(torch.randn(size, 16), mesh, [Shard(0)]), {0: "s"}, constraints=constraints)
        assert compiled(x).shape == (size, 16)
    assert compiled.graphs <= 2


def test_tensor_parallel_layers_take_declared_lengths(mesh: DeviceMesh) -> None:
    """One graph for all of them."""
    layers = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 16))
    model = parallelize_module(layers, mesh, {"0": ColwiseParallel(), "2": RowwiseParallel()})
    compiled = Compiled(model, backend="aot_eager")
    for size in (16, 40, 24):
        x = name_dims(torch.randn(size, 16), {0: "s"}, constraints=["s % 8 == 0", "s >= 8"])
        assert compiled(x).shape == (size, 16)
    assert compiled.graphs == 1


def test_an_operator_computes_floats_of_sizes_in_its_fake() -> None:
    """A custom operator that estimates a cost, and branches on it."""

    @torch.library.custom_op("dynconstraints_test::scaled", mutates_args=())
    def scaled(x: torch.Tensor) -> torch.Tensor:
        return x * 2

    @scaled.register_fake
    def _(x: torch.Tensor) -> torch.Tensor:
        cost = (x.shape[0] / 2.0) * 3.0 / 1024.0 + 1.0
        assert cost + 0.1 > 0.2
        return torch.empty_like(x)

    compiled = Compiled(lambda x: scaled(x) + 1, backend="aot_eager")
    for size in (16, 32):
        x = torch.randn(size, 4)
        assert torch.equal(compiled(name_dims(x.clone(), {0: "s"}, constraints=["s % 8 == 0"])), x * 2 + 1)
    assert compiled.graphs == 1


@pytest.mark.parametrize("size", [2, 3, 4, 5])
def test_branches_on_floats_of_sizes_go_as_in_eager(size: int) -> None:
    """sympy, whose numbers do not round, would take another one."""

    def program(x: torch.Tensor) -> torch.Tensor:
        n = x.shape[0]
        return x + (1 if n * 0.1 + 0.2 > 0.5 else 2) + (10 if (n * 0.5 + 1e16) - 1e16 == n * 0.5 else 20)

    x = torch.zeros(size)
    assert torch.equal(Compiled(program)(name_dims(x.clone(), {0: "n"}, constraints=["n >= 2"])), program(x))


PADDINGS: dict[str, Callable[[int, int], int]] = {
    "-w % m": lambda w, m: -w % m,
    "(m - w % m) % m": lambda w, m: (m - w % m) % m,
    "math.ceil": lambda w, m: math.ceil(w / m) * m - w,
    "rounded up": lambda w, m: (w + m - 1) // m * m - w,
    "max": lambda w, m: max(m, -(-w // m) * m) - w,
}


@pytest.mark.parametrize("backend", ["eager", "aot_eager"])
@pytest.mark.parametrize(("name", "multiple"), [(name, m) for m, name in zip((2, 4, 16, 64, 7), PADDINGS, strict=True)])
def test_pad_compute_and_crop_is_one_graph(name: str, multiple: int, backend: str) -> None:
    """However the padding is spelled, with floats of the sizes on the way; equal to eager."""
    padding = PADDINGS[name]

    def program(x: torch.Tensor) -> torch.Tensor:
        h, w = x.shape
        y = F.pad(x, (0, padding(w, multiple), 0, padding(h, multiple)))
        area = y.shape[0] * y.shape[1]
        z = (y - y.mean()) * (h / y.shape[0]) + y.shape[1] * 0.01 + (padding(w, multiple) * 0.3 + 0.1) * 2.0
        z = z + math.sqrt(area) + y.sum() / area + math.floor(w / 3) * 0.5 + int(w * 0.37 + 0.5) * 0.25 - h % 3 * 0.1
        z = z + (-w) % 4 * 0.5 + h * w // 3 % 5 * 0.1 + max(h, 7, w) ** 2 * 0.001 + min(h, w) * 0.1
        return z[:h, :w]

    compiled = Compiled(program, backend=backend)
    for h, w in ((10, 14), (33, 64), (64, 15), (7, 200), (3, 5)):
        x = torch.randn(h, w)
        named = name_dims(x.clone(), {0: "h", 1: "w"}, constraints=["2 <= w <= 400", "2 <= h <= 400"])
        torch.testing.assert_close(compiled(named), program(x), atol=1e-4, rtol=1e-5)
    assert compiled.graphs == 1


def test_a_call_without_a_declaration_runs_what_one_with_it_ran() -> None:
    """Sizes that the declaration does not allow make a graph of their own, by the same means."""

    def program(x: torch.Tensor) -> torch.Tensor:
        _, w = x.shape
        return x.mean() * 2 + F.pad(x, (0, -w % 4)).shape[1] * 0.01

    compiled = Compiled(program, backend="aot_eager")
    for width in (10, 14, 20):
        x = torch.randn(6, width)
        named = name_dims(x.clone(), {0: "h", 1: "w"}, constraints=["w % 2 == 0", "2 <= w <= 400"])
        torch.testing.assert_close(compiled(named), program(x))
    assert compiled.graphs == 1
    for width in (11, 13):
        x = torch.randn(6, width)
        torch.testing.assert_close(compiled(x), program(x))
