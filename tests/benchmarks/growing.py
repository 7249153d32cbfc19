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


def chain(size: int) -> list[str]:
    """Each name is below the next."""
    return [f"x{i} <= x{i + 1} - 1" for i in range(size - 1)] + ["x0 >= 0"]


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


def exponent(seconds: list[float]) -> float:
    """The slope of the least-squares line through the logarithms of sizes and seconds."""
    x, y = [log10(size) for size in SIZES], [log10(s) for s in seconds]
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
