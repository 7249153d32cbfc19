"""Artefacts on disk and floats: one for all values of a declaration, right in every process that it is served to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.inductor

PROGRAM = """
import json
import sys
import torch
from dynconstraints import DynamicFloat
import torch._dynamo as dynamo
from torch._dynamo.utils import counters
torch.set_num_threads(1)

def program(x, a):
    y = torch.softmax(x * a, -1) + torch.add(x, x, alpha=a) + (x if a * 2 <= 2.0 else 1)
    heads = (x + 1).view(1, 3, 2, 2)
    attended = torch.nn.functional.scaled_dot_product_attention(heads, heads, heads, scale=a)
    return y + attended.view(3, 4) * torch.linalg.vector_norm(x, a + 1)

def outcome(function, a):
    x = torch.arange(12, dtype=torch.float64).view(3, 4).requires_grad_()
    function(x, a).sum().backward()
    return function(x, a), x.grad

hits = []
for call in json.loads(sys.argv[1]):
    dynamo.reset()
    counters.clear()
    compiled = torch.compile(program)
    for value in call["values"]:
        a = DynamicFloat(value, name="a", constraints=call["constraints"]) if call["declared"] else value
        for found, expected in zip(outcome(compiled, a), outcome(program, value)):
            torch.testing.assert_close(found, expected, rtol=1e-14, atol=1e-14)
    found = counters["aot_autograd"]
    hits.append([found["autograd_cache_hit"], found["autograd_cache_miss"]])
print(json.dumps(hits))
"""


def declared(*values: float, constraints: tuple[str, ...] = ("0.0 < a <= 1.0",)) -> dict[str, object]:
    """Calls with these values, in turn, after a reset."""
    return {"values": values, "constraints": constraints, "declared": True}


def run(folder: Path, *calls: dict[str, object]) -> list[list[int]]:
    """Make the calls in a process of their own with the cache folder: hits and misses of each."""
    environment = {**os.environ, "TORCHINDUCTOR_CACHE_DIR": str(folder), "TORCHINDUCTOR_FX_GRAPH_CACHE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(calls)], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    found: list[list[int]] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


HIT, MISS = [1, 0], [0, 1]


def test_one_artefact_serves_all_values_of_a_declaration_in_all_processes(tmp_path: Path) -> None:
    """Exactly, also after a reset; ``a <= 1.0`` settles a branch, so another declaration and none make their own."""
    wider = declared(3.0, 3.5, constraints=("0.0 < a <= 4.0",))
    plain = {"values": (2.0,), "constraints": (), "declared": False}
    assert run(tmp_path, declared(0.1, 0.7), declared(0.30000000000000004, 5e-324)) == [MISS, HIT]
    assert run(tmp_path, declared(0.3, 1.0), wider, declared(0.25), wider, plain) == [HIT, MISS, HIT, HIT, MISS]
