"""What Inductor's kernels cost when sizes are not literals, and what the first compile costs.

    python tests/benchmarks/kernels.py [KERNEL…]

Each kernel is compiled for one shape in five ways, which then take turns on one thread. Timed is the generated C++
alone, in processor time, as a ratio to static sizes in the same round.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from statistics import median
from types import FunctionType
from typing import Any

import torch
import torch._dynamo as dynamo
import torch.nn.functional as F
from launches import launches_of, recordable
from programs import Program
from rivals import APPROACHES
from tables import Table, spread
from torch._inductor import config

WAYS = {
    "static": "plain",
    "`dynamic=True`": "dynamic=True",
    "`torch._check`": "_check",
    "`ShapesSpec`": "ShapesSpec",
    "declared": "declared",
}


def window_partition(x: torch.Tensor) -> torch.Tensor:
    b, h, w, c = x.shape
    return x.view(b, h // 7, 7, w // 7, 7, c).permute(0, 1, 3, 2, 4, 5).reshape(-1, 49, c) + 1


def pixel_shuffle(x: torch.Tensor) -> torch.Tensor:
    return torch.relu(F.pixel_shuffle(x, 4))


def pixel_unshuffle(x: torch.Tensor) -> torch.Tensor:
    return torch.relu(F.pixel_unshuffle(x, 4))


def patchify(x: torch.Tensor) -> torch.Tensor:
    b, c, h, w = x.shape
    patches = x.view(b, c, h // 16, 16, w // 16, 16).permute(0, 2, 4, 1, 3, 5)
    return patches.reshape(b, (h // 16) * (w // 16), c * 256) * 2


def layer_norm(x: torch.Tensor) -> torch.Tensor:
    return F.layer_norm(x, x.shape[-1:])


def rotary_halves(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    n = x.shape[-1]
    return x * cos + torch.cat([-x[..., n // 2 :], x[..., : n // 2]], -1) * sin


def rotary_pairs(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    n = x.shape[-1]
    even, odd = x.view(*x.shape[:-1], n // 2, 2).unbind(-1)
    return torch.stack([even * cos - odd * sin, even * sin + odd * cos], -1).flatten(-2)


def gather(x: torch.Tensor, n: int) -> torch.Tensor:
    i = torch.arange(n)
    return x[i // 16, i % 16] * 2


def chunked_softmax(x: torch.Tensor, n: int) -> torch.Tensor:
    rows = x.view(-1, n)
    return torch.softmax(rows[:, : n // 2] * 2 + rows[:, n // 2 :], -1)


def row_sums(x: torch.Tensor, n: int) -> torch.Tensor:
    return x.view(-1, n).sum(-1)


def fresh(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function with a code object of its own, since Dynamo keeps what it compiled by code objects."""
    code, space = function.__code__.replace(), function.__globals__
    return FunctionType(code, space, function.__name__, function.__defaults__, function.__closure__)


