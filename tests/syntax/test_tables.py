"""The tables that are kept make the parser that the grammar makes."""

import json
from pathlib import Path

import strategies
from hypothesis import given

from dynconstraints.ir.printer import show
from dynconstraints.syntax import tables
from dynconstraints.syntax.build import Builder
from dynconstraints.syntax.tables import grammar

KEPT_TEXT = Path(tables.TABLES).read_text()
KEPT, MADE = tables.parser_of(grammar(), Builder()), tables.made_of(grammar(), Builder())


def test_the_tables_are_those_of_the_grammar():
    """After a change of the grammar: `python -m dynconstraints.syntax.tables`."""
    assert json.loads(KEPT_TEXT)["grammar"] == grammar()


@given(strategies.formulas())
def test_both_parsers_read_the_same(formula):
    """On printed formulas of every node kind."""
    assert KEPT.parse(show(formula)) == MADE.parse(show(formula)) == formula


def test_tables_of_another_grammar_are_not_used(monkeypatch, tmp_path):
    """Nor broken ones, nor those of another lark: the grammar at hand is the specification."""
    other = grammar().replace('"=>"', '"==>"')
    assert tables.parser_of(other, Builder()).parse("a > 1 ==> b > 1")
    for content in (None, "{", KEPT_TEXT.replace('"lark":"', '"lark":"0.')):
        path = tmp_path / "tables.json"
        monkeypatch.setattr(tables, "TABLES", str(path))
        if content is not None:
            path.write_text(content)
        assert tables.parser_of(grammar(), Builder()).parse("a > 1 => b > 1")
