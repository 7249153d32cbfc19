"""torch.export takes no declaration: it says so, checks the example, and exports as without one."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
import torch
from torch.export import Dim, export

from dynconstraints import ConstraintViolationError, DynamicInt, declare, dynamic_int_constraints, name_dims
from dynconstraints.pytorch.declarations.warning import DeclarationWarning


class Rows(torch.nn.Module):
    def forward(self, x, n=4):
        return x.view(-1, n) * n


def exported(*args, module=None, **options):
    """The program, and what was said, each with its line's file."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        program = export(module or Rows(), args, **options)
    return program, [(str(w.message), Path(w.filename)) for w in caught if w.category is DeclarationWarning]


def named(size: int = 16) -> torch.Tensor:
    return name_dims(torch.randn(size), {0: "n"}, constraints=["n % 4 == 0"])


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("dynamic", [None, {0: Dim.DYNAMIC}])
@pytest.mark.parametrize("kind", ["name_dims", "declare", "int"])
def test_an_export_goes_on_as_without_the_declaration_and_says_so(strict, dynamic, kind):
    """One warning, at the user's line."""
    module = declare(Rows(), x="n", constraints=["n % 4 == 0"]) if kind == "declare" else Rows()
    x = named() if kind == "name_dims" else torch.randn(16)
    more = (DynamicInt(4, name="n"),) if kind == "int" else ()
    shapes = None if dynamic is None else {"x": dynamic, **({"n": None} if more else {})}
    program, said = exported(x, *more, module=module, dynamic_shapes=shapes, strict=strict)
    ((text, file),) = said
    assert file == Path(__file__)
    assert text.startswith("warning[DC703]: torch.export takes no declaration: what it makes knows nothing of n\n")
    plain = (4,) if more else ()
    torch.testing.assert_close(program.module()(x, *plain), Rows()(x, *plain))


def test_the_whole_text():
    """The constraints that are dropped, and what to do."""
    _, ((text, _),) = exported(named())
    line = next(i for i, t in enumerate(Path(__file__).read_text().splitlines(), 1) if "return name_dims" in t)
    assert text.replace(__file__, "here") == (
        "warning[DC703]: torch.export takes no declaration: what it makes knows nothing of n\n"
        f'  --> name_dims(x, {{0: "n"}})  at here:{line}\n'
        "    n % 4 == 0\n"
        "    ^^^^^^^^^^\n"
        "  help: say the ranges that torch.export knows in dynamic_shapes, and check sizes before the program is "
        "called\n"
        "  help: torch.compile(f, fullgraph=True).aot_compile(...) saves a program with its declaration"
    )


def test_an_example_that_breaks_the_declaration_is_refused():
    """By name, before anything is traced."""
    with dynamic_int_constraints(["n <= 8"]), pytest.raises(ConstraintViolationError, match="n <= 8"):
        exported(named())
    with pytest.raises(ConstraintViolationError, match="n % 4 == 0"):
        exported(torch.randn(10), module=declare(Rows(), x="n", constraints=["n % 4 == 0"]))


def test_nothing_is_said_of_programs_that_declare_nothing_and_names_count_again_after():
    """What was suspended for the export is in force for the next compilation."""
    assert exported(torch.randn(16))[1] == []
    x = named()
    exported(x)
    torch._dynamo.reset()
    compiled = torch.compile(Rows(), backend="eager")
    compiled(x)
    with dynamic_int_constraints(["n <= 8"]), pytest.raises(ConstraintViolationError):
        compiled(x)
