"""Every code that the command line can give is explained, and its example does what it claims."""

import re
import shlex
from pathlib import Path

import pytest

import dynconstraints
from dynconstraints.diagnostics import catalogue

FOLDERS = ("cli", "solver", "syntax")
EXAMPLES = [
    code for code in catalogue.codes() if catalogue.entry(code).language in ("command", "lint", "source")
]  # fmt: skip


def test_every_code_in_the_sources_is_in_the_catalogue():
    """Of the layers that the command line speaks for."""
    package = Path(dynconstraints.__file__).parent
    sources = (path for folder in FOLDERS for path in (package / folder).rglob("*.py"))
    used = {code for path in sources for code in re.findall(r"\"(DC\d{3})\"", path.read_text())}
    assert used <= set(catalogue.codes())
    assert len(used) > 20


@pytest.mark.parametrize("code", EXAMPLES)
def test_the_failing_example_says_what_the_entry_says_and_the_mended_one_says_nothing(dync, tmp_path, code):
    """A command is run; a listing is looked over by lint."""
    entry = catalogue.entry(code)

    def ran(example):
        if entry.language in ("lint", "source"):
            name = "example.dync" if entry.language == "lint" else "example.py"
            (tmp_path / name).write_text(example)
            return dync("lint", name)
        program, *arguments = shlex.split(example)
        assert program == "dynconstraints"
        return dync(*arguments)

    failing, mended = ran(entry.failing), ran(entry.mended)
    said = (failing.err + failing.out).split("\n\nfound ")[0].rstrip("\n")
    assert said == entry.says
    assert f"[{code}]" in said
    assert (mended.code, mended.err) == (0, "")


def test_a_code_is_explained_with_its_example(dync):
    """In either case of its letters."""
    ran = dync("rule", "dc202")
    assert ran.code == 0
    assert ran.out.startswith("DC202: redundant constraint\n")
    assert "Refused:\n  s0 % 32 == 0\n  s0 % 16 == 0\n\nwarning[DC202]" in ran.out
    assert ran.out.endswith("Mended:\n  s0 % 32 == 0\n")


def test_all_codes_are_listed(dync):
    """One a line."""
    lines = dync("rule").out.splitlines()
    assert [line.split()[0] for line in lines] == list(catalogue.codes())


def test_an_unknown_code_is_a_usage_error(dync):
    """With the one that was perhaps meant."""
    ran = dync("rule", "DC20")
    assert ran.code == 2
    assert "there is no code 'DC20'; did you mean DC20" in ran.err
