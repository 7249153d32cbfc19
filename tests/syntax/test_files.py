"""Listings: one constraint a line, comments, blank lines, continuations; every finding, not only the first."""

from pathlib import Path

import pytest

from dynconstraints.diagnostics.render import render
from dynconstraints.syntax.files import parse_bytes, parse_file, parse_lines
from dynconstraints.syntax.parser import parse

LISTING = """\
# sizes
s0 % 32 == 0   # a multiple

  32 <= s0 \\
      <= 1024
s1 = 2*s0      # a slip
\t
s1 > 3 and \\
  s2 <> 4
\\
s2 > 0
"""


def test_a_listing_gives_its_constraints_and_all_its_findings():
    """With the lines that continue them, without the comments."""
    listing = parse_lines(LISTING, file="sizes.dync")
    assert [c.text for c in listing.constraints] == ["s0 % 32 == 0", "32 <= s0 \\\n      <= 1024", "s2 > 0"]
    assert listing.constraints[1] == parse("32 <= s0 <= 1024")
    assert (
        "\n".join(map(render, listing.diagnostics))
        == """\
error[DC102]: `=` assigns; a comparison is written `==`
  --> sizes.dync:6:4
    s1 = 2*s0      # a slip
       ^
  help: write `s1 == 2*s0`
error[DC107]: `<>` is written `!=` here
  --> sizes.dync:9:6
      s2 <> 4
         ^^
  help: write `s1 > 3 and s2 != 4`"""
    )


def test_places_count_in_the_whole_file():
    """Through the constraint's offset."""
    constraint = parse_lines(LISTING, file="sizes.dync").constraints[1]
    label = constraint.label("here")
    assert label.source.position(label.span.start) == (4, 3)
    assert LISTING[label.span.start : label.span.stop] == constraint.text


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_ends_and_byte_order_marks_make_no_difference(end: str, mark: bytes):
    """Nor does a last line without an end."""
    content = mark + end.join(["a > 1", "# c", "b > 2 \\", " and c > 3", "d > 4"]).encode()
    listing = parse_bytes(content)
    assert listing.diagnostics == ()
    assert list(listing.constraints) == [parse("a > 1"), parse("b > 2 and c > 3"), parse("d > 4")]


@pytest.mark.parametrize("text", ["", "\n", "# only a comment", "  \n\t\n", "\\\n\\\n", "# c \\\n"])
def test_an_empty_listing_is_no_error(text: str):
    """Comments and blank lines say nothing."""
    listing = parse_lines(text)
    assert listing.constraints == ()
    assert listing.diagnostics == ()


def test_a_comment_ends_with_its_line():
    """A backslash in it continues nothing."""
    assert len(parse_lines("a > 1 # c \\\nb > 2").constraints) == 2


def test_a_last_line_that_is_continued_is_a_finding():
    """The constraint is read nevertheless."""
    listing = parse_lines("a > 1 \\")
    assert [c.text for c in listing.constraints] == ["a > 1"]
    assert [d.code for d in listing.diagnostics] == ["DC143"]


def test_bytes_that_are_not_utf_8_are_shown_where_they_are():
    """Nothing of the file is used."""
    listing = parse_bytes("größe > 1\n".encode() + b"b \xff> 2", file="q.dync")
    assert listing.constraints == ()
    assert (
        "\n".join(map(render, listing.diagnostics))
        == """\
error[DC142]: this is not UTF-8
  --> q.dync:2:3
    b \N{REPLACEMENT CHARACTER}> 2
      ^    this is the byte 0xff
  help: save the file as UTF-8"""
    )


def test_what_cannot_be_opened_is_a_finding(tmp_path: Path):
    """A missing file, a directory, a name with a NUL."""
    for path, reason in [
        (tmp_path / "none.dync", "no such file or directory"),
        (tmp_path, "is a directory"),
        ("a\0.dync", "embedded null byte"),
    ]:
        listing = parse_file(path)
        assert [d.code for d in listing.diagnostics] == ["DC141"]
        assert reason in render(listing.diagnostics[0])


def test_a_file_is_named_in_what_is_found_in_it(tmp_path: Path):
    """As it was given."""
    path = tmp_path / "q.dync"
    path.write_text("a > 1\nb = 2\n")
    listing = parse_file(path)
    assert listing.constraints == (parse("a > 1"),)
    assert f"--> {path}:2:3\n" in render(listing.diagnostics[0])
