"""`dynamic_int_constraints` as a decorator: the body runs in the block, of whatever kind the function is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator

import pytest

from dynconstraints import InconsistentConstraintsError, dynamic_int_constraints
from dynconstraints.pytorch.declarations.scope import current_scope

BOTH = ["a > 1", "b > 1"]


def seen() -> list[str]:
    return [constraint.text for constraint in current_scope().constraints]


@dynamic_int_constraints(["a > 1"])
@dynamic_int_constraints(["b > 1"])
def function() -> list[str]:
    return seen()


@dynamic_int_constraints(["a > 1"])
@dynamic_int_constraints(["b > 1"])
async def coroutine() -> list[str]:
    await asyncio.sleep(0)
    return seen()


@dynamic_int_constraints(["a > 1"])
@dynamic_int_constraints(["b > 1"])
def generator() -> Generator[list[str], list[str], list[str]]:
    """Yields what it sees; what it is sent or thrown, it yields back."""
    try:
        sent = yield seen()
        yield [*sent, *seen()]
    except KeyError:
        yield ["thrown", *seen()]
    return seen()


@dynamic_int_constraints(["a > 1"])
@dynamic_int_constraints(["b > 1"])
async def async_generator() -> AsyncGenerator[list[str], list[str]]:
    try:
        sent = yield seen()
        yield [*sent, *seen()]
    except KeyError:
        yield ["thrown", *seen()]


def test_blocks_above_each_other_all_hold_in_a_function_and_in_a_coroutine() -> None:
    """And no longer than it runs."""
    assert function() == BOTH
    assert asyncio.run(coroutine()) == BOTH
    assert seen() == []


def test_blocks_above_each_other_all_hold_in_each_step_of_a_generator() -> None:
    """The outer ones too, which saw a plain function once; between the steps nothing holds."""
    steps = generator()
    assert next(steps) == BOTH
    assert seen() == []
    assert steps.send(["sent"]) == ["sent", *BOTH]
    with pytest.raises(StopIteration) as stop:
        next(steps)
    assert stop.value.value == BOTH
    steps = generator()
    next(steps)
    assert steps.throw(KeyError()) == ["thrown", *BOTH]
    steps.close()
    assert seen() == []


def test_blocks_above_each_other_all_hold_in_each_step_of_an_asynchronous_generator() -> None:
    """As in one that is not."""

    async def run() -> None:
        steps = async_generator()
        assert await anext(steps) == BOTH
        assert seen() == []
        assert await steps.asend(["sent"]) == ["sent", *BOTH]
        await steps.aclose()
        steps = async_generator()
        await anext(steps)
        assert await steps.athrow(KeyError()) == ["thrown", *BOTH]
        assert [item async for item in steps] == []

    asyncio.run(run())


def test_a_contradiction_with_the_block_around_is_raised_before_the_body_runs() -> None:
    """And the block around is in force again."""

    @dynamic_int_constraints(["a < 0"])
    def never() -> None:
        raise AssertionError

    with dynamic_int_constraints(["a > 1"]):
        with pytest.raises(InconsistentConstraintsError):
            never()
        assert seen() == ["a > 1"]
