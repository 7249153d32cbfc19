"""Arithmetic that remembers: what a derived int says of itself is true, bounded, and cheap."""

from __future__ import annotations

import gc
import math
import operator
import pickle
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dynconstraints import DynamicInt
from dynconstraints.ir.evaluate import value_of
from dynconstraints.ir.fold import walk
from dynconstraints.ir.printer import show
from dynconstraints.pytorch.declarations.user_location import Place
from dynconstraints.pytorch.values.expression import LARGEST
from dynconstraints.pytorch.values.size_equations import term_of

BINARY: list[Callable[[Any, Any], Any]] = [
    operator.add,
    operator.sub,
    operator.mul,
    operator.floordiv,
    operator.mod,
    operator.and_,
    operator.or_,
    operator.xor,
    lambda a, b: a << (b % 5),
    lambda a, b: a >> (b % 5),
    lambda a, b: divmod(a, b)[0],
    lambda a, b: divmod(a, b)[1],
    lambda a, b: a ** (int(b) % 4),
    lambda a, b: pow(a, int(b) % 6, 7),
    min,
    max,
]
UNARY: list[Callable[[Any], Any]] = [
    operator.neg,
    operator.pos,
    operator.invert,
    abs,
    round,
    math.floor,
    math.ceil,
    math.trunc,
    lambda a: a.conjugate(),
    lambda a: a.numerator,
]


def text(value: object) -> str | None:
    assert isinstance(value, DynamicInt)
    return None if value.expression is None else show(value.expression)


small = st.integers(-9, 9)
steps = st.lists(st.tuples(st.sampled_from(BINARY), st.integers(0, 99), st.integers(0, 99)), max_size=12)


