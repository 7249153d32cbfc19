"""Blocks that ask to be told: a declared name forced to one value, a guard that the declaration does not imply."""

from __future__ import annotations

import warnings

import pytest
import torch
from compiled import Compiled

from dynconstraints import DynamicInt, SpecializationError, dynamic_int_constraints
from dynconstraints.pytorch.declarations.warning import DeclarationWarning

X = torch.ones(3)


def specialising(n: int, x: torch.Tensor) -> torch.Tensor:
    for _ in range(n):  # a loop is unrolled: n becomes a constant
        x = x + 1
    return x


def splitting(n: int, x: torch.Tensor) -> torch.Tensor:
    return x + 1 if n % 64 == 0 else x - n


def call(program: object, **policies: str) -> None:
    compiled = Compiled(program)  # type: ignore[arg-type]
    with dynamic_int_constraints(["n % 32 == 0"], **policies):  # type: ignore[arg-type]
        assert torch.equal(compiled(DynamicInt(64, name="n"), X), program(64, X))  # type: ignore[operator]


def test_a_specialised_name_is_an_error_that_names_the_line() -> None:
    """n is forced to 64 by range(n)."""
    with pytest.raises(SpecializationError, match="forces n to one value: n == 64") as raised:
        call(specialising, on_specialize="error")
    assert "for _ in range(n)" in str(raised.value)
    assert raised.value.code == "DC501"


def narrowing_twice(n: int, x: torch.Tensor) -> torch.Tensor:
    if n > 100:
        x = x * 2
    y = x + n
    return y + 1 if n == 64 else y


def test_the_line_is_that_which_forces_the_value(capfd: pytest.CaptureFixture[str]) -> None:
    """Not the first one that asked for the name; and the error is all that is said, in torch's log, too."""
    with pytest.raises(SpecializationError) as raised:
        call(narrowing_twice, on_specialize="error")
    line = narrowing_twice.__code__.co_firstlineno + 4
    assert str(raised.value) == (
        "error[DC501]: the program forces n to one value: n == 64\n"
        f"  --> narrowing_twice  at {__file__}:{line}\n"
        "    return y + 1 if n == 64 else y\n"
        "    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^\n"
        "  help: declare it (n == 64), or change the line that needs it as a constant"
    )
    assert capfd.readouterr().err == ""


def test_one_value_is_a_part_of_the_declaration_too() -> None:
    """A block that asks for no new guard gets no specialisation either; the stricter of its policies holds."""
    for policies in ({}, {"on_specialize": "warn"}):
        with pytest.raises(SpecializationError, match="forces n to one value"):
            call(specialising, on_new_guard="error", **policies)


def test_a_new_guard_is_an_error_that_names_the_line() -> None:
    """n % 64 == 0 holds for this call only."""
    with pytest.raises(SpecializationError, match="serves only a part of the declaration") as raised:
        call(splitting, on_new_guard="error")
    assert "if n % 64 == 0 else" in str(raised.value)
    assert raised.value.code == "DC502"


@pytest.mark.parametrize(
    ("program", "policies"), [(specialising, {"on_specialize": "warn"}), (splitting, {"on_new_guard": "warn"})]
)
def test_a_warning_compiles_and_runs(program: object, policies: dict[str, str]) -> None:
    """The same text, as a warning."""
    with pytest.warns(DeclarationWarning, match="DC50") as warned:
        call(program, **policies)
    assert warned[0].filename == __file__


@pytest.mark.parametrize("program", [specialising, splitting])
def test_nothing_is_said_by_default(program: object) -> None:
    """Both are allowed unless a block asks."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeclarationWarning)
        call(program)


def test_a_program_within_its_declaration_passes_the_strictest_block() -> None:
    """A branch that the declaration decides is no guard."""
    call(lambda n, x: x + 1 if n % 16 == 0 else x, on_specialize="error", on_new_guard="error")


def test_torch_is_usable_after_the_error() -> None:
    """The same function compiles outside of the block."""
    compiled = Compiled(splitting)
    with dynamic_int_constraints(["n % 32 == 0"], on_new_guard="error"), pytest.raises(SpecializationError):
        compiled(DynamicInt(64, name="n"), X)
    assert torch.equal(compiled(DynamicInt(64, name="n"), X), splitting(64, X))
