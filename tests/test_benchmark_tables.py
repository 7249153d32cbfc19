"""The tables of the README are what the benchmarks print: `python tests/benchmarks/run.py --write` replaces them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from benchmarks.tables import BLOCK, CELL, Table, written

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def rows(text: str) -> list[list[str]]:
    return [[c.strip() for c in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("| ")]


@pytest.mark.parametrize("block", BLOCK.findall(README), ids=lambda b: b[1])
def test_each_cell_is_of_a_form_that_the_benchmarks_print(block: tuple[str, ...]) -> None:
    """Counts and times with their units, under as many columns as the table has."""
    head, *body = rows(block[2])
    assert body
    for row in body:
        assert len(row) == len(head)
        assert all(CELL.fullmatch(cell) for cell in row[1:]), row


def test_a_new_run_replaces_its_table_and_nothing_else() -> None:
    """By the key in the comment around it."""
    table = Table("sweeps", "title", "What a cell is.", ("program", "declared"), (("U-Net", "1; 7; 0.9 s; 1.5 s"),))
    new = written(README, [table], "A machine.")
    assert written(new, [table], "A machine.") == new
    (block,) = (b for b in BLOCK.findall(new) if b[1] == "sweeps")
    assert block[2] == "What a cell is. A machine.\n\n" + table.markdown()
    assert BLOCK.sub("", new) == BLOCK.sub("", README)


@pytest.mark.parametrize("cell", ["", "1; 7", "0.9", "about 3 ms", "1.5 (1.4)"])
def test_other_forms_are_none(cell: str) -> None:
    """So that the test above can fail."""
    assert CELL.fullmatch(cell) is None


ZOO = (Path(__file__).parent.parent / "docs" / "zoo.md").read_text(encoding="utf-8")


def test_the_zoo_has_no_wrong_value_or_verdict() -> None:
    """At least twenty-five models, each with the values of eager and what `explain` said borne out."""
    ((_, key, text, _),) = BLOCK.findall(ZOO)
    head, *body = rows(text)
    assert key == "zoo"
    assert len(body) >= 25
    for row in body:
        cells = dict(zip(head, row, strict=True))
        assert cells["values"] == "equal"
        assert cells["`explain`"] == "proved" or re.fullmatch(r"not all: \w+ = \d+(, \w+ = \d+)*|not known", row[-1])
        assert cells["graphs"].startswith("1") or cells["`explain`"] != "proved"
