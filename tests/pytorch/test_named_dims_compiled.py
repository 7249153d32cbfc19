"""Named tensor dimensions in compiled functions: expressions over the same parameters as ints."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch._dynamo as dynamo
from compiled import Compiled

from dynconstraints import (
    ConflictingBindingError,
    ConstraintViolationError,
    DynamicInt,
    dynamic_int_constraints,
    name_dims,
)
from dynconstraints.pytorch.values.named_dims import named_dims


def window(x: torch.Tensor) -> torch.Tensor:
    b, h, w, c = x.shape
    return torch.relu(x.view(b, h // 7, 7, w // 7, 7, c).permute(0, 1, 3, 2, 4, 5).reshape(-1, 49, c) * 2 + 1)


def image(h: int, w: int) -> torch.Tensor:
    return name_dims(torch.randn(2, h, w, 8), {1: "h", 2: "w"}, constraints=["h % 7 == 0", "w % 7 == 0"])


def test_one_graph_for_all_window_sizes() -> None:
    """Seven-pixel windows: one graph, and no guard but two for the sizes with their ranges, and two for strides."""
    compiled = Compiled(window)
    for h, w in ((14, 21), (21, 14), (28, 28), (70, 35)):
        x = image(h, w)
        assert torch.equal(compiled(x), window(x))
    assert compiled.graphs == 1
    assert len(compiled.guards[0]) == 4


def test_a_plain_tensor_runs_the_graph_where_it_fits_and_recompiles_where_not() -> None:
    """The names are on the declared tensor; the guards are on sizes."""
    compiled = Compiled(lambda x: x.view(x.shape[0] // 4, 4, -1).sum(1))
    compiled(name_dims(torch.randn(16, 3), {0: "n"}, constraints=["n % 4 == 0"]))
    compiled(torch.randn(24, 3))
    assert compiled.graphs == 1
    with pytest.raises(RuntimeError):
        compiled(torch.randn(18, 3))


def test_an_int_and_a_dimension_of_one_name_share_a_parameter() -> None:
    """view(-1, n) of a tensor of rows*n elements needs no guard that relates them."""
    compiled = Compiled(lambda x, n: torch.softmax(x.view(-1, n), -1))
    with dynamic_int_constraints(["n % 16 == 0", "n >= 16"]):
        for n in (64, 48, 128, 32):
            x = name_dims(torch.randn(24 * n), {0: "rows*n"})
            torch.testing.assert_close(compiled(x, DynamicInt(n, name="n")), torch.softmax(x.view(-1, n), -1))
    assert compiled.graphs == 1
    assert not any("%" in guard for guard in compiled.guards[-1])


def test_a_relation_between_dimensions_of_two_tensors() -> None:
    """hq == 4*kv: reshapes across the two tensors fold."""

    def grouped(q: torch.Tensor, k: torch.Tensor) -> torch.Tensor:
        return q.view(k.shape[0], q.shape[0] // k.shape[0], -1) + k[:, None]

    compiled = Compiled(grouped)
    for kv in (2, 3, 5, 8):
        q = name_dims(torch.randn(4 * kv, 6), {0: "hq"}, constraints=["hq == 4*kv"])
        k = name_dims(torch.randn(kv, 6), {0: "kv"})
        assert torch.equal(compiled(q, k), grouped(q, k))
    assert compiled.graphs == 1


def test_two_sizes_for_one_name_raise_before_compiling() -> None:
    """The error names both tensors."""
    compiled = Compiled(lambda x, y: x + y)
    with pytest.raises(ConflictingBindingError, match="n has two values in one call: 3 and 1"):
        compiled(name_dims(torch.ones(3), {0: "n"}), name_dims(torch.ones(1), {0: "n"}))
    assert compiled.graphs == 0


def test_a_scope_reaches_named_dimensions() -> None:
    """A violated scope raises at the call, whether or not a graph exists."""
    compiled = Compiled(lambda x: x * 2)
    with dynamic_int_constraints(["n <= 8"]):
        compiled(name_dims(torch.ones(7), {0: "n"}))
        with pytest.raises(ConstraintViolationError, match="n <= 8"):
            compiled(name_dims(torch.ones(9), {0: "n"}))
    compiled(name_dims(torch.ones(9), {0: "n"}))


@pytest.mark.parametrize("dynamic", [True, False, None])
def test_names_work_beside_torchs_own_ways_of_saying_dynamic(dynamic: bool | None) -> None:
    """dynamic=True/False/None and mark_dynamic change nothing for named dimensions."""
    compiled = Compiled(lambda x: x.view(x.shape[0] // 4, 4).sum(1), dynamic=dynamic)
    for n in (16, 24, 40):
        x = name_dims(torch.randn(n), {0: "n"}, constraints=["n % 4 == 0"])
        dynamo.maybe_mark_dynamic(x, 0)
        assert torch.equal(compiled(x), x.view(n // 4, 4).sum(1))
    assert compiled.graphs == 1


def test_parameters_and_buffers_of_modules_keep_their_names() -> None:
    """A named buffer that changes its size between calls does not recompile."""

    class Table(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("table", name_dims(torch.randn(8, 3), {0: "n"}, constraints=["n % 4 == 0"]))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x + self.table.view(-1, 4, 3).sum((0, 1))

    module = Table()
    compiled = Compiled(module)
    for n in (8, 12, 20):
        module.table = name_dims(torch.randn(n, 3), {0: "n"}, constraints=["n % 4 == 0"])
        assert torch.equal(compiled(torch.ones(3)), module(torch.ones(3)))
    assert compiled.graphs == 1


def test_names_survive_a_graph_break() -> None:
    """The resumed frame sees the named tensor again."""

    def program(x: torch.Tensor) -> torch.Tensor:
        y = x.view(-1, 4).sum()
        dynamo.graph_break()
        return y + x.view(-1, 2).sum()

    compiled = Compiled(program, fullgraph=False)
    for n in (16, 24, 40):
        x = name_dims(torch.randn(n), {0: "n"}, constraints=["n % 4 == 0"])
        torch.testing.assert_close(compiled(x), program(x))
    assert compiled.graphs == 2


def test_training_through_a_window_partition() -> None:
    """Forward and backward in one graph over three sizes, gradients equal to eager's."""
    linear = torch.nn.Linear(8, 8)

    def loss(x: torch.Tensor) -> torch.Tensor:
        return (linear(window(x)) ** 2).mean()

    dynamo.reset()
    dynamo.utils.counters.clear()
    compiled = torch.compile(loss, backend="aot_eager", fullgraph=True)
    for h, w in ((14, 21), (21, 14), (28, 35)):
        x = image(h, w).requires_grad_()
        y = x.detach().clone().requires_grad_()
        compiled(x).backward()
        grads = [p.grad.clone() for p in linear.parameters()]
        linear.zero_grad()
        loss(y).backward()
        torch.testing.assert_close(x.grad, y.grad)
        torch.testing.assert_close(grads, [p.grad for p in linear.parameters()])
        linear.zero_grad()
    assert dynamo.utils.counters["stats"]["unique_graphs"] == 1


