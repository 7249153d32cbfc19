"""Diagnostics as text: carets under one and many spans, in every kind of source."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynconstraints.diagnostics.cells import width
from dynconstraints.diagnostics.data import as_data
from dynconstraints.diagnostics.diagnostic import Diagnostic, Label
from dynconstraints.diagnostics.render import render
from dynconstraints.diagnostics.source import Source, Span


def labelled(text: str, *parts: str | tuple[str, str], **place) -> tuple[Label, ...]:
    """Labels on the first occurrences of the parts; a pair is a part and what is known there."""
    source = Source(text, **place)
    pairs = [part if isinstance(part, tuple) else (part, "") for part in parts]
    starts = [text.index(part) for part, _ in pairs]
    return tuple(
        Label(source, Span(start, start + len(part)), known) for start, (part, known) in zip(starts, pairs, strict=True)
    )


def shown(*labels: Label, **options) -> str:
    """The lines after the title."""
    return render(Diagnostic("DC999", "title", labels), **options).split("\n", 1)[1]


def test_all_the_parts_of_a_message():
    """What is wrong, where, what is known there, what to do."""
    labels = labelled(
        "s0 % 32 == 0",
        ("s0 % 32 == 0", "s0 = 65, and 65 % 32 = 1"),
        origin='DynamicInt(65, name="s0")',
        file="train.py",
        line=14,
    )
    nearest = "the nearest values that satisfy every constraint on s0 are 64 and 96"
    diagnostic = Diagnostic("DC301", "constraint violated: s0 % 32 == 0", labels, ("a note",), (nearest,))
    assert (
        render(diagnostic)
        == """\
