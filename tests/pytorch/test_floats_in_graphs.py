"""DynamicFloats in compiled programs: one graph for all values, each used exactly, equal to eager."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from compiled import Compiled, explain

from dynconstraints import ConstraintViolationError, DynamicFloat, DynamicInt, SpecializationError
from dynconstraints import dynamic_int_constraints as constraints

TWENTY = tuple(0.1 + i / 7 for i in range(20))
VALUES = (0.1, 0.25, 0.30000000000000004, 0.3, 1.5, 2.0, 5e-324, 3.5)

torch.manual_seed(0)
x, y = torch.randn(4, 6), torch.randn(4, 6)
left, right = torch.randn(4, 5), torch.randn(5, 6)
q, k, v = (torch.randn(1, 2, 8, 4) for _ in range(3))
integers = torch.arange(24).reshape(4, 6)


def named(value: float) -> DynamicFloat:
    return DynamicFloat(value, name="a", constraints=["0.0 < a <= 4.0"])


def in_place(a):
    z = x.clone()
    z *= a
    z[0] = a
    return z.add_(y, alpha=a).clamp_(max=a)


PROGRAMS = {
    "product": lambda a: x * a,
    "reversed": lambda a: a - x / a,
    "power": lambda a: x.abs() ** a,
    "base": lambda a: a**x,
    "comparison": lambda a: (x > a) & (a >= y),
    "of integers": lambda a: integers * a + (integers > a),
    "alpha": lambda a: torch.add(x, y, alpha=a) + x.sub(y, alpha=2 * a),
    "beta": lambda a: torch.addmm(x, left, right, beta=a, alpha=a + 1),
    "clamp": lambda a: x.clamp(-a, a) + x.clamp(max=a) + torch.clamp_min(x, a),
    "full": lambda a: torch.full((2, 3), a) + torch.full_like(x[:2, :3], a),
    "full in double": lambda a: torch.full((2,), a, dtype=torch.float64),
    "tensor": lambda a: torch.tensor(a) + torch.tensor([a, 1.0]),
    "leaky relu": lambda a: F.leaky_relu(x, a),
    "elu": lambda a: F.elu(x, a),
    "celu": lambda a: F.celu(x, a),
    "softplus": lambda a: F.softplus(x, a, 1 + a),
    "threshold": lambda a: F.threshold(x, a, -a),
    "hardshrink": lambda a: F.hardshrink(x, a),
    "as tensor": lambda a: torch.as_tensor(a) * x,
    "softmax": lambda a: torch.softmax(x * a, -1),
    "attention": lambda a: F.scaled_dot_product_attention(q, k, v, scale=a),
    "lerp": lambda a: torch.lerp(x, y, a),
    "where": lambda a: torch.where(x > 0, x, a) + torch.where(x > 0, a, 0.5),
    "in place": in_place,
    "masked fill": lambda a: x.masked_fill(x > 0, a),
    "bfloat16": lambda a: x.bfloat16() * a + a,
    "half": lambda a: x.half() - a,
    "complex": lambda a: x.to(torch.complex64) * a,
    "no dimensions": lambda a: x.sum() * a + torch.zeros((), dtype=torch.float64),
    "arithmetic": lambda a: x * (a * 2 + 1) / (5 - a) + math.sqrt(a) * max(a, 0.3) * min(a, 0.3) * abs(-a),
    "result": lambda a: (a * 2 + 1, a),
    "remainder": lambda a: (x + 5) % (a + 1),
    "foreach": lambda a: torch._foreach_add([x, y], [y, x], alpha=a)[0],
    "keywords": lambda a: torch.addcmul(input=torch.mul(input=x, other=a), tensor1=x, tensor2=y, value=a),
    "integer beside floats": lambda a: x * max(a, 1) + torch.clamp(x, max=min(a, 2)),
}


def agree(found, expected, exact: bool) -> None:
    if isinstance(expected, float):
        assert isinstance(found, float)
        assert found.hex() == expected.hex()
    elif isinstance(expected, tuple):
        for one, other in zip(found, expected, strict=True):
            agree(one, other, exact)
    else:
        close = {"rtol": 0, "atol": 0} if exact else {}
        torch.testing.assert_close(found, expected, equal_nan=True, **close)


EXACT = {"product", "comparison", "full", "full in double", "tensor", "leaky relu", "masked fill", "where", "result"}


@pytest.mark.parametrize("name", PROGRAMS)
def test_one_graph_serves_all_values(name: str):
    """And gives what eager gives: bit by bit where one operation computes, in the graph as Dynamo made it."""
    compiled = Compiled(PROGRAMS[name], backend="eager")
    for value in VALUES:
        agree(compiled(named(value)), PROGRAMS[name](value), name in EXACT)
    assert compiled.graphs == 1


@pytest.mark.inductor
def test_one_kernel_serves_all_values():
    """The whole list in one program under Inductor, forward, for twenty values."""

    def program(a):
        return [f(a) for f in PROGRAMS.values()]

    compiled = Compiled(program, backend="inductor")
    for value in TWENTY:
        for name, found, expected in zip(PROGRAMS, compiled(named(value)), program(value), strict=True):
            if name in ("bfloat16", "half"):  # Inductor keeps float32 between operations, eager rounds after each
                torch.testing.assert_close(found, expected, rtol=2e-2, atol=2e-2)
            else:
                agree(found, expected, exact=False)
    assert compiled.graphs == 1


@pytest.mark.parametrize("backend", ["aot_eager", pytest.param("inductor", marks=pytest.mark.inductor)])
def test_gradients_are_those_of_eager(backend: str):
    """Through every family of operations."""

    def program(z, a):
        z = torch.add(z * a, z, alpha=a).clamp(-a, a) + F.leaky_relu(z, a) ** 2 + torch.lerp(z, z * z, a) / a
        return torch.softmax(z * a, -1).sum() + torch.where(z > a, z, a).sum() + (z.abs() + 1).pow(a).sum()

    compiled = Compiled(program, backend=backend)
    for value in TWENTY:
        grads = []
        for run, a in ((compiled, named(value)), (program, value)):
            z = x.clone().requires_grad_()
            run(z, a).backward()
            grads.append(z.grad)
        torch.testing.assert_close(*grads)
    assert compiled.graphs == 1


@pytest.mark.parametrize("backend", ["eager", pytest.param("inductor", marks=pytest.mark.inductor)])
def test_the_last_bit_counts(backend: str):
    """In double, where nothing is rounded on the way: neighbours give different results, zeros keep their sign."""
    one = torch.ones(1, dtype=torch.float64)
    compiled = Compiled(lambda a: (one * a, torch.full((), a, dtype=torch.float64), a), backend=backend)
    for value in (1.0, math.nextafter(1.0, 2.0), 1e308, 5e-324, 0.0, -0.0):
        for found in compiled(DynamicFloat(value)):
            assert float(found).hex() == value.hex()
    assert compiled.graphs == 1


@pytest.mark.inductor
def test_a_kernel_reads_a_subclass_exactly_also_after_a_reset_and_from_the_cache_on_disk():
    """A subclass of float that torch reads by itself becomes float32, whose bytes the kernel takes for a double."""

    class Mine(DynamicFloat):
        pass

    def program(z, a):
        return z * a + 1

    for _ in range(2):
        torch._dynamo.reset()
        compiled = Compiled(program, backend="inductor")
        for value in (0.1, 0.7):
            assert torch.equal(compiled(x.double(), Mine(value)), program(x.double(), value))
        assert compiled.graphs == 1


@pytest.mark.inductor
def test_floor_division_is_pythons():
    """Of numbers, where Inductor's of tensors takes the floor of a rounded quotient: a graph a value."""
    compiled = Compiled(lambda a: x * (a // 0.1), backend="inductor")
    for value in (0.3, 1.5):
        assert torch.equal(compiled(named(value)), x * (value // 0.1))
    assert compiled.graphs == 2


@pytest.mark.inductor
def test_numbers_that_went_stale_upstream_are_right():
    """Clamped gates with a limit, norms, losses, attention and interpolation with a factor that is used twice."""

    def swiglu(z, limit):
        gate, up = torch.chunk(z, 2, dim=-1)
        return F.silu(gate).clamp(max=limit) * up.clamp(min=-limit, max=limit)

    for value in (0.5, 1.0, 0.25):
        compiled = torch.compile(swiglu)
        grads = []
        for run, a in ((compiled, named(value)), (swiglu, value)):
            z = (x * 3).requires_grad_()
            z.retain_grad()
            out = run(z, a)
            out.sum().backward()
            grads.append((out, z.grad))
        torch.testing.assert_close(*grads)

    programs = [
        lambda s: F.rms_norm(x * s, (6,), eps=s + 1e-3),
        lambda s: F.layer_norm(x * s, (6,), eps=s),
        lambda s: F.huber_loss(x * s, y, delta=s),
        lambda s: F.scaled_dot_product_attention(q * s, k, v, scale=s),
        lambda s: F.interpolate((x * s)[None, None], scale_factor=s + 1),
        lambda s: F.cross_entropy(x * s, torch.tensor([0, 1, 2, 3]), label_smoothing=s),
    ]
    for program in programs:
        compiled = torch.compile(program)
        for value in (0.5, 1.0, 0.25, 0.75):
            torch.testing.assert_close(compiled(named(value)), program(value))


def test_branches_that_the_declaration_settles_leave_no_guard():
    """Also where the program rounds and the declaration does not; a branch that is open makes a graph a side."""

    def program(z, a, n):
        z = z * a if a > 0 and a * 2 <= 8.0 else z
        z = z + 1 if n * a <= 4.0 and -a < 0.5 else z
        z = z - 1 if min(a, 5.0) != 6.0 and abs(a) > 0 else z
        return z / 2 if n / a >= 0.25 and a + n >= 1 else z

    compiled = Compiled(program)
    with constraints(["n*a <= 4.0", "0 < n < 100"]):
        for value in (0.5, 0.75, 1.5, 0.25, 2.0):
            assert torch.equal(compiled(x, named(value), DynamicInt(2, name="n")), program(x, value, 2))
    assert compiled.guards == [["not math.isnan(float(L['a']))", "1 <= int(L['n']) and int(L['n']) <= 99"]]

    def opened(z, a):
        return z + 1 if a > 1.0 else z - 1

    compiled = Compiled(opened)
    for value in (0.5, 1.5, 0.25, 2.0):
        assert torch.equal(compiled(x, named(value)), opened(x, value))
    assert compiled.graphs == 2


@pytest.mark.parametrize(
    ("declared", "branch", "value", "others"),
    [
        ("a > 0.0", lambda a: a * 0.5 > 0, 1.0, (5e-324,)),  # half of the least float is zero
        ("a < 1.0", lambda a: a + 1.0 < 2.0, 0.5, (math.nextafter(1.0, 0.0),)),  # the sum rounds to 2.0
        ("a > 1.0", lambda a: a * a > 1.0, 2.0, (math.nextafter(1.0, 2.0),)),
        ("a != 1.0", lambda a: a * 3.0 != 3.0, 2.0, (0.9999999999999999,)),
        ("0.0 < a <= 1.0", lambda a: 1.0 / a < 1e308, 0.5, (1e-308, 5e-324)),
        ("a*a <= 2.0", lambda a: a * a <= 2.0, 1.0, (1.414213562373095,)),
    ],
)
def test_a_branch_that_rounding_decides_goes_as_in_eager(declared: str, branch, value: float, others: tuple[float]):
    """The declaration speaks of exact numbers, the program computes with floats."""

    def program(z, a):
        return z + 1 if branch(a) else z - 1

    compiled = Compiled(program)
    for v in (value, *others):
        a = DynamicFloat(v, name="a", constraints=[declared])
        assert torch.equal(compiled(x, a), program(x, v)), v


def test_the_report_tells_what_floats_are_guarded_by():
    """A counterexample compiles anew; an operation that takes no changing float is named."""

    def program(z, a):
        return z * a if a * 2 > 1 else z

    report = explain(program, x, named(0.25))
    assert report.covers_domain is False
    (remaining,) = report.graphs[0].remaining
    assert remaining.condition == "2.0*a <= 1.0"
    compiled = Compiled(program)
    compiled(x, named(0.25))
    compiled(x, named(remaining.fails_at["a"]))
    assert compiled.graphs == 2
    assert explain(lambda z, a: z * a if a > 0 else z, x, named(0.25)).covers_domain is True
    derived = explain(lambda z, a, b: z * a if b > 1.0 else z, x, named(0.25), named(0.25) * 8)
    assert derived.covers_domain is None  # nothing is declared of b itself, and its link with a is not known
    text = str(explain(lambda z, a: z * torch.linspace(0, a, 4), torch.ones(4), named(0.5)))
    assert (
        "beyond the declaration: a == 0.5\n    linspace does not support dynamic floats; a becomes a constant" in text
    )


def test_values_outside_the_declaration_raise_before_anything_compiles():
    """A plain float as well, since the graph is for the declared domain; and a scope's constraints."""
    compiled = Compiled(lambda z, a: z * a, backend="eager")
    compiled(x, named(0.5))
    with constraints(["a <= 0.4"]), pytest.raises(ConstraintViolationError, match=r"a <= 0\.4"):
        compiled(x, named(0.5))
    assert compiled.graphs == 1
    assert torch.equal(compiled(x, 8.0), x * 8.0)
    assert torch.equal(compiled(x, named(0.75)), x * 0.75)


def test_integers_and_floats_in_one_constraint():
    """Checked at every call, and used."""

    def program(z, steps, lr):
        return z * lr if steps * lr <= 4.0 else z

    compiled = Compiled(program, backend="eager")
    with constraints(["steps*lr <= 4.0", "lr > 0.0"]):
        for steps, lr in ((2, 0.5), (8, 0.5), (5, 0.75)):
            a, n = DynamicFloat(lr, name="lr"), DynamicInt(steps, name="steps", constraints=["steps > 0"])
            assert torch.equal(compiled(x, n, a), x * lr)
        with pytest.raises(ConstraintViolationError, match=r"steps\*lr <= 4.0"):
            compiled(x, DynamicInt(9, name="steps"), DynamicFloat(0.5, name="lr"))
    assert compiled.graphs == 1


class Scaled(torch.nn.Module):
    """A module with a float attribute."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = named(0.5)

    def forward(self, z, options, *rest, a=None):
        """Uses floats from everywhere."""
        return z * self.scale + options["b"] * rest[0] + (a or 0.0)


def test_floats_live_anywhere():
    """In attributes, dictionaries, tuples of arguments and keywords; an attribute may change between calls."""
    module = Scaled()
    compiled = Compiled(module, backend="eager")
    for value in (0.25, 0.5, 0.125):
        module.scale = named(value)
        found = compiled(x, {"b": DynamicFloat(value)}, DynamicFloat(2 * value), a=DynamicFloat(3 * value))
        torch.testing.assert_close(found, x * value + value * 2 * value + 3 * value)
    assert compiled.graphs == 1


def test_one_name_is_one_value():
    """Two values of a name are refused, and a graph for one value at two places does not serve two."""
    compiled = Compiled(lambda z, a, b: z * a - b, backend="eager")
    compiled(x, named(0.5), named(0.5))
    assert torch.equal(compiled(x, 0.5, 0.25), x * 0.5 - 0.25)


def test_an_operation_that_takes_no_changing_float_gets_constants():
    """One graph a value, right ones; the policy can forbid it, and names the operation's line."""

    def program(z, a):
        return torch.linspace(0, a, 4) + z * a

    z = torch.ones(4)
    compiled = Compiled(program, backend="eager")
    for value in (0.5, 0.25, 0.5, 1.0):
        assert torch.equal(compiled(z, named(value)), program(z, value))
    assert compiled.graphs == 3
    torch._dynamo.reset()
    with constraints(["a > 0.0"], on_specialize="error"), pytest.raises(SpecializationError) as caught:
        Compiled(program, backend="eager")(z, named(0.5))
    assert "the program forces a to one value: a == 0.5" in str(caught.value)
    assert "test_floats_in_graphs.py" in str(caught.value)
    assert "linspace" in str(caught.value)


@pytest.mark.parametrize(
    "program",
    [
        lambda a: integers * max(a, 1),
        lambda a: torch.full((2,), min(a, 1)),
        lambda a: max(a, 1) * 2,
        lambda a: torch.where(integers > 3, integers, min(2, a) - 1),
    ],
)
def test_a_number_that_may_be_an_integer_in_eager_is_one_where_that_matters(program):
    """``max(a, 1)`` is the integer for small ones: a graph a value, since the type of the result depends on it."""
    compiled = Compiled(program, fullgraph=False)
    for value in (0.5, 1.5, 3.0):
        found, expected = compiled(DynamicFloat(value)), program(value)
        assert isinstance(found, int) is isinstance(expected, int)
        assert getattr(found, "dtype", None) == getattr(expected, "dtype", None)
        assert torch.equal(torch.as_tensor(found), torch.as_tensor(expected))


@pytest.mark.parametrize(
    "program",
    [
        lambda a: torch.mul(x, a, out=torch.empty(4, 6)),
        lambda a: F.scaled_dot_product_attention(q, k, v, dropout_p=a * 0).sum(),
        lambda a: F.scaled_dot_product_attention(q, k, v, dropout_p=a * 0, scale=a).sum(),
    ],
)
def test_arguments_that_take_no_changing_float_get_constants(program):
    """Of operations that take one elsewhere."""
    compiled = Compiled(program)
    for value in (0.5, 0.25):
        torch.testing.assert_close(compiled(named(value)), program(value))
    assert compiled.graphs == 2


def test_dropout_with_a_rate_that_changes():
    """As many elements as the rate says, scaled so that the mean stays; none in evaluation."""
    ones = torch.ones(100_000)
    compiled = Compiled(lambda p, training: F.dropout(ones, p, training), backend="eager")
    for rate in (0.1, 0.5, 0.9, 1.0):
        dropped = compiled(DynamicFloat(rate, name="p", constraints=["0.0 < p <= 1.0"]), True)
        assert abs((dropped == 0).double().mean().item() - rate) < 0.01
        assert rate == 1.0 or torch.allclose(dropped[dropped != 0], torch.tensor(1 / (1 - rate)))
    assert compiled.graphs == 1
    assert torch.equal(compiled(DynamicFloat(0.5), False), ones)


@pytest.fixture
def doubles():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("kind", ["sgd", "adamw"])
def test_an_optimizer_step_with_a_scheduled_learning_rate_is_one_graph(kind: str, doubles):
    """Weights as in eager, to the last digits.

    With doubles by default: compiled AdamW takes powers of its counter of steps, which is a tensor of the default type.
    """

    def train(rate, compiler):
        torch.manual_seed(0)
        model = torch.nn.Sequential(torch.nn.Linear(6, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1)).double()
        make = {"sgd": torch.optim.SGD, "adamw": torch.optim.AdamW}[kind]
        optimizer = make(model.parameters(), lr=rate(0.1))
        step = compiler(optimizer.step)
        for i in range(6):
            optimizer.zero_grad()
            model(x.double()).square().mean().backward()
            optimizer.param_groups[0]["lr"] = rate(0.05 * (1 + math.cos(math.pi * i / 6)) + 1e-4)
            step()
            graphs.append(compiled[0].graphs if compiled else 0)
        return torch.cat([p.detach().flatten() for p in model.parameters()])

    compiled: list[Compiled] = []
    graphs: list[int] = []

    def compiler(step):
        compiled.append(Compiled(lambda: step(), fullgraph=False, backend="aot_eager"))
        return compiled[0]

    found = train(lambda value: DynamicFloat(value, name="lr", constraints=["0.0 < lr <= 0.2"]), compiler)
    # Torch traces a frame twice where an input is a double without dimensions, as AdamW's counters are.
    assert set(graphs) == {1 if kind == "sgd" else 2}
    expected = train(float, lambda step: step)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)


def test_a_program_without_declared_floats_is_left_alone():
    """The same nodes with a plain float, and no constants held back from torch's own pass."""
    graphs = []

    def keep(module, _inputs):
        graphs.append([node.name for node in module.graph.nodes])
        return module

    torch.compile(lambda z, a: z * a, backend=keep)(x, 0.5)
    (names,) = graphs
    assert names[1:] == ["mul", "output"]
    from dynconstraints.pytorch._torch.dynamo import dynamo

    assert not dynamo().settled_floats
