"""The behaviours that torch asserts of its own DynamicInt, each by its number, for every kind of ours.

1 to 9 are about compiled functions (torch's test with CompileCounterWithBackend), 10 to 32 about eager use.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
import torch._dynamo as dynamo
from torch._dynamo.testing import CompileCounterWithBackend
from torch._inductor.utils import fresh_inductor_cache

from dynconstraints import DynamicInt

Make = Callable[[int], DynamicInt]
_serial = itertools.count()


def anonymous(value: int) -> DynamicInt:
    return DynamicInt(value)


def named(value: int) -> DynamicInt:
    return DynamicInt(value, name=f"n{next(_serial)}")


def constrained(value: int) -> DynamicInt:
    name = f"n{next(_serial)}"
    return DynamicInt(value, name=name, constraints=[f"-100 <= {name} <= 100", f"{name} != 77"])


KINDS = pytest.mark.parametrize("make", [anonymous, named, constrained])


@pytest.fixture(autouse=True)
def fresh_torch() -> Iterator[None]:
    dynamo.reset()
    with dynamo.config.patch(capture_scalar_outputs=True):
        yield
    dynamo.reset()


def total(x: int, y: int, z: int) -> torch.Tensor:
    return torch.tensor([x + y + z]) + torch.zeros(abs(x) + 2).sum()


class Adds(torch.nn.Module):
    """Adds an attribute that is an int."""

    def __init__(self, i: int) -> None:
        super().__init__()
        self.i = i

    def forward(self, x: int) -> torch.Tensor:
        return torch.tensor([x + self.i])


class CompiledBehaviours:
    """1 to 9; a class for each backend runs them."""

    backend: str

    @KINDS
    def test_1_to_6_arguments(self, make: Make) -> None:
        """One graph for an object passed twice and for plain ints that are equal there; a second where they differ."""
        counter = CompileCounterWithBackend(self.backend)
        with fresh_inductor_cache():
            compiled = torch.compile(total, backend=counter, fullgraph=True)
            x, z = make(1), make(3)
            assert torch.equal(compiled(x, x, z), total(1, 1, 3)), "1"
            assert torch.equal(compiled(2, 2, 0), total(2, 2, 0)), "2"
            assert torch.equal(compiled(-1, -1, 2), total(-1, -1, 2)), "3"
            assert counter.frame_count == 1, "4"
            assert torch.equal(compiled(3, 4, 5), total(3, 4, 5)), "5"
            assert counter.frame_count == 2, "6"

    @KINDS
    def test_7_to_9_module_attribute(self, make: Make) -> None:
        """An attribute stays dynamic when it is overwritten with a plain int, as does the argument."""
        counter = CompileCounterWithBackend(self.backend)
        with fresh_inductor_cache():
            module = Adds(make(1))
            compiled = torch.compile(module, backend=counter, fullgraph=True)
            assert torch.equal(compiled(make(0)), module(0)), "7"
            compiled.i = -2
            assert torch.equal(compiled(-1), module(-1)), "8"
            assert counter.frame_count == 1, "9"


class TestCompiledEagerly(CompiledBehaviours):
    backend = "eager"


@pytest.mark.inductor
class TestCompiledWithInductor(CompiledBehaviours):
    backend = "inductor"


def gives_dynamic(result: object, value: int) -> bool:
    return isinstance(result, DynamicInt) and int(result) == value


@KINDS
@pytest.mark.parametrize(
    ("number", "operation", "value"),
    [
        (10, lambda w, x, y, z: 2 * y + z, 4),
        (11, lambda w, x, y, z: (10 - z) // 2, 4),
        (12, lambda w, x, y, z: 1 // z, 0),
        (13, lambda w, x, y, z: -w + w**2, 2),
        (14, lambda w, x, y, z: x % z, 0),
        (15, lambda w, x, y, z: 1 << z, 4),
        (16, lambda w, x, y, z: z | y, 3),
        (17, lambda w, x, y, z: min(y, z), 1),
        (24, lambda w, x, y, z: x + 2, 2),
    ],
)
def test_10_to_17_and_24_stay_dynamic(make: Make, number: int, operation: Callable[..., object], value: int) -> None:
    """Arithmetic gives a DynamicInt of Python's value."""
    assert gives_dynamic(operation(*map(make, (-1, 0, 1, 2))), value), f"{number}"


@KINDS
@pytest.mark.parametrize(
    ("number", "holds"),
    [
        (18, lambda w, x, y, z: z > -2),
        (20, lambda w, x, y, z: math.cos(x) == y),
        (21, lambda w, x, y, z: math.prod([z, z], start=z) == 8),
        (22, lambda w, x, y, z: np.arange(z)[y] == 1),
        (23, lambda w, x, y, z: np.allclose(np.ones([y, z]).sum(axis=x), np.ones(z))),
        (25, lambda w, x, y, z: y / 2.0 == 0.5),
        (26, lambda w, x, y, z: float(z) == 2.0),
        (27, lambda w, x, y, z: bool(x) is False),
        (28, lambda w, x, y, z: DynamicInt(x).real == x.real),
        (29, lambda w, x, y, z: torch.arange(z)[:w][x] == 0),
        (30, lambda w, x, y, z: torch.add(torch.tensor(w), torch.tensor(w), alpha=z) == -3),
        (31, lambda w, x, y, z: list(torch.nn.Linear(z, y)(torch.randn(z * 2, z)).shape) == [4, 1]),
        (32, lambda w, x, y, z: z * torch.ones(z).sum(dim=x) == 4),
    ],
)
def test_18_and_20_to_32_work_as_with_ints(make: Make, number: int, holds: Callable[..., object]) -> None:
    """Comparisons, conversions, NumPy and torch take a DynamicInt for the int it is."""
    assert holds(*map(make, (-1, 0, 1, 2))), f"{number}"


@KINDS
def test_19_a_zero_divisor_raises(make: Make) -> None:
    """As Python's own ints do."""
    with pytest.raises(ZeroDivisionError):
        make(1) % make(0)
