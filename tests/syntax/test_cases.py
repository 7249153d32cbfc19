"""Malformed texts and the full text of what is said about them, from the case files."""

import re
from pathlib import Path

import pytest

from dynconstraints.diagnostics.errors import ConstraintSyntaxError
from dynconstraints.syntax.parser import parse

FOLDER = Path(__file__).parent.parent / "cases" / "syntax"


def cases() -> list:
    """One case a block: the text after `> `, then the rendering; blocks are separated by blank lines."""
    found = []
    for path in sorted(FOLDER.glob("*.txt")):
        for block in path.read_text(encoding="utf-8").rstrip("\n").split("\n\n"):
            text, rendering = block.split("\n", 1)
            found.append(pytest.param(text.removeprefix("> "), rendering, id=f"{path.stem}: {text[2:]}"))
    return found


@pytest.mark.parametrize(("text", "rendering"), cases())
def test_a_malformed_text_says_what_is_wrong_where_and_what_to_write(text: str, rendering: str):
    """The full text of the error."""
    with pytest.raises(ConstraintSyntaxError) as caught:
        parse(text)
    assert str(caught.value) == rendering


@pytest.mark.parametrize(("text", "rendering"), cases())
def test_what_the_help_says_to_write_is_accepted(text: str, rendering: str):
    """Where it gives the whole constraint."""
    mended = re.fullmatch("  help: write `([^`]{7,})`", rendering.rsplit("\n", 1)[-1])
    if mended:
        parse(mended[1])
