"""Arithmetic on declared floats, bit by bit: in the program's order, raising where Python does, by eager's kernels."""

from __future__ import annotations

import math
import struct

import pytest
import torch
import torch.nn.functional as F
from compiled import Compiled

from dynconstraints import DynamicFloat

one = torch.ones(1, dtype=torch.float64)
VALUES = (0.5, -0.5, 0.0, -0.0, 0.1, 0.2, 0.19999999999999998, 1e-17, -1.7, 1 / 3, 5e-324, 1e308)
EXPONENTS = (2.0, 3.0, -1.0, -2.0, 0.5, -0.5, 0.3, 1.7, 0.0, 1.0, 4.0)


def bits(number: float) -> bytes:
    return struct.pack("d", number)


def same(found: torch.Tensor, expected: torch.Tensor) -> bool:
    """The same type and numbers, signs of zero included, NaN equal to NaN."""
    alike = (found == expected) & (torch.signbit(found) == torch.signbit(expected))
    return found.dtype == expected.dtype and bool((alike | (found.isnan() & expected.isnan())).all())


ARITHMETIC = {
    "absorbed": lambda a: (a + 1e16) - 1e16,
    "there and back": lambda a: a - 0.1 + 0.1,
    "factors": lambda a: a * 3 * (1 / 3),
    "divisors": lambda a: a / 3 / 3,
    "distributed": lambda a: 2 * (a + 0.1),
    "collected": lambda a: a * 0.1 + a * 0.2,
    "sum of three": lambda a: a + a + a,
    "sign of zero": lambda a: (a * 0.0) * -1.0,
    "nothing added": lambda a: a + 0.0,
    "first of zeros": lambda a: max(0.0, a),
    "least": lambda a: min(a, -0.0),
    "negated difference": lambda a: -(a - a),
    "quotient of a constant": lambda a: 0.1 / (a + 3.7),
    "of a constant, added to": lambda a: max(a, 0.1 / (abs(a) + 0.1163173596857261)) + 0.0,
}


@pytest.mark.parametrize("name", ARITHMETIC)
def test_numbers_are_rounded_in_the_order_of_the_program(name: str):
    """As results and on tensors; sympy, which has reals, would take ``(a + 1e16) - 1e16`` for ``a``."""
    program = ARITHMETIC[name]
    compiled = Compiled(lambda a: (program(a), one * program(a)))
    for value in VALUES:
        number, tensor = compiled(DynamicFloat(value))
        assert bits(number) == bits(program(value)), value
        assert bits(tensor.item()) == bits(program(value)), value
    assert compiled.graphs == 1


@pytest.mark.parametrize("exponent", [2, 3, -2, 0.5, 1.7])
def test_powers_of_numbers_are_pythons(exponent: float):
    """Not those of a tensor to a fixed exponent, which are products for some."""
    compiled = Compiled(lambda a: a**exponent)
    for value in (0.1, 0.2, 1 / 3, 1.7, 0.7):
        assert bits(compiled(DynamicFloat(value))) == bits(value**exponent)
    assert compiled.graphs == 1


BRANCHES = {
    "absorbed": lambda a: (a + 1e16) - 1e16 > 0,
    "moved": lambda a: a + 0.1 > 0.3,
    "merged": lambda a: a * 0.1 * 3 > 0.3,
    "cancelled": lambda a: a / 3 * 3 == a,
    "both sides": lambda a: a + 0.1 > a * 1.5,
    "close": lambda a: abs(a * 3 - 0.6) < 1e-16,
}


@pytest.mark.parametrize("name", BRANCHES)
def test_branches_go_as_in_eager_next_to_where_they_turn(name: str):
    """For neighbours of 0.2 and of other turning points; at most a graph a side."""
    branch = BRANCHES[name]

    def program(a):
        return one * a if branch(a) else one - a

    compiled = Compiled(program)
    turns = (0.2, 1.0, 0.1, 1 / 3)
    for value in (*VALUES, *(math.nextafter(t, 9) for t in turns), *turns, *(math.nextafter(t, 0) for t in turns)):
        assert torch.equal(compiled(DynamicFloat(value)), program(value)), value
    assert compiled.graphs <= 2


