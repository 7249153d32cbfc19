"""Constraints come from arguments, files, standard input and Python sources; what cannot be read is told."""

import os

import pytest

CONFLICT = ("s0 % 32 == 0", "s0 == 33")


def test_constraints_come_from_arguments(dync):
    """Each argument is one constraint."""
    assert dync("check", *CONFLICT).code == 1
    assert dync("check", CONFLICT[0]).code == 0


def test_constraints_come_from_standard_input(dync):
    """`-` reads a listing: one constraint a line."""
    ran = dync("check", "-", stdin="\n".join(CONFLICT).encode())
    assert ran.code == 1
    assert "--> standard input" in ran.out


def test_constraints_come_from_listings_and_mix_with_arguments(dync, tmp_path):
    """An argument that ends in .dync is a file; a conflict across both shows both places."""
    (tmp_path / "sizes.dync").write_text("# sizes\ns0 % 32 == 0  # whole warps\n")
    ran = dync("check", "sizes.dync", "s0 == 33")
    assert ran.code == 1
    assert "--> sizes.dync:2:1" in ran.out
    assert "--> argument 2" in ran.out


def test_constraints_come_from_python_sources_that_are_not_run(dync, tmp_path):
    """`--from` finds them in the syntax tree; the source would raise if it was run."""
    (tmp_path / "model.py").write_text(
        "raise SystemExit(9)\nDynamicInt(64, name='s0', constraints=['s0 % 32 == 0', 's0 == 33'])\n"
    )
    ran = dync("check", "--from", "model.py")
    assert ran.code == 1
    assert "--> model.py:2:" in ran.out


def test_every_slip_is_told_not_only_the_first(dync, tmp_path):
    """Two slips in two places give two findings."""
    (tmp_path / "sizes.dync").write_text("s0 = 3\n")
    ran = dync("check", "sizes.dync", "s1 && s2")
    assert ran.code == 2
    assert ran.err.count("error[") == 2
    assert ran.out == ""


def test_a_missing_file_a_directory_and_a_file_that_is_not_utf8_have_their_own_messages(dync, tmp_path):
    """Each is exit code 2, each says what it is, and none is a traceback."""
    (tmp_path / "folder.dync").mkdir()
    (tmp_path / "latin.dync").write_bytes("# größe\n".encode("latin-1"))
    messages = [
        dync("check", "none.dync"),
        dync("check", "folder.dync"),
        dync("check", "latin.dync"),
        dync("check", "--from", "none.py"),
        dync("check", "--from", "."),
        dync("lint", "none"),
    ]
    assert [ran.code for ran in messages] == [2] * 6
    assert "there is no file none.dync" in messages[0].err
    assert "folder.dync is a directory, and a file is needed" in messages[1].err
    assert "not UTF-8" in messages[2].err
    assert "there is no file none.py" in messages[3].err
    assert ". is a directory" in messages[4].err
    assert "there is no file or folder none" in messages[5].err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_told(dync, tmp_path):
    """The reason is the system's."""
    path = tmp_path / "secret.dync"
    path.write_text("s0 > 0\n")
    path.chmod(0)
    ran = dync("check", "secret.dync")
    assert ran.code == 2
    assert "permission denied" in ran.err


def test_standard_input_that_is_not_utf8_is_told(dync):
    """The byte is named."""
    ran = dync("check", "-", stdin=b"s0 > \xff\n")
    assert ran.code == 2
    assert "not UTF-8" in ran.err
    assert "0xff" in ran.err


def test_an_argument_that_is_not_utf8_is_told(dync):
    """Python hands such bytes on as lone surrogates; the message can be written to any terminal."""
    ran = dync("check", "s0 > 0 and \udcff")
    assert ran.code == 2
    assert r"argument 1 is not UTF-8: 's0 > 0 and \udcff'" in ran.err


def test_a_nul_in_a_path_is_no_traceback(dync):
    """The system refuses such a name."""
    ran = dync("check", "--from", "a\0b")
    assert ran.code == 2
    assert "cannot be read" in ran.err


def test_no_constraint_at_all_is_a_usage_error(dync):
    """It says what can be given; an empty listing is no error, it holds for all values."""
    ran = dync("check")
    assert ran.code == 2
    assert "no constraints: give some" in ran.err
    assert dync("check", "-").code == 0


