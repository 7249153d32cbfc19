"""The full text of the main findings in the four formats, as readable case files.

A file in `cases/` holds files (`--- NAME`), then commands (`$ dynconstraints …`), each with what it writes: standard
output, then standard error, then the exit code. `UPDATE_CASES=1 pytest tests/cli/test_cli_cases.py` writes them anew;
look at the difference before keeping it.
"""

import os
import re
import shlex
from pathlib import Path

import pytest

CASES = sorted((Path(__file__).parent / "cases").glob("*.txt"))
FORMATS = ("text", "json", "github", "sarif")


def parts_of(text):
    """The files as (name, content), and the commands as (line, output)."""
    head, *runs = re.split(r"^\$ ", text, flags=re.MULTILINE)
    _, *files = re.split(r"^--- (.+)\n", head, flags=re.MULTILINE)
    return list(zip(files[::2], files[1::2], strict=True)), [tuple(run.split("\n", 1)) for run in runs]


def shown(ran):
    """What a run wrote, and its exit code. The version of the package is left out."""
    out = re.sub(r'"semanticVersion": "[^"]+"', '"semanticVersion": "…"', ran.out)
    return f"{out}{ran.err}[exit {ran.code}]\n"


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_a_case_writes_its_text(dync, tmp_path, case):
    """In each of the formats."""
    text = case.read_text()
    files, runs = parts_of(text)
    for name, content in files:
        (tmp_path / name).write_text(content.removesuffix("\n"))
    written = [(line, shown(dync(*shlex.split(line)[1:]))) for line, _ in runs]
    if os.environ.get("UPDATE_CASES"):
        head = text.split("$ ")[0] if text.startswith("---") else ""
        case.write_text(head + "\n".join(f"$ {line}\n{output}" for line, output in written))
    assert written == [(line, output.rstrip("\n") + "\n") for line, output in parts_of(case.read_text())[1]]


def test_every_case_has_the_four_formats():
    """Of the same command."""
    assert len(CASES) >= 8
    for case in CASES:
        _, runs = parts_of(case.read_text())
        commands = [re.sub(r" --format \w+$", "", line) for line, _ in runs]
        forms = [line.rpartition("--format ")[2] for line, _ in runs]
        assert forms == list(FORMATS) * (len(runs) // 4)
        assert [commands[i] for i in range(0, len(commands), 4)] == list(dict.fromkeys(commands))
