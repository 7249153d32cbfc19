"""All benchmarks, with the machine and the versions: `tox -e bench`, or where jax and apache-tvm are installed,

    python tests/benchmarks/run.py [kernels sweeps training calls solvers eager] [--write]

``--write`` puts the tables that the README has a place for into it. Each part runs in a process of its own.
"""

from __future__ import annotations

import datetime
import os
import platform
import sys
import time
from collections.abc import Iterable
from importlib import import_module, metadata
from multiprocessing import get_context
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tables import Table, written

PARTS = ("kernels", "sweeps", "training", "calls", "solvers", "eager")
PACKAGES = ("dynconstraints", "torch", "transformers", "z3-solver", "jax", "apache-tvm")
README = Path(__file__).parents[2] / "README.md"


def machine() -> str:
    """Processor, cores, Python."""
    info = Path("/proc/cpuinfo")
    models = [line.split(":")[1].strip() for line in info.read_text().splitlines() if "model name" in line]
    name = models[0] if models else platform.processor() or platform.machine()
    return f"{name}, {os.cpu_count()} cores, Python {platform.python_version()}"


def versions(packages: Iterable[str] = PACKAGES) -> str:
    """What is installed of all that is compared."""
    installed = {d.metadata["Name"].lower().replace("_", "-"): d.version for d in metadata.distributions()}
    names = [package.replace("_", "-") for package in packages]
    return ", ".join(f"{name} {installed[name]}" if name in installed else f"no {name}" for name in names)


def tables_of(part: str) -> list[Table]:
    return import_module(part).tables()  # type: ignore[no-any-return]


def main(arguments: list[str]) -> None:
    parts = [a for a in arguments if not a.startswith("--")] or list(PARTS)
    today = datetime.datetime.now(tz=datetime.timezone.utc).date()
    where = f"{today}, {machine()}, {versions()}."
    load = os.getloadavg()[0]
    print(f"{where} Load before: {load:.1f}.", flush=True)
    if load > 0.5:
        print("This machine is busy: wall-clock figures are not to be trusted.")
    done: list[Table] = []
    for part in parts:
        started = time.perf_counter()
        with get_context("spawn").Pool(1) as pool:
            found = pool.apply(tables_of, (part,))
        for table in found:
            print(f"\n{table.title}\n\n{table.note}\n\n{table.markdown()}", flush=True)
        print(f"\n({part}: {time.perf_counter() - started:.0f} s)", flush=True)
        done += found
    if "--write" in arguments:
        README.write_text(written(README.read_text(encoding="utf-8"), done, where), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
