"""`bind`: names for values that a program computes; what is declared of them is asserted, and decides branches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
import torch._dynamo as dynamo
from branches import CELLS, VALUES
from compiled import Compiled, explain

from dynconstraints import (
    ConflictingBindingError,
    ConstraintViolationError,
    DynamicInt,
    bind,
    dynamic_int_constraints,
    name_dims,
)
from dynconstraints.diagnostics.errors import NotAnIntegerError

X = torch.ones(2)


@pytest.fixture(autouse=True)
def whole_graphs() -> Iterator[None]:
    """Values are computed in the graph, not at a break of it."""
    with dynamo.config.patch(capture_scalar_outputs=True, capture_dynamic_output_shape_ops=True):
        yield


def scaled(count: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    n = bind("n", (count * 1).item(), constraints=["n % 32 == 0", "n >= 32"])
    return x + n if n % 16 == 0 and n > 1 else x - n


LINE = scaled.__code__.co_firstlineno + 1


@pytest.mark.parametrize(("constraints", "branch"), CELLS, ids=[f"{', '.join(c)} |- {q}" for c, q in CELLS])
def test_the_declaration_decides_what_torch_calls_data_dependent(constraints: tuple[str, ...], branch: str) -> None:
    """Every cell, of values that are in tensors: torch's error without names, one graph without guards with them."""

    def values_of(t: torch.Tensor) -> list[int]:
        return [(part * 1).item() for part in t.unbind()]

    program: Callable[..., torch.Tensor] = eval(
        "lambda t, x: run(*values_of(t), x)",
        {"values_of": values_of, "run": _named(f"lambda a, b, c, x: x + a if {branch} else x - a")},
    )
    plain: Callable[..., torch.Tensor] = eval(
        "lambda t, x: run(*values_of(t), x)",
        {"values_of": values_of, "run": eval(f"lambda a, b, c, x: x + a if {branch} else x - a")},
    )
    with dynamic_int_constraints(constraints) as scope:
        allowed = [v for v in VALUES if scope.system.holds(v)][:3]
        with pytest.raises(Exception, match="data-dependent"):
            Compiled(plain)(torch.tensor(list(allowed[0].values())), X)
        compiled = Compiled(program)
        for values in allowed:
            given = torch.tensor(list(values.values()))
            assert torch.equal(compiled(given, X), X + values["a"])
    assert compiled.graphs == 1
    assert compiled.guards[0] == []


