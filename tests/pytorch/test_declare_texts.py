"""The messages of `declare`, whole: each mistake says what is wrong, where, what is known there, and what to do."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import pytest
import torch

from dynconstraints import ConstraintError, ConstraintSystem, Dims, declare

if TYPE_CHECKING:
    from nowhere import Missing

RULES = ["h % 32 == 0", "h <= 1024"]


def image(x, mask=None, n=1):
    return x


def of(*args, **texts):
    """A call of a function declared with the texts."""
    return lambda: declare(image, **{"x": "b 3 h w", "mask": "b h w", "n": "n", "constraints": RULES, **texts})(*args)


def annotated(x: Annotated[Missing, Dims("b h")]):
    return x


DECLARED = 'declare(image, x="b 3 h w", mask="b h w", n="n")'
MISTAKES = {
    "a wrong multiple": (
        of(torch.ones(2, 3, 65, 8)),
        f"""\
error[DC301]: constraint violated: h % 32 == 0
  --> {DECLARED}  at here
    h % 32 == 0
    ^^^^^^^^^^^    h = 65, and 65 % 32 = 1
  help: the nearest values that satisfy every constraint on h are 64 and 96""",
    ),
    "two sizes for one name": (
        of(torch.ones(2, 3, 64, 8), torch.ones(2, 32, 8)),
        f"""\
error[DC402]: h has two values in one call: 64 and 32
  --> here
    {DECLARED}
                   ^^^^^^^^^^^    h = 64
                                ^^^^^^^^^^^^    h = 32
  help: pass one value for h, or give one of the two another name""",
    ),
    "a wrong literal": (
        of(torch.ones(2, 4, 64, 8)),
        f"""\
error[DC304]: dimension 1 of x has size 4, and 3 is declared
  --> here
    {DECLARED}
                   ^^^^^^^^^^^    3 was declared
  help: pass a tensor that agrees, or declare it otherwise""",
    ),
    "a wrong expression": (
        of(torch.ones(2, 3, 64, 8), torch.ones(2, 65, 8), mask="b 2*h w"),
        """\
error[DC304]: dimension 1 of mask has size 65, and 2*h = 128
  --> here
    declare(image, x="b 3 h w", mask="b 2*h w", n="n")
                                ^^^^^^^^^^^^^^    h = 64, so 2*h = 128
  help: pass a tensor that agrees, or declare it otherwise""",
    ),
    "no whole number": (
        of(torch.ones(2, 3, 65, 8), x="b 3 2*k w", mask="b k w", constraints=ConstraintSystem(["k > 1"])),
        """\
error[DC304]: dimension 2 of x has size 65, which is not of the form 2*k
  --> here
    declare(image, x="b 3 2*k w", mask="b k w", n="n")
                   ^^^^^^^^^^^^^    no integer k has 2*k == 65
  help: pass a tensor whose dimension 2 is 2*k for some k, or declare it otherwise""",
    ),
    "another rank": (
        of(torch.ones(2, 3, 64)),
        f"""\
error[DC408]: x has 3 dimensions, and 4 are declared
  --> here
    {DECLARED}
                     ^^^^^^^^^    the dimensions of x are 2 3 64
  help: pass a tensor of this rank, or write ... for any number of sizes, as in "... h w\"""",
    ),
    "a container": (
        of([torch.ones(2)]),
        f"""\
error[DC408]: x is declared as a tensor, and is of type list
  --> here
    {DECLARED}
                     ^^^^^^^^^
  help: declare what is in it by its path: {{"x.0": "b 3 h w"}}""",
    ),
    "a parameter that is not there": (
        of(torch.ones(1), msk="b h"),
        """\
error[DC406]: image has no parameter msk
  --> here
    declare(image, x="b 3 h w", mask="b h w", n="n", msk="b h")
                                                     ^^^^
  help: did you mean mask?""",
    ),
    "a contradiction": (
        of(torch.ones(1), constraints=["h < 3", "h > 3"]),
        """\
error[DC201]: no values satisfy these 2 constraints together
  --> declare(image, x="b 3 h w", mask="b h w", n="n")  at here
    h < 3
    ^^^^^
  --> declare(image, x="b 3 h w", mask="b h w", n="n")  at here
    h > 3
    ^^^^^
  help: leave out or change one of them: without any one of them the others can be satisfied""",
    ),
    "a result of an unknown size": (
        of(torch.ones(1), returns="b depth"),
        f"""\
error[DC401]: no argument says what depth is, which the result is declared by
  --> here
    {DECLARED}
    {"^" * len(DECLARED)}
  help: name it in the shape of an argument, or write _ for a size that is not declared""",
    ),
    "an annotation of names that are not there": (
        lambda: declare(annotated),
        """\
error[DC406]: an annotation cannot be read: Annotated[Missing, Dims('b h')]
  --> declare(annotated)  at here
    Annotated[Missing, Dims('b h')]
    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  help: NameError: name 'Missing' is not defined; define its names before the function is declared, or give the text to it""",  # noqa: E501
    ),
    "nothing to declare": (
        lambda: declare(3, x="n"),
        """\
error[DC155]: functions, methods and modules can be declared, not int
  --> here
    declare(int, x="n")
    ^^^^^^^^^^^^^^^^^^^
  help: declare the method that is called: declare(obj.method, ...)""",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_each_mistake_has_its_own_text(mistake):
    """All of it, but for the line."""
    call, text = MISTAKES[mistake]
    with pytest.raises(ConstraintError) as caught:
        call()
    assert re.sub(re.escape(str(Path(__file__))) + r":\d+(:\d+)?", "here", str(caught.value)) == text


def test_equal_declarations_tell_their_own_places():
    """What is remembered of the one is not told of the other."""
    first = declare(lambda x: x, x="n", constraints=["n % 2 == 0"])
    second = declare(lambda x: x, x="n", constraints=["n % 2 == 0"])
    lines = []
    for function in (first, second):
        with pytest.raises(ConstraintError) as caught:
            function(torch.ones(3))
        lines.append(int(re.findall(r"\.py:(\d+)", str(caught.value))[0]))
    assert lines[1] == lines[0] + 1
