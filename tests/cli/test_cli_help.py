"""Each command's help has an example; every example runs and prints what the help says."""

import re
import shlex

import pytest

from dynconstraints.cli.app import COMMANDS

SOURCES = {
    "src/model.py": "n = DynamicInt(64, name='s0', constraints=['s0 % 32 == 0'])\n",
    "sizes.dync": "s0 % 32 == 0\n",
    "program.py": "def rows(n, x):\n    return x.view(-1, n).sum(-1)\n",
}


def examples(text):
    """The commands of a help text that start with a dollar sign, each with the lines that follow it."""
    after = text.split("Example:\n")[1].split("\n\n")[0]
    found = []
    for line in (line.strip() for line in after.splitlines()):
        if line.startswith("$ "):
            found.append((line[2:], []))
        else:
            found[-1][1].append(line)
    return found


NEEDING = [pytest.param(name, marks=pytest.mark.torch) if name == "explain" else name for name in ("", *COMMANDS)]


@pytest.mark.parametrize("command", NEEDING)
def test_the_example_in_the_help_does_what_it_says(dync, tmp_path, command):
    """The exit code is 0, or 1 where the example has findings; the output is that of the help, where it has one."""
    for name, text in SOURCES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    ran = dync(*command.split(), "--help")
    assert ran.code == 0
    for line, output in examples(ran.out):
        program, *arguments = shlex.split(line)
        assert program == "dynconstraints"
        assert not command or arguments[0] == command
        result = dync(*arguments)
        assert result.code == (1 if command == "minimize" else 0)
        assert not output or [one.strip() for one in result.out.splitlines()] == output


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_fits_80_columns(dync, monkeypatch, command):
    """No line is wider, and no word is cut."""
    monkeypatch.setenv("COLUMNS", "80")
    text = dync(*command.split(), "--help").out
    assert max(map(len, text.splitlines())) <= 80
    assert not re.search(r"\w-\n", text)


def test_every_command_is_in_the_help_with_its_first_sentence(dync):
    """And in the order in which a reader meets them."""
    text = dync("--help").out
    listed = re.findall(r"^  (\w+)  +\S", text.split("Commands:\n")[1], re.MULTILINE)
    assert listed == list(COMMANDS)
    assert "..." not in text.split("Commands:\n")[1]


def test_the_version_is_that_of_the_package(dync):
    """On one line."""
    assert re.fullmatch(r"dynconstraints, version \d+\.\d+\.\d+\n", dync("--version").out)


def test_a_misspelt_command_or_option_is_a_usage_error(dync):
    """Exit code 2."""
    assert "there is no command 'chek'; did you mean 'check'?" in dync("chek").err
    assert "No such command 'xyz'" in dync("xyz").err
    assert dync("check", "--formt", "json", "s0 > 3").code == 2
