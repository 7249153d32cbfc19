"""Every operation that takes a float, type by type under Inductor: one graph for twenty values, and eager's numbers."""

from __future__ import annotations

import math
import os

import pytest
import torch
import torch._dynamo as dynamo
from float_operators import DTYPES, OPERATORS, swept
from torch._dynamo.testing import CompileCounterWithBackend

from dynconstraints import DynamicFloat

pytestmark = pytest.mark.inductor

NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
CELLS = [(name, dtype) for name in OPERATORS for dtype in DTYPES]
FEW = [("x * a", torch.float16), ("hardtanh", torch.bfloat16), ("huber delta", torch.float32)]


@pytest.mark.parametrize(("name", "dtype"), CELLS if NIGHTLY else FEW)
def test_twenty_values_are_one_graph_as_close_to_eager_as_a_constant(name: str, dtype: torch.dtype):
    """Or there is a reason for which they are not."""
    operator, cell = OPERATORS[name], swept(OPERATORS[name], dtype)
    assert cell.graphs == 1 or operator.constant
    half = dtype in (torch.bfloat16, torch.float16)
    assert cell.level != "apart" or (operator.apart and half)


@pytest.mark.skipif(not NIGHTLY, reason="compiles for minutes; test_floats_in_graphs.py has a step of each in double")
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", ["SGD", "AdamW"])
def test_twenty_learning_rates_are_one_graph(kind: str, dtype: torch.dtype):
    """The step of an optimizer, whose weights are eager's.

    AdamW's in double are those that torch compiles with the rate as a tensor: it counts steps in single precision, and
    where eager corrects the moments in Python's floats, compiled code does not: its weights are up to 4e-4 of eager's.
    """

    def trained(rate, compiler):
        weight = torch.linspace(-1, 1, 24, dtype=dtype).requires_grad_()
        optimizer = getattr(torch.optim, kind)([weight], lr=rate(0.1))
        step = compiler(lambda: optimizer.step())
        for i in range(20):
            weight.grad = (weight.detach() * 3).sin()
            optimizer.param_groups[0]["lr"] = rate(0.05 * (1 + math.cos(math.pi * i / 20)) + 1e-3)
            step()
        return weight.detach()

    dynamo.reset()
    counter = CompileCounterWithBackend("inductor")
    found = trained(lambda value: DynamicFloat(value, name="lr"), lambda f: torch.compile(f, backend=counter))
    if kind == "AdamW" and dtype == torch.float64:
        dynamo.reset()
        expected = trained(lambda value: torch.tensor(value, dtype=torch.float64), torch.compile)
        torch.testing.assert_close(found, expected, rtol=1.3e-6, atol=1e-7)
    else:
        tolerance = {} if dtype in (torch.float32, torch.float64) else {"rtol": 2e-2, "atol": 2e-2}
        torch.testing.assert_close(found, trained(float, lambda f: f), **tolerance)
    # Torch traces a frame twice where an input has no dimensions, as AdamW's counters of steps.
    assert counter.frame_count <= (1 if kind == "SGD" else 2)
