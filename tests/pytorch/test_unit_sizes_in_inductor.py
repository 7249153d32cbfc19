"""Inductor where a declared size is 1 at the first call, and the graphs that other sizes cost then."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
import torch._inductor.config as inductor_config
import torch.nn.functional as F
from compiled import Compiled
from torch._inductor.async_compile import AsyncCompile

from dynconstraints import name_dims

Program = Callable[[torch.Tensor], Any]


def several(x: torch.Tensor) -> Any:
    return x.sum(-1), x.amax(0), x.var(-1, unbiased=False)


OPERATIONS: dict[str, Program] = {
    "reductions": several,
    "softmax": lambda x: (x.softmax(0), x.log_softmax(-1)),
    "layer norm": lambda x: F.layer_norm(x, (4,)),
    "cat": lambda x: (torch.cat([x, x * 2], 0), torch.cat([x, x + 1], 1)),
    "pool": lambda x: F.avg_pool2d(x[None, None], 3, 1, 1),
    "conv": lambda x: F.conv2d(x[None, None], torch.ones(2, 1, 3, 3), padding=1),
    "matmul": lambda x: (x @ x.t(), x.t() @ x),
    "views": lambda x: (x.t().contiguous().view(-1), x.unsqueeze(1).expand(-1, 3, -1).sum(1)),
    "broadcast": lambda x: (x + x[:1], x - x.mean(1, keepdim=True)),
    "index": lambda x: (x[torch.arange(x.shape[0])], x.flip(0), x.cumsum(0)),
    "pad": lambda x: F.pad(x, (1, 1, 0, 2)).sum(0),
    "norm": lambda x: (x.norm(dim=1), F.normalize(x, dim=0), x.std(1)),
}


@pytest.fixture
def code_alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Inductor lowers and writes C++, which nobody compiles; what a graph computes is left open."""
    monkeypatch.setattr(AsyncCompile, "cpp_pybinding", lambda *_, **__: lambda *_: None)
    with inductor_config.patch(fx_graph_cache=False, cpp_wrapper=False):
        yield


@pytest.mark.usefixtures("code_alone")
@pytest.mark.parametrize("declared", [["1 <= n", "n <= 40"], ["n % 16 == 0", "16 <= n", "n <= 640"]])
@pytest.mark.parametrize("name", OPERATIONS)
def test_the_unit_size_of_a_range_costs_at_most_one_further_graph(name: str, declared: list[str]) -> None:
    """The parameter of the size is 1 at the first call: n itself, and k of ``n = 16*k``."""
    unit = 16 if len(declared) == 3 else 1
    compiled = Compiled(OPERATIONS[name], backend="inductor")
    counts = []
    for size in (unit, 3 * unit, 2 * unit, unit):
        compiled(name_dims(torch.randn(size, 4), {0: "n"}, constraints=declared))
        counts.append(compiled.graphs)
    assert counts[1] <= 2
    assert counts[3] == counts[1]


@pytest.mark.usefixtures("code_alone")
def test_reductions_have_one_graph_for_unit_sizes_too() -> None:
    """What Inductor broadcasts, Dynamo has settled: whether a size is 1 needs no asking; also of both sizes."""
    compiled = Compiled(several, backend="inductor")
    for sizes in ((1, 1), (5, 1), (1, 6), (5, 6)):
        names = {0: "n", 1: "m"}
        compiled(name_dims(torch.randn(*sizes), names, constraints=["1 <= n <= 40", "1 <= m <= 40"]))
    assert compiled.graphs == 1


@pytest.mark.usefixtures("code_alone")
@pytest.mark.parametrize("size", [1, 7])
def test_a_size_that_inductor_settles_halfway_is_settled_from_the_beginning(
    size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loops of what is lowered before and after have one size, where that is 1; larger ones stay as they are."""
    from torch._inductor import lowering

    exponential = lowering.lowerings[torch.ops.aten.exp.default]

    def asking(x: Any) -> Any:
        lowering.V.graph.sizevars.guard_int(x.get_size()[0])
        return exponential(x)

    monkeypatch.setitem(lowering.lowerings, torch.ops.aten.exp.default, asking)
    compiled = Compiled(lambda x: x.sum(1).exp() + x.amax(1), backend="inductor")
    counts = []
    for rows in (size, size, 5):
        compiled(name_dims(torch.randn(rows, 4), {0: "n"}, constraints=["1 <= n <= 40"]))
        counts.append(compiled.graphs)
    # For the size 1 the attempt that ended, and the graph; for others the graph alone.
    assert counts == ([2, 2, 3] if size == 1 else [1, 1, 2])


def test_results_and_gradients_at_the_unit_size_are_those_of_eager() -> None:
    """With the kernels compiled."""
    compiled = Compiled(several, backend="inductor")
    for size in (1, 3, 1):
        x = torch.randn(size, 4, requires_grad=True)
        y = x.detach().clone().requires_grad_()
        found = compiled(name_dims(y, {0: "n"}, constraints=["1 <= n <= 40"]))
        sum(part.sum() for part in several(x)).backward()
        sum(part.sum() for part in found).backward()
        for left, right in zip((*found, y.grad), (*several(x), x.grad), strict=True):
            torch.testing.assert_close(left, right)
