"""Every block of the README runs, and prints what the README says."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from dynconstraints import ConstraintError

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)


@pytest.mark.inductor
def test_the_python_blocks_run_and_print_what_follows_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """In order, in one namespace; a text block after one is its output or its error."""
    namespace: dict[str, object] = {}
    torch.manual_seed(0)
    for (kind, code), (next_kind, text) in zip(BLOCKS, [*BLOCKS[1:], ("", "")], strict=True):
        if kind != "python":
            continue
        lines = "\n" * 13 + code  # the block is line 14 of the README's train.py
        printed = io.StringIO()
        try:
            with contextlib.redirect_stdout(printed):
                exec(compile(lines, "train.py", "exec"), namespace)
        except ConstraintError as error:
            printed.write(f"{error}\n")
        if next_kind == "text":
            assert printed.getvalue() == text


def test_the_shell_lines_of_the_command_line_run(tmp_path: Path) -> None:
    """As written, in a folder with a source to lint; each finds nothing amiss."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "train.py").write_text('n = DynamicInt(64, name="n", constraints=["n % 32 == 0"])\n')
    commands = [line for kind, code in BLOCKS if kind == "sh" for line in code.splitlines()]
    ours = [line for line in commands if line.startswith("dynconstraints ")]
    assert len(ours) == 2
    for line in ours:
        done = subprocess.run([sys.executable, "-m", *shlex.split(line)], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


def test_ci_runs_the_readmes_test_command() -> None:
    """One command, in both places."""
    commands = [line for kind, code in BLOCKS if kind == "sh" for line in code.splitlines()]
    test = next(line for line in commands if line.endswith("pytest -n 2"))
    assert test in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
