"""What only a process of its own shows: imports, pipes, terminals, completion."""

import os
import pty
import re
import subprocess
import sys
from itertools import pairwise

import pytest

HEAVY = ("torch", "sympy", "z3")


def run(*arguments, **options):
    """The command line in a process of its own."""
    command = [sys.executable, "-m", "dynconstraints", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, **options)


def loaded(code):
    """Which of the heavy modules a program loads; the program may end in SystemExit."""
    program = f"import sys\ntry:\n    {code}\nexcept SystemExit: pass\nprint(*[m for m in {HEAVY} if m in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    return ran.stdout.splitlines()[-1].split()


def main_with(*arguments):
    return f"sys.argv = {['dynconstraints', *arguments]!r}; import dynconstraints.cli; dynconstraints.cli.main()"


@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        ("--version",),
        ("check", "--help"),
        ("lint", "--help"),
        ("check", "s0 = 3"),
        ("check", "s0 = 3", "--format", "sarif"),
        ("implies", "s0", "s0 > 3"),
        ("rule", "DC102"),
        ("lint", "--syntax-only", "dynconstraints"),
        ("check", "s0 % 32 == 0", "s0 <= 1024"),
        ("check", "s0 % 32 == 0", "32 <= s0 <= 1024", "s1 == 2*s0"),
        ("implies", "s0 % 16 == 0", "s0 % 32 == 0"),
    ],
)
def test_help_syntax_errors_and_simple_questions_load_neither_torch_nor_sympy_nor_z3(arguments):
    """`import torch` takes seconds, the other two a good part of one."""
    assert loaded(main_with(*arguments)) == []


def test_that_test_can_fail():
    """A run that needs the solver is seen to load it, and a module imported by hand is seen."""
    assert "z3" in loaded(main_with("emit", "--to", "smtlib", "s0 > 3"))
    assert loaded("import sympy") == ["sympy"]


def test_the_module_runs_as_a_program():
    """`python -m dynconstraints`, with the exit code of the answer."""
    assert run("check", "s0 > 3").returncode == 0
    assert run("check", "s0 > 3", "s0 < 3").returncode == 1
    assert run("check", "s0 = 3").returncode == 2
    assert run("chek").returncode == 2


@pytest.mark.parametrize("form", ["text", "json", "github", "sarif"])
def test_a_closed_pipe_is_no_error(form, tmp_path):
    """As with `| head -0`: no traceback, nothing on standard error, the exit code of the answer."""
    (tmp_path / "many.dync").write_text("s0 = 3\n" * 2000)
    reading, writing = os.pipe()
    os.close(reading)
    ran = subprocess.run(
        [sys.executable, "-m", "dynconstraints", "lint", str(tmp_path / "many.dync"), "--format", form],
        stdout=writing,
        stderr=subprocess.PIPE,
        timeout=60,
        check=False,
    )
    os.close(writing)
    assert (ran.returncode, ran.stderr) == (1, b"")


def test_a_closed_pipe_is_no_error_for_help():
    """Written by click itself, which then exits with 1."""
    reading, writing = os.pipe()
    os.close(reading)
    ran = subprocess.run(
        [sys.executable, "-m", "dynconstraints", "--help"],
        stdout=writing,
        stderr=subprocess.PIPE,
        timeout=60,
        check=False,
    )
    os.close(writing)
    assert (ran.returncode, ran.stderr) == (1, b"")


