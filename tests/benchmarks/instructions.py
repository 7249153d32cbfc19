"""What the package costs programs that declare nothing, in instructions: imported alone, and beside declarations.

Beside a named tensor the methods that copy one are looked up by a function in Python: that is what the line of copies
shows, and the price that a process pays for names that last.

`python tests/benchmarks/instructions.py` needs valgrind and a C compiler, and takes three processes of two minutes each
on an idle processor. All is warm before anything is counted, and what is counted runs in one stretch, without
collections of garbage: each start of counting has valgrind translate everything anew. How busy the machine is makes no
difference.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

from tables import Table

MARKS = """
#include <valgrind/callgrind.h>
void start(void) { CALLGRIND_START_INSTRUMENTATION; }
void zero(void) { CALLGRIND_ZERO_STATS; }
void stop(const char *name) { CALLGRIND_DUMP_STATS_AT(name); }
"""

PROGRAM = """
import ctypes
import gc
import sys
import torch
if sys.argv[2] != "without":
    import dynconstraints.pytorch
import torch._dynamo as dynamo

if sys.argv[2] == "beside":
    from dynconstraints import DynamicInt, name_dims
    alive = DynamicInt(64, name="n", constraints=["n % 32 == 0"])
    named = name_dims(torch.zeros(64, 3), {0: alive})
    torch.compile(lambda x, n: x.view(n, -1).sum(1) + n, backend="aot_eager")(named, alive)

marks = ctypes.CDLL(sys.argv[1])
torch.set_num_threads(1)
x, linear = torch.ones(64, 16), torch.nn.Linear(16, 16)

def block(x, n, scale):
    h = torch.relu(linear(x)) * scale
    h = h.view(-1, n, 16).sum(1) if n > 1 else h
    return torch.softmax(h, -1) + n

def compiling(backend, dynamic):
    def act():
        dynamo.reset()
        torch.compile(block, backend=backend, dynamic=dynamic)(x, 4, 0.5).sum().backward()
    return act

def calls(function, *arguments):
    def act():
        for _ in range(100):
            function(*arguments)
    return act

def compiled(dynamic):
    def own(x, n, scale):
        return block(x, n, scale)
    return torch.compile(own, backend="eager", dynamic=dynamic)

parts = {
    "100 compiled calls, static": calls(compiled(False), x, 4, 0.5),
    "100 compiled calls, dynamic": calls(compiled(True), x, 4, 0.5),
    "100 calls in eager": calls(block, x, 4, 0.5),
    "100 sizes and constructors in eager": calls(lambda n: torch.ones(n, 3)[: n // 2].view(-1).sum(), 64),
    "100 likes in eager": calls(lambda n: torch.zeros_like(x) + torch.full(size=(n, 16), fill_value=2.0), 64),
    "100 copies in eager": calls(lambda n: x.clone().to(torch.float64).detach().contiguous(), 64),
    "100 views in eager": calls(lambda n: x.view(-1).expand(2, -1).narrow(1, 0, n).reshape((n, 2)), 64),
    "compile, eager, static": compiling("eager", False),
    "compile, eager, dynamic": compiling("eager", True),
    "compile, aot_eager, dynamic": compiling("aot_eager", True),
}
for act in [*reversed(parts.values())] * 2:  # what torch does once; the calls are compiled last
    act()
gc.collect()
gc.disable()
marks.start()
for name, act in parts.items():
    marks.zero()
    act()
    marks.stop(name.encode())
"""


def counts(imported: str, folder: Path) -> dict[str, int]:
    """The instructions of each part, in a process that imports the package, declares something beside, or neither."""
    out = folder / imported
    out.mkdir()
    environment = {**os.environ, "PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    command = ["valgrind", "--tool=callgrind", "--instr-atstart=no", "--dump-instr=no", f"--callgrind-out-file={out}/o"]
    subprocess.run(
        [*command, sys.executable, "-c", PROGRAM, str(folder / "marks.so"), imported],
        check=True,
        env=environment,
        stderr=subprocess.DEVNULL,
    )
    found = {}
    for file in out.iterdir():
        text = file.read_text()
        name, total = re.search(r"Client Request: (.*)", text), re.search(r"^(?:totals|summary): (\d+)", text, re.M)
        if name and total:
            found[name[1]] = int(total[1])
    return found


def measured() -> list[tuple[str, int, int, int]]:
    """Each part: its name, and its instructions without the import, with it, and beside declarations."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "marks.c").write_text(MARKS)
        compiler = (sysconfig.get_config_var("CC") or "cc").split()[0]
        subprocess.run([compiler, "-shared", "-fPIC", "-o", folder / "marks.so", folder / "marks.c"], check=True)
        without, using, beside = (counts(way, folder) for way in ("without", "with", "beside"))
    return [(part, without[part], using[part], beside[part]) for part in without]


def tables() -> list[Table]:
    rows = [(part, f"{a:,}", f"{b / a:.4f}", f"{c / a:.4f}") for part, a, b, c in sorted(measured())]
    columns = ("a program that declares nothing", "without the import", "with it", "beside declarations")
    note = "Instructions of the process, collections of garbage apart."
    return [Table("instructions", "Programs that declare nothing", note, columns, tuple(rows))]


if __name__ == "__main__":
    for table in tables():
        print(table.markdown())