def kernel(function: Callable[..., Any], shape: tuple[Any, ...], dims: tuple[Any, ...], facts: str) -> Program:
    """A program of one size: shapes of tensors and values of ints, which are its arguments."""

    def arguments(of: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(torch.randn(a) if isinstance(a, tuple) else a for a in of)

    constraints = tuple(fact.strip() for fact in facts.split(";"))
    name = function.__name__.replace("_", " ")
    return Program(name, lambda: fresh(function), constraints, [shape], arguments, dims)


_IMAGE, _MATRIX, _ROWS = {2: "h", 3: "w"}, {0: "t", 1: "n"}, ({0: "rows*n"}, "n")
_SHORT = "n % 32 == 0; n >= 32; n <= 1024"

KERNELS = (
    kernel(window_partition, ((4, 56, 56, 32),), ({1: "h", 2: "w"},), "h % 7 == 0; w % 7 == 0; h >= 7; w >= 7"),
    kernel(pixel_shuffle, ((4, 48, 64, 64),), ({1: "c", **_IMAGE},), "c % 16 == 0; c >= 16; h >= 2; w >= 2"),
    kernel(pixel_unshuffle, ((4, 3, 256, 256),), (_IMAGE,), "h % 4 == 0; w % 4 == 0; h >= 4; w >= 4"),
    kernel(patchify, ((4, 3, 224, 224),), (_IMAGE,), "h % 16 == 0; w % 16 == 0; h >= 16; w >= 16"),
    kernel(layer_norm, ((4096, 64),), ({0: "t", 1: "n"},), "n % 16 == 0; n >= 16; n <= 1024; t >= 2"),
    kernel(
        rotary_halves,
        ((8, 256, 192), (256, 192), (256, 192)),
        ({1: "t", 2: "n"}, _MATRIX, _MATRIX),
        f"{_SHORT}; t >= 2",
    ),
    kernel(
        rotary_pairs,
        ((8, 256, 192), (256, 96), (256, 96)),
        ({1: "t", 2: "n"}, {0: "t", 1: "m"}, {0: "t", 1: "m"}),
        "n == 2*m; m % 16 == 0; m >= 16; m <= 512; t >= 2",
    ),
    kernel(gather, ((2**15, 16), 2**19), ({0: "t"}, "n"), "n % 16 == 0; n >= 16; 16*t == n"),
    kernel(chunked_softmax, ((2**20,), 128), _ROWS, f"{_SHORT}; rows >= 2"),
    kernel(row_sums, ((2**20,), 128), _ROWS, f"{_SHORT}; rows >= 2"),
)


@dataclass
class Column:
    """One way to compile a kernel: seconds of the first call, and microseconds of the C++, one number a round."""

    compiling: float = 0.0
    times: list[float] = field(default_factory=list)
    failure: str = ""


@contextmanager
def tolerating(way: str, column: Column) -> Iterator[None]:
    """The rivals raise whatever they raise."""
    try:
        yield
    except Exception as error:
        if way in ("static", "declared"):
            raise
        column.failure = type(error).__name__


def spent(call: Callable[[], Any], number: int) -> float:
    """Microseconds of processor time a call."""
    started = time.process_time()
    for _ in range(number):
        call()
    return (time.process_time() - started) / number * 1e6


def measure(program: Program, rounds: int = 25, batch: float = 5e3) -> dict[str, Column]:
    """Compile the program in each way, nothing cached, and have them take turns; a batch is so many microseconds."""
    dynamo.reset()
    torch.manual_seed(0)
    arguments = program.arguments(program.sizes[0])
    expected = program.make()(*arguments)
    columns = {way: Column() for way in WAYS}
    launches: dict[str, Callable[[], None]] = {}
    with recordable(), config.patch(force_disable_caches=True):
        for way, column in columns.items():
            with tolerating(way, column):
                call, column.compiling = _compiled(program, way, arguments)
                launches[way] = launches_of(lambda call=call: torch.testing.assert_close(call(), expected))
    number = max(1, round(batch / spent(launches["static"], 20)))
    for _ in range(rounds):
        for way, launch in launches.items():
            columns[way].times.append(spent(launch, number))
    return columns


def _compiled(program: Program, way: str, arguments: tuple[Any, ...]) -> tuple[Callable[[], Any], float]:
    """A call of the compiled program, and the seconds that the first one took."""
    approach, function = APPROACHES[WAYS[way]], program.make()
    options = approach.options(program, function)
    compiled = torch.compile(approach.wrap(program, function), fullgraph=True, **options)

    def call() -> Any:
        with approach.scope(program):
            return compiled(*approach.prepare(program, tuple(_own(a) for a in arguments)))

    started = time.perf_counter()
    call()
    return call, time.perf_counter() - started


def _own(value: Any) -> Any:
    """A tensor that another way to compile did not mark or name."""
    return value.clone() if isinstance(value, torch.Tensor) else value


def tables(names: tuple[str, ...] = ()) -> list[Table]:
    torch.set_num_threads(1)
    measure(replace(KERNELS[-1], make=lambda: fresh(row_sums)), rounds=2)  # loads what the first compile loads
    ratios, seconds = [], []
    for program in KERNELS:
        if names and program.name not in names:
            continue
        columns = measure(program)
        static, *others = columns.values()
        base = static.times
        cells = [c.failure or spread([a / b for a, b in zip(c.times, base, strict=True)]) for c in others]
        ratios.append((f"{program.name}: {_facts(program)}", f"{median(base):,.0f} µs", *cells))
        seconds.append((program.name, *(c.failure or f"{c.compiling:.1f} s" for c in columns.values())))
        print(*ratios[-1], *seconds[-1], sep=" | ", file=sys.stderr, flush=True)
    header = ("kernel", *WAYS)
    return [
        Table(
            "kernels",
            "(a) Kernels: processor time of the generated C++",
            "Inductor's C++ for one shape, one thread: microseconds with static sizes, then ratios to them in the same "
            "round, median and quartiles of 25 rounds.",
            header,
            tuple(ratios),
        ),
        Table("compiles", "(c) First compile with Inductor", "Nothing cached, wall clock.", header, tuple(seconds)),
    ]


def _facts(program: Program) -> str:
    """What is declared but for bounds, which all kernels have."""
    shown = ", ".join(f"`{text}`" for text in program.constraints if "==" in text)
    return shown or "bounds"


if __name__ == "__main__":
    for table in tables(tuple(sys.argv[1:])):
        print(f"\n{table.title}\n\n{table.markdown()}")
