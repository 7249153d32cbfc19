"""No example: what the numbered ones measure with. The same calls, compiled plain, with dynamic=True, and declared."""

import statistics
import sys
import time
import types
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import partial
from typing import Any

import torch

from dynconstraints import dynamic_int_constraints, explain_calls
from dynconstraints.pytorch.install.observe import observe

QUICK = sys.argv[1:] == ["quick"]
"""What is declared alone, at a few sizes, graphs without kernels: how the tests run the examples."""

APPROACHES = {"plain": {}, "dynamic=True": {"dynamic": True}, "declared": {}}


def beside(
    function: types.FunctionType,
    inputs: Callable[[Any], tuple[Any, ...]],
    declare: Callable[..., tuple[Any, ...]],
    constraints: Sequence[str],
    sizes: Sequence[Any],
) -> None:
    """Print, an approach a row: graphs, their shape guards, seconds until all sizes ran, milliseconds a call.

    ``inputs`` makes the arguments of a size, ``declare`` names them. Every result is compared with eager's.
    """
    approaches = ["declared"] if QUICK else list(APPROACHES)
    sizes = sizes[:3] if QUICK else sizes
    timed = [] if QUICK else sizes[:: max(1, len(sizes) // 2)][:3]
    scope = dynamic_int_constraints(constraints)
    options = {"backend": "eager" if QUICK else "inductor", "fullgraph": True}
    compiled = {name: torch.compile(apart(function, name), **options, **APPROACHES[name]) for name in approaches}

    def arguments(name: str, size: Any) -> tuple[Any, ...]:
        torch.manual_seed(0)
        return declare(*inputs(size)) if name == "declared" else inputs(size)

    def call(name: str, given: tuple[Any, ...]) -> torch.Tensor:
        with scope if name == "declared" else nullcontext():
            return compiled[name](*given)

    def ready(name: str, size: Any) -> Callable[[], object]:
        return partial(call, name, arguments(name, size))

    expected = [function(*arguments("eager", size)) for size in sizes]
    equal, rows = True, {}
    for name in approaches:
        start = time.perf_counter()
        with observe() as frames:
            results = [call(name, arguments(name, size)) for size in sizes]
        rows[name] = [len(frames), sum(len(frame.guards) for frame in frames), time.perf_counter() - start]
        equal &= all(map(close, results, expected))
    for size in timed:
        for name, taken in medians({name: partial(ready, name, size) for name in approaches}).items():
            rows[name].append(taken)
    print(f"{'':14} graphs  guards  seconds", *(f"{size!s:>15}" for size in timed))
    for name, (graphs, guards, seconds, *times) in rows.items():
        print(f"{name:14}{graphs:7}{guards:8}{seconds:9.1f}", *(f"{taken:12.2f} ms" for taken in times))
    print("equal to eager:", equal)
    with scope:
        report = explain_calls(function, [arguments("declared", size) for size in sizes])
    print("proved to serve every declared size:", report.covers_domain)


def medians(ready: dict[str, Callable[[], Callable[[], object]]], rounds: int = 30) -> dict[str, float]:
    """Milliseconds a call, each made ready first; they take turns, so that a busy machine is busy for all of them."""
    seen: dict[str, list[float]] = {name: [] for name in ready}
    for name in list(ready) * rounds:
        call = ready[name]()
        start = time.perf_counter()
        call()
        seen[name].append((time.perf_counter() - start) * 1e3)
    return {name: statistics.median(times) for name, times in seen.items()}


def apart(function: types.FunctionType, name: str) -> Callable[..., Any]:
    """The function by itself: torch keeps the graphs of one code object, and what it saw vary, together."""
    code = function.__code__.replace(co_name=name)
    return types.FunctionType(code, function.__globals__, name, function.__defaults__, function.__closure__)


def close(result: torch.Tensor, expected: torch.Tensor) -> bool:
    return torch.allclose(result, expected, rtol=1e-4, atol=1e-4)
