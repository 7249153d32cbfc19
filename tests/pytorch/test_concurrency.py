"""Threads and tasks, each in its own scope, calling one compiled function."""

from __future__ import annotations

import asyncio
import os
import threading
import time

import pytest
import torch
import torch._dynamo as dynamo

from dynconstraints import ConstraintViolationError, DynamicInt, dynamic_int_constraints

SECONDS = 60 if os.environ.get("HYPOTHESIS_PROFILE") == "nightly" else 3


def program(n: int, m: int, x: torch.Tensor) -> torch.Tensor:
    return x[:m] * n + (1 if n % 4 == 0 else 0)


def call(compiled: object, divisor: int, factor: int) -> None:
    """One call inside its own scope: right where the scope holds, an error in its own terms where not."""
    x = torch.arange(200.0)
    constraints = [f"n % {divisor} == 0", f"m == {factor}*n"]
    with dynamic_int_constraints(constraints):
        n = 2 * divisor
        found = compiled(DynamicInt(n, name="n"), DynamicInt(factor * n, name="m"), x)  # type: ignore[operator]
        assert torch.equal(found, program(n, factor * n, x))
        with pytest.raises(ConstraintViolationError, match=f"m == {factor}\\*n"):
            compiled(DynamicInt(n, name="n"), DynamicInt(factor * n + 1, name="m"), x)  # type: ignore[operator]


def test_eight_threads_never_see_each_others_scope() -> None:
    """No wrong result, no scope leaking, no deadlock."""
    dynamo.reset()
    compiled = torch.compile(program, backend="eager")
    failures: list[BaseException] = []
    until = time.monotonic() + SECONDS

    def work(i: int) -> None:
        try:
            while time.monotonic() < until:
                call(compiled, 4 + i, 1 + i % 4)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS + 120)
        assert not thread.is_alive()
    assert not failures, failures[0]


def test_a_hundred_tasks_never_see_each_others_scope() -> None:
    """The scope is the task's own across every await."""
    dynamo.reset()
    compiled = torch.compile(program, backend="eager")

    async def task(i: int) -> None:
        with dynamic_int_constraints([f"k == {i}"]):
            for _ in range(2):
                await asyncio.sleep(0)
                call(compiled, 4 + i % 5, 1 + i % 4)

    async def everything() -> None:
        await asyncio.gather(*(task(i) for i in range(100)))

    asyncio.run(everything())
