"""Sizes and ints that nothing keeps from being 0, as divisors: a question about them at 0 is answered, not raised."""

from __future__ import annotations

import itertools

import pytest
import torch

from dynconstraints import DynamicInt, declare, name_dims, suggest

PROGRAMS = {
    "quotient": lambda x, n: x.view(x.shape[0] // n, n, 16) * 2,
    "remainder": lambda x, n: x * 3 if x.shape[0] % n == 0 else x,
    "both": lambda x, n: x[: x.shape[0] - x.shape[0] % n].view(-1, n, 16).sum(1) / (x.shape[0] // n),
    "of a quotient": lambda x, n: x.view(-1, n, 16) if x.shape[0] // (x.shape[0] // n) == n else x.sum(),
    "a size": lambda x, n: x.sum(0) * (n // x.shape[0] + n % x.shape[0]),
    "a difference": lambda x, n: x * (x.shape[0] // (n - 1)) if n != 1 else x,
}
CALLS = [(64, 8), (96, 16), (40, 4), (6, 2), (5, 1)]


@pytest.fixture(autouse=True)
def _fresh():
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_divisor_without_constraints_is_no_error_of_the_compiler(program):
    """Named, or declared: the values are eager's."""
    function = PROGRAMS[program]
    ways = {
        "values": lambda x, n: (name_dims(x, {0: "s"}), DynamicInt(n, name="n")),
        "declare": lambda x, n: (x, n),
    }
    for way, given in ways.items():
        torch._dynamo.reset()
        compiled = torch.compile(declare(function, x="s 16", n="n") if way == "declare" else function, backend="eager")
        for size, n in CALLS:
            x = torch.randn(size, 16)
            torch.testing.assert_close(compiled(*given(x.clone(), n)), function(x, n))


@pytest.mark.parametrize(("first", "second"), [*itertools.combinations(CALLS[:3], 2)])
def test_suggest_reads_such_a_program(first, second):
    """That the number is positive is the first thing that it proposes."""
    found = suggest(PROGRAMS["quotient"], [(torch.randn(size, 16), n) for size, n in (first, second)], backend="eager")
    assert "n >= 1" in found.constraints
    assert "x_0 % n == 0" in found.constraints
