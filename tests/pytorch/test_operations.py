"""Python's own operations on declared ints inside full graphs: as in eager, and in one graph unless they make text."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch._dynamo as dynamo
from compiled import Compiled
from torch._dynamo.exc import Unsupported

from dynconstraints import DynamicInt, SpecializationError, dynamic_int_constraints, name_dims
from dynconstraints.pytorch.tracing import python_operations

Function = Callable[[int], Any]

ONE_GRAPH: dict[str, Function] = {
    "~n": lambda n: ~n,
    "~(n + 1)": lambda n: ~(n + 1),
    "divmod(n, 7)": lambda n: sum(divmod(n, 7)),
    "divmod(n, -7)": lambda n: divmod(n, -7)[0] * 100 + divmod(n, -7)[1],
    "divmod(100, n + 1000)": lambda n: divmod(100, n + 1000)[1],
    "pow(n, 5, 7)": lambda n: pow(n, 5, 7),
    "pow(n, 0, 7)": lambda n: pow(n, 0, 7),
    "pow(n, 13, -100)": lambda n: pow(n, 13, -100),
    "round(n, -1)": lambda n: round(n, -1),
    "round(n, -2)": lambda n: round(n, -2),
    "round(n, 2)": lambda n: round(n, 2),
    "math.gcd(n, 48)": lambda n: math.gcd(n, 48),
    "math.gcd(36, n)": lambda n: math.gcd(36, n),
    "math.gcd(n, -12)": lambda n: math.gcd(n, -12),
    "math.lcm(n, 12)": lambda n: math.lcm(n, 12),
    "math.isqrt(n*n + 3)": lambda n: math.isqrt(n * n + 3),
    "n.real": lambda n: n.real + n.numerator + n.imag + n.denominator,
    "n.conjugate()": lambda n: n.conjugate(),
    "type(n)": lambda n: 1 if type(n) is int else 2,
    "isinstance(n, DynamicInt)": lambda n: 1 if isinstance(n, DynamicInt) else 2,
    "isinstance(n, int)": lambda n: 1 if isinstance(n, int) else 2,
}

TEXTS: dict[str, Callable[[int], str]] = {
    "f-string": lambda n: f"{n}",
    "f-string of parts": lambda n: f"n={n:5d}!",
    "str": lambda n: str(n),
    "str.format": lambda n: "{} of {n}".format(n, n=n),  # noqa: UP032  the subject of the test
    "%": lambda n: "%d" % n,  # noqa: UP031
    "% of two": lambda n: "%s %d" % ("n", n),  # noqa: UP031
    "format": lambda n: format(n, "06d"),
}


@pytest.mark.parametrize("name", ONE_GRAPH)
def test_an_operation_has_one_graph_and_the_values_of_eager(name: str) -> None:
    """For values of either sign and zero, multiples and not; each is the first thing that the program does with n."""
    operation = ONE_GRAPH[name]
    compiled = Compiled(lambda n, x: x + operation(n))
    x = torch.zeros(2, dtype=torch.int64)
    for value in (64, 15, 25, -36, 0, 1, -1, 50, 7, 350):
        n = DynamicInt(value, name="n")
        assert torch.equal(compiled(n, x), x + operation(n)), value
    assert compiled.graphs == 1


@pytest.mark.parametrize("name", TEXTS)
def test_text_makes_the_int_a_constant_and_the_block_says_so(name: str) -> None:
    """A graph a value, right for each; where that is not wanted, an error that names the int."""
    text = TEXTS[name]
    compiled = Compiled(lambda n, x: x * len(text(n)) + sum([int(c) for c in text(n) if c in "0123456789"]))
    x = torch.ones(2, dtype=torch.int64)
    for graphs, value in enumerate((64, 1024, 7), 1):
        n = DynamicInt(value, name="n")
        assert torch.equal(compiled(n, x), x * len(text(n)) + sum([int(c) for c in text(n) if c in "0123456789"]))
        assert compiled.graphs == graphs
    dynamo.reset()
    with (
        dynamic_int_constraints([], on_specialize="error"),
        pytest.raises(SpecializationError, match="forces n to one"),
    ):
        compiled(DynamicInt(64, name="n"), x)


def test_where_the_graph_may_break_text_costs_no_graph_a_value() -> None:
    """torch breaks the graph there, and formats in Python."""

    def program(n: int, x: torch.Tensor) -> tuple[str, torch.Tensor]:
        y = x * n
        text = f"n={n}"
        return text, y + n

    compiled = Compiled(program, fullgraph=False)
    for value in (64, 96, 128):
        text, x = compiled(DynamicInt(value, name="n"), torch.ones(2))
        assert (text, x[0].item()) == (f"n={value}", 2 * value)
    assert compiled.graphs <= 2


@pytest.mark.parametrize(
    ("operation", "why"),
    [
        (lambda n: pow(2, n, 7), "an exponent that changes is no sequence of products"),
        (lambda n: pow(n, 3, 2**40), "squares of residues would exceed 64 bits"),
        (lambda n: math.gcd(n, n + 6), "sizes have no such function"),
        (lambda n: math.gcd(n, 2**5 * 3**4 * 5**2), "too many divisors"),
        (lambda n: math.comb(n, 2), "sizes have no such function"),
        (lambda n: len(repr(n)), "the text of a DynamicInt is not that of an int"),
        (lambda n: n.bit_count(), "sizes have no such function"),
    ],
)
def test_what_has_no_equivalent_in_a_graph_is_refused_by_torch(operation: Function, why: str) -> None:
    """Never a wrong number."""
    assert why
    with pytest.raises(Unsupported):
        Compiled(lambda n, x: x + operation(n))(DynamicInt(64, name="n"), torch.ones(2))


def test_a_frame_that_asks_for_the_type_serves_no_plain_int() -> None:
    """And one that doesn't serves both."""
    compiled = Compiled(lambda n, x: x + (1 if type(n) is int else 2))
    for n in (DynamicInt(64, name="n"), 64, DynamicInt(96, name="n"), 96, DynamicInt(7)):
        assert torch.equal(compiled(n, torch.zeros(2)), torch.full((2,), 1.0 if type(n) is int else 2.0))
    compiled = Compiled(lambda n, x: x + (n if isinstance(n, int) else 2))
    for n in (DynamicInt(64, name="n"), 64, 96):
        assert torch.equal(compiled(n, torch.zeros(2)), torch.full((2,), float(n)))
    assert compiled.graphs == 1


