"""What was declared and does not arrive is said: once a function, in the user's names, with what to do."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
import torch

from dynconstraints import ConstraintError, UnboundNameError, declare, dynamic_int_constraints, explain, name_dims
from dynconstraints.pytorch.declarations.warning import DeclarationWarning

HERE = Path(__file__)


@pytest.fixture(autouse=True)
def _fresh():
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


def line_of(text: str) -> int:
    return next(i for i, line in enumerate(HERE.read_text().splitlines(), 1) if text in line and "line_of" not in line)


def said(function, *calls) -> list[str]:
    """The warnings of the calls, with this file's name as ``here``."""
    compiled = torch.compile(function, backend="eager")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for call in calls:
            compiled(*call)
    return [str(w.message).replace(str(HERE), "here") for w in caught if w.category is DeclarationWarning]


def test_a_block_whose_names_nothing_carries():
    """The constraints, what is there without a name, and the cure; once a function."""

    def double(x):
        return x * 2

    with dynamic_int_constraints(["tall % 32 == 0", "wide <= 64"]):  # nothing carries these
        texts = said(double, (torch.ones(4, 64),), (torch.ones(5, 64),))
    line = line_of("# nothing carries these")
    assert texts == [
        f"""\
warning[DC407]: declared, but no input has it: tall, wide
  --> dynamic_int_constraints([...])  at here:{line}
    tall % 32 == 0
    ^^^^^^^^^^^^^^
  --> dynamic_int_constraints([...])  at here:{line}
    wide <= 64
    ^^^^^^^^^^
  note: double is compiled inside the block
  note: unnamed: x is 4x64
  help: name the size that is meant: name_dims(x, ...), or declare(f, x="...") at the function"""
    ]


def test_a_name_that_was_lost_on_the_way():
    """Where it was given, and why it is gone."""

    def double(x):
        return x * 2

    named = name_dims(torch.ones(4, 64), {1: "lost_h"})  # the name is given
    with dynamic_int_constraints(["lost_h % 32 == 0"]):  # and its rule
        texts = said(double, (named * 2,))
    assert texts == [
        f"""\
warning[DC407]: declared, but no input has it: lost_h
  --> dynamic_int_constraints([...])  at here:{line_of("# and its rule")}
    lost_h % 32 == 0
    ^^^^^^^^^^^^^^^^
  note: double is compiled inside the block
  note: lost_h was named by name_dims(x, {{1: "lost_h"}})  at here:{line_of("# the name is given")}; names end where an operation makes a new tensor
  note: unnamed: x is 4x64
  help: name the size that is meant: name_dims(x, ...), or declare(f, x="...") at the function"""  # noqa: E501
    ]


def test_a_misspelt_name():
    """Beside one much like it that has no rule."""
    named = name_dims(torch.ones(4, 64), {1: "hight"}, constraints=["height % 32 == 0"])
    assert said(lambda x: x * 2, (named,)) == [
        """\
warning[DC407]: declared, but no input has it: height
    height % 32 == 0
    ^^^^^^^^^^^^^^^^
  help: hight did arrive: did you mean hight where height is written, or height for hight?"""
    ]


def test_a_misspelt_path():
    """What is there instead."""
    function = declare(lambda b: b["image"] * 2, {"b.imag": "n m"})  # misspelt
    assert said(function, ({"image": torch.ones(4, 64)},)) == [
        f"""\
warning[DC407]: declared, but no argument has it: b.imag
  --> here:{line_of("# misspelt")}:19
    declare(<lambda>, b.imag="n m")
                      ^^^^^^^^^^^^
  help: did you mean b.image? b has image"""
    ]


def test_a_name_of_a_rule_that_no_argument_tells():
    """When the function is declared; a domain that is shared may have more names."""
    with pytest.warns(DeclarationWarning, match="declared, but no argument has it: height"):
        declare(lambda x: x, x="b hight", constraints=["height % 32 == 0"])
    with pytest.raises(UnboundNameError, match="did you mean hight"):
        declare(lambda x: x, x="b hight", constraints=["height % 32 == 0"], on_missing="error")


def test_the_policy_is_followed():
    """``allow`` says nothing, ``error`` ends the call, each time, and leaves torch as it was."""
    with dynamic_int_constraints(["h % 32 == 0"], on_missing="allow"):
        assert said(lambda x: x * 2, (torch.ones(4, 64),)) == []
    compiled = torch.compile(lambda x: x * 2, backend="eager")
    with dynamic_int_constraints(["h % 32 == 0"], on_missing="error"):
        for _ in range(2):
            with pytest.raises(UnboundNameError, match="no input has it: h"):
                compiled(torch.ones(4, 64))
    assert compiled(torch.ones(4, 64)).sum() == 512
    with pytest.raises(ConstraintError, match="not a policy"):
        dynamic_int_constraints(["h % 32 == 0"], on_missing="never")  # type: ignore[arg-type]


def test_nothing_is_said_where_nothing_is_missing():
    """Names in closures and modules arrive as well; a function without sizes can't have any; undeclared programs."""
    held = name_dims(torch.ones(64), {0: "h"})
    with dynamic_int_constraints(["h % 32 == 0"]):
        assert said(lambda x: x * held, (torch.ones(1),)) == []
        assert said(lambda: torch.ones(4) * 2, ()) == []
        assert said(lambda x: x * 2, (name_dims(torch.ones(64), {0: "h"}),)) == []
    assert said(lambda x: x * 2, (torch.ones(1),)) == []


def test_explain_says_which_names_no_input_has():
    """Of the open blocks, in the text and in the data."""
    with dynamic_int_constraints(["h % 32 == 0", "w <= 64"], on_missing="allow"):
        report = explain(lambda x: x * 2, name_dims(torch.ones(64), {0: "h"}), backend="eager")
    assert report.missing == ("w",)
    assert "declared, but no input has it: w\n" in str(report)
    assert report.as_data()["missing"] == ["w"]
