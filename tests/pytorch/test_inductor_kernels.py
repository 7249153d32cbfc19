"""What the generated C++ gains from a declaration, by the shape of the code; beside eager at every size."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
import torch._dynamo as dynamo
import torch.nn.functional as F
from compiled import Compiled
from torch._inductor import config
from torch._inductor.utils import run_and_get_cpp_code

from dynconstraints import DynamicInt, dynamic_int_constraints, name_dims
from dynconstraints.pytorch.install import dynamo_wrappers

pytestmark = pytest.mark.inductor


def kernels(function: Callable[..., Any], *args: Any, **options: Any) -> tuple[Any, str]:
    """The result of the compiled function, and the C++ that was generated for it."""
    dynamo.reset()
    with config.patch(force_disable_caches=True):
        return run_and_get_cpp_code(torch.compile(function, fullgraph=True, **options), *args)


def agrees(function: Callable[..., Any], inputs: Sequence[tuple[Any, ...]], graphs: int = 1) -> None:
    """One compiled function gives eager's results for all inputs, with so many graphs."""
    compiled = Compiled(function, backend="inductor")
    for args in inputs:
        torch.testing.assert_close(compiled(*args), function(*args))
    assert compiled.graphs == graphs


def layer_norm(x: torch.Tensor) -> torch.Tensor:
    return F.layer_norm(x, x.shape[-1:])


def rows(length: int, number: int = 6) -> torch.Tensor:
    return name_dims(torch.randn(number, length) * 3 + 5, {0: "rows", 1: "n"})


def test_a_row_declared_short_has_its_variance_in_two_passes() -> None:
    """As a literal length has; up to the declared bound the results are eager's, from one graph."""
    with dynamic_int_constraints(["n % 16 == 0", "16 <= n <= 1024", "rows >= 2"]):
        found, code = kernels(layer_norm, rows(64))
        assert "welford" not in code.lower()
        agrees(layer_norm, [(rows(n, r),) for n, r in [(64, 6), (32, 7), (1024, 3), (48, 20)]])
    assert found.shape == (6, 64)


@pytest.mark.parametrize("declared", [["n >= 16"], ["n % 16 == 0", "16 <= n <= 1040"], ["16 <= n", "rows <= 512"]])
def test_a_row_that_may_be_long_keeps_the_single_pass(declared: list[str]) -> None:
    """The bound has to be declared; a hint of 64 is no bound."""
    with dynamic_int_constraints(declared):
        _, code = kernels(layer_norm, rows(64))
    assert "welford" in code.lower()


def test_a_relation_may_say_that_a_row_is_short() -> None:
    """No bound on n itself: it follows from another name's, by the oracle."""
    x = name_dims(torch.randn(6, 64), {0: "m", 1: "n"})
    with dynamic_int_constraints(["n <= 16*m", "2 <= m <= 64", "n >= 2"]):
        _, code = kernels(layer_norm, x)
        assert "welford" not in code.lower()
        shapes = [(6, 64), (64, 1024), (4, 7)]
        agrees(layer_norm, [(name_dims(torch.randn(m, n), {0: "m", 1: "n"}),) for m, n in shapes])


def test_without_declared_sizes_inductor_decides_as_ever() -> None:
    """Also where torch knows the bound by itself."""

    def checked(x: torch.Tensor) -> torch.Tensor:
        torch._check(x.shape[1] <= 512)
        return layer_norm(x)

    _, code = kernels(checked, torch.randn(6, 64), dynamic=True)
    assert "welford" in code.lower()


def test_a_variance_of_one_row_or_of_several_dimensions() -> None:
    """The length that counts is the product of what is reduced."""

    def spread(x: torch.Tensor) -> torch.Tensor:
        return torch.var(x, dim=(1, 2), correction=0)

    def cube(a: int, b: int) -> torch.Tensor:
        return name_dims(torch.randn(3, a, b), {1: "a", 2: "b"})

    with dynamic_int_constraints(["2 <= a <= 16", "2 <= b <= 32"]):
        _, code = kernels(spread, cube(4, 6))
        assert "welford" not in code.lower()
        agrees(spread, [(cube(4, 6),), (cube(16, 32),), (cube(2, 2),)])
    with dynamic_int_constraints(["2 <= a <= 64", "2 <= b <= 64"]):
        _, code = kernels(spread, cube(4, 6))
        assert "welford" in code.lower()


def rotary(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    n = x.shape[-1]
    return x * cos + torch.cat([-x[..., n // 2 :], x[..., : n // 2]], -1) * sin


def angles(t: int, n: int) -> tuple[torch.Tensor, ...]:
    named = {0: "t", 1: "n"}
    x = name_dims(torch.randn(2, t, n), {1: "t", 2: "n"})
    return x, name_dims(torch.randn(t, n), named), name_dims(torch.randn(t, n), named)


def test_strides_of_sizes_declared_positive_are_products() -> None:
    """No max(1, 32*k), and so loops merge as they do for literal sizes: three loop nests of two."""
    with dynamic_int_constraints(["n % 32 == 0", "n >= 32", "t >= 1"]):
        _, code = kernels(rotary, *angles(8, 64))
        assert "std::max" not in code
        assert code.count("for(") == 6
        agrees(rotary, [angles(8, 64), angles(3, 32), angles(5, 96)])


def test_a_size_of_zero_has_a_graph_of_its_own() -> None:
    """The sizes that a graph takes to be positive are guarded: an empty tensor, and an int that may be 0."""

    def doubled(x: torch.Tensor) -> torch.Tensor:
        return torch.relu(x.view(-1, 7) * 2)

    def empty(n: int) -> tuple[torch.Tensor]:
        return (name_dims(torch.randn(2, n), {1: "n"}),)

    with dynamic_int_constraints(["n % 7 == 0"]):
        agrees(doubled, [empty(14), empty(21), empty(0), empty(28)], graphs=2)
    with dynamic_int_constraints(["n % 7 == 0", "n >= 7"]):
        compiled = Compiled(doubled)
        compiled(*empty(14))
        assert compiled(torch.randn(2, 0)).shape == (0, 7)  # not declared: another graph, not that one
        assert compiled.graphs == 2
    with dynamic_int_constraints(["m % 4 == 0", "m >= 0"]):
        agrees(lambda m, x: x * m + m // 4, [(DynamicInt(m, name="m"), torch.ones(3)) for m in (8, 0, 4)])


def test_the_package_s_release_is_in_the_keys_of_artefacts(monkeypatch: pytest.MonkeyPatch) -> None:
    """What another release of this package made of the same declaration is not served."""
    seen = []

    def backend(graph: torch.fx.GraphModule, _: Any) -> Any:
        seen.append(torch.compiler.config.cache_key_tag)
        return graph.forward

    def tag() -> str:
        dynamo.reset()
        compiled = torch.compile(lambda n, x: x + n, backend=backend)
        compiled(DynamicInt(8, name="n", constraints=["n % 8 == 0"]), torch.ones(1))
        return seen[-1]

    first = tag()
    assert tag() == first
    monkeypatch.setattr(dynamo_wrappers, "__version__", "0.0")
    assert tag() != first