def test_a_full_disk_is_told():
    """Exit code 2, one line."""
    with open("/dev/full", "w") as full:
        ran = subprocess.run(
            [sys.executable, "-m", "dynconstraints", "check", "s0 > 3"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert ran.returncode == 2
    assert "the output cannot be written: No space left on device" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_closed_standard_streams_are_no_traceback():
    """As a daemon may have them."""
    command = f"{sys.executable} -m dynconstraints check - <&- >&-"
    ran = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 2
    assert "Traceback" not in ran.stderr


def test_an_argument_that_is_not_utf8_comes_through_the_system():
    """The bytes of a real command line."""
    command = [os.fsencode(sys.executable), b"-m", b"dynconstraints", b"check", b"s0 > \xff"]
    ran = subprocess.run(command, capture_output=True, timeout=60, check=False)
    assert ran.returncode == 2
    assert rb"argument 1 is not UTF-8: 's0 > \udcff'" in ran.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_are_offered(shell):
    """click's own, for the program's name."""
    environment = {**os.environ, "_DYNCONSTRAINTS_COMPLETE": f"{shell}_source"}
    ran = run(env=environment)
    assert ran.returncode == 0
    assert "_DYNCONSTRAINTS_COMPLETE" in ran.stdout


def test_completion_knows_commands_options_and_codes():
    """As a shell asks for it."""

    def completed(words):
        environment = {
            **os.environ,
            "_DYNCONSTRAINTS_COMPLETE": "bash_complete",
            "COMP_WORDS": words,
            "COMP_CWORD": str(len(words.split()) - 1),
        }
        return {line.split(",", 1)[1] for line in run(env=environment).stdout.splitlines()}

    def left_to_the_shell(words):
        environment = {
            **os.environ,
            "_DYNCONSTRAINTS_COMPLETE": "bash_complete",
            "COMP_WORDS": words,
            "COMP_CWORD": str(len(words.split()) - 1),
        }
        return run(env=environment).stdout.startswith("file,")

    assert left_to_the_shell("dynconstraints lint ot")
    assert left_to_the_shell("dynconstraints check my")
    assert left_to_the_shell("dynconstraints check --from my")
    assert completed("dynconstraints mi") == {"minimize"}
    assert "--format" in completed("dynconstraints check --fo")
    assert completed("dynconstraints rule DC10") >= {"DC101", "DC102"}


PROGRESS = """
import sys, time
from dynconstraints.cli import progress
progress.AFTER, progress.EVERY = 0.05, 0.02
with progress.working(lambda: "checking " + "x" * 200):
    time.sleep({seconds})
print("done", file=sys.stderr)
"""


def at_a_terminal(program):
    """What a program writes to a terminal of 80 columns."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "COLUMNS": "80"}
    process = subprocess.Popen([sys.executable, "-c", program], stderr=theirs, env=environment)
    os.close(theirs)
    written = all_of(ours)
    assert process.wait(60) == 0
    return written


def all_of(terminal):
    """What is written to a terminal until its other end is closed."""
    written = b""
    while True:
        try:
            chunk = os.read(terminal, 4096)
        except OSError:
            break
        if not chunk:
            break
        written += chunk
    os.close(terminal)
    return written.decode()


def test_a_long_run_shows_what_it_does_at_a_terminal_and_cleans_up():
    """One line, no wider than the terminal, gone at the end."""
    written = at_a_terminal(PROGRESS.format(seconds=0.3))
    lines = written.split("\r\x1b[2K")
    assert any(line.startswith("checking x") for line in lines)
    assert max(map(len, lines)) < 80
    assert lines[-1].strip() == "done"


def test_a_short_run_and_one_without_a_terminal_show_nothing():
    """No flicker, and nothing in a log."""
    assert at_a_terminal(PROGRESS.format(seconds=0)).strip() == "done"
    ran = subprocess.run(
        [sys.executable, "-c", PROGRESS.format(seconds=0.3)], capture_output=True, text=True, timeout=60, check=True
    )
    assert ran.stderr == "done\n"


LONG = """\
batch_size * sequence_length <= 1048576
sequence_length % 128 == 0
number_of_heads * head_dimension == model_dimension
head_dimension in {32, 64, 128}
"""
SOURCE = """\
with dynamic_int_constraints(["batch_size * sequence_length <= 1048576", "sequence_length >= 256"]):
    with dynamic_int_constraints(["sequence_length < 200 or sequence_length == 201"]):
        n = DynamicInt(65, name="number_of_heads", constraints=["number_of_heads % 64 == 0"])
"""
AT_A_TERMINAL = [
    ["check", "long.dync"],
    ["check", "long.dync", "--assign", "sequence_length=300", "--color", "always"],
    ["implies", "batch_size * sequence_length % 4096 == 0 and model_dimension >= 4096", "long.dync"],
    ["sample", "3", "long.dync"],
    ["nearest", "long.dync", "sequence_length=300", "number_of_heads=12"],
    ["lint", "m.py", "--color", "always"],
    ["rule"],
    ["rule", "DC301"],
    ["check", "long.dync", "--assign", "sequence_lenght=3", "--limit", "many"],
]


@pytest.mark.parametrize("arguments", AT_A_TERMINAL, ids=" ".join)
def test_nothing_is_wider_than_a_terminal(tmp_path, arguments):
    """What is said is broken between words; carets and what is known at them stay where they belong."""
    (tmp_path / "long.dync").write_text(LONG)
    (tmp_path / "m.py").write_text(SOURCE)
    ours, theirs = pty.openpty()
    environment = {**os.environ, "COLUMNS": "60", "TERM": "xterm", "PYTHONPATH": os.getcwd()}
    command = [sys.executable, "-m", "dynconstraints", *arguments]
    process = subprocess.Popen(command, stdout=theirs, stderr=theirs, env=environment, cwd=tmp_path)
    os.close(theirs)
    lines = re.sub("\x1b\\[[0-9;]*m", "", all_of(ours)).splitlines()
    assert process.wait(60) in (0, 1, 2)
    assert len(lines) > 1
    assert max(map(len, lines)) <= 60
    for above, carets in pairwise(lines):
        if re.match(r"\s+\^+", carets):
            assert len(carets.partition("    ^")[0]) < len(above)
