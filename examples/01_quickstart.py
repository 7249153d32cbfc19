"""One declaration, one graph: a softmax over slices of rows, compiled once for every row length that is declared."""

import statistics
import time
from collections.abc import Callable

import torch
from torch._dynamo import mark_dynamic
from torch._inductor.utils import run_and_get_code

from dynconstraints import ConstraintViolationError, DynamicInt
from dynconstraints.pytorch.observe import observe


def declared(n: int) -> int:
    return DynamicInt(n, name="s0", constraints=["s0 % 32 == 0", "32 <= s0 <= 1024"])


def softmax(n: int, x: torch.Tensor) -> torch.Tensor:
    rows = x.view(-1, n)
    return torch.softmax(rows[:, : n // 2] * 2 + rows[:, n - n // 2 :], -1)


def compiled(name: str, **options: bool) -> Callable[..., torch.Tensor]:
    """The function compiled by itself: torch keeps the graphs of one code object together."""
    return torch.compile(type(softmax)(softmax.__code__.replace(co_name=name), globals()), **options)


def rows_of(n: int) -> torch.Tensor:
    x = torch.randn(512 * n)
    mark_dynamic(x, 0)
    return x


def medians(*calls: tuple[Callable[..., object], int, torch.Tensor]) -> list[float]:
    """Microseconds a call, the calls taking turns."""
    times: list[list[float]] = [[] for _ in calls]
    for _ in range(200):
        for (call, *arguments), seen in zip(calls, times, strict=True):
            start = time.perf_counter()
            call(*arguments)
            seen.append((time.perf_counter() - start) * 1e6)
    return [statistics.median(seen[20:]) for seen in times]


torch.set_num_threads(1)
ours, plain, static = compiled("ours"), compiled("plain", dynamic=True), compiled("static", dynamic=False)
with observe() as frames:
    _, kernel = run_and_get_code(ours, declared(64), rows_of(64))
    for n in range(32, 1025, 32):
        x = rows_of(n)
        print(f"n = {n:4}  equal to eager: {torch.allclose(ours(declared(n), x), softmax(n, x), atol=1e-6)}")
_, plain_kernel = run_and_get_code(plain, DynamicInt(64), rows_of(64))
print(f"graphs compiled: {len(frames)}, recompiles: {len(frames) - 1}, shape guards: {len(frames[0].guards)}")
print(f"vector tail in the kernel: {'UNLIKELY' in kernel[0]}, without the constraint: {'UNLIKELY' in plain_kernel[0]}")
for n in (96, 128, 992):
    x = torch.randn(512 * n)
    a, b, c = medians((ours, declared(n), x), (plain, DynamicInt(n), x), (static, n, x))
    print(f"n = {n:4}  {a:4.0f} us declared, {b:4.0f} us undeclared, {c:4.0f} us static")
try:
    ours(declared(65), rows_of(65))
except ConstraintViolationError as error:
    print(error)
with observe() as frames:
    x = rows_of(65)
    same = torch.allclose(ours(65, x), softmax(65, x), atol=1e-6)
print(f"65 as a plain int: equal to eager: {same}, recompiles: {len(frames)}")