@pytest.mark.parametrize(
    ("program", "good", "bad"),
    [
        (lambda a: 1 / a, 0.5, 0.0),
        (lambda a: a**-1, 0.5, 0.0),
        (lambda a: a**2, 0.5, 1e200),
        (lambda a: 10.0**a, 2.0, 400.0),
        (math.sqrt, 0.5, -0.5),
        (math.acos, 0.5, 1.5),
        (math.log2, 0.5, 0.0),
        (math.cosh, 0.5, 1e4),
    ],
)
def test_a_number_for_which_python_raises_is_not_computed_on(program, good: float, bad: float):
    """A graph would go on with an infinity or NaN."""
    compiled = Compiled(lambda a: one * program(a))
    torch.testing.assert_close(compiled(DynamicFloat(good)), one * program(good))
    with pytest.raises((ArithmeticError, ValueError)):
        program(bad)
    with pytest.raises((ArithmeticError, ValueError, RuntimeError)):  # torch wraps what it meets while it traces
        compiled(DynamicFloat(bad))
    torch.testing.assert_close(compiled(DynamicFloat(good)), one * program(good))


def test_a_divisor_that_the_declaration_keeps_from_zero_is_not_asked():
    """Nor is a base or a root: the declared graph has no guard but that of every float."""
    compiled = Compiled(lambda a: one * (1 / a + a**2 + math.sqrt(a) + 1 / (5 - a)))
    for value in (0.5, 4.0, 0.1):
        compiled(DynamicFloat(value, name="a", constraints=["0.0 < a <= 4.0"]))
    assert compiled.guards == [["not math.isnan(float(L['a']))"]]


def test_remainders_of_numbers_are_numbers():
    """A graph a value; as tensors they would be doubles beside integers."""
    integers = torch.arange(3)
    compiled = Compiled(lambda a: integers * (a % 0.3))
    for value in (0.5, 1.7):
        assert same(compiled(DynamicFloat(value)), integers * (value % 0.3))


def special(dtype: torch.dtype) -> torch.Tensor:
    numbers = torch.cat([torch.randn(26, generator=torch.Generator().manual_seed(0)), torch.tensor([0.0, -0.0])])
    return torch.cat([numbers, torch.tensor([math.nan, math.inf, -math.inf, 1.0])]).to(dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float16])
def test_powers_of_tensors_are_those_of_eager(dtype: torch.dtype):
    """Which has kernels of its own for some exponents: the root of minus infinity is NaN, its power 0.5 is not."""
    compiled, z = Compiled(lambda a: z**a), special(dtype)
    for exponent in EXPONENTS:
        assert same(compiled(DynamicFloat(exponent)), z**exponent), exponent
    assert compiled.graphs == 1


def test_gradients_of_powers_are_those_of_eager():
    """Also at zero and infinity, where the kernels that are not taken have none."""
    compiled = Compiled(lambda z, a: z**a, backend="aot_eager")
    for exponent in EXPONENTS:
        grads = []
        for run, a in ((compiled, DynamicFloat(exponent)), (lambda z, a: z**a, exponent)):
            z = special(torch.float64).requires_grad_()
            run(z, a).sum().backward()
            grads.append(z.grad)
        torch.testing.assert_close(*grads, equal_nan=True)


KERNELS = {
    "alpha": lambda x, y, a: torch.add(x, y, alpha=a),
    "minus alpha": lambda x, y, a: x.sub(y, alpha=a),
    "in place": lambda x, y, a: x.clone().add_(y, alpha=a),
    "reciprocal": lambda x, y, a: a / x,
    "lerp": lambda x, y, a: torch.lerp(x, y, a),
    "reversed": lambda x, y, a: a - x,
    "foreach": lambda x, y, a: torch._foreach_add([x], [y], alpha=a)[0],
    "elu": lambda x, y, a: F.leaky_relu(F.hardtanh(x, -a, a), a),
    "clamp": lambda x, y, a: x.clamp(min=a - 0.1).clamp(max=0.1 - a).clamp(-a, a),
    "softshrink": lambda x, y, a: F.softshrink(x, a) + 0.0,
}


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_operations_round_as_often_as_eagers_kernels(name: str, dtype: torch.dtype):
    """``x + alpha*y`` once, ``a / x`` twice. 32 elements: past whole vectors eager itself rounds in another way."""
    program, x = KERNELS[name], special(dtype)
    y = x.flip(0).roll(7)
    compiled = Compiled(lambda a: program(x, y, a))
    for value in (0.1, 0.3, 1.7, 0.30000000000000004, 3.0):
        assert same(compiled(DynamicFloat(value)), program(x, y, value)), value
    assert compiled.graphs == 1


