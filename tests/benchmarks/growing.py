"""Sets of any size, and how the time of `check` and `facts` grows with it: see `score.py --growth`.

Each set has as many constraints as names. The exponent is that of the line through the logarithms: 1 is linear.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from math import log10
from statistics import median

from dynconstraints import ConstraintSystem

SIZES = (10, 100, 1000)
LAYERS = (50, 100, 200, 400, 800)


def chain(size: int) -> list[str]:
    """Each name is below the next."""
    return [f"x{i} <= x{i + 1} - 1" for i in range(size - 1)] + ["x0 >= 0"]


def layers(size: int) -> list[str]:
    """Heights and widths of a model of half as many layers, of which every eighth halves them."""
    texts = ["h0 % 8 == 0", "w0 % 8 == 0", "8 <= h0 <= 4096", "8 <= w0 <= 4096", "1 <= b <= 64"]
    for side in "hw":
        for i in range(1, size // 2):
            before = f"{side}{i - 1}"
            texts.append(f"{side}{i} == " + (f"({before} - 2)//2 + 1" if i % 8 == 0 else f"({before} + 2 - 3)//1 + 1"))
    return texts


OF_LAYERS: dict[str, Callable[[ConstraintSystem], object]] = {
    "implies": lambda system: system.implies("h8*w8*4 == h0*w0"),
    "congruence": lambda system: system.congruence("h8*w8"),
    "range": lambda system: system.range("b*h8*w8"),
    "nearest": lambda system: system.nearest({"h0": 20}),
    "sample": lambda system: system.sample(5),
    "project": lambda system: system.project(["h0", "w0", "b"]),
    "count": lambda system: system.count(limit=10**15),
    "core": lambda system: system.extend("h3 == 5").check(),
}


def star(size: int) -> list[str]:
    """Each name is a multiple of one."""
    return [f"x{i} == {i % 7 + 1}*h" for i in range(size)]


def sparse(size: int) -> list[str]:
    """Differences and congruences of names drawn at random."""
    rng = random.Random(1)

    def name() -> str:
        return f"x{rng.randrange(size)}"

    return [
        rng.choice([f"{name()} <= {name()} + {rng.randrange(9)}", f"{name()} % {2 ** rng.randrange(1, 4)} == 0"])
        for _ in range(size)
    ]


def spent(ask: Callable[[ConstraintSystem], object], texts: list[str], repeats: int) -> float:
    """Processor seconds of the question to a system made anew, the median."""
    times = []
    for _ in range(repeats):
        system = ConstraintSystem(texts)
        started = time.process_time()
        ask(system)
        times.append(time.process_time() - started)
    return median(times)


def exponent(seconds: list[float], sizes: tuple[int, ...] = SIZES) -> float:
    """The slope of the least-squares line through the logarithms of sizes and seconds."""
    x, y = [log10(size) for size in sizes], [log10(s) for s in seconds]
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    return sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True)) / sum((a - mean_x) ** 2 for a in x)


def report() -> None:
    """Print a table of all families."""
    print(f"{'':16}" + "".join(f"{size:>10}" for size in SIZES) + f"{'exponent':>10}   (processor seconds)")
    for make in (chain, star, sparse):
        for name, ask in (("check", ConstraintSystem.check), ("facts", ConstraintSystem.facts)):
            ask(ConstraintSystem(make(10)))  # what loads with the first question
            seconds = [spent(ask, make(size), 5 if size < 1000 else 1) for size in SIZES]
            print(f"{make.__name__ + ' ' + name:16}" + "".join(f"{s:10.4f}" for s in seconds), end="")
            print(f"{exponent(seconds):10.2f}")
    print(f"\n{'layers':16}" + "".join(f"{size:>10}" for size in LAYERS) + f"{'exponent':>10}")
    for name, ask in OF_LAYERS.items():
        ask(ConstraintSystem(layers(50)))
        seconds = [spent(ask, layers(size), 5) for size in LAYERS]
        print(f"{name:16}" + "".join(f"{s:10.4f}" for s in seconds) + f"{exponent(seconds, LAYERS):10.2f}")