def test_sizes_of_named_tensors_are_ints_too() -> None:
    """``x.shape[0]`` is a plain int in eager, and its text that of one."""
    compiled = Compiled(lambda x: (x * math.gcd(x.shape[0], 8) + ~x.shape[0] + (type(x.shape[0]) is int),))
    for size in (4, 8, 12, 7):
        x = name_dims(torch.ones(size), {0: "t"})
        assert torch.equal(compiled(x)[0], x * math.gcd(size, 8) + ~size + 1)
    assert compiled.graphs == 1


def test_programs_without_declarations_are_refused_as_before() -> None:
    """Where nothing is declared, torch's own symbols are left to torch."""
    with pytest.raises(Unsupported):
        Compiled(lambda n, x: x + ~n, dynamic=True)(5, torch.ones(2))


def test_the_substitutes_are_pythons_own_functions() -> None:
    """Over small ints of either sign."""
    for n in range(-120, 121):
        assert python_operations.inverted(n) == ~n
        for c in (1, 2, 12, 48, 97):
            divisors = python_operations._divisors(c)
            assert divisors is not None
            assert python_operations.greatest_common_divisor(n, divisors) == math.gcd(n, c)
            assert python_operations.least_common_multiple(n, c, divisors) == math.lcm(n, c)
            assert python_operations.with_rest(n, c) == divmod(n, c)
            assert python_operations.with_rest(n, -c) == divmod(n, -c)
            for exponent in (0, 1, 2, 7, 30):
                assert python_operations.power(n, exponent, c) == pow(n, exponent, c)
                assert python_operations.power(n, exponent, -c) == pow(n, exponent, -c)
        for digits in (1, 2, 3):
            assert python_operations.rounded(n, 10**digits) == round(n, -digits)
    for n in (0, 1, 2, 3, 4, 8, 9, 2**50 - 1, *(k * k + d for k in (2**20, 2**26 - 1, 94906265) for d in (-1, 0, 1))):
        assert python_operations.root(n) == math.isqrt(n)
