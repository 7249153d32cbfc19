"""Sizes of 1 that torch's shape functions are not asked about: one graph, and all of eager's answers."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from compiled import Compiled

from dynconstraints import dynamic_int_constraints, name_dims
from dynconstraints.pytorch.oracle import size_one

Program = Callable[..., torch.Tensor]


def layout(tensor: torch.Tensor) -> tuple[object, ...]:
    """What a program can tell of a tensor: the strides of sizes that are not 1, and both kinds of contiguity."""
    strides = tuple(stride for size, stride in zip(tensor.shape, tensor.stride(), strict=True) if size > 1)
    formats = [torch.contiguous_format] + [torch.channels_last] * (tensor.ndim == 4)
    return tensor.shape, strides, [tensor.is_contiguous(memory_format=f) for f in formats]


def check(program: Program, sizes: list[int], make: Callable[[int], torch.Tensor], backend: str, least: int = 1) -> int:
    """Compare the program over the sizes with eager, in values and layout; returns how many graphs are kept.

    One that Inductor ends, since it settles a size halfway, is traced anew with that and not kept.
    """
    compiled = Compiled(program, backend=backend)
    with dynamic_int_constraints([f"k >= {least}"]):
        for size in sizes:
            given = make(size)
            expected_input = given.clone()
            found, expected = compiled(name_dims(given, {1: "k"})), program(expected_input)
            torch.testing.assert_close(found, expected)
            assert layout(found) == layout(expected)
            assert torch.equal(given, expected_input)  # also what the program writes
    return len(compiled.guards)


def three(k: int) -> torch.Tensor:
    return torch.arange(4 * k * 6, dtype=torch.float32).view(4, k, 6) + 1


ONE_GRAPH: dict[str, Program] = {
    "sum of two": lambda x: x + x * 2,
    "where": lambda x: torch.where(x > 3, x, -x),
    "a number": lambda x: (x / 7).clamp(min=1),
    "norm": lambda x: F.layer_norm(x, (6,)),
    "softmax over another": lambda x: x.softmax(-1),
    "view": lambda x: x.view(2, 2, x.shape[1], 3, 2) * 2,
    "rows and back": lambda x: x.view(-1, 6).relu().view(x.shape),
    "contiguous": lambda x: x[0].contiguous() * x[1].contiguous(),
    "log softmax of a part": lambda x: x[1].log_softmax(-1),
    "less its greatest": lambda x: x[2] - x[2].amax(-1, keepdim=True),
    "positions": lambda x: x * torch.arange(x.shape[1]).to(torch.float64).float()[:, None],
}


@pytest.mark.parametrize("backend", ["eager", "aot_eager"])
@pytest.mark.parametrize("name", ONE_GRAPH)
def test_sizes_that_only_meet_themselves_take_one_graph(name: str, backend: str) -> None:
    """From the general size on to 1; and the other way round all is as in eager, too."""
    assert check(ONE_GRAPH[name], [3, 1, 5], three, backend) == 1
    check(ONE_GRAPH[name], [1, 3, 5], three, backend)


def transposed_rows(x: torch.Tensor) -> torch.Tensor:
    return x.transpose(0, 1).reshape(-1, 6)


def writes_to_a_view_or_a_copy(x: torch.Tensor) -> torch.Tensor:
    rows = x.transpose(0, 1).reshape(-1, 6)
    rows.add_(1)
    return rows * 2


EACH_AS_EAGER: dict[str, Program] = {
    "reshape to rows": lambda x: x.reshape(-1, 6).relu(),
    "reshape and back": lambda x: x.reshape(-1, 3).add(1).reshape(x.shape),
    "product of an expanded": lambda x: x[:, :, None].expand(4, x.shape[1], 5, 6) * 2,
    "product with the transpose": lambda x: x @ x.new_ones(6, 3),
    "linear": lambda x: F.linear(x, x.new_ones(5, 6)),
    "literals of one": lambda x: torch.maximum(x, x.new_ones(1, 1, 6)).mul(x.new_ones(6)),
    "expand a literal": lambda x: x[:, :, None].expand(4, x.shape[1], 5, 6),
    "broadcast and its size": lambda x: (x + x.new_ones(1, 4, 1)) * (x + x.new_ones(1, 4, 1)).shape[1],
    "broadcast against four": lambda x: x + x.new_ones(1, 4, 1),
    "broadcast against three": lambda x: x * torch.arange(3.0).view(3, 1),
    "broadcast against its own mean": lambda x: x - x.mean(1, keepdim=True),
    "one row against all": lambda x: x[:, :1] + x,
    "expand to another size": lambda x: x.expand(4, 4, 6) * 2,
    "squeeze": lambda x: x.squeeze() * 2,
    "squeeze one": lambda x: x.squeeze(1) * 2,
    "branch on contiguity": lambda x: x + 1 if x.transpose(0, 1).is_contiguous() else x - 1,
    "branch on contiguity of columns": lambda x: x + 1 if x[:, :, :1].is_contiguous() else x - 1,
    "branch on contiguity of part of the rows": lambda x: x + 1 if x.view(4, -1)[:, :6].is_contiguous() else x - 1,
    "branch on both sizes": lambda x: x + 1 if x[:1].transpose(0, 1).is_contiguous() else x - 1,
    "contiguous of the transpose": lambda x: x.transpose(0, 1).contiguous().view(-1) * 2,
    "writes to what may be contiguous": lambda x: x.transpose(1, 2).contiguous().add_(1) + x.transpose(1, 2),
    "branch on a stride": lambda x: x + 1 if x.transpose(0, 1).contiguous().stride(0) == 24 else x - 1,
    "branch on the strides of a sum": lambda x: x + 1 if (x.mT + x.mT).is_contiguous() else x - 1,
    "branch on a view": lambda x: x + 1 if x.view(-1, 3).stride(0) == x.shape[1] * 3 else x - 1,
    "branch on channels last": lambda x: (
        x + 1 if x.view(1, 4, -1, 6).is_contiguous(memory_format=torch.channels_last) else x - 1
    ),
    "branch on the size": lambda x: x + 1 if x.shape[1] == 1 else x - 1,
    "rows of the transpose": transposed_rows,
    "writes to a view or a copy": writes_to_a_view_or_a_copy,
    "writes to a view": lambda x: (x.transpose(1, 2).reshape(4, -1).add_(1), x * 2)[1],
    "view that copies": lambda x: x.transpose(0, 1).contiguous().view(-1) * 2,
    "matrix and batch": lambda x: x.transpose(1, 2) @ x,
    "concatenation": lambda x: torch.cat([x, x], 1)[:, :1],
    "expand and write": lambda x: x.new_zeros(4, x.shape[1], 6).add_(x),
    "strided rows": lambda x: x[:, :, ::2].reshape(4, -1),
    "index": lambda x: x[:, -1] + x[:, 0],
    "unfold": lambda x: F.unfold(x.view(1, 4, -1, 6), 1),
}


@pytest.mark.parametrize("backend", ["eager", "aot_eager"])
@pytest.mark.parametrize("sizes", [(4, 1, 5), (1, 4, 5), (3, 1), (1, 3)], ids=str)
@pytest.mark.parametrize("name", EACH_AS_EAGER)
def test_where_a_size_of_1_tells_the_results_are_eagers(name: str, sizes: tuple[int, ...], backend: str) -> None:
    """Broadcasting, squeezing, layouts and writing, in as many graphs as it takes."""
    program = EACH_AS_EAGER[name]
    legal = [size for size in sizes if runs(program, three(size))]
    check(program, legal, three, backend)


def runs(program: Program, x: torch.Tensor) -> bool:
    try:
        program(x)
    except RuntimeError:
        return False
    return True


@pytest.mark.parametrize("name", [*ONE_GRAPH])
def test_sizes_of_nothing_are_as_in_eager(name: str) -> None:
    """Where the declaration allows 0, too."""
    check(ONE_GRAPH[name], [3, 0, 1], three, "eager", least=0) if runs(ONE_GRAPH[name], three(0)) else None


@pytest.mark.inductor
@pytest.mark.parametrize("name", ["norm", "rows and back", "view"])
def test_kernels_serve_a_size_of_1(name: str) -> None:
    """Inductor's, in values and layout; it has questions of its own, and so may have a graph of its own for 1."""
    assert check(ONE_GRAPH[name], [3, 1, 5], three, "inductor") <= 2


@pytest.mark.inductor
@pytest.mark.parametrize("name", ["broadcast against four", "writes to a view or a copy", "rows of the transpose"])
def test_kernels_where_a_size_of_1_tells_are_right(name: str) -> None:
    """Inductor's, in values, layout, and what is written to the argument."""
    check(EACH_AS_EAGER[name], [4, 1], three, "inductor")


def test_sizes_taken_for_the_same_that_are_not_are_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the tests above can fail."""
    program = EACH_AS_EAGER["broadcast and its size"]
    check(program, [4, 1], three, "eager")
    monkeypatch.setattr(size_one, "_common", lambda shapes: list(shapes[0]))
    with pytest.raises(AssertionError):
        check(program, [4, 1], three, "eager")


def test_contiguity_taken_for_granted_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the tests above can fail."""
    program = EACH_AS_EAGER["branch on the strides of a sum"]
    check(program, [4, 1], three, "eager")
    monkeypatch.setattr(size_one, "_in_a_row", lambda sizes, strides: size_one._declared(sizes))
    with pytest.raises(AssertionError):
        check(program, [4, 1], three, "eager")