@given(values=st.tuples(small, small), constants=st.lists(small, min_size=1, max_size=3), program=steps, data=st.data())
def test_an_expression_is_true_of_its_value(
    values: tuple[int, int], constants: list[int], program: list[Any], data: st.DataObject
) -> None:
    """Whatever is computed: the value is Python's, and the expression has that value under the bindings."""
    plain: list[int] = [*values, *constants]
    dynamic: list[int] = [DynamicInt(values[0], name="a"), DynamicInt(values[1], name="b"), *constants]
    for operation, i, j in program:
        left, right = i % len(plain), j % len(plain)
        try:
            expected = operation(plain[left], plain[right])
        except ZeroDivisionError as error:
            with pytest.raises(ZeroDivisionError, match=str(error).replace("(", r"\(").replace(")", r"\)")):
                operation(dynamic[left], dynamic[right])
            continue
        if abs(expected) > 2**80:
            continue
        plain.append(expected)
        dynamic.append(operation(dynamic[left], dynamic[right]))
        unary = data.draw(st.sampled_from(UNARY))
        plain.append(unary(plain[-1]))
        dynamic.append(unary(dynamic[-1]))
    bindings = {"a": values[0], "b": values[1]}
    for expected, result in zip(plain, dynamic, strict=True):
        assert result == expected
        assert hash(result) == hash(expected)
        if isinstance(result, DynamicInt) and result.expression is not None:
            assert value_of(result.expression, bindings) == expected
            assert result.declaration is not None
            assert result.declaration.bindings.items() <= bindings.items()
            assert term_of(show(result.expression), Place("")) == result.expression


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        (lambda n, m: 2 * n, "2*n"),
        (lambda n, m: n // 2 + 1, "n // 2 + 1"),
        (lambda n, m: n - 1 + 1, "n"),
        (lambda n, m: 1 - n, "1 - n"),
        (lambda n, m: -n, "-n"),
        (lambda n, m: ~n, "-n - 1"),
        (lambda n, m: n + n, "2*n"),
        (lambda n, m: n + m - n, "m"),
        (lambda n, m: m - 2 * n, "m - 2*n"),
        (lambda n, m: n * m + 3, "n*m + 3"),
        (lambda n, m: (n + 1) * (m - 1), "(n + 1)*(m - 1)"),
        (lambda n, m: 3 * (n + 1) - 5, "3*n - 2"),
        (lambda n, m: n % 4, "n % 4"),
        (lambda n, m: 100 % n, "100 % n"),
        (lambda n, m: 7 // n, "7 // n"),
        (lambda n, m: n**2, "n**2"),
        (lambda n, m: pow(n, 2, 5), "n**2 % 5"),
        (lambda n, m: n << 3, "8*n"),
        (lambda n, m: n >> 2, "n // 4"),
        (lambda n, m: n & 7, "n % 8"),
        (lambda n, m: 7 & n, "n % 8"),
        (lambda n, m: abs(n - m), "abs(n - m)"),
        (lambda n, m: divmod(n, m)[0], "n // m"),
        (lambda n, m: divmod(n, m)[1], "n % m"),
        (lambda n, m: divmod(100, m)[1], "100 % m"),
        (lambda n, m: min(n, m), "m"),
        (lambda n, m: sum([n, m, n]), "2*n + m"),
        (lambda n, m: math.prod([n, m], start=2), "2*n*m"),
        (lambda n, m: n + True, "n + 1"),
        (lambda n, m: (n // 2) * 2 + (n // 2), "3*(n // 2)"),
        (lambda n, m: n - n, None),
        (lambda n, m: n * 0, None),
        (lambda n, m: n | 1, None),
        (lambda n, m: n ^ m, None),
        (lambda n, m: 2**n, None),
        (lambda n, m: n**m, None),
        (lambda n, m: n + DynamicInt(3), None),
        (lambda n, m: DynamicInt(3) * n, None),
        (lambda n, m: n + torch.fx.experimental.sym_node.DynamicInt(3), None),
    ],
)
def test_what_is_remembered(operation: Callable[[DynamicInt, DynamicInt], object], expected: str | None) -> None:
    """The expression in the user's names; None where the language has no word for it, or no name is left."""
    n, m = DynamicInt(12, name="n"), DynamicInt(5, name="m")
    assert text(operation(n, m)) == expected


def test_a_derived_int_carries_the_declarations_of_its_names() -> None:
    """Constraints and values of every name in the expression, each once."""
    n = DynamicInt(12, name="n", constraints=["n % 4 == 0"])
    m = DynamicInt(5, name="m", constraints=["m < 9", "m > 1"])
    declaration = (n // m + n).declaration
    assert declaration is not None
    assert dict(declaration.bindings) == {"n": 12, "m": 5}
    assert [c.text for c in declaration.constraints] == ["n % 4 == 0", "m < 9", "m > 1"]
    assert (n // m).name is None


def test_one_name_with_two_values_is_forgotten() -> None:
    """A sum over two batches of one name is no expression over it: nothing false is remembered."""
    first, second = DynamicInt(12, name="n"), DynamicInt(8, name="n")
    assert text(first + second) is None
    assert first + second == 20
    assert text(first * 2 + first) == "3*n"
    assert text(first + DynamicInt(12, name="n")) == "2*n"


def test_anonymous_ints_stay_dynamic_and_anonymous() -> None:
    """As upstream's: arithmetic gives DynamicInts, of which nothing is known."""
    x = DynamicInt(13)
    for result in (x + 1, 1 + x, x // 2, -x, ~x, abs(x), round(x), divmod(x, 4)[0], x & 3, pow(x, 2, 5)):
        assert isinstance(result, DynamicInt)
        assert result.expression is None
        assert result.declaration is None


@pytest.mark.parametrize(
    "step",
    [
        lambda n, m: n + 1,
        lambda n, m: n + m,
        lambda n, m: n - m + 1,
        lambda n, m: n // 2 + m,
        lambda n, m: n * 1,
        lambda n, m: -n,
        lambda n, m: n % 97 + m // 2,
        lambda n, m: n * 0 + m,
        lambda n, m: (n + n) % 1009,
        lambda n, m: abs(n - m),
    ],
)
def test_a_long_chain_takes_constant_memory_and_bounded_depth(step: Callable[[int, int], int]) -> None:
    """Ten thousand steps hold no more than the bound, and can be asked for their expression."""
    m = DynamicInt(3, name="m")
    result: int = DynamicInt(0, name="n")
    for _ in range(200):
        result = step(result, m)
    gc.collect()
    tracemalloc.start()
    for _ in range(10_000):
        result = step(result, m)
    gc.collect()
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 100_000
    assert isinstance(result, DynamicInt)
    if result.expression is not None:
        assert sum(1 for _ in walk(result.expression)) <= 4 * LARGEST
        assert value_of(result.expression, {"n": 0, "m": 3}) == result


def test_a_million_increments_are_one_sum() -> None:
    """Linear in time, constant in memory, and nothing is forgotten."""
    n: int = DynamicInt(5, name="n")
    for _ in range(1_000_000):
        n = n + 1
    assert text(n) == "n + 1000000"


def test_doubling_zero_keeps_no_growing_coefficient() -> None:
    """The value stays small, so what is remembered must too."""
    n: int = DynamicInt(0, name="n")
    for _ in range(1000):
        n = n + n
    assert n == 0
    assert text(n) is None


def test_a_wide_sum_is_given_up() -> None:
    """More names than the bound: the sum is anonymous, and right."""
    ints = [DynamicInt(i, name=f"n{i}") for i in range(LARGEST + 1)]
    total = sum(ints)
    assert total == sum(range(LARGEST + 1))
    assert text(total) is None
    assert text(sum(ints[:50])) == " + ".join(f"n{i}" for i in range(50))


def test_expressions_are_asked_for_from_many_threads() -> None:
    """Working an expression out is idempotent."""
    from concurrent.futures import ThreadPoolExecutor

    n = DynamicInt(12, name="n")
    for _ in range(50):
        derived = (2 * n + 1) // 3
        with ThreadPoolExecutor(4) as pool:
            assert set(pool.map(lambda _, d=derived: text(d), range(8))) == {"(2*n + 1) // 3"}


def test_pickles_of_an_unevaluated_result_know_its_expression() -> None:
    """Nothing is lost between an operation and the first question about it."""
    n = DynamicInt(12, name="n", constraints=["n % 4 == 0"])
    assert text(pickle.loads(pickle.dumps(n // 5 * n))) == "n // 5 * n"
