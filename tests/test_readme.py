"""Every block of the README runs, and prints what the README says."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
import torch

from dynconstraints import ConstraintError
from dynconstraints.pytorch.install.observe import observe

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)


@pytest.mark.inductor
def test_the_python_blocks_run_and_print_what_follows_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In order, as one file train.py; a text block after one is its output or its error, milliseconds aside.

    What is declared in the second is one graph for all of its sizes, and one of explain's own.
    """
    codes = [code for kind, code in BLOCKS if kind == "python"]
    outputs = [text for (kind, _), (after, text) in pairwise([*BLOCKS, ("", "")]) if kind == "python"
               for text in [text if after == "text" else None]]  # fmt: skip
    (tmp_path / "train.py").write_text("".join(codes), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    namespace: dict[str, object] = {}
    compiled = []
    for index, (code, output) in enumerate(zip(codes, outputs, strict=True)):
        lines = "\n" * "".join(codes[:index]).count("\n") + code
        printed = io.StringIO()
        with observe() as frames:
            try:
                with contextlib.redirect_stdout(printed):
                    exec(compile(lines, "train.py", "exec"), namespace)
            except ConstraintError as error:
                printed.write(f"{error}\n")
        compiled.append(len(frames))
        if output is not None:
            assert _without_times(printed.getvalue()) == _without_times(output)
    assert compiled[1] == 2


def _without_times(text: str) -> str:
    return re.sub(r"\d+\.\d ms", "… ms", text)


def test_the_shell_lines_of_the_command_line_run(tmp_path: Path) -> None:
    """As written, in a folder with a source to lint; each finds nothing amiss."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "train.py").write_text('n = DynamicInt(64, name="n", constraints=["n % 32 == 0"])\n')
    commands = [line for kind, code in BLOCKS if kind == "sh" for line in code.splitlines()]
    ours = [line for line in commands if line.startswith("dynconstraints ")]
    assert len(ours) == 4
    (tmp_path / "sizes.dync").write_text("1 <= b <= 8\nh % 32 == 0\n32 <= h <= 1024\nw == h\n")
    for line in ours:
        done = subprocess.run([sys.executable, "-m", *shlex.split(line)], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


def test_ci_runs_the_readmes_test_command() -> None:
    """One command, in both places."""
    commands = [line for kind, code in BLOCKS if kind == "sh" for line in code.splitlines()]
    test = next(line for line in commands if line.endswith("pytest -n 2"))
    assert test in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
