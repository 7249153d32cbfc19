"""Declared ints in compiled functions: one graph for the declared domain, guarded, and right outside of it."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch._dynamo as dynamo
from compiled import Compiled

from dynconstraints import (
    ConflictingBindingError,
    ConstraintViolationError,
    DynamicInt,
    InconsistentConstraintsError,
    dynamic_int_constraints,
)

MULTIPLE = ["s0 % 32 == 0", "s0 <= 1024"]


def s0(value: int) -> DynamicInt:
    return DynamicInt(value, name="s0", constraints=MULTIPLE)


def ones(n: int) -> torch.Tensor:
    return torch.ones(3) * n


def test_one_graph_serves_the_declared_domain() -> None:
    """Every value of the domain runs the first graph, also as a plain int."""
    compiled = Compiled(ones)
    for value in (64, 0, 32, 1024, -64):
        assert torch.equal(compiled(s0(value)), ones(value))
    assert torch.equal(compiled(96), ones(96))
    assert compiled.graphs == 1


def test_a_plain_int_outside_the_domain_recompiles() -> None:
    """The divisibility and the range are guards."""
    compiled = Compiled(ones)
    compiled(s0(64))
    for graphs, value in ((2, 65), (3, 2048)):
        assert torch.equal(compiled(value), ones(value))
        assert compiled.graphs == graphs


@pytest.mark.parametrize(
    "other",
    [2.7, True, np.int64(5), np.float32(2.5), np.float64(64.5), torch.tensor(2.5), torch.tensor(64), 64.0, False],
    ids=repr,
)
@pytest.mark.parametrize(
    "first", [DynamicInt(64), DynamicInt(64, name="n"), s0(64)], ids=["anonymous", "named", "constrained"]
)
def test_another_type_in_the_place_of_an_int_gives_eagers_answer(first: DynamicInt, other: object) -> None:
    """The compiled graph is for ints; whatever else comes is compiled anew."""
    compiled = Compiled(ones, fullgraph=False)
    compiled(first)
    expected = ones(other)
    found = compiled(other)
    assert found.dtype == expected.dtype
    assert torch.equal(found, expected)


CONGRUENCES = ["s0 % 16 == 0", "(s0 + 32) % 32 == 0", "s0 // 32 * 32 == s0", "s0 != 33", "128*s0 % 4096 == 0"]


@pytest.mark.parametrize("branch", CONGRUENCES)
def test_a_branch_that_the_declaration_settles_folds(branch: str) -> None:
    """Under s0 % 32 == 0 the branch adds no guard."""
    program = eval(f"lambda s0, x: x + 1 if {branch} else x - 1")
    compiled, plain = Compiled(program), Compiled(lambda s0, x: x + s0)
    x = torch.ones(2)
    assert torch.equal(compiled(s0(64), x), x + 1)
    plain(s0(64), x)
    assert compiled.guards == plain.guards
    assert torch.equal(compiled(s0(96), x), x + 1)
    assert compiled.graphs == 1


@pytest.mark.parametrize("branch", ["s1 % 2 == 0", "s1 // 2 == s0", "s1 - s0 == s0", "s1 % 64 == 0"])
@pytest.mark.parametrize("order", [("s0", "s1"), ("s1", "s0")])
def test_a_relation_leaves_one_symbol(branch: str, order: tuple[str, str]) -> None:
    """With s1 == 2*s0 declared, whichever is met first, one symbol serves both and relations fold."""
    program = eval(f"lambda {order[0]}, {order[1]}, x: x * {order[0]} + {order[1]} if {branch} else x - 1")
    plain = eval(f"lambda {order[0]}, {order[1]}, x: x * {order[0]} + {order[1]}")
    compiled = Compiled(program)
    x = torch.ones(2)
    with dynamic_int_constraints(["s1 == 2*s0"]):
        for value in (64, 96, 0):
            pair = {"s0": s0(value), "s1": DynamicInt(2 * value, name="s1")}
            args = [pair[name] for name in order]
            assert torch.equal(compiled(*args, x), plain(*map(int, args), x))
    assert compiled.graphs == 1
    assert not any("!=" in guard for guard in compiled.guards[0])


def test_a_derived_int_is_an_expression_of_the_same_symbol() -> None:
    """Passing n and 2*n leaves one symbol; the relation needs no declaration."""
    compiled = Compiled(lambda n, m, x: x * m if m // 2 == n else x)
    for value in (4, 5, 6):
        n = DynamicInt(value, name="n")
        assert torch.equal(compiled(n, 2 * n, torch.ones(2)), torch.ones(2) * 2 * value)
    assert compiled.graphs == 1
    compiled(n, 2 * n + 1, torch.ones(2))
    assert compiled.graphs == 2


def test_a_derived_int_that_is_met_first_brings_the_parameter() -> None:
    """Order of first use does not matter: 2*n may be met before n."""
    compiled = Compiled(lambda m, n, x: x * m + n)
    for value in (64, 96):
        n = s0(value)
        assert torch.equal(compiled(2 * n, n, torch.ones(2)), torch.ones(2) * 2 * value + value)
    assert compiled.graphs == 1


def test_a_derived_int_that_is_not_linear() -> None:
    """n // 2 + 1 is an expression too."""
    compiled = Compiled(lambda n, m, x: x * m if m == n // 2 + 1 else x)
    for value in (64, 96):
        n = s0(value)
        assert torch.equal(compiled(n, n // 2 + 1, torch.ones(2)), torch.ones(2) * (value // 2 + 1))
    assert compiled.graphs == 1


def test_one_name_at_two_places_is_one_symbol() -> None:
    """Equal values share the symbol, and a later call with different ones recompiles."""
    compiled = Compiled(lambda a, b: torch.ones(2) * a + b if a == b else torch.zeros(2))
    for value in (3, 4):
        compiled(DynamicInt(value, name="n"), DynamicInt(value, name="n"))
    assert compiled.graphs == 1
    assert torch.equal(compiled(5, 6), torch.zeros(2))


def test_one_name_with_two_values_is_an_error_that_names_both_places() -> None:
    """Nothing is compiled, and the next call works."""
    compiled = Compiled(lambda a, b: torch.ones(2) * a + b)
    with pytest.raises(ConflictingBindingError, match="n has two values in one call: 3 and 4") as raised:
        compiled(DynamicInt(3, name="n"), DynamicInt(4, name="n"))
    assert str(raised.value).count("test_injection.py") == 2
    assert compiled.graphs == 0
    assert torch.equal(compiled(DynamicInt(3, name="n"), DynamicInt(3, name="n")), torch.ones(2) * 6)


def test_two_values_for_one_name_raise_also_where_a_graph_fits() -> None:
    """The graph was compiled for other names, and serves them; the conflict is found all the same."""
    compiled = Compiled(lambda a, b: torch.ones(2) * a + b)
    compiled(DynamicInt(3, name="a"), DynamicInt(4, name="b"))
    assert torch.equal(compiled(DynamicInt(5, name="c"), DynamicInt(6, name="d")), torch.ones(2) * 11)
    assert compiled.graphs == 1
    with pytest.raises(ConflictingBindingError, match="n has two values in one call: 3 and 4"):
        compiled(DynamicInt(3, name="n"), DynamicInt(4, name="n"))


class Shift(torch.nn.Module):
    def __init__(self, i: int) -> None:
        super().__init__()
        self.i = i

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.i


GLOBAL = s0(64)


def through_global(x: torch.Tensor, n: int = 0) -> torch.Tensor:
    return x * GLOBAL


def places(value: DynamicInt) -> dict[str, tuple]:
    """One way of calling for each place that a value can live in."""
    n = value
    global GLOBAL
    GLOBAL = value

    def default(x: torch.Tensor, k: int = n) -> torch.Tensor:
        return x * k

    return {
        "positional": (lambda x, k: x * k, (n,), {}),
        "keyword": (lambda x, k: x * k, (), {"k": n}),
        "default": (default, (), {}),
        "varargs": (lambda x, *k: x * k[1], (1, n), {}),
        "varkwargs": (lambda x, **k: x * k["k"], (), {"k": n}),
        "list": (lambda x, k: x * k[0], ([n],), {}),
        "tuple": (lambda x, k: x * k[0], ((n,),), {}),
        "dict": (lambda x, k: x * k["n"], ({"n": n},), {}),
        "nested": (lambda x, k: x * k["a"][1][0], ({"a": (0, [n])},), {}),
        "object": (lambda x, k: x * k.n, (SimpleNamespace(n=n),), {}),
        "closure": (lambda x: x * n, (), {}),
        "global": (through_global, (), {}),
        "module": (lambda x, m: m(x), (Shift(n),), {}),
    }


@pytest.mark.parametrize("place", list(places(s0(64))))
def test_a_declared_int_is_found_wherever_it_lives(place: str) -> None:
    """One graph with the divisibility guarded, equal to eager."""
    function, args, kwargs = places(s0(64))[place]
    compiled = Compiled(function)
    x = torch.ones(2)
    assert torch.equal(compiled(x, *args, **kwargs), function(x, *args, **kwargs))
    assert compiled.graphs == 1
    assert any("32*" in guard for guard in compiled.guards[0]), compiled.guards


@pytest.mark.parametrize("place", ["closure", "global", "module", "default"])
def test_a_changed_value_outside_the_arguments_is_seen(place: str) -> None:
    """The place is read at every call."""
    x = torch.ones(2)
    module = Shift(s0(64))
    cell = s0(64)

    def closure(x: torch.Tensor) -> torch.Tensor:
        return x * cell

    program = {"closure": closure, "global": through_global, "module": module, "default": through_global}[place]
    global GLOBAL
    GLOBAL = s0(64)
    compiled = Compiled(program)
    compiled(x)
    module.i = cell = GLOBAL = s0(96)
    assert torch.equal(compiled(x), program(x))
    assert compiled.graphs == 1
    module.i = cell = GLOBAL = 65
    assert torch.equal(compiled(x), program(x))
    assert compiled.graphs == 2


def test_constraints_that_arrive_with_a_later_value_restart_the_trace() -> None:
    """n is met before m says that n is a multiple of 3; the graph knows it all the same."""
    compiled = Compiled(lambda n, m, x: x * n + m if n % 6 == 0 else x)
    for value in (12, 24, 36):
        n = DynamicInt(value, name="n", constraints=["n % 2 == 0"])
        m = DynamicInt(value + 1, name="m", constraints=["m == n + 1", "n % 3 == 0"])
        assert torch.equal(compiled(n, m, torch.ones(2)), torch.ones(2) * value + value + 1)
    assert compiled.graphs == 1
    assert not any("% 6" in guard for guard in compiled.guards[-1])


def test_constraints_that_contradict_each_other_across_values_raise() -> None:
    """The minimal conflict is reported before anything is compiled."""
    compiled = Compiled(lambda n, m, x: x * n + m)
    n = DynamicInt(12, name="n", constraints=["n % 2 == 0"])
    m = DynamicInt(13, name="m", constraints=["m == n + 1", "m % 2 == 0 or m == 13"])
    compiled(n, m, torch.ones(2))
    with pytest.raises((InconsistentConstraintsError, ConstraintViolationError)):
        compiled(DynamicInt(12, name="n"), DynamicInt(15, name="m", constraints=["m == n + 1"]), torch.ones(2))


@pytest.mark.parametrize(
    ("constraints", "good", "bad"),
    [
        (["n in {8, 24, 40}"], (8, 24, 40), 16),
        (["n == 8 or n % 10 == 0"], (8, 20, 30), 9),
        (["n > 5 => n % 2 == 0"], (3, 8, 10), 7),
        (["n != 12"], (11, 13, 14), 12),
        (["n % 4 == 3"], (7, 11, 3), 8),
        (["is_power_of_two(n)"], (8, 4, 16), 12),
    ],
)
def test_what_does_not_fold_is_guarded(constraints: list[str], good: tuple[int, ...], bad: int) -> None:
    """Sets, disjunctions, implications: one graph inside; outside a recompile, or an error for a declared int."""
    compiled = Compiled(lambda n, x: x * n)
    x = torch.ones(2)
    for value in good:
        assert torch.equal(compiled(DynamicInt(value, name="n", constraints=constraints), x), x * value)
    assert compiled.graphs == 1
    assert torch.equal(compiled(bad, x), x * bad)
    assert compiled.graphs == 2
    with pytest.raises(ConstraintViolationError):
        DynamicInt(bad, name="n", constraints=constraints)


def test_a_scope_is_enforced_on_functions_compiled_without_it() -> None:
    """The graph is reused for what the scope allows; what it doesn't raises."""
    compiled = Compiled(lambda n, m, x: x * n + m)
    x = torch.ones(2)
    compiled(DynamicInt(4, name="n"), DynamicInt(9, name="m"), x)
    with dynamic_int_constraints(["m == 2*n"]):
        assert torch.equal(compiled(DynamicInt(5, name="n"), DynamicInt(10, name="m"), x), x * 5 + 10)
        assert compiled.graphs == 1
        with pytest.raises(ConstraintViolationError, match="m == 2\\*n"):
            compiled(DynamicInt(5, name="n"), DynamicInt(11, name="m"), x)
    assert torch.equal(compiled(DynamicInt(5, name="n"), DynamicInt(11, name="m"), x), x * 5 + 11)
    assert compiled.graphs == 1


def test_a_constraint_on_an_unbound_name_projects() -> None:
    """s1 is nowhere in the call; that it is a multiple of 64 makes s0 one of 32."""
    compiled = Compiled(lambda n, x: x + 1 if n % 32 == 0 else x)
    with dynamic_int_constraints(["s1 == 2*s0", "s1 % 64 == 0"]):
        assert torch.equal(compiled(DynamicInt(64, name="s0"), torch.ones(2)), torch.ones(2) + 1)
        with pytest.raises(ConstraintViolationError):
            compiled(DynamicInt(16, name="s0"), torch.ones(2))


def test_names_survive_a_graph_break() -> None:
    """The resumed frame gets the value again, with its name and constraints."""

    def program(n: int, x: torch.Tensor) -> torch.Tensor:
        x = x * n
        dynamo.graph_break()
        return x + 1 if n % 16 == 0 else x

    compiled = Compiled(program, fullgraph=False)
    for value in (64, 96, 128):
        assert torch.equal(compiled(s0(value), torch.ones(2)), torch.ones(2) * value + 1)
    assert compiled.graphs == 2


def test_an_error_leaves_torch_usable() -> None:
    """After a violation at call time the same function compiles and runs."""
    compiled = Compiled(lambda n, x: x * n)
    x = torch.ones(2)
    with dynamic_int_constraints(["n <= 8"]):
        with pytest.raises(ConstraintViolationError):
            compiled(DynamicInt(9, name="n"), x)
        assert torch.equal(compiled(DynamicInt(7, name="n"), x), x * 7)
    assert torch.equal(compiled(DynamicInt(9, name="n"), x), x * 9)


def test_checks_of_torchs_own_work_beside_the_declaration() -> None:
    """torch._check inside the body adds its facts."""

    def program(n: int, x: torch.Tensor) -> torch.Tensor:
        torch._check(n >= 32)
        return x + 1 if n > 16 else x

    compiled = Compiled(program)
    assert torch.equal(compiled(s0(64), torch.ones(2)), torch.ones(2) + 1)
    assert torch.equal(compiled(s0(96), torch.ones(2)), torch.ones(2) + 1)
    assert compiled.graphs == 1


def test_backward_takes_the_parameters_along() -> None:
    """Forward and backward through AOTAutograd, gradients equal to eager's, one graph."""

    def program(n: int, x: torch.Tensor) -> torch.Tensor:
        a = x.view(-1, n)
        return (torch.softmax(a[:, : n // 2] * 2 + a[:, n // 2 :], -1) ** 2).sum()

    dynamo.reset()
    dynamo.utils.counters.clear()
    compiled = torch.compile(program, backend="aot_eager", fullgraph=True)
    for value in (64, 96, 128):
        x = torch.randn(4 * value, requires_grad=True)
        y = x.detach().clone().requires_grad_()
        dynamo.mark_dynamic(x, 0)
        compiled(s0(value), x).backward()
        program(value, y).backward()
        torch.testing.assert_close(x.grad, y.grad)
    assert dynamo.utils.counters["stats"]["unique_graphs"] == 1
