"""Programs by chance over floats and a tensor, compiled once: equal to eager bit by bit for every value."""

from __future__ import annotations

import math
import os
import struct
from dataclasses import dataclass

import torch
from compiled import Compiled
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dynconstraints import DynamicFloat

NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
ORDINARY = st.floats(-4, 4, allow_subnormal=True)
VALUES = st.one_of(
    ORDINARY,
    st.sampled_from((0.0, -0.0, 0.1, 0.2, 0.3, 1.0, 2.0, 5e-324, 2.2250738585072014e-308, 1e-17, 1e16, 1e308, -1e308)),
    st.sampled_from((0.1, 0.5, 1.0, 2.0)).flatmap(
        lambda v: st.sampled_from((math.nextafter(v, 9), math.nextafter(v, 0)))
    ),
)
CONSTANTS = st.sampled_from(("0.1", "0.3", "1", "2", "3", "-0.5", "1e16", "0.0", "1e-16"))


def numbers(depth: int) -> st.SearchStrategy[str]:
    """An expression of a and b, of what IEEE defines to the bit: torch's functions differ from Python's in the last."""
    leaf = st.one_of(st.sampled_from(("a", "b")), CONSTANTS)
    if not depth:
        return leaf
    inner = numbers(depth - 1)
    binary = st.builds("({} {} {})".format, inner, st.sampled_from(("+", "-", "*", "/")), inner)
    return st.one_of(
        leaf,
        binary,
        binary,
        st.builds("(-{})".format, inner),
        st.builds("abs({})".format, inner),
        st.builds("{}({}, {} + 0.0)".format, st.sampled_from(("max", "min")), st.sampled_from(("a", "b")), inner),
        st.builds("({} if {} {} {} else {})".format, inner, inner, st.sampled_from(("<", "<=", "==")), inner, inner),
    )


def steps() -> st.SearchStrategy[str]:
    """What makes x of x and a number."""
    return st.sampled_from(
        (
            "x = x * ({n})",
            "x = x + ({n})",
            "x = ({n}) - x",
            "x = x / ({n})",
            "x = ({n}) / x",
            "x = torch.add(x, y, alpha=({n}))",
            "x = torch.clamp(x, min=({n}))",
            "x = x.clamp(max=({n}))",
            "x = torch.where(x > ({n}), x, ({n}))",
            "x = torch.lerp(x, y, ({n}))",
            "x = torch.nn.functional.leaky_relu(x, ({n}))",
            "x = x * torch.full((1,), ({n}), dtype=x.dtype)",
            "x = x * 2 if ({n}) > 0 else x - 1",
        )
    )


@dataclass(frozen=True)
class Program:
    """The lines of a function of x, y, a and b."""

    lines: tuple[str, ...]

    @property
    def function(self):
        """The function, anew: Dynamo keeps what it compiles with the code."""
        space = {"torch": torch, "math": math}
        exec("\n    ".join(["def program(x, y, a, b):", *self.lines]), space)
        return space["program"]


@st.composite
def programs(draw) -> Program:
    """One to four steps, and a number as a second result."""
    lines = [draw(steps()).replace("{n}", draw(numbers(2))) for _ in range(draw(st.integers(1, 4)))]
    return Program((*lines, f"return x, ({draw(numbers(3))}) + 0.0"))


def outcome(function, *arguments):
    """The bits of what it gives; None where Python raises."""
    try:
        tensor, number = function(*arguments)
    except Exception as error:
        # Torch wraps what it meets while it traces; anything else is a fault.
        names = (
            "ZeroDivisionError",
            "OverflowError",
            "math domain error",
            "division by zero",
            "debug_repr",
            "overflow",
        )
        if any(name in repr(error) for name in names):
            return None
        raise
    shape = torch.nan_to_num(tensor, nan=12345.0)
    return tensor.dtype, shape.tolist(), torch.signbit(shape).tolist(), struct.pack("d", number) * (number == number)


@settings(
    max_examples=int(os.environ.get("DYNCONSTRAINTS_PROGRAMS", "1000" if NIGHTLY else "25")),
    suppress_health_check=list(HealthCheck),
)
@given(
    programs(),
    st.sampled_from((torch.float32, torch.float64)),
    st.lists(st.tuples(VALUES, VALUES), min_size=4, max_size=4),
)
def test_programs_over_floats_equal_eager_to_the_bit(program: Program, dtype: torch.dtype, values) -> None:
    """Results of operations on tensors and of Python's own arithmetic; what raises in eager raises compiled."""
    x = torch.tensor([0.5, -1.7, 0.0, -0.0, math.inf, -math.inf, math.nan, 3.0] * 4, dtype=dtype)
    y = x.roll(3).contiguous()
    compiled, eager = Compiled(program.function, fullgraph=False), program.function
    for a, b in values:
        assert outcome(compiled, x, y, DynamicFloat(a), DynamicFloat(b)) == outcome(eager, x, y, a, b), (a, b)


def gradient(function, x, y, a, b):
    """The derivative by the tensor; None where it is not of it, or where eager raises."""
    x = x.clone().requires_grad_()
    try:
        found = function(x, y, a, b)[0].sum()
    except Exception:
        return None
    return torch.autograd.grad(found, x)[0] if found.requires_grad else None


@settings(
    max_examples=int(os.environ.get("DYNCONSTRAINTS_PROGRAMS", "500" if NIGHTLY else "15")),
    suppress_health_check=list(HealthCheck),
)
@given(programs(), st.lists(st.tuples(ORDINARY, ORDINARY), min_size=3, max_size=3))
def test_gradients_of_programs_over_floats_are_those_of_eager(program: Program, values) -> None:
    """In double, through AOTAutograd."""
    x = torch.tensor([0.5, -1.7, 0.1, -0.3, 1.1, -2.0, 0.7, 3.0] * 4, dtype=torch.float64)
    y = x.roll(3).contiguous()
    compiled, eager = Compiled(program.function, fullgraph=False, backend="aot_eager"), program.function
    for a, b in values:
        expected = gradient(eager, x, y, a, b)
        if expected is not None:
            found = gradient(compiled, x, y, DynamicFloat(a), DynamicFloat(b))
            assert found is not None
            torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9, equal_nan=True)
