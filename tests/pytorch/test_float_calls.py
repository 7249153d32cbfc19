"""Every call of torch that takes a float, by each spelling, type and corner value: eager's bits, and its refusals."""

from __future__ import annotations

import os
import re

import pytest
import torch
import torch._dynamo
from compiled import Compiled
from float_calls import CALLS, DTYPES, NONFINITE, TAKEN_APART, VALUES, outcome, program, same

from dynconstraints import DynamicFloat
from dynconstraints.pytorch.floats.lowering import TABLE

NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
CELLS = [(call, dtype) for call in CALLS for dtype in DTYPES]
FOUND = [
    *(("F.celu(x, a)", torch.float32), ("F.softshrink(x, a)", torch.float64), ("x - a", torch.bool)),
    *(("torch.addcdiv(x, y, z, value=a)", torch.float32), ("x ** a", torch.float32), ("F.elu(x, a)", torch.float32)),
    *(("torch.addmm(s, l, r, beta=a)", torch.float32), ("torch.full_like(x, a)", torch.float16)),
    *(("torch.eq(a, x)", torch.float32), ("w.addcmul_(y, z, value=a)", torch.float32), ("w.fill_(a)", torch.int64)),
    *(("x.clamp(max=a)", torch.float16), ("torch.div(a, x)", torch.float32), ("x ** a", torch.bfloat16)),
    *(("F.dropout3d(g, a)", torch.float32), ("x.masked_fill(m, a)", torch.int64)),
    *(("torch._foreach_lerp_([w], [y], a) or w", torch.float16), ("torch._foreach_mul_([w], a) or w", torch.bfloat16)),
]
"""What gave other numbers than eager, or any at all where eager gives none."""


@pytest.fixture(autouse=True)
def many_constants():
    """A number that a type cannot hold is compiled for alone."""
    with torch._dynamo.config.patch(recompile_limit=999, accumulated_recompile_limit=999):
        yield


def disagreements(call: str, dtype: torch.dtype, values: tuple[float, ...], backend: str = "eager") -> list[float]:
    """The values for which the compiled call is not what eager's is, or raises where the other does not."""
    compiled, plain = Compiled(program(call), backend=backend), program(call)
    found = [(v, outcome(compiled, dtype, DynamicFloat(v, allow_nonfinite=True))) for v in values]
    oracles = (Compiled(plain, backend=backend) if call in TAKEN_APART else plain for _ in values)
    return [v for (v, result), run in zip(found, oracles, strict=True) if not same(result, outcome(run, dtype, v))]


@pytest.mark.parametrize(("call", "dtype"), CELLS if NIGHTLY else [*FOUND, *CELLS[::61]])
def test_a_call_is_eagers_to_the_bit(call: str, dtype: torch.dtype):
    """Types, sizes, bits, signs of zero, and whether it raises."""
    assert disagreements(call, dtype, VALUES) == []


@pytest.mark.parametrize("call", CALLS if NIGHTLY else CALLS[::71])
def test_numbers_that_are_not_finite_are_eagers_too(call: str):
    """Where they are allowed."""
    assert disagreements(call, torch.float32, NONFINITE) == []


@pytest.mark.parametrize(("call", "dtype"), CELLS if NIGHTLY else CELLS[5::331])
def test_through_autograds_tracer_too(call: str, dtype: torch.dtype):
    """By AOTAutograd, which leaves the call whole as well."""
    assert disagreements(call, dtype, (0.5, -0.0, 0.1, 1e-310), backend="aot_eager") == []


@pytest.mark.parametrize(
    ("call", "dtype", "value", "words"),
    [
        ("F.celu(x, a)", torch.float32, 0.0, "alpha cannot be 0 for CELU"),
        ("F.softshrink(x, a)", torch.float32, -1.0, "lambda must be in range"),
        ("x - a", torch.bool, 0.5, "with a bool tensor is not supported"),
        ("w.fill_(a)", torch.float16, 65520.0, "cannot be converted to type c10::Half without overflow"),
        ("torch.full_like(x, a)", torch.int64, 1e39, "without overflow"),
        ("torch.add(x, y, alpha=a)", torch.float32, 1e39, "cannot be converted to type float without overflow"),
        ("F.hardtanh(x, a, 1.0)", torch.float32, 2.0, "min_val cannot be greater than max_val"),
        ("torch.eq(a, x)", torch.float32, 0.5, r"eq\(\): argument|eq\(\) received an invalid combination"),
    ],
)
@pytest.mark.parametrize("before", [True, False])
def test_what_eager_refuses_is_refused_in_its_words(call, dtype, value: float, words: str, before: bool):
    """By a graph that was made for what it takes, and by one that is made for this."""
    compiled = Compiled(program(call))
    if before:
        outcome(compiled, dtype, DynamicFloat(0.75))
    found = outcome(compiled, dtype, DynamicFloat(value))
    assert isinstance(found, Exception)
    assert re.search(words, str(found))


def test_every_operation_of_the_table_is_called():
    """By its own name, an operator by its sign."""
    signs = {"add", "sub", "mul", "truediv", "mod", "pow", "floordiv", "lt", "le", "gt", "ge", "eq", "ne"}
    names = {t if isinstance(t, str) else t.__name__ for t in TABLE}
    others = {"setitem": "assigned", "fma.default": "addcmul_", "_threshold": "threshold"}
    spelt = {n: others.get(n, n).removeprefix("special_").removeprefix("linalg_") for n in names - signs}
    assert {n for n, text in spelt.items() if not any(f"{text}(" in call for call in CALLS)} == set()
