"""The catalogue's examples do what it says they do."""

import contextlib
import re
from pathlib import Path

import pytest

import dynconstraints
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


def test_every_code_that_is_raised_has_an_entry():
    """Found in the sources of the package."""
    package = Path(dynconstraints.__file__).parent
    raised = {
        code for path in package.rglob("*.py") for code in re.findall(r'"(DC\d{3})"', path.read_text(encoding="utf-8"))
    }
    assert len(raised) > 40
    assert raised <= set(codes())


@pytest.mark.torch
@pytest.mark.parametrize("example", [e for e in ENTRIES if e.language == "python"], ids=lambda e: e.code)
def test_examples_in_python_raise_their_code_and_run_when_mended(example: Entry):
    """Each in a namespace of its own."""
    with pytest.raises(ConstraintError) as caught:
        exec(example.failing, {})
    assert caught.value.code == example.code
    exec(example.mended, {})
