"""What is declared after something that calls it was compiled, and numbers that a declared call inside a trace gets."""

from __future__ import annotations

import pytest
import torch
from torch._dynamo.testing import CompileCounterWithBackend

from dynconstraints import ConstraintViolationError, declare

RULES = ["h % 4 == 0", "h >= 4"]


@pytest.fixture(autouse=True)
def _fresh():
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


class Child(torch.nn.Module):
    def forward(self, x):
        return x * 2


class Parent(torch.nn.Module):
    def __init__(self, child):
        super().__init__()
        self.child = child

    def forward(self, x):
        return self.child(x) + 1


class Calling(Parent):
    def forward(self, x):
        return self.child.forward(x) + 1


class Deep(Parent):
    def __init__(self, child):
        super().__init__(torch.nn.ModuleList([torch.nn.ReLU(), child]))

    def forward(self, x):
        for each in self.child:
            x = each(x)
        return x


PARENTS = {
    "attribute": Parent,
    "its forward": Calling,
    "list": Deep,
    "Sequential": lambda child: torch.nn.Sequential(torch.nn.ReLU(), child),
    "closure": lambda child: lambda x: child(x) + 1,
    "bound method": lambda child: Parent(child).forward,
}
CHILDREN = {"own": (Child, "x"), "torch's": (lambda: torch.nn.Softmax(-1), "input")}


@pytest.mark.parametrize("child", CHILDREN)
@pytest.mark.parametrize("parent", PARENTS)
def test_a_child_that_is_declared_later_is_checked_in_what_was_compiled_before(parent, child):
    """The graphs that took it in are made anew, under its names; those of other functions stay."""
    counter, others = CompileCounterWithBackend("eager"), CompileCounterWithBackend("eager")
    make, parameter = CHILDREN[child]
    module = make()
    compiled = torch.compile(PARENTS[parent](module), backend=counter)
    other = torch.compile(lambda x: x.sum() * 3, backend=others)
    for n in (5, 6, 7):
        compiled(torch.ones(2, n))
        other(torch.ones(2, n))
    graphs, stay = counter.frame_count, others.frame_count
    declare(module, {parameter: "b h"}, constraints=RULES)
    with pytest.raises(ConstraintViolationError, match="h % 4 == 0"):
        compiled(torch.ones(2, 6))
    for n in (8, 12, 4):
        torch.testing.assert_close(compiled(torch.ones(2, n)), PARENTS[parent](make())(torch.ones(2, n)))
        other(torch.ones(2, n))
    assert counter.frame_count == graphs + 1
    assert others.frame_count == stay


def rows(x, n, m):
    return x.view(-1, n).sum(1) * m


def rest(x, *given):
    return rows(x, *given)


ROWS = declare(rows, x="3*n", n="n", m="m", constraints=["n % 4 == 0", "n >= 4"])
REST = declare(rest, {"x": "3*n", "given.0": "n", "given.1": "m"}, constraints=["n % 4 == 0", "n >= 4"])
CALLERS = {
    "positions": lambda x, n, m: ROWS(x, n, m),
    "keywords": lambda x, n, m: ROWS(x, m=m, n=n),
    "rest": lambda x, *given: ROWS(x, *given),
    "rest to rest": lambda x, *given: REST(x, *given),
    "itself": REST,
    "tuple": lambda x, *given: (lambda pair: ROWS(x, pair[0], pair[1]))(given),
}


@pytest.mark.parametrize("caller", CALLERS)
def test_numbers_that_a_declared_function_gets_inside_of_a_trace_are_dynamic(caller):
    """However the call passes them on; and checked."""
    counter = CompileCounterWithBackend("eager")
    compiled = torch.compile(CALLERS[caller], backend=counter)
    for n in (8, 4, 16):
        x = torch.arange(3.0 * n)
        torch.testing.assert_close(compiled(x, n, n + 1), rows(x, n, n + 1))
    assert counter.frame_count == 1
    with pytest.raises(ConstraintViolationError, match="n % 4 == 0"):
        compiled(torch.ones(18), 6, 5)
