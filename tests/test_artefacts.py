"""What is made of declared programs serves their domains: the benchmark of artefacts, of two cheap programs here."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.torch
HERE = Path(__file__).parent
NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
CHEAP = {"relation": ("export",), "set": ("aot_compile",)}
"""The others, and packages, take a minute each."""


@pytest.fixture
def artefacts(monkeypatch):
    """The benchmark, which stands beside those that it takes programs of."""
    monkeypatch.syspath_prepend(str(HERE / "benchmarks"))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(HERE.parent), *filter(None, sys.path))))
    from benchmarks import artefacts

    return artefacts


@pytest.mark.parametrize("name", CHEAP)
def test_valid_sizes_are_equal_to_eager_and_others_are_refused_by_name(artefacts, name):
    """In all that is made of it, loaded in another process."""
    (artefact,) = (a for a in artefacts.artefacts() if a.name == name)
    kinds = artefacts.KINDS if NIGHTLY else CHEAP[name]
    number, others = len(artefact.cases(True)), len(artefact.cases(False))
    assert others == artefacts.MOST
    _, _, *cells = artefacts.row(artefact, kinds)
    assert cells == [f"{number} of {number} equal, {others} of {others} refused"] * len(kinds)


def test_each_program_has_sizes_enough(artefacts):
    """Twenty of each kind, or all that its domain has."""
    for artefact in artefacts.artefacts():
        assert len(artefact.cases(False)) == artefacts.MOST
        assert len(artefact.cases(True)) == (3 if artefact.name == "set" else artefacts.MOST), artefact.name


def test_the_page_is_what_the_benchmark_writes(artefacts):
    """Head, columns, and a row for each program."""
    page = (HERE.parent / "docs" / "artefacts.md").read_text(encoding="utf-8")
    rows = [tuple(c.strip() for c in line.split("|")[1:-1]) for line in page.splitlines() if line.startswith("| ")]
    assert [row[0] for row in rows[1:]] == [artefact.name for artefact in artefacts.artefacts()]
    version = page.partition(" torch ")[2].partition(".\n")[0]
    assert page.replace(version, "X") == artefacts.page(rows[1:]).replace(artefacts.torch.__version__, "X")
