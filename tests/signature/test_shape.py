"""The texts of shapes: what they say of a rank, and what is wrong with them."""

from __future__ import annotations

import pytest

from dynconstraints.diagnostics.errors import ConstraintError
from dynconstraints.diagnostics.source import Source
from dynconstraints.ir.nodes import Int, Name
from dynconstraints.ir.printer import show
from dynconstraints.signature.shape import read_shape


def dims(text: str, rank: int) -> dict[int, str] | None:
    found = read_shape(Source(text)).dims(rank)
    return None if found is None else {i: show(term) for i, term in found.items()}


@pytest.mark.parametrize(
    ("text", "rank", "expected"),
    [
        ("b 3 h w", 4, {0: "b", 1: "3", 2: "h", 3: "w"}),
        ("b 3 h w", 3, None),
        ("b 3 h w", 5, None),
        ("b _ 2*h", 3, {0: "b", 2: "2*h"}),
        ("... h w", 2, {0: "h", 1: "w"}),
        ("... h w", 5, {3: "h", 4: "w"}),
        ("... h w", 1, None),
        ("b ... w", 2, {0: "b", 1: "w"}),
        ("b ... w", 4, {0: "b", 3: "w"}),
        ("b ...", 1, {0: "b"}),
        ("b ...", 3, {0: "b"}),
        ("...", 0, {}),
        ("", 0, {}),
        ("", 1, None),
        ("h//16 max(h,16)", 2, {0: "h//16", 1: "max(h, 16)"}),
        ("  b\t h ", 2, {0: "b", 1: "h"}),
    ],
)
def test_a_shape_tells_the_sizes_of_a_rank(text, rank, expected):
    """By index; None where no tensor of the rank has the shape."""
    found = dims(text, rank)
    assert found == (expected if expected is None else {i: show(_term(t)) for i, t in expected.items()})


def _term(text: str):
    from dynconstraints.syntax.parser import parse_term

    return parse_term(text)


def test_a_lone_size_is_a_number_as_well():
    """Of an int or a float; a shape with more sizes, or any number of them, is that of a tensor alone."""
    assert read_shape(Source("n")).number == Name("n")
    assert read_shape(Source("3")).number == Int(3)
    assert read_shape(Source("n m")).number is None
    assert read_shape(Source("... n")).number is None
    assert read_shape(Source("_")).number is None


TEXTS = {
    "b 2 * h": """\
error[DC156]: not a size: *
  --> argument
    b 2 * h
        ^    an expression is written without blanks
  help: write sizes with blanks between them, such as "b 3 h w", expressions without: "b 2*h h//16\"""",
    "b h>3": """\
error[DC156]: not a size: h>3
  --> argument
    b h>3
      ^^^    this is true or false; constraints go into constraints=[...]
  help: write sizes with blanks between them, such as "b 3 h w", expressions without: "b 2*h h//16\"""",
    "... a ...": """\
error[DC156]: not a size: ...
  --> argument
    ... a ...
          ^^^    the second ... of a shape
  help: write sizes with blanks between them, such as "b 3 h w", expressions without: "b 2*h h//16\"""",
    "*batch h": """\
error[DC156]: not a size: *batch
  --> argument
    *batch h
    ^^^^^^    any number of sizes is written ..., without a name
  help: write sizes with blanks between them, such as "b 3 h w", expressions without: "b 2*h h//16\"""",
    "b -1": """\
error[DC156]: not a size: -1
  --> argument
    b -1
      ^^    no size is negative
  help: write sizes with blanks between them, such as "b 3 h w", expressions without: "b 2*h h//16\"""",
}


@pytest.mark.parametrize("text", TEXTS)
def test_each_mistake_has_its_own_message(text):
    """With a label under the word."""
    with pytest.raises(ConstraintError) as caught:
        read_shape(Source(text, "argument"))
    assert str(caught.value) == TEXTS[text]
