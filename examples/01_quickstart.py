"""One declaration, one graph: a softmax over slices of rows, compiled once for every row length that is declared."""

from functools import partial

import torch
from beside import apart, medians
from torch._dynamo import mark_dynamic
from torch._inductor.utils import run_and_get_code

from dynconstraints import ConstraintViolationError, DynamicInt
from dynconstraints.pytorch.install.observe import observe


def declared(n: int) -> int:
    return DynamicInt(n, name="s0", constraints=["s0 % 32 == 0", "32 <= s0 <= 1024"])


def softmax(n: int, x: torch.Tensor) -> torch.Tensor:
    rows = x.view(-1, n)
    return torch.softmax(rows[:, : n // 2] * 2 + rows[:, n - n // 2 :], -1)


def rows_of(n: int) -> torch.Tensor:
    x = torch.randn(512 * n)
    mark_dynamic(x, 0)
    return x


torch.set_num_threads(1)
ours = torch.compile(apart(softmax, "ours"))
plain = torch.compile(apart(softmax, "plain"), dynamic=True)
static = torch.compile(apart(softmax, "static"), dynamic=False)
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
    ways = {"declared": (ours, declared(n)), "undeclared": (plain, DynamicInt(n)), "static": (static, n)}
    taken = medians({way: partial(partial, f, n, x) for way, (f, n) in ways.items()}, rounds=200)
    print(f"n = {n:4} ", ", ".join(f"{milliseconds * 1e3:4.0f} us {way}" for way, milliseconds in taken.items()))
try:
    ours(declared(65), rows_of(65))
except ConstraintViolationError as error:
    print(error)
with observe() as frames:
    x = rows_of(65)
    same = torch.allclose(ours(65, x), softmax(65, x), atol=1e-6)
print(f"65 as a plain int: equal to eager: {same}, recompiles: {len(frames)}")
