"""One text, or one call, where several are wanted, of declared values and of what reports on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from dynconstraints import (
    DynamicFloat,
    DynamicInt,
    bind,
    dynamic_int_constraints,
    explain_calls,
    name_dims,
    suggest,
)
from dynconstraints.diagnostics.errors import ArgumentError, ConstraintError

X = torch.ones(8)

TAKERS: dict[str, Callable[[Any], tuple[str, ...]]] = {
    "DynamicInt": lambda given: _texts(DynamicInt(8, "n", given).declaration),
    "DynamicFloat": lambda given: _texts(DynamicFloat(8.0, "n", given).declaration),
    "name_dims": lambda given: _texts(_record(name_dims(torch.ones(8), {0: "n"}, constraints=given))),
    "bind": lambda given: _texts(bind("n", 8, constraints=given).declaration),  # type: ignore[attr-defined]
    "dynamic_int_constraints": lambda given: tuple(c.text for c in dynamic_int_constraints(given).constraints),
}
each_taker = pytest.mark.parametrize("take", TAKERS.values(), ids=TAKERS)


def _record(tensor: torch.Tensor) -> Any:
    from dynconstraints.pytorch.values.named_dims import named_dims

    record = named_dims(tensor)
    assert record is not None
    return record.declaration


def _texts(declaration: Any) -> tuple[str, ...]:
    return tuple(constraint.text for constraint in declaration.constraints)


@each_taker
def test_one_text_is_one_constraint(take: Callable[[Any], tuple[str, ...]]) -> None:
    """Alone or in a collection."""
    for given in ("n >= 8", ["n >= 8"], ("n >= 8",), {"n >= 8"}, (text for text in ["n >= 8"])):
        assert take(given) == ("n >= 8",)


@each_taker
@pytest.mark.parametrize("given", [5, None, b"n >= 8", [5], [["n >= 8"]], [None], True])
def test_what_is_no_constraint_is_told_with_its_place(take: Callable[[Any], object], given: Any) -> None:
    """No foreign error."""
    with pytest.raises(ConstraintError) as caught:
        take(given)
    assert caught.value.code in ("DC127", "DC155")
    assert __file__ in str(caught.value)


def test_constraints_that_are_none_are_told_whole() -> None:
    """Where it is written, and what to write."""
    with pytest.raises(ArgumentError) as caught:
        DynamicInt(8, "n", 5)  # type: ignore[arg-type]
    place = (
        f"constraints=...  at {__file__}:{test_constraints_that_are_none_are_told_whole.__code__.co_firstlineno + 3}"
    )
    assert (
        str(caught.value)
        == f"""\
error[DC155]: constraints are a text or a list of texts, not int
  --> {place}
    5
    ^
  help: write one as "s0 % 32 == 0", several as ["s0 % 32 == 0", "s0 >= 32"], none as ()"""
    )


def test_a_second_constraint_of_a_block_is_not_dropped() -> None:
    """Nor taken for a policy."""
    with pytest.raises(ArgumentError) as caught:
        dynamic_int_constraints("a > 1", "a < 3")  # type: ignore[arg-type]
    line = test_a_second_constraint_of_a_block_is_not_dropped.__code__.co_firstlineno + 3
    assert (
        str(caught.value)
        == f"""\
error[DC155]: dynamic_int_constraints takes one list of constraints, not 2 arguments
  --> dynamic_int_constraints([...])  at {__file__}:{line}
    'a < 3'
    ^^^^^^^
  help: write dynamic_int_constraints(["a > 1", "a < 3"])"""
    )


def test_a_policy_is_given_by_its_name() -> None:
    """It is no second constraint."""
    with pytest.raises(
        ArgumentError, match=r"write dynamic_int_constraints\(\[...\]\); a policy is given as on_specialize"
    ):
        dynamic_int_constraints("a > 1", "warn")  # type: ignore[arg-type]


@pytest.mark.parametrize("given", ["n % 8 == 0", ["n % 8 == 0"], ("n % 8 == 0", "n > 1")])
@pytest.mark.parametrize("kind", [DynamicInt, DynamicFloat])
def test_constraints_in_the_place_of_the_name_are_told(kind: Any, given: Any) -> None:
    """They come third, or by their name."""
    with pytest.raises(ConstraintError, match="constraints are not the name: pass them as constraints=") as caught:
        kind(8, given)
    assert caught.value.code == "DC151"


def doubled(*tensors: torch.Tensor) -> torch.Tensor:
    return sum(tensors) * 2


@pytest.mark.parametrize("ask", [explain_calls, suggest])
@pytest.mark.parametrize(
    ("calls", "what"),
    [
        (X, "calls are a list of tuples of arguments, not Tensor"),
        ("x", "calls are a list of tuples of arguments, not str"),
        (5, "calls are a list of tuples of arguments, not int"),
        ((X, X), "a call is the tuple of its arguments, not Tensor"),
        ([X], "a call is the tuple of its arguments, not Tensor"),
        ([(X,), X], "a call is the tuple of its arguments, not Tensor"),
        (["xy"], "a call is the tuple of its arguments, not str"),
        ({"x": X}, "calls are a list of tuples of arguments, not dict"),
        ([{"x": X, 3: X}], "a call that is a mapping has arguments by name, and 3 is no name"),
        ([], "there is no call"),
        ((), "there is no call"),
    ],
)
def test_calls_are_tuples_of_arguments(ask: Callable[..., object], calls: Any, what: str) -> None:
    """A tensor is not the tuple of its rows, one call not several."""
    with pytest.raises(ArgumentError) as caught:
        ask(doubled, calls)
    said = str(caught.value)
    assert said.startswith(f"error[DC155]: {what}\n  --> {ask.__name__}(fn, ...)  at {__file__}:")
    form = f"{ask.__name__}(fn, [(x,), (y,)]), each call a tuple of arguments, or a dict of them by name"
    assert said.endswith(f"  help: write {form}")


def test_a_call_may_be_a_list() -> None:
    """As it always might, and calls a generator."""
    assert explain_calls(doubled, ([torch.ones(size)] for size in (4, 5))).graphs
