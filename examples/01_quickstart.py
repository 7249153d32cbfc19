"""One declaration, one graph: a softmax over slices of rows, compiled once for every row length that is declared."""

import statistics
import time
from collections.abc import Callable

import torch
from torch._inductor.utils import run_and_get_code

from dynconstraints import ConstraintViolationError, DynamicInt
from dynconstraints.pytorch.observe import observe

SIZES = range(32, 1025, 32)
CONSTRAINTS = ["s0 % 32 == 0", "32 <= s0 <= 1024"]


def declared(n: int) -> int:
    return DynamicInt(n, name="s0", constraints=CONSTRAINTS)


def softmax_of_halves(n: int, x: torch.Tensor) -> torch.Tensor:
    rows = x.view(-1, n)
    return torch.softmax(rows[:, : n // 2] * 2 + rows[:, n // 2 :], -1)


def compiled(**options: object) -> Callable[..., torch.Tensor]:
    """The function compiled by itself: torch keeps the graphs of one code object together."""
    code = softmax_of_halves.__code__.replace(co_name=f"variant_{len(options)}")
    return torch.compile(type(softmax_of_halves)(code, globals()), **options)


def rows_of(n: int, count: int = 512) -> torch.Tensor:
    x = torch.randn(count * n)
    torch._dynamo.mark_dynamic(x, 0)
    return x


def medians(calls: list[Callable[[], object]], rounds: int = 200) -> list[float]:
    """Microseconds a call, the calls taking turns."""
    times: list[list[float]] = [[] for _ in calls]
    for _ in range(rounds):
        for call, seen in zip(calls, times):
            start = time.perf_counter()
            call()
            seen.append((time.perf_counter() - start) * 1e6)
    return [statistics.median(seen) for seen in times]


torch.set_num_threads(1)
ours, plain = compiled(), compiled(dynamic=True)

with observe() as frames:
    _, kernel = run_and_get_code(ours, declared(64), rows_of(64))
    for n in SIZES:
        x = rows_of(n)
        same = torch.allclose(ours(declared(n), x), softmax_of_halves(n, x), atol=1e-6)
        print(f"n = {n:4}  equal to eager: {same}")
_, plain_kernel = run_and_get_code(plain, DynamicInt(64), rows_of(64))

print(f"graphs compiled: {len(frames)}   recompiles: {len(frames) - 1}   shape guards: {len(frames[0].guards)}")
print(f"vector tail in the kernel: {'C10_UNLIKELY' in kernel[0]}   without the constraint: {'C10_UNLIKELY' in plain_kernel[0]}")
for n in (96, 128, 992):
    x, static, d, p = rows_of(n), compiled(dynamic=False), declared(n), DynamicInt(n)
    y = x.clone()  # without the mark that makes its length dynamic
    a, b, c = medians([lambda: ours(d, x), lambda: plain(p, x), lambda: static(n, y)])
    print(f"n = {n:4}  declared {a:.0f} us   undeclared {b:.0f} us   static {c:.0f} us")

try:
    ours(declared(65), rows_of(65))
except ConstraintViolationError as error:
    print(error)
with observe() as frames:
    x = rows_of(65 * 2)
    same = torch.allclose(ours(130, x), softmax_of_halves(130, x), atol=1e-6)
print(f"plain int outside of the domain: equal to eager: {same}, recompiles: {len(frames)}")
