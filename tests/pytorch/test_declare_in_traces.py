"""Declared functions over graph breaks, and inside of other functions that are compiled."""

from __future__ import annotations

import functools

import pytest
import torch
from declared import RULES, SIZES, TEXTS, halves, pairs
from torch._dynamo.testing import CompileCounterWithBackend

from dynconstraints import (
    ConstraintViolationError,
    declare,
    explain,
)


@pytest.fixture(autouse=True)
def _fresh():
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


def broken(x, y):
    z = x.view(x.shape[0], -1, 32).sum(1)
    torch._dynamo.graph_break()
    return y.view(y.shape[0], 64, -1).sum(), z, x * 2


def broken_at_once(x, y):
    torch._dynamo.graph_break()
    return y.view(y.shape[0], 64, -1).sum(), x * 2


@torch._dynamo.disable
def left_alone(x):
    return x


def calling_disabled(x, y):
    left_alone(x)
    return halves(x), y + 1


@pytest.mark.parametrize(("function", "graphs"), [(broken, 2), (broken_at_once, 1), (calling_disabled, 1)])
def test_the_names_last_over_graph_breaks(function, graphs):
    """The rest of a function knows the arguments by their identity; a frame without a graph checks the call."""
    counter = CompileCounterWithBackend("eager")
    compiled = torch.compile(declare(function, **TEXTS), backend=counter)
    for b, h in SIZES:
        x, y = pairs(b, h)
        for got, expected in zip(compiled(x, y), function(x, y), strict=True):
            torch.testing.assert_close(got, expected)
    assert counter.frame_count == graphs
    with pytest.raises(ConstraintViolationError, match="h % 32 == 0"):
        compiled(*pairs(2, 33))
    assert counter.frame_count == graphs


def test_a_function_compiled_inside_of_a_declared_one_gets_the_names():
    """Of the very tensors that were passed on."""
    counter = CompileCounterWithBackend("eager")
    inner = torch.compile(halves, backend=counter, dynamic=False)

    @declare(x="b h", constraints=RULES)
    def outer(x):
        return inner(x)

    for b, h in SIZES:
        outer(torch.randn(b, h))
    assert counter.frame_count == 1


def test_a_declared_function_is_named_inside_of_another_trace():
    """Its names are its own in each call: here one block runs at two resolutions, and one gets what was computed."""
    block = declare(halves, x="b h", constraints=RULES)

    def network(x, y):
        return block(x).sum() + block(y * 2).sum() + block(torch.cat((x, x), 1)).sum()

    counter = CompileCounterWithBackend("eager")
    compiled = torch.compile(network, backend=counter, fullgraph=True, dynamic=True)
    for b, h in SIZES:
        x, y = pairs(b, h)
        torch.testing.assert_close(compiled(x, y), network(x, y))
    with pytest.raises(ConstraintViolationError, match="h % 32 == 0"):
        compiled(torch.randn(2, 48), torch.randn(2, 64))
    with pytest.raises(ConstraintViolationError, match="h % 32 == 0"):
        compiled(torch.randn(2, 64), torch.randn(2, 48))


def test_a_declared_module_is_named_inside_of_another_one():
    """Also when its inputs got their symbols before it was called; the parent's other inputs are nobody's."""

    class Half(torch.nn.Module):
        def forward(self, x):
            return halves(x)

    class Parent(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.block = declare(Half(), x="b h", constraints=RULES)

        def forward(self, x):
            return self.block(x + 0) if x.dim() > 2 else self.block(x)

    counter = CompileCounterWithBackend("eager")
    compiled = torch.compile(Parent(), backend=counter, fullgraph=True)
    for b, h in SIZES:
        compiled(torch.randn(b, h))
    assert counter.frame_count == 1
    with pytest.raises(ConstraintViolationError, match="h % 32 == 0"):
        compiled(torch.randn(2, 48))


def passing_all(function):
    @functools.wraps(function)
    def passed(*args, **kwargs):
        return function(*args, **kwargs)

    return passed


class PlainForward(torch.nn.Module):
    def forward(self, x, n=2):
        return x.view(-1, 2) * n


class DecoratedForward(torch.nn.Module):
    @passing_all
    def forward(self, x, n=2):
        return x.view(-1, 2) * n


@pytest.mark.parametrize("kind", [PlainForward, DecoratedForward])
@pytest.mark.parametrize("check", ["always", "compiled"])
@pytest.mark.parametrize("parent", [torch.nn.Sequential, lambda module: lambda x: module(x)])
def test_a_module_inside_of_another_trace_is_checked_however_its_forward_is_reached(kind, check, parent):
    """With hooks on it or without, through a decorator or not."""
    module = declare(kind(), x="2*s", n="n", constraints=["s % 2 == 0", "n % 2 == 0"], check=check)
    compiled = torch.compile(parent(module), backend="eager")
    for size in (4, 8):
        compiled(torch.ones(size))
    with pytest.raises(ConstraintViolationError, match="s % 2 == 0"):
        compiled(torch.ones(6))


def test_explain_proves_what_is_declared_over_a_graph_break():
    """Of the rest of the function, too."""
    assert explain(declare(broken, **TEXTS), *pairs(2, 64), backend="eager").covers_domain is True
