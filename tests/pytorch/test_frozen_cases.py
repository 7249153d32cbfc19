"""Cases that were wrong once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch._dynamo as dynamo
from compiled import Compiled

from dynconstraints import (
    ConflictingBindingError,
    ConstraintViolationError,
    DynamicInt,
    dynamic_int_constraints,
    name_dims,
)


def test_a_name_known_only_as_a_factor_is_checked_at_entry() -> None:
    """rows is nowhere but in rows*n; its constraint does not fold, and still is guarded."""
    compiled = Compiled(lambda x, n: x.view(-1, n).sum(1))
    with dynamic_int_constraints(["rows % 3 != 1", "n >= 4"]):
        for rows, n in ((2, 8), (3, 8), (5, 6)):
            x = name_dims(torch.ones(rows * n), {0: "rows*n"})
            assert torch.equal(compiled(x, DynamicInt(n, name="n")), x.view(-1, n).sum(1))
    assert compiled.graphs == 1
    assert torch.equal(compiled(torch.ones(4 * 8), 8), torch.ones(4) * 8)
    assert compiled.graphs == 2


def test_an_expression_of_a_name_that_is_nowhere_else() -> None:
    """Only n // 2 + 1 reaches the call, and what is declared about n does not fold."""
    compiled = Compiled(lambda k, x: x * k)
    x = torch.ones(2)
    for value in (8, 24, 40):
        n = DynamicInt(value, name="n", constraints=["n in {8, 24, 40}"])
        assert torch.equal(compiled(n // 2 + 1, x), x * (value // 2 + 1))
    assert compiled.graphs == 1
    assert torch.equal(compiled(7, x), x * 7)


def test_a_product_of_three_names() -> None:
    """batch*rows*n, with batch and n met elsewhere."""
    compiled = Compiled(lambda x, b, n: x.view(b, -1, n).sum(1))
    with dynamic_int_constraints(["n % 4 == 0", "b >= 2", "n >= 8", "rows >= 2"]):
        for b, rows, n in ((2, 3, 8), (3, 5, 12), (4, 2, 16)):
            x = name_dims(torch.ones(b * rows * n), {0: "b*rows*n"})
            found = compiled(x, DynamicInt(b, name="b"), DynamicInt(n, name="n"))
            assert torch.equal(found, x.view(b, -1, n).sum(1))
    assert compiled.graphs == 1


def test_a_relation_that_makes_a_size_constant() -> None:
    """s0 is 64 by declaration: a constant in the graph, guarded."""
    compiled = Compiled(lambda n, x: x.view(n, -1).sum(1))
    n = DynamicInt(64, name="n", constraints=["n >= 64", "n <= 64"])
    assert torch.equal(compiled(n, torch.ones(128)), torch.ones(64) * 2)
    m = DynamicInt(64, name="m", constraints=["m == 64"])
    assert torch.equal(Compiled(lambda n, x: x.view(n, -1).sum(1))(m, torch.ones(128)), torch.ones(64) * 2)
    assert torch.equal(compiled(32, torch.ones(128)), torch.ones(32) * 4)


def test_two_congruences_with_remainders_share_a_parameter() -> None:
    """n % 4 == 3 and m == n + 5: m is 4*k + 8."""
    compiled = Compiled(lambda n, m, x: x * n + m if m % 4 == 0 else x)
    with dynamic_int_constraints(["n % 4 == 3", "m == n + 5"]):
        for value in (3, 7, 103, -1):
            n, m = DynamicInt(value, name="n"), DynamicInt(value + 5, name="m")
            assert torch.equal(compiled(n, m, torch.ones(2)), torch.ones(2) * value + value + 5)
    assert compiled.graphs == 1


@pytest.mark.parametrize("use", [lambda n, m, x: x * n, lambda n, m, x: x + 1], ids=["one used", "none used"])
def test_what_an_unused_argument_declares_holds_for_every_call(use: Callable[..., torch.Tensor]) -> None:
    """The program never looks at m, and a later call that breaks the relation runs the same graph."""
    compiled = Compiled(use)
    with dynamic_int_constraints(["m == 2*n"]):
        for value in (4, 6):
            n, m = DynamicInt(value, name="n"), DynamicInt(2 * value, name="m", constraints=["m <= 20"])
            assert torch.equal(compiled(n, m, torch.ones(2)), use(value, 2 * value, torch.ones(2)))
        with pytest.raises(ConstraintViolationError, match=r"m == 2\*n"):
            compiled(DynamicInt(4, name="n"), DynamicInt(9, name="m"), torch.ones(2))
        with pytest.raises(ConstraintViolationError, match=r"m == 2\*n"):
            compiled(DynamicInt(4, name="n"), name_dims(torch.ones(9), {0: "m"}), torch.ones(2))
    compiled(DynamicInt(4, name="n"), DynamicInt(9, name="m"), torch.ones(2))
    with pytest.raises(ConflictingBindingError):
        compiled(DynamicInt(4, name="n"), DynamicInt(9, name="n"), torch.ones(2))
    compiled(4, 9, torch.ones(2))
    assert compiled.graphs <= 2


SMALL, LARGE = DynamicInt(8, name="n"), DynamicInt(12, name="n")


def test_what_else_a_module_holds_is_no_part_of_a_call() -> None:
    """Two globals of one name; Dynamo's helper that makes the nested function anew is handed all globals."""

    def program(x: torch.Tensor, n: int) -> torch.Tensor:
        def inner(y: torch.Tensor) -> torch.Tensor:
            y = y * n
            dynamo.graph_break()
            return y + n

        return inner(x)

    compiled = Compiled(program, fullgraph=False)
    for n in (SMALL, LARGE):
        assert torch.equal(compiled(torch.ones(2), n), program(torch.ones(2), n))


@pytest.mark.parametrize("dynamic", [None, False])
def test_the_storage_offset_of_a_named_tensor_is_dynamic(dynamic: bool | None) -> None:
    """It was a constant that no program could ask for; one that nobody asks for is no reason to compile anew."""

    def part(n: int, offset: int) -> torch.Tensor:
        return name_dims(torch.arange(100.0)[offset : offset + n], {0: "n"}, constraints=["n % 4 == 0"])

    asking = Compiled(lambda x: x + x.storage_offset(), dynamic=dynamic)
    for n, offset in ((8, 3), (12, 40), (16, 0)):
        assert torch.equal(asking(part(n, offset)), part(n, offset) + offset)
    assert asking.graphs == 1
    ignoring = Compiled(lambda x: x.view(-1, 4) * 2, dynamic=dynamic)
    for n, offset in ((8, 3), (12, 40), (16, 0)):
        assert torch.equal(ignoring(part(n, offset)), part(n, offset).view(-1, 4) * 2)
    assert ignoring.graphs == 1
