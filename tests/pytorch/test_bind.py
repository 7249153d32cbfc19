"""`bind`: names for values that a program computes; what is declared of them is asserted, and decides branches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
import torch._dynamo as dynamo
from branches import CELLS, VALUES
from compiled import Compiled

from dynconstraints import (
    ConflictingBindingError,
    ConstraintViolationError,
    DynamicInt,
    UnsupportedTorchError,
    bind,
    dynamic_int_constraints,
    explain,
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
        "    ^^^^^^^^^^^    false for the value that was computed\n"
        '  note: the name is given by bind("n", ...)  at test_bind.py:LINE\n'
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
    (lambda c, x: x * bind("n", (c * 1).item(), constraints="gcd(n, 6) == 1"), UnsupportedTorchError, "gcd"),
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
