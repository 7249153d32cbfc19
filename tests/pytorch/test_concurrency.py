"""Threads and tasks, each in its own scope, calling one compiled function."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections import Counter
from collections.abc import Callable
from functools import partial

import pytest
import torch
import torch._dynamo as dynamo
from torch._dynamo.testing import CompileCounter

from dynconstraints import ConstraintSystem, ConstraintViolationError, DynamicInt, dynamic_int_constraints
from dynconstraints.pytorch.declarations.scope import current_scope

NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
SECONDS, GRAPHS = (60, 64) if NIGHTLY else (2, 8)
"""How long, and how many scopes get a graph of their own before torch runs the function in eager."""

THREADS, TASKS = 8, 100


def program(n: int, m: int, x: torch.Tensor) -> torch.Tensor:
    return x[:m] * n + (1 if n % 4 == 0 else 0)


def call(compiled: Callable[..., torch.Tensor], divisor: int, factor: int, others: tuple[str, ...] = ()) -> None:
    """One round inside its own scope: right where the scope holds, an error in its own terms where not."""
    x = torch.arange(200.0)
    constraints = (f"n % {divisor} == 0", f"m == {factor}*n")
    with dynamic_int_constraints(constraints):
        assert [c.text for c in current_scope().constraints] == [*others, *constraints]
        n = 2 * divisor
        found = compiled(DynamicInt(n, name="n"), DynamicInt(factor * n, name="m"), x)
        assert torch.equal(found, program(n, factor * n, x))
        with pytest.raises(ConstraintViolationError, match=f"m == {factor}\\*n"):
            compiled(DynamicInt(n, name="n"), DynamicInt(factor * n + 1, name="m"), x)
    assert [c.text for c in current_scope().constraints] == list(others)


async def tasks(compiled: Callable[..., torch.Tensor], until: float, rounds: Counter[str]) -> None:
    """A hundred tasks, which give way to each other inside of their scopes."""

    async def task(i: int) -> None:
        own = f"k == {i}"
        with dynamic_int_constraints([own]):
            while rounds[f"task {i}"] < 2 or time.monotonic() < until:
                await asyncio.sleep(0)
                call(compiled, 4 + i % 5, 1 + i % 4, (own,))
                rounds[f"task {i}"] += 1

    await asyncio.gather(*(task(i) for i in range(TASKS)))


def test_a_frame_that_another_scope_does_not_allow_costs_no_search_for_better_values(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The frame is passed over; only a call that is refused is told what would do."""
    told = []
    original = ConstraintSystem.violation
    monkeypatch.setattr(
        ConstraintSystem, "violation", lambda self, values: told.append(values) or original(self, values)
    )
    dynamo.reset()
    compiled = torch.compile(program, backend="eager")
    for divisor, factor in ((4, 1), (5, 2), (6, 3), (7, 4)):
        call(compiled, divisor, factor)
    assert len(told) == 4


def test_threads_and_tasks_never_see_each_others_scope() -> None:
    """Eight threads and a hundred tasks at once: no wrong result, no scope leaking, no deadlock."""
    dynamo.reset()
    counter = CompileCounter()
    compiled = torch.compile(program, backend=counter)
    failures: list[BaseException] = []
    rounds: Counter[str] = Counter()
    until = time.monotonic() + SECONDS

    def own_scopes(i: int) -> None:
        while rounds[f"thread {i}"] < 2 or time.monotonic() < until:
            call(compiled, 4 + i, 1 + i % 4)
            rounds[f"thread {i}"] += 1

    def run(act: Callable[[], None]) -> None:
        try:
            with dynamo.config.patch(recompile_limit=GRAPHS):  # torch's settings are each thread's own
                act()
        except BaseException as error:
            failures.append(error)

    acts = [*(partial(own_scopes, i) for i in range(THREADS)), lambda: asyncio.run(tasks(compiled, until, rounds))]
    threads = [threading.Thread(target=run, args=(act,), daemon=True) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS + 300)
        assert not thread.is_alive(), "deadlock"
    assert not failures, failures[0]
    assert len(rounds) == THREADS + TASKS
    made = {kind: 2 * sum(n for who, n in rounds.items() if kind in who) for kind in ("thread", "task")}
    print(f"{made} calls of {counter.frame_count} graphs in {SECONDS} s; at least {2 * min(rounds.values())} of each")