@pytest.mark.parametrize("value", [0.1, 1.0, 0.0, -0.0])
def test_gradients_at_limits_are_those_of_eager(value: float):
    """On a limit, at zeros of either sign, at NaN and infinities."""

    def program(z, a):
        return z.clamp(min=a) + z.clamp(max=a) * 3 + F.hardtanh(z, -abs(a) - 1, a) * 7 + F.leaky_relu(z, a)

    compiled, results = Compiled(program, backend="aot_eager"), []
    for run, a in ((compiled, DynamicFloat(value)), (program, value)):
        z = special(torch.float64).requires_grad_()
        out = run(z, a)
        out.sum().backward()
        results.append((out.detach(), z.grad))
    assert all(same(found, expected) for found, expected in zip(*results, strict=True))


def test_autocast_casts_what_it_casts_in_eager():
    """The type of the result is that of eager."""
    x = torch.randn(4, 4, generator=torch.Generator().manual_seed(0))

    def program(a):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return torch.addmm(x, x, x, beta=a, alpha=a) + x.bfloat16() * a

    compiled = Compiled(program)
    for value in (0.5, 0.25):
        found, expected = compiled(DynamicFloat(value)), program(value)
        assert found.dtype == expected.dtype
        torch.testing.assert_close(found, expected, rtol=2e-2, atol=2e-2)
    assert compiled.graphs == 1


def test_a_number_met_inside_of_a_transform_belongs_outside():
    """Forward derivatives, and derivatives of derivatives."""
    x = torch.randn(3, generator=torch.Generator().manual_seed(0))
    for program in (
        lambda a: torch.func.jvp(lambda t: (t * a).sin() * a, (x,), (x,))[1],
        lambda a: torch.func.hessian(lambda t: (t**2 * a).sum())(x),
        lambda a: torch.vmap(torch.func.grad(lambda t: (t * a).sin()))(x),
    ):
        compiled = Compiled(program)
        for value in (0.5, 0.1):
            torch.testing.assert_close(compiled(DynamicFloat(value)), program(value))
        assert compiled.graphs == 1


def test_numbers_in_nested_lists_become_tensors():
    """Beside numbers that are fixed."""
    compiled = Compiled(lambda a: torch.tensor([[a, 1.0], [2, a * 2]]))
    for value in (0.5, 0.1):
        assert torch.equal(compiled(DynamicFloat(value)), torch.tensor([[value, 1.0], [2, value * 2]]))
    assert compiled.graphs == 1


@pytest.mark.parametrize("training", [True, False])
def test_a_rate_of_dropout_outside_of_0_to_1_is_refused(training: bool):
    """As in eager, also by a graph that was made for a good one."""
    compiled = Compiled(lambda p: F.dropout(one, p, training))
    compiled(DynamicFloat(0.5))
    for rate in (1.5, -0.5):
        with pytest.raises(Exception, match="between 0 and 1"):
            compiled(DynamicFloat(rate))


def test_a_number_that_single_precision_cannot_hold_is_refused_where_eager_refuses_it():
    """Not made an infinity in silence; where eager makes it one, and in double, it is what eager gives."""
    single = torch.ones(3)
    compiled = Compiled(lambda x, a: torch.full_like(x, a) + torch.add(x, x, alpha=a))
    assert torch.equal(compiled(single, DynamicFloat(0.5)), single * 2)
    with pytest.raises(RuntimeError, match="overflow"):
        torch.full_like(single, 1e308)
    with pytest.raises(RuntimeError, match="overflow"):
        compiled(single, DynamicFloat(1e308))
    assert torch.equal(compiled(single.double(), DynamicFloat(1e307)), single.double() * 2e307)
    compiled = Compiled(lambda x, a: torch.add(x, x, alpha=a * a))
    compiled(single, DynamicFloat(0.5))
    with pytest.raises(RuntimeError, match="overflow"):
        compiled(single, DynamicFloat(1e30))  # which is computed, and too large then
    compiled = Compiled(lambda x, a: x * a)
    for value in (0.5, 1e308):
        assert torch.equal(compiled(single, DynamicFloat(value)), single * value)
    assert compiled.graphs == 1