def _named(text: str) -> Callable[..., torch.Tensor]:
    inner = eval(text)

    def run(a: int, b: int, c: int, x: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = inner(bind("a", a), bind("b", b), bind("c", c), x)
        return result

    return run


@pytest.mark.parametrize("backend", ["eager", "aot_eager", pytest.param("inductor", marks=pytest.mark.inductor)])
def test_a_graph_asserts_what_is_declared(backend: str) -> None:
    """One graph; a value that breaks a constraint is an error in the user's words, with every backend."""
    compiled = Compiled(scaled, backend=backend)
    for count in (64, 32, 96):
        assert torch.equal(compiled(torch.tensor(count), X), X + count)
    assert compiled.graphs == 1
    for count, said in ((33, "n % 32 == 0"), (0, "n >= 32")):
        with pytest.raises(ConstraintViolationError) as raised:
            compiled(torch.tensor(count), X)
        text = str(raised.value)
        assert f"error[DC301]: constraint violated: {said}" in text
        assert 'bind("n", ...)' in text
        assert f"test_bind.py:{LINE}" in text
        assert "u0" not in text


def test_the_message_is_whole() -> None:
    """What is wrong, where, what is known, what to do."""
    compiled = Compiled(scaled)
    with pytest.raises(ConstraintViolationError) as raised:
        compiled(torch.tensor(33), X)
    shown = str(raised.value).replace(f"{__file__}:{LINE}", "test_bind.py:LINE")
    assert shown == (
        "error[DC301]: constraint violated: n % 32 == 0\n"
        '  --> bind("n", ...)  at test_bind.py:LINE\n'
        "    n % 32 == 0\n"
        "    ^^^^^^^^^^^    n = 33, and 33 % 32 = 1\n"
        "  help: compute a value that satisfies it, or change the constraint"
    )


def test_lengths_of_results_can_be_named() -> None:
    """nonzero's length as a multiple: the views that need it compile."""

    def program(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        k = bind("k", x.nonzero().shape[0], constraints=["k % 4 == 0", "k <= 40"])
        return y[:k].view(k // 4, 4).sum(0) if k % 2 == 0 else y

    compiled, y = Compiled(program), torch.arange(40.0)
    for ones in (8, 4, 20, 0):
        x = torch.zeros(20)
        x[:ones] = 1
        assert torch.equal(compiled(x, y), program(x, y))
    assert compiled.graphs == 1
    with pytest.raises(ConstraintViolationError, match="k % 4 == 0"):
        compiled(torch.ones(20).index_fill(0, torch.tensor(0), 0.0), y)


def relating(m: int, count: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    n = bind("n", (count * 1).item())
    return x * n if n <= 2 * m else x


def test_names_of_both_kinds_are_related_whatever_comes_first() -> None:
    """n is computed before m is met; outside of the block no graph serves the same call."""
    compiled = Compiled(relating)
    with dynamic_int_constraints(["n <= m", "m >= 1"]):
        for m, n in ((5, 4), (9, 9)):
            assert torch.equal(compiled(DynamicInt(m, name="m"), torch.tensor(n), X), X * n)
        assert compiled.graphs == 1
        with pytest.raises(ConstraintViolationError, match="n <= m"):
            compiled(DynamicInt(5, name="m"), torch.tensor(7), X)
    with pytest.raises(Exception, match="data-dependent"):
        compiled(DynamicInt(5, name="m"), torch.tensor(4), X)


def test_a_block_opened_later_is_enforced() -> None:
    """A graph made without it asserts nothing of it, so it does not serve."""
    compiled = Compiled(lambda count, x: x * bind("n", (count * 1).item()))
    assert torch.equal(compiled(torch.tensor(5), X), X * 5)
    with dynamic_int_constraints(["n % 2 == 0"]):
        assert torch.equal(compiled(torch.tensor(4), X), X * 4)
        with pytest.raises(ConstraintViolationError, match="n % 2 == 0"):
            compiled(torch.tensor(5), X)


def test_no_guard_is_dropped_for_what_the_graph_asserts_later() -> None:
    """5 <= n <= m would imply the guard m >= 5, under which n was computed at all."""

    def program(m: int, count: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        if m >= 5:
            return x * bind("n", (count * 1).item(), constraints=["5 <= n", "n <= m"])
        return x

    compiled = Compiled(program)
    assert torch.equal(compiled(DynamicInt(7, name="m"), torch.tensor(6), X), X * 6)
    assert torch.equal(compiled(DynamicInt(3, name="m"), torch.tensor(6), X), X)
    assert compiled.graphs == 2


def test_one_name_is_one_value() -> None:
    """Given and computed, or computed twice."""
    given = Compiled(lambda n, count, x: x * n + bind("n", (count * 1).item()))
    assert torch.equal(given(DynamicInt(4, name="n"), torch.tensor(4), X), X * 8)
    twice = Compiled(lambda a, b, x: x * bind("n", (a * 1).item()) + bind("n", (b * 1).item()))
    assert torch.equal(twice(torch.tensor(3), torch.tensor(3), X), X * 6)
    for run in (
        lambda: given(DynamicInt(4, name="n"), torch.tensor(5), X),
        lambda: twice(torch.tensor(3), torch.tensor(4), X),
    ):
        with pytest.raises(ConflictingBindingError, match="n has two values in one call"):
            run()


def test_in_eager_the_name_is_that_of_a_dynamic_int() -> None:
    """With the constraints of its own and of the open blocks checked at once."""
    n = bind("n", torch.tensor(64).item(), constraints="n % 32 == 0")
    assert isinstance(n, DynamicInt)
    assert (n.name, int(n)) == ("n", 64)
    with pytest.raises(ConstraintViolationError, match="n = 65"):
        bind("n", 65, constraints="n % 32 == 0")
    with dynamic_int_constraints(["n <= 10"]), pytest.raises(ConstraintViolationError, match="n <= 10"):
        bind("n", 64)


REFUSED: list[tuple[Callable[..., Any], type[Exception], str]] = [
    (lambda c, x: x * bind("n", c), NotAnIntegerError, r'bind\("n", x.item\(\)\)'),
    (lambda c, x: x * bind("n", (c * 1).item(), constraints="n % = 2"), Exception, "DC1"),
    (lambda c, x: x * bind("n", (c * 1).item(), constraints=["n < 3", "n > 5"]), Exception, "DC201"),
    (lambda c, x: x * bind("n", (c * 1).item(), constraints="m > 5"), Exception, "DC40"),
    (lambda c, x: x * bind("n", 7, constraints="n % 2 == 0") + c, ConstraintViolationError, "n % 2 == 0"),
]


@pytest.mark.parametrize(("program", "kind", "said"), REFUSED, ids=[said for *_, said in REFUSED])
def test_what_is_wrong_is_said_while_compiling(program: Callable[..., Any], kind: type[Exception], said: str) -> None:
    """In the user's words, at his line."""
    with pytest.raises(kind, match=said) as raised:
        Compiled(program)(torch.tensor(7), X)
    assert "test_bind.py" in str(raised.value)


def test_the_report_tells_the_names_of_computed_values() -> None:
    """Where each was given, and what is declared of it; nothing is left to guard."""
    report = explain(scaled, torch.tensor(64), X)
    assert report.covers_domain
    text = str(report)
    assert 'n is bind("n", ...)' in text
    assert f"test_bind.py:{LINE}" in text.replace("\n", "")
    assert "declared: n % 32 == 0" in text
    assert "declared: n >= 32" in text


ASSERTED = [
    ("gcd(n, 6) == 1", [(5, 1), (7, 1), (1, 0)], [(6, 1), (0, 1), (9, 1)], "n = 9, and gcd(9, 6) = 3"),
    ("gcd(n, m) == 4", [(8, 12), (4, 0), (-4, 8)], [(8, 16), (3, 4)], "n = 3, m = 4, and gcd(3, 4) = 1"),
    ("lcm(n, m) <= 40", [(8, 10), (0, 7)], [(9, 11)], "n = 9, m = 11, and lcm(9, 11) = 99"),
    ("lcm(n, 6) == 12", [(4, 1), (12, 1)], [(6, 1)], "n = 6, and lcm(6, 6) = 6"),
    ("is_power_of_two(n)", [(4, 1), (1, 1), (2**40, 1)], [(6, 1), (0, 1), (-4, 1)], "n = -4"),
    ("n % m == 0", [(4, 2), (6, -3)], [(4, 0), (5, 2)], "n = 5, m = 2, and 5 % 2 = 1"),
    ("not n % m == 1", [(4, 2), (6, -3)], [(5, 2), (4, 0)], "n = 4, m = 0"),
    ("divides(m, n) or n == 4", [(4, 0), (6, -3)], [(5, 0), (5, 2)], "m = 2, n = 5"),
    ("(n if m > 0 else -n) == 3", [(3, 1), (-3, 0)], [(3, 0), (-3, 1)], "m = 1, n = -3"),
    ("n in range(20, 4, -3)", [(20, 1), (5, 1), (8, 1)], [(4, 0), (2, 1), (19, 1)], "n = 19"),
]


@pytest.mark.parametrize("backend", ["eager", "aot_eager", pytest.param("inductor", marks=pytest.mark.inductor)])
@pytest.mark.parametrize(("text", "good", "bad", "said"), ASSERTED, ids=[text for text, *_ in ASSERTED])
def test_whatever_the_language_can_say_a_graph_asserts(
    text: str, good: list[tuple[int, int]], bad: list[tuple[int, int]], said: str, backend: str
) -> None:
    """As eager checks it, and with the values that break it; what divides by zero does not hold."""

    def program(c: torch.Tensor, d: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        return x * bind("n", (c * 1).item()) + bind("m", (d * 1).item())

    compiled = Compiled(program, backend=backend)
    with dynamic_int_constraints([text]) as scope:
        for n, m in good:
            assert scope.system.holds({"n": n, "m": m})
            assert torch.equal(compiled(torch.tensor(n), torch.tensor(m), X), X * n + m)
        for n, m in bad:
            assert not scope.system.holds({"n": n, "m": m})
            with pytest.raises(ConstraintViolationError) as raised:
                compiled(torch.tensor(n), torch.tensor(m), X)
    assert compiled.graphs == 1
    assert raised.value.constraint.text == text
    assert said in str(raised.value)


def test_a_gcd_is_computed_also_where_the_program_takes_no_numbers_out_of_tensors() -> None:
    """The length of nonzero needs another setting than x.item(), and the gcd is ours; m is not looked at otherwise."""

    def program(x: torch.Tensor, m: int) -> torch.Tensor:
        return x.nonzero() * bind("k", x.nonzero().shape[0], constraints=["gcd(k, m) == 1", "k >= 0"])

    for backend in ("eager", "aot_eager"):
        with dynamo.config.patch(capture_scalar_outputs=False):
            compiled = Compiled(program, backend=backend)
            assert compiled(torch.ones(5), DynamicInt(6, name="m")).sum() == 50
            with pytest.raises(ConstraintViolationError, match="k = 5, m = 10"):
                compiled(torch.ones(5), DynamicInt(10, name="m"))
        assert compiled.graphs == 1


@pytest.mark.parametrize("backend", ["eager", "aot_eager"])
def test_a_value_that_cannot_be_known_afterwards_is_not_told(backend: str) -> None:
    """What is random, or from a tensor that the graph changes, would be computed to be another."""

    def random(x: torch.Tensor) -> torch.Tensor:
        return x * bind("n", torch.randint(3, 90, ()).item(), constraints="n == 2")

    def changed(x: torch.Tensor) -> torch.Tensor:
        x.add_(1)
        return x * bind("n", x.sum().int().item(), constraints="n == 2")

    for program in (random, changed):
        with pytest.raises(ConstraintViolationError, match="false for the value that was computed") as raised:
            Compiled(program, backend=backend)(torch.ones(3))
        assert "n = " not in str(raised.value).replace("n == 2", "")


def after_a_break(c: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    n = bind("n", (c * 1).item(), constraints=["n % 32 == 0", "n >= 32"])
    y = x.expand(n, 2) * 2
    dynamo.graph_break()
    return y.view(-1, 16).sum() + (1 if n % 16 == 0 and n > 1 else 2)


def of_what_is_made_of_it(c: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    count = (c * 1).item()
    n = bind("n", count, constraints=["n % 32 == 0", "n >= 0"])
    m = 32 - 2 * n
    dynamo.graph_break()
    return x + (1 if m % 64 == 32 and m <= 32 else 2)


def equal_to_a_declared_one(c: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    return x * bind("n", (c * 1).item(), constraints=["n == 2*h", "h > 0"])


@pytest.mark.parametrize("backend", ["eager", "aot_eager", pytest.param("inductor", marks=pytest.mark.inductor)])
def test_an_equation_with_a_declared_size_is_asserted(backend: str) -> None:
    """Torch alone replaces the one side by the other in the assertion, too, which then says nothing."""
    compiled = Compiled(equal_to_a_declared_one, backend=backend)
    for h in (4, 7):
        x = name_dims(torch.ones(h), {0: "h"})
        assert torch.equal(compiled(torch.tensor(2 * h), x), x * 2 * h)
    with pytest.raises(ConstraintViolationError, match="n = 9, h = 7, and 2\\*7 = 14"):
        compiled(torch.tensor(9), name_dims(torch.ones(7), {0: "h"}))
    assert compiled.graphs == 1


def beside_a_declared_one(c: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    n = bind("n", (c * 1).item(), constraints=["n == 2*h", "h > 0"])
    h = x.shape[0]
    dynamo.graph_break()
    return x + (1 if n % 2 == 0 and n > h else 2)


BROKEN = [
    (after_a_break, lambda n: X),
    (of_what_is_made_of_it, lambda n: X),
    (beside_a_declared_one, lambda n: name_dims(torch.ones(n // 2), {0: "h"})),
]


@pytest.mark.parametrize("capture", [True, False])
@pytest.mark.parametrize(("program", "tensor"), BROKEN, ids=[p.__name__ for p, _ in BROKEN])
def test_names_live_on_after_a_break(
    program: Callable[..., torch.Tensor], tensor: Callable[[int], torch.Tensor], capture: bool
) -> None:
    """One graph a frame from the first call on, no branch guarded; without captured numbers x.item() breaks, too."""
    with dynamo.config.patch(capture_scalar_outputs=capture):
        compiled = Compiled(program, fullgraph=False)
        for n in (64, 32, 128, 96):
            assert torch.equal(compiled(torch.tensor(n), tensor(n)), program(torch.tensor(n), tensor(n)))
        assert compiled.graphs == (2 if capture else 3)
        assert not any("% 16" in guard or "% 64" in guard for guards in compiled.guards for guard in guards)
        with pytest.raises(ConstraintViolationError, match="n = "):
            compiled(torch.tensor(33), tensor(66))


def test_a_name_for_an_int_of_the_call_is_as_good_as_a_declared_one() -> None:
    """Checked at the entry, with its value; the int is one number whatever else is done with it."""

    def program(n: int, x: torch.Tensor) -> torch.Tensor:
        named = bind("n", n, constraints="n % 8 == 0")
        return x.view(-1, named).sum() * (named // 8) + n

    compiled = Compiled(program)
    for n in (16, 24, 40):
        assert compiled(n, torch.ones(2 * n)) == program(n, torch.ones(2 * n))
    with pytest.raises(ConstraintViolationError) as raised:
        compiled(12, torch.ones(24))
    assert 'bind("n", 12)' in str(raised.value)
    assert "n = 12, and 12 % 8 = 4" in str(raised.value)
    with dynamic_int_constraints("n <= 20"), pytest.raises(ConstraintViolationError, match="n <= 20"):
        compiled(24, torch.ones(48))
    with dynamic_int_constraints("n <= 20"):
        assert compiled(16, torch.ones(32)) == program(16, torch.ones(32))


def test_two_ints_of_the_call_under_one_name_are_one_value() -> None:
    """Given twice, or once declared."""
    compiled = Compiled(lambda a, b, x: x * bind("n", a) + bind("n", b))
    assert torch.equal(compiled(3, 3, X), X * 6)
    with pytest.raises(ConflictingBindingError, match="n has two values in one call: 3 and 4"):
        compiled(3, 4, X)