def test_a_size_that_breaks_a_constraint_is_told_the_nearest_legal_ones() -> None:
    """The message of a tensor's size says what that of an int says."""
    with pytest.raises(ConstraintViolationError) as caught:
        name_dims(torch.ones(2, 130), {1: "2*h"}, constraints=["h % 32 == 0"])
    told = str(caught.value).splitlines()
    assert told[0] == "error[DC301]: constraint violated: h % 32 == 0"
    assert told[1].startswith('  --> name_dims(x, {1: "2*h"})  at ')
    assert told[2:] == [
        "    h % 32 == 0",
        "    ^^^^^^^^^^^    h = 65, and 65 % 32 = 1",
        "  help: the nearest values that satisfy every constraint on h are 64 and 96",
    ]


def test_each_call_is_checked_for_what_its_tensor_declares_by_then() -> None:
    """A tensor named once more, or resized, between calls of a graph that serves it."""
    compiled = Compiled(lambda x: x * 2)
    x = name_dims(torch.ones(12), {0: "t"}, constraints=["t % 4 == 0"])
    for _ in range(2):
        compiled(x)
    name_dims(x, {0: "t"}, constraints=["t < 16"])
    assert torch.equal(compiled(x), x * 2)
    with pytest.raises(ConstraintViolationError, match="t < 16"):
        compiled(x.resize_(16))
    assert torch.equal(compiled(x.resize_(8).fill_(1)), x * 2)
    with pytest.raises(ConstraintViolationError, match="t % 4 == 0"):
        compiled(x.resize_(6))


