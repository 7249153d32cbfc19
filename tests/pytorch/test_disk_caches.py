"""Artefacts on disk: what is compiled under a declaration is never served to a program without it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.inductor

PROGRAM = """
import sys
import torch
from dynconstraints import DynamicInt
import torch._dynamo as dynamo
torch.set_num_threads(1)

def program(n, x):
    rows = x.view(-1, n)
    return (torch.softmax(rows[:, : n // 2] * 2 + rows[:, n // 2 :], -1) ** 2).sum(-1)

value, constraints = int(sys.argv[1]), [c for c in sys.argv[2].split(";") if c]
if sys.argv[3] == "untagged":
    graph = dynamo.output_graph.OutputGraph
    graph._call_user_compiler = graph._call_user_compiler.__wrapped__
n = DynamicInt(value, name="n", constraints=constraints) if constraints else DynamicInt(value)
x = torch.randn(8 * value)
dynamo.mark_dynamic(x, 0)
a, b = x.clone().requires_grad_(), x.clone().requires_grad_()
found = torch.compile(program)(n, a)
torch.testing.assert_close(found, program(value, b))
found.sum().backward()
program(value, b).sum().backward()
torch.testing.assert_close(a.grad, b.grad)
counters = dynamo.utils.counters
print(counters["inductor"]["fxgraph_cache_hit"] + counters["aot_autograd"]["autograd_cache_hit"])
"""


def run(folder: Path, value: int, constraints: str, keys: str = "tagged") -> int:
    """Run the program in a process of its own with the cache folder; how often a cache was hit."""
    environment = {**os.environ, "TORCHINDUCTOR_CACHE_DIR": str(folder), "TORCHINDUCTOR_FX_GRAPH_CACHE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(value), constraints, keys], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout.strip().splitlines()[-1])


def test_a_program_without_the_constraint_never_gets_a_graph_made_with_it(tmp_path: Path) -> None:
    """One cache folder, a process each: the same declaration hits, another one and none at all don't."""
    assert run(tmp_path, 64, "n >= 8") == 0
    assert run(tmp_path, 64, "n >= 8") > 0
    assert run(tmp_path, 64, "") == 0
    assert run(tmp_path, 64, "n >= 4") == 0
    assert run(tmp_path, 6, "") == 0


def test_without_the_declaration_in_the_key_it_would_get_one(tmp_path: Path) -> None:
    """The protection is needed: with torch's own keys, the graph made for n >= 8 is served to any n."""
    assert run(tmp_path, 64, "n >= 8", "untagged") == 0
    assert run(tmp_path, 64, "", "untagged") > 0