def test_a_python_source_that_is_not_python_is_told_with_its_line(dync, tmp_path):
    """Nesting that exhausts the parser of Python and a NUL are told too."""
    (tmp_path / "wrong.py").write_text("x = 1\ny = (DynamicInt\n")
    (tmp_path / "nul.py").write_bytes(b"DynamicInt(1, 's0', ['s0 > 0'])\0")
    (tmp_path / "deep.py").write_text("DynamicInt" + "(" * 100_000)
    for name, line in (("wrong.py", 2), ("nul.py", 1), ("deep.py", 1)):
        ran = dync("check", "--from", name)
        assert ran.code == 2
        assert f"{name} is not Python" in ran.err
        assert f"--> {name}:{line}:" in ran.err


def test_a_python_source_may_declare_its_encoding(dync, tmp_path):
    """As Python reads it; a wrong declaration is told."""
    text = "# -*- coding: {} -*-\ngröße = DynamicInt(3, constraints=['größe > 2'])\n"
    (tmp_path / "latin.py").write_bytes(text.format("latin-1").encode("latin-1"))
    (tmp_path / "wrong.py").write_bytes(text.format("nonsense").encode())
    assert dync("check", "--from", "latin.py", "größe == 3").code == 0
    ran = dync("check", "--from", "wrong.py")
    assert ran.code == 2
    assert "cannot be decoded: unknown encoding" in ran.err


@pytest.mark.parametrize("text", ["s0", "s0=", "=3", "s0==3", "s0=3.5", "s0=1_", "s0=x", "", "s0=" + "9" * 5000])
def test_what_is_no_assignment_is_told(dync, text):
    """With the form that is wanted."""
    ran = dync("check", "s0 > 0", "--assign", text)
    assert ran.code == 2
    assert "DC801" in ran.err
    assert "write it as `s0=64`" in ran.err


def test_two_values_for_one_name_are_told(dync):
    """The same value twice is none the worse."""
    assert "s0 is given two values: 3 and 4" in dync("check", "s0 > 0", "--assign", "s0=3", "--assign", "s0=4").err
    assert dync("check", "s0 > 0", "--assign", "s0=3", "--assign", "s0=3").code == 0


def test_a_value_for_a_name_that_no_constraint_speaks_of_is_told(dync):
    """With the name that was meant, or all names."""
    assert "did you mean batch?" in dync("check", "batch > 0", "--assign", "bacth=3").err
    assert "they speak of a, b" in dync("check", "a > b", "--assign", "zzz=3").err


def test_a_constraint_that_starts_with_a_dash_goes_after_two_dashes(dync):
    """The usage error says so."""
    assert dync("check", "--", "-s0 < 3").code == 0
    assert "Put -- before a constraint that starts with a dash" in dync("check", "-s0 < 3").err


def test_a_float_is_assigned_where_the_name_is_one(dync):
    """An integer's name takes integers alone."""
    assert dync("check", "0.0 < p < 1.5", "--assign", "p=.25").out == "satisfied by p = 0.25\n"
    assert dync("check", "0.0 < p < 1.5", "--assign", "p=2.5e0").code == 1
    assert "for example with q = 0" in dync("check", "3.0*p <= 1.0", "p > q", "--assign", "p=0.25").out
    assert "DC801" in dync("check", "n < 6", "--assign", "n=0.25").err


def test_constraints_on_several_lines_are_written_on_one(dync, tmp_path):
    """What minimize and project write is a listing again; titles are one line."""
    (tmp_path / "m.py").write_text('dynamic_int_constraints(["""s0\n   > 3""", "s0 > 2"])\n')
    (tmp_path / "a.dync").write_text("s1 > 3 \\\n  and s1 < 9\n")
    ran = dync("minimize", "--from", "m.py", "a.dync")
    assert ran.out == "s1 > 3 and s1 < 9\ns0 > 3\n"
    assert dync("minimize", "-", stdin=ran.out.encode()).out == ran.out
    assert dync("project", "s1", "a.dync").out == "s1 > 3 and s1 < 9\n"
    assert dync("implies", "s1\n> 2", "a.dync").out == "implied: s1 > 2\n"
    assert dync("check", "a.dync", "--assign", "s1=9").out.startswith(
        "error[DC301]: constraint violated: s1 > 3 and s1 < 9\n"
    )