def test_a_line_that_names_batch_after_batch_is_worked_out_once_and_told_by_its_own_place() -> None:
    """Equal declarations of one line are one object; of two lines each says where it is."""
    first, again = (named_dims(name_dims(torch.ones(8), {0: "2*t"}, constraints=["t >= 1"])) for _ in range(2))
    other = named_dims(name_dims(torch.ones(8), {0: "2*t"}, constraints=["t >= 1"]))
    third = named_dims(name_dims(torch.ones(12), {0: "2*t"}, constraints=["t >= 1"]))
    assert first is not None
    assert again is not None
    assert other is not None
    assert third is not None
    assert first.declaration is again.declaration
    assert first.declaration == other.declaration
    lines = [int(str(record.declaration.where).rsplit(":", 1)[1]) for record in (first, other, third)]
    assert lines == [lines[0], lines[0] + 1, lines[0] + 2]
    assert third.declaration.bindings == {"t": 6}
    with pytest.raises(ConstraintViolationError, match="t >= 5"):
        name_dims(torch.ones(8), {0: "2*t"}, constraints=["t >= 5"])


MADE: list[tuple[str, Callable[[DynamicInt], tuple[Any, ...]], Callable[..., torch.Tensor]]] = [
    ("randn", lambda n: (name_dims(torch.randn(n, 2 * n), {0: n, 1: 2 * n}),), lambda x: x.view(-1, 8).sum(1)),
    ("beside the int", lambda n: (name_dims(torch.zeros(n, 3), {0: n}), n), lambda x, n: x.view(n // 4, -1).sum(0) + n),
    ("arange", lambda n: (name_dims(torch.arange(n), {0: n}),), lambda x: x.view(4, -1).sum(0)),
    ("view", lambda n: (name_dims(torch.rand(n * 6).view(n, -1), {0: n}),), lambda x: x.reshape(-1, 8).sum(1)),
    ("expand", lambda n: (name_dims(torch.rand(3, 1).expand(3, n), {1: n}),), lambda x: x.reshape(3, 2, -1).sum(2)),
    ("slice", lambda n: (name_dims(torch.rand(60, 3)[:n], {0: n}),), lambda x: x.reshape(-1, 4).sum(1)),
]


@pytest.mark.parametrize(("make", "program"), [m[1:] for m in MADE], ids=[m[0] for m in MADE])
def test_a_declared_int_names_what_was_made_with_it(
    make: Callable[[DynamicInt], tuple[Any, ...]], program: Callable[..., torch.Tensor]
) -> None:
    """The facts of n hold for the tensor, without a word more on it; one more graph for n // 4 == 1."""
    compiled = Compiled(program)
    for size in (8, 24, 12, 48, 4):
        arguments = make(DynamicInt(size, name="n", constraints=["n % 4 == 0", "n >= 4"]))
        torch.testing.assert_close(compiled(*arguments), program(*arguments))
        assert compiled.graphs == (1 if size > 4 else compiled.graphs)
    assert compiled.graphs <= 2
    assert not any("%" in guard for guard in compiled.guards[0])


def test_a_call_of_torchs_names_nothing_by_itself() -> None:
    """Torch is as it is: who wants names on what it makes with a declared int says so."""
    n = DynamicInt(8, name="n")
    x = torch.zeros(n, 2 * n)
    made = [x, x.view(n, -1), x.expand(3, n, -1), torch.full((n,), 1.0), torch.arange(n), x.narrow(1, 0, n)]
    assert [named_dims(y) for y in made] == [None] * len(made)
    assert named_dims(torch.zeros_like(name_dims(x, {0: n}))) is None
