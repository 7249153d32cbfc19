"""`[tool.dynconstraints]` in pyproject.toml gives the defaults; the command line goes before it."""

import pytest

from dynconstraints.cli.config import Config, nearest


@pytest.fixture
def project(tmp_path):
    """A function that writes a pyproject.toml with the table's body given."""

    def write(body, folder=""):
        path = tmp_path / folder / "pyproject.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"[tool.dynconstraints]\n{body}\n")
        return str(path)

    return write


def test_every_key_is_read(project, tmp_path):
    """With dashes in the file."""
    path = project(
        'format = "json"\ncolor = "never"\nlimit = 7\nexit-zero = true\nignore = ["DC202"]\nexclude = ["gen"]'
    )
    assert nearest(str(tmp_path)) == Config(path, "json", "never", 7, True, ("DC202",), ("gen",))


def test_the_nearest_file_upwards_that_has_the_table_counts(project, tmp_path):
    """One without the table is passed over; of two with it the inner one counts, alone."""
    outer = project("limit = 7")
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    (tmp_path / "a" / "pyproject.toml").write_text("[project]\nname = 'dynconstraints-user'\n")
    assert nearest(str(below)).path == outer
    inner = project('color = "never"', folder="a")
    assert nearest(str(below)) == Config(inner, color="never")


def test_lint_takes_the_file_nearest_to_its_paths(dync, project, tmp_path):
    """Not that of the working directory."""
    project('ignore = ["DC102"]', folder="sub")
    (tmp_path / "sub" / "m.dync").write_text("s0 = 3\n")
    assert dync("lint", "sub").code == 0
    assert dync("lint", "sub/m.dync").code == 0
    assert dync("lint", "sub", "--isolated").code == 1


def test_the_command_line_goes_before_the_file(dync, project):
    """And --isolated before all of it."""
    project('format = "json"')
    assert dync("check", "s0 = 3").out.startswith("{")
    assert dync("check", "s0 = 3", "--format", "text").err.startswith("error[DC102]")
    assert dync("check", "s0 = 3", "--isolated").err.startswith("error[DC102]")


def test_exit_zero_forgives_findings_and_nothing_else(dync, project):
    """A text that cannot be read, or an answer that is not known, is no finding to be forgiven."""
    assert dync("check", "s0 > 3", "s0 < 3", "--exit-zero").code == 0
    assert dync("check", "s0 = 3", "--exit-zero").code == 2
    project("exit-zero = true")
    assert dync("check", "s0 > 3", "s0 < 3").code == 0


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('formt = "json"', "has no key 'formt'; did you mean 'format'?"),
        ("zzz = 1", "has no key 'zzz'; the keys are format, color, limit, exit-zero, ignore, exclude"),
        ('format = "xml"', "format must be one of text, json, github, sarif, not 'xml'"),
        ("format = [1]", "format must be one of text, json, github, sarif, not [1]"),
        ("limit = 0", "limit must be an integer from 1 to 4294967295, not 0"),
        ("limit = 4294967296", "limit must be an integer from 1 to 4294967295, not 4294967296"),
        ("limit = true", "limit must be an integer from 1 to 4294967295, not True"),
        ("exit-zero = 1", "exit-zero must be true or false, not 1"),
        ('ignore = "DC202"', "ignore must be a list of codes, not 'DC202'"),
        ("exclude = [1]", "exclude must be a list of glob patterns, not [1]"),
        ("limit = ", "Invalid value"),
    ],
)
def test_a_table_that_cannot_be_used_is_a_usage_error(dync, project, body, message):
    """With the file, the key, and what is allowed."""
    path = project(body)
    ran = dync("check", "s0 > 3")
    assert ran.code == 2
    assert str(path) in ran.err
    assert message in " ".join(ran.err.split())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[tool]\ndynconstraints = 3\n", "tool.dynconstraints must be a table, not 3"),
        ("[[tool.dynconstraints]]\nlimit = 7\n", "tool.dynconstraints must be a table, not [{'limit': 7}]"),
        ("[tool]\ndynconstraints = 'json'\n", "tool.dynconstraints must be a table, not 'json'"),
    ],
)
def test_what_is_no_table_is_told(dync, tmp_path, text, message):
    """It was a traceback."""
    (tmp_path / "pyproject.toml").write_text(text)
    ran = dync("check", "s0 > 3")
    assert (ran.code, ran.out) == (2, "")
    assert message in " ".join(ran.err.split())


def test_a_tool_that_is_no_table_is_none_of_ours(dync, tmp_path):
    """Other tools will say so."""
    (tmp_path / "pyproject.toml").write_text("tool = 3  # dynconstraints\n")
    assert dync("check", "s0 > 3").code == 0


def test_a_limit_beyond_what_z3_takes_is_a_usage_error(dync):
    """It counts in 32 bits."""
    assert dync("check", "s0 > 3", "--limit", "4294967295").code == 0
    assert dync("check", "s0 > 3", "--limit", "4294967296").code == 2


def test_verbose_tells_where_the_settings_are_from(dync, project):
    """On standard error; standard output holds the answer alone."""
    path = project("limit = 1000000")
    ran = dync("check", "s0 = 3", "-v", "--format", "json")
    assert f"settings from {path}" in ran.err
    assert ran.out.startswith("{")
    assert "defaults" in dync("check", "s0 = 3", "-v", "--isolated").err


def test_verbose_tells_what_is_read(dync, tmp_path):
    """Files and standard input, in the order given."""
    (tmp_path / "a.dync").write_text("s0 > 3")
    (tmp_path / "m.py").write_text("")
    ran = dync("check", "-", "a.dync", "s0 > 3", "--from", "m.py", "-v")
    assert [line.partition("reading ")[2] for line in ran.err.splitlines()[1:]] == ["standard input", "a.dync", "m.py"]


def test_quiet_writes_findings_only(dync):
    """Nothing where all is well."""
    assert dync("check", "s0 > 3", "-q").out == ""
    assert dync("check", "s0 > 3", "s0 < 3", "-q").out.startswith("error[DC201]")
    assert dync("check", "s0 > 3", "-q", "-v").code == 2


def test_colour_is_written_when_asked_for_and_never_into_a_pipe(dync, monkeypatch):
    """`--color always` is obeyed in a pipe too; NO_COLOR and the default are plain."""
    assert "\x1b[" in dync("check", "s0 > 3", "s0 < 3", "--color", "always").out
    assert "\x1b[" not in dync("check", "s0 > 3", "s0 < 3").out
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    assert "\x1b[" in dync("check", "s0 > 3", "s0 < 3").out
    assert "\x1b[" not in dync("check", "s0 > 3", "s0 < 3", "--color", "never").out
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in dync("check", "s0 > 3", "s0 < 3").out
