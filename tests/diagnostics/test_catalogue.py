"""The catalogue's examples do what it says they do."""

import contextlib

import pytest

from dynconstraints.diagnostics.catalogue import Entry, codes, entry
from dynconstraints.diagnostics.errors import ConstraintError
from dynconstraints.diagnostics.render import render
from dynconstraints.syntax.files import parse_lines
from dynconstraints.syntax.parser import parse


def said(example: str, language: str) -> str:
    """All that is said about an example; empty where it is accepted."""
    if language == "file":
        return "\n".join(render(diagnostic) for diagnostic in parse_lines(example).diagnostics)
    try:
        exec(example, {}) if language == "python" else parse(example)
    except ConstraintError as error:
        return str(error)
    return ""


ENTRIES = [entry(code) for code in codes()]
EXAMPLES = [e for e in ENTRIES if e.says and e.language in ("constraint", "file")]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: e.code)
def test_the_failing_example_says_exactly_what_the_catalogue_shows(example: Entry):
    """The full text, under the entry's own code."""
    assert said(example.failing, example.language) == example.says
    assert example.says.startswith(f"error[{example.code}]")


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: e.code)
def test_the_mended_example_is_accepted(example: Entry):
    """Without a word."""
    assert said(example.mended, example.language) == ""


@pytest.mark.parametrize("example", ENTRIES, ids=lambda e: e.code)
def test_every_entry_has_a_name_and_a_sentence(example: Entry):
    """A name without a full stop, a summary with one."""
    assert example.name
    assert not example.name.endswith(".")
    assert example.summary.endswith(".")


def test_an_unknown_code_is_a_key_error():
    """Whatever it looks like."""
    for code in ("DC999", "", "../catalogue"):
        with contextlib.suppress(KeyError):
            entry(code)
            pytest.fail(f"{code!r} has an entry")
