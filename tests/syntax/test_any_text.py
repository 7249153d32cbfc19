"""Whatever the text, parsing gives a constraint or a syntax error that can be printed, and nothing else."""

import re
import unicodedata

import pytest
import strategies
from hypothesis import example, given
from hypothesis import strategies as st

from dynconstraints.diagnostics.catalogue import codes
from dynconstraints.diagnostics.data import as_data
from dynconstraints.diagnostics.errors import ConstraintSyntaxError
from dynconstraints.diagnostics.render import render
from dynconstraints.ir.printer import show
from dynconstraints.lowering.to_closure import compile_formula
from dynconstraints.syntax.files import parse_bytes, parse_lines
from dynconstraints.syntax.parser import parse

PIECES = st.sampled_from(
    [
        *("a", "s0", "b", "0", "1", "2", "64", "007", "0x1f", "1_0", "1_", "0x", "1.5", ".5", "1e3", "9" * 50),
        *("+", "-", "*", "//", "%", "**", "/", "^", "==", "!=", "<", "<=", ">", ">=", "=", "=>", "=<", "<>", "==>"),
        *("->", "<=>", "&&", "&", "||", "|", "!", "~", "(", ")", "{", "}", "[", "]", ",", ";", ":", ".", "?", "#"),
        *(
            "\\",
            '"',
            "'",
            "and",
            "or",
            "not",
            "in",
            "if",
            "else",
            "is",
            "AND",
            "NOT",
            "true",
            "False",
            "lambda",
            "None",
        ),
        *("min", "max", "abs", "gcd", "divides", "mod", "Eq", "And", "range", "{1,2}", "range(3)", "s0%32", "(a+b)"),
        *("≤", "≥", "≠", "×", "²", "∧", "漢", "é", "ﬁ", "ｎｏｔ", "$", "@", "\t", "\n", "\r\n", "\0", "\ud800"),
        *("\u0301", "\u200d", "\u00a0", "\u2028", "\x1b[0m", "\x7f", "\u202e", "\U0001f600"),
    ]
)
FORMULAS = strategies.formulas(max_leaves=3)
SEPARATORS = st.sampled_from(["", " ", " ", "  ", "\n", "\t", "\\\n"])
SOUPS = st.lists(st.tuples(PIECES, SEPARATORS), max_size=24).map(lambda parts: "".join(map("".join, parts)))


@st.composite
def damaged(draw) -> str:
    """The text of a constraint with a few edits."""
    text = show(draw(FORMULAS))
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(text)))
        stop = draw(st.integers(start, min(len(text), start + 4)))
        text = text[:start] + draw(st.one_of(PIECES, st.text(max_size=3))) + text[stop:]
    return text


TEXTS = st.one_of(SOUPS, damaged(), st.text(st.characters(exclude_categories=()), max_size=60))


def check(text: str) -> None:
    """The text is a constraint that round-trips and compiles, or an error that can be shown."""
    try:
        constraint = parse(text)
    except ConstraintSyntaxError as error:
        check_diagnostic(error)
        return
    assert parse(show(constraint.formula)) == constraint
    compile_formula(constraint.formula, constraint.symbols)
    assert all(name.isidentifier() and unicodedata.normalize("NFKC", name) == name for name in constraint.symbols)


def check_diagnostic(error: ConstraintSyntaxError) -> None:
    """It has a known code, lies within its text, and prints in every way."""
    diagnostic = error.diagnostic
    assert diagnostic.code in codes()
    for label in diagnostic.labels:
        assert 0 <= label.span.start <= label.span.stop <= max(1, len(label.source.text))
    str(error).encode()
    for line in render(diagnostic, color=True, columns=40).split("\n"):
        assert re.sub("\x1b\\[[0-9;]*m", "", line).isprintable() or not line.isascii()
    as_data(diagnostic)
    for advice in diagnostic.help:
        mended = re.fullmatch("write `([^`]{7,})`", advice)
        if mended:
            parse(mended[1])


@given(TEXTS)
@example("a > 1 and \\\n b = 2")
def test_any_text_is_a_constraint_or_a_syntax_error(text: str):
    """And what the help says to write is accepted."""
    check(text)


@given(st.lists(TEXTS, max_size=5).map("\n".join))
def test_any_listing_gives_constraints_and_diagnostics(text: str):
    """Every constraint and every label lies where the source has it."""
    listing = parse_lines(text, file="q.dync")
    for constraint in listing.constraints:
        assert text[constraint.offset : constraint.offset + len(constraint.text)] == constraint.text
    for diagnostic in listing.diagnostics:
        render(diagnostic).encode()
        as_data(diagnostic)


@given(st.binary(max_size=60))
def test_any_bytes_give_a_listing(content: bytes):
    """UTF-8 or not."""
    for diagnostic in parse_bytes(content).diagnostics:
        render(diagnostic).encode()


FROZEN = ["s0\\\n", "1.5**11e31**1e3 == a", "1^ 1_1.5^ 11e31^ 1e3", "a**0.5 < 2.0"]


@pytest.mark.parametrize("text", FROZEN)
def test_what_was_found_once_stays_mended(text: str):
    """Texts that broke something."""
    check(text)
