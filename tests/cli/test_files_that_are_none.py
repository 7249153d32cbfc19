"""Named pipes, devices, sockets, directories and endless or huge files: told at once, in every command that reads."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from dynconstraints.syntax import content
from dynconstraints.syntax.content import UnfitFileError, content_of
from dynconstraints.syntax.files import parse_file

ONLY_REGULAR = "and only regular files are read\n  help: name a regular file of at most 16,777,216 bytes\n"


@pytest.fixture(params=[".dync", ".py"])
def unfit(request, tmp_path):
    """The path of what is no regular file, by its kind; each is refused without being opened."""
    paths = {kind: tmp_path / f"{kind}{request.param}" for kind in ("pipe", "socket", "device", "folder")}
    os.mkfifo(paths["pipe"])
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(os.fspath(paths["socket"]))
    paths["device"].symlink_to("/dev/zero")
    paths["folder"].mkdir()
    return paths


WORDS = {"pipe": "it is a named pipe", "socket": "it is a socket", "device": "it is a device"}
COMMANDS = {
    "lint": ["lint"],
    "check": ["check", "--from"],
    "facts": ["facts", "--from"],
    "emit": ["emit", "--to", "json", "--from"],
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("kind", WORDS)
def test_only_regular_files_are_read(dync, unfit, command, kind):
    """The message says what it is instead, by the code of files that cannot be read."""
    path = unfit[kind]
    ran = dync(*COMMANDS[command], str(path))
    said = ran.out + ran.err
    assert f"error[DC141]: the file {path} cannot be read: {WORDS[kind]}, {ONLY_REGULAR}" in said
    assert ran.code == (1 if command == "lint" else 2)


def test_a_folder_is_looked_through_by_lint_and_told_by_others(dync, unfit):
    """Also one whose name ends as that of a file does; what is no regular file in it is a finding."""
    assert dync("lint", str(unfit["folder"])).code == 0
    assert "is a directory, and a file is needed" in dync("check", "--from", str(unfit["folder"])).err
    ran = dync("lint", ".")
    assert ran.code == 1
    assert ran.out.count("DC141") == 3


def test_a_file_that_is_too_large_is_told(dync, monkeypatch, tmp_path):
    """One byte more than the limit is too much, the limit itself is read; of standard input as well."""
    huge = tmp_path / "huge.dync"
    with huge.open("wb") as file:
        file.truncate(2**40)
    ran = dync("lint", "huge.dync")
    assert ran.out.startswith("error[DC141]: the file huge.dync cannot be read: it is larger than 16,777,216 bytes\n")
    huge.unlink()
    monkeypatch.setattr(content, "MOST_BYTES", 8)
    Path("a.dync").write_text("a > 1000")
    assert dync("check", "a.dync").code == 0
    Path("a.dync").write_text("a > 10000")
    assert "it is larger than 8 bytes" in dync("check", "a.dync").err
    assert dync("check", "-", stdin=b"a > 1000").code == 0
    ran = dync("check", "-", stdin=b"a > 10000")
    assert ran.err == (
        "error[DC141]: standard input cannot be read: it is larger than 8 bytes\n"
        "  help: give the constraints as arguments\n"
    )
    assert ran.code == 2


@pytest.mark.parametrize("arguments", [["lint", "pipe.py"], ["check", "pipe.dync"], ["check", "-"], ["check", "a > 1"]])
def test_nothing_waits_and_nothing_fills_the_memory(tmp_path, arguments):
    """In a process of its own, with a gigabyte: an endless standard input, pipes that nobody writes to."""
    for name in ("pipe.py", "pipe.dync", "pyproject.toml"):
        os.mkfifo(tmp_path / name)
    limited = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30)); "
        f"sys.argv[1:] = {arguments!r}; from dynconstraints.cli import main; main()"
    )
    with open("/dev/zero", "rb") as endless:
        done = subprocess.run(
            [sys.executable, "-c", limited],
            cwd=tmp_path,
            stdin=endless,
            capture_output=True,
            text=True,
            timeout=30,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        )
    assert "Traceback" not in done.stderr
    if arguments == ["check", "a > 1"]:  # a pyproject.toml that is none is none
        assert done.returncode == 0
    else:
        assert "DC141" in done.stdout + done.stderr


def test_a_file_that_is_none_is_a_diagnostic_of_its_listing(unfit):
    """As a missing one is."""
    with pytest.raises(UnfitFileError):
        content_of(str(unfit["pipe"]))
    (finding,) = parse_file(unfit["pipe"]).diagnostics
    assert finding.message.endswith("cannot be read: it is a named pipe, and only regular files are read")
