"""A declared value means the same wherever it lives: one graph, and outside of the domain an error at once."""

from __future__ import annotations

import collections
import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest
import torch
from compiled import Compiled

from dynconstraints import (
    ConflictingBindingError,
    ConstraintViolationError,
    DynamicInt,
    dynamic_int_constraints,
    name_dims,
)

X = torch.ones(2)


def use(x: torch.Tensor, v: Any) -> torch.Tensor:
    """What needs the declared divisibility, of an int or of a tensor's first dimension."""
    if isinstance(v, torch.Tensor):
        return x * v.view(v.shape[0] // 4, 4).sum()
    return x * v if v % 4 == 0 else x


def integer(size: int) -> Any:
    return DynamicInt(size, name="n")


def dimension(size: int) -> Any:
    return name_dims(torch.arange(float(size)), {0: "n"})


def parameter(size: int) -> Any:
    return name_dims(torch.nn.Parameter(torch.arange(float(size))), {0: "n"})


@dataclass(frozen=True)
class Record:
    n: Any


class Pair(NamedTuple):
    n: Any


class Slot:
    __slots__ = ("n",)

    def __init__(self, n: Any) -> None:
        self.n = n


class Holder(torch.nn.Module):
    """The value where modules keep such: a parameter, a buffer, an attribute, and in a container."""

    def __init__(self, n: Any) -> None:
        super().__init__()
        if isinstance(n, torch.Tensor) and not isinstance(n, torch.nn.Parameter):
            self.register_buffer("n", n)
        else:
            self.n = n
        self.settings = {"sizes": [n]}

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return use(use(x, self.n), self.settings["sizes"][0])


def nested(x: torch.Tensor, v: Any) -> torch.Tensor:
    def inner(y: torch.Tensor) -> torch.Tensor:
        return use(y, v)

    return inner(x)


ARGUMENTS: dict[str, tuple[Callable[..., torch.Tensor], Callable[[Any], Any]]] = {
    "ordered dict": (lambda x, v: use(x, v["n"]), lambda n: collections.OrderedDict(n=n)),
    "deque": (lambda x, v: use(x, v[0]), lambda n: collections.deque([n])),
    "named tuple": (lambda x, v: use(x, v.n), Pair),
    "dataclass": (lambda x, v: use(x, v.n), Record),
    "dataclass in a list in a dataclass": (lambda x, v: use(x, v.n[0].n), lambda n: Record([Record(n)])),
    "slot": (lambda x, v: use(x, v.n), Slot),
    "six lists deep": (lambda x, v: use(x, v[0][0][0][0][0][0]), lambda n: [[[[[[n]]]]]]),
    "module": (lambda x, v: v(x), Holder),
    "nested function": (nested, lambda n: n),
    "partial": (lambda x, v: v(x), lambda n: functools.partial(lambda k, y: use(y, k), n)),
}


@pytest.mark.parametrize("make", [integer, dimension, parameter])
@pytest.mark.parametrize("place", ARGUMENTS)
def test_a_place_is_one_graph_inside_and_an_error_outside_of_the_domain(place: str, make: Callable[[int], Any]) -> None:
    """The error is raised before the first compile, and later where a graph exists, without another."""
    function, holding = ARGUMENTS[place]
    with dynamic_int_constraints(["n % 4 == 0", "n >= 8"]):
        compiled = Compiled(function)
        with pytest.raises(ConstraintViolationError, match="n % 4 == 0"):
            compiled(X, holding(make(10)))
        assert compiled.graphs == 0
        for size in (8, 12, 40):
            assert torch.equal(compiled(X, holding(make(size))), function(X, holding(make(size))))
        assert compiled.graphs == 1
        with pytest.raises(ConstraintViolationError, match="n % 4 == 0"):
            compiled(X, holding(make(14)))
        assert compiled.graphs == 1


@pytest.mark.parametrize("make", [integer, dimension])
@pytest.mark.parametrize("place", ARGUMENTS)
def test_two_values_of_one_name_are_an_error_wherever_the_second_lives(place: str, make: Callable[[int], Any]) -> None:
    """It names both, and nothing is compiled."""
    function, holding = ARGUMENTS[place]
    compiled = Compiled(lambda x, n, v: function(x * n, v))
    with pytest.raises(ConflictingBindingError, match="n has two values in one call"):
        compiled(X, integer(12), holding(make(8)))
    assert compiled.graphs == 0


def test_what_a_module_holds_may_change_between_calls() -> None:
    """Attribute and container are read again; a value outside of the domain raises there."""
    with dynamic_int_constraints(["n % 4 == 0"]):
        module = Holder(integer(8))
        compiled = Compiled(module)
        for size in (8, 12, 40):
            module.n = module.settings["sizes"][0] = integer(size)
            assert torch.equal(compiled(X), module(X))
        module.n = module.settings["sizes"][0] = integer(14)
        with pytest.raises(ConstraintViolationError, match="n % 4 == 0"):
            compiled(X)
        assert compiled.graphs == 1