error[DC301]: constraint violated: s0 % 32 == 0
  --> DynamicInt(65, name="s0")  at train.py:14
    s0 % 32 == 0
    ^^^^^^^^^^^^    s0 = 65, and 65 % 32 = 1
  note: a note
  help: the nearest values that satisfy every constraint on s0 are 64 and 96"""
    )


def test_no_label_no_source():
    """A message alone is one line."""
    assert render(Diagnostic("DC999", "title", severity="warning")) == "warning[DC999]: title"


def test_spans_about_which_nothing_is_said_share_a_row():
    """The others have a row each, in the order in which they are given."""
    labels = labelled("a < b and b < c", "a", ("b <", "left"), "c", ("and", "the link"))
    assert (
        shown(*labels)
        == """\
    a < b and b < c
    ^             ^
              ^^^    left
          ^^^    the link"""
    )


def test_several_sources_each_say_where_they_are():
    """Once a source."""
    labels = (
        *labelled("a > 1", "a > 1", origin="argument 1"),
        *labelled("a < 0", "a < 0", file="q.py", line=3, column=5),
    )
    assert (
        shown(*labels)
        == """\
  --> argument 1
    a > 1
    ^^^^^
  --> q.py:3:5
    a < 0
    ^^^^^"""
    )


def test_a_span_of_several_lines_marks_each():
    """What is known stands at the last one."""
    text = "(a > 1\n   and\n     b > 2)\nc > 3"
    assert (
        shown(*labelled(text, ("(a > 1\n   and\n     b > 2)", "all of it")))
        == """\
    (a > 1
    ^^^^^^
       and
       ^^^
         b > 2)
         ^^^^^^    all of it"""
    )


def test_a_long_span_of_many_lines_leaves_out_the_middle():
    """Six lines are shown."""
    text = "\n".join(f"a{i} > 1 and" for i in range(100)) + "\ntrue"
    lines = shown(Label(Source(text), Span(0, len(text)))).split("\n")
    assert len(lines) == 12
    assert lines[-2] == "    true"


def test_tabs_are_columns():
    """Carets stand under what they mean."""
    assert (
        shown(*labelled("\ta\t> 1", "> 1"))
        == """\
        a   > 1
            ^^^"""
    )


def test_wide_and_combining_characters_have_their_widths():
    """Two columns, and none."""
    assert shown(*labelled("漢字 > é", ">")) == "    漢字 > é\n         ^"
    assert shown(*labelled("e\u0301e\u0301 > 1", ">")) == "    e\u0301e\u0301 > 1\n       ^"
    assert shown(*labelled("漢字 > 1", "字")) == "    漢字 > 1\n      ^^"


def test_what_a_terminal_must_not_see_is_spelled_out():
    """Control characters, lone surrogates, direction marks; in messages too."""
    assert shown(*labelled("a\0 > \ud800 \u202e", "\ud800")) == "    a\\x00 > \\ud800 \\u202e\n            ^^^^^^"
    rendered = render(Diagnostic("DC999", "bad \x1b[31m\ud800", notes=("\x07",), help=("\u200b",)))
    assert rendered == "error[DC999]: bad \\x1b[31m\\ud800\n  note: \\x07\n  help: \\u200b"


@pytest.mark.parametrize("part", ["a0 >", "a50 > 1", "a99"])
def test_long_lines_are_clipped_around_the_span(part: str):
    """To the width that is asked for."""
    text = " and ".join(f"a{i} > 1" for i in range(100))
    line, carets = shown(*labelled(text, part), columns=60).split("\n")
    assert len(line) <= 60
    assert line[carets.index("^") : len(carets)] == part


def test_a_span_longer_than_the_line_is_clipped_too():
    """With wide characters as well."""
    for text in ("x" * 500, "漢" * 500):
        line, carets = shown(*labelled(f"a > {text}", text), columns=60).split("\n")
        assert len(line) <= 60
        assert len(carets) <= 60


def test_an_empty_span_at_the_end_has_a_caret():
    """After the last character."""
    assert shown(Label(Source("a >"), Span(3, 3))) == "    a >\n       ^"
    assert shown(Label(Source(""), Span(0, 0))) == "\n    ^"


def test_colour_only_adds_escapes():
    """The text is the same."""
    diagnostic = Diagnostic("DC999", "title", labelled("a > 1", ("a", "here"), origin="here"), ("n",), ("h",))
    coloured = render(diagnostic, color=True)
    assert "\x1b[1;31merror[DC999]\x1b[0m" in coloured
    assert re.sub("\x1b\\[[0-9;]*m", "", coloured) == render(diagnostic)


def test_a_diagnostic_is_data():
    """Lines and columns count from 1, in the file."""
    labels = labelled("a > 1 and\nb > 2", ("b > 2", "here"), origin="o", file="q.py", line=7, column=5)
    assert as_data(Diagnostic("DC999", "title", labels, ("n",), ("h",))) == {
        "code": "DC999",
        "severity": "error",
        "message": "title",
        "labels": [
            {
                "origin": "o",
                "file": "q.py",
                "line": 8,
                "column": 1,
                "end_line": 8,
                "end_column": 6,
                "excerpt": "b > 2",
                "text": "here",
            }
        ],
        "notes": ["n"],
        "help": ["h"],
    }
    first = as_data(Diagnostic("DC999", "t", labelled("a > 1", "> 1", line=7, column=5)))["labels"][0]
    assert (first["line"], first["column"], first["end_column"]) == (7, 7, 10)


def test_notes_and_helps_wrap_between_words_where_that_is_asked_for():
    """Later lines stand below the first word; a word longer than the line stays whole; else there is one line."""
    advice = "give " + " and ".join(f"name_{i}" for i in range(20)) + " " + "x" * 100
    diagnostic = Diagnostic("DC301", "m", notes=("short",), help=(advice,))
    assert advice in render(diagnostic, columns=60)
    title, note, first, *rest = render(diagnostic, columns=60, wraps=True).split("\n")
    assert (title, note) == ("error[DC301]: m", "  note: short")
    assert all(len(line) <= 60 for line in (first, *rest[:-1]))
    assert all(line.startswith(" " * 8) and line[8] != " " for line in rest)
    assert " ".join([first[8:], *(line[8:] for line in rest)]) == advice


def test_titles_wrap_between_words_where_that_is_asked_for():
    """Later lines are indented as sources are; in colour each character is as in plain text."""
    title = "constraint violated: " + " and ".join(f"name_{i} > {i}" for i in range(20))
    diagnostic = Diagnostic("DC301", title)
    lines = render(diagnostic, columns=60, wraps=True).split("\n")
    assert all(len(line) <= 60 for line in lines)
    assert all(line.startswith("    ") and line[4] != " " for line in lines[1:])
    assert " ".join([lines[0], *(line[4:] for line in lines[1:])]) == f"error[DC301]: {title}"
    assert re.sub("\x1b\\[[0-9;]*m", "", render(diagnostic, columns=60, wraps=True, color=True)).split("\n") == lines
    assert render(diagnostic, columns=60) == f"error[DC301]: {title}"


def test_what_is_known_wraps_beside_its_carets_or_stands_below_them():
    """Beside them while there is room for some words, below and no farther right than that where there is not."""
    text, known = "a > 1 and " + "b" * 40 + " > 2", "it is 0, and that is no more than 2, which it has to be above"
    source = Source(text, origin="argument 1")
    near = Diagnostic("DC301", "m", (Label(source, Span(0, 5), known),))
    assert render(near, columns=60, wraps=True).split("\n")[3:] == [
        "    ^^^^^    it is 0, and that is no more than 2, which it",
        "             has to be above",
    ]
    far = Diagnostic("DC301", "m", (Label(source, Span(10, 54), known),))
    assert render(far, columns=60, wraps=True).split("\n")[3:] == [
        "              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^",
        "              it is 0, and that is no more than 2, which it",
        "              has to be above",
    ]
    at_the_end = Diagnostic("DC301", "m", (Label(source, Span(51, 54), known),))
    assert render(at_the_end, columns=60, wraps=True).split("\n")[3:] == [
        " " * 55 + "^^^",
        "                            it is 0, and that is no more",
        "                            than 2, which it has to be above",
    ]
    silent = Diagnostic("DC301", "m", (Label(source, Span(51, 54)),))
    assert render(silent, columns=60, wraps=True).split("\n")[3:] == [" " * 55 + "^^^"]


WORDS = st.lists(st.text("ab漢é", min_size=1, max_size=9), max_size=30).map(" ".join)


@given(WORDS, WORDS, WORDS, st.integers(0, 60), st.integers(1, 30), st.integers(40, 120))
def test_wrapped_is_as_unwrapped_but_for_the_lines(title, known, note, start, length, columns):
    """No line is longer than the terminal, no word is lost, and the carets are where they were."""
    source = Source("x" * 60 + " > 1", origin="argument 1")
    diagnostic = Diagnostic("DC301", title, (Label(source, Span(start, min(start + length, 64)), known),), (note,))
    plain, wrapped = (render(diagnostic, columns=columns, wraps=wraps) for wraps in (False, True))
    assert wrapped.split() == plain.split()
    assert all(width(line) <= columns for line in wrapped.split("\n"))
    (before,), (after,) = ([line for line in text.split("\n") if "^" in line] for text in (plain, wrapped))
    assert after.index("^") == before.index("^")


def test_a_text_longer_than_anybody_reads_is_cut_off():
    """As the 10,000 names of a set are; as data they are all there."""
    diagnostic = Diagnostic("DC403", "m", help=("they speak of " + ", ".join(f"n{i}" for i in range(10_000)),))
    assert len(render(diagnostic)) < 1_100
    assert render(diagnostic).endswith("…")
    assert len(as_data(diagnostic)["help"][0]) > 50_000
