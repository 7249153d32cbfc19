"""The public names are typed for users: by mypy and by pyright, where torch is installed and where it is not.

What is asserted in the program is held by the checker itself; the lines with an error are compared with those marked.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = (Path(__file__).parent / "user_program.txt").read_text(encoding="utf-8")


def program(torch: bool) -> str:
    """The program; lines that need torch are blank where it is missing."""
    lines = PROGRAM.split("\n")
    return "\n".join("" if not torch and re.search(r"# torch\b", line) else line for line in lines)


def marked(text: str) -> list[int]:
    return [number for number, line in enumerate(text.split("\n"), start=1) if line.endswith("# error")]


def mypy(path: Path, torch: bool, cache: Path) -> list[tuple[int, str]]:
    """What mypy says of a program, strictly."""
    missing = () if torch else ("--no-site-packages",)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "mypy", "--strict", "--python-version", "3.10", "--output", "json"),
            *(
                "--config-file",
                os.devnull,
                "--follow-imports",
                "silent",
                "--cache-dir",
                str(cache),
                *missing,
                path.name,
            ),
        ],
        cwd=path.parent,
        env={**os.environ, "MYPYPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode in (0, 1), done.stderr
    found = map(json.loads, done.stdout.splitlines())
    return [(one["line"], one["message"]) for one in found if one["severity"] == "error"]


def pyright(path: Path, torch: bool, _cache: Path) -> list[tuple[int, str]]:
    """What basedpyright, which brings its own Node.js and so runs offline, says in pyright's standard mode."""
    settings = {"typeCheckingMode": "standard", "extraPaths": [str(ROOT)], "pythonVersion": "3.10"}
    (path.parent / "pyrightconfig.json").write_text(json.dumps(settings))
    python = sys.executable if torch else str(path.parent / "none")
    command = [_pyright() or "", "--outputjson", "--pythonpath", python, path.name]
    done = subprocess.run(command, cwd=path.parent, capture_output=True, text=True)
    found = json.loads(done.stdout)["generalDiagnostics"]
    return [(one["range"]["start"]["line"] + 1, one["message"]) for one in found if one["severity"] == "error"]


def _pyright() -> str | None:
    beside = Path(sys.executable).parent / "basedpyright"
    return str(beside) if beside.exists() else shutil.which("basedpyright")


@pytest.mark.types
@pytest.mark.parametrize("torch", [True, False], ids=["with torch", "without torch"])
@pytest.mark.parametrize("check", [mypy, pyright])
def test_a_users_program_is_typed(check, torch, tmp_path, request):
    """Exactly the marked lines are errors; names that there are not among them."""
    if check is pyright and _pyright() is None:
        pytest.skip("basedpyright is not installed")
    text = program(torch)
    path = tmp_path / "program.py"
    path.write_text(text, encoding="utf-8")
    found = check(path, torch, request.config.cache.mkdir(f"types_{torch}"))
    assert sorted({line for line, _ in found}) == marked(text), found


def test_the_program_marks_what_it_claims():
    """Both kinds of marks, and what is left without torch."""
    assert len(marked(program(torch=True))) > len(marked(program(torch=False))) > 10
    assert "import torch" not in program(torch=False)
