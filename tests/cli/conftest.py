"""The command line, run in this process: fast enough for hundreds of runs."""

import io
import sys
from dataclasses import dataclass

import pytest

from dynconstraints.cli import main


@dataclass(frozen=True)
class Ran:
    """How a run ended."""

    code: int
    out: str
    err: str


@pytest.fixture
def dync(monkeypatch, capsys, tmp_path):
    """A function that runs `dynconstraints` with its arguments in an empty folder, where no pyproject.toml is above."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")

    def run(*arguments, stdin=b""):
        monkeypatch.setattr(sys, "argv", ["dynconstraints", *arguments])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        return Ran(int(ended.value.code or 0), captured.out, captured.err)

    return run
