"""The command line answers within its budgets, in processor time, each run alternated with what it is compared to."""

import os
import sys

import pytest

BUDGET = 1.5
ROUNDS = 5
MOST_ROUNDS = 40


def seconds(arguments, folder):
    """The processor time of a process, its start and end included."""
    pid = os.fork()
    if not pid:
        os.chdir(folder)
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        os.execv(sys.executable, [sys.executable, *arguments])
    _, status, usage = os.wait4(pid, 0)
    assert os.waitstatus_to_exitcode(status) in (0, 1)
    return usage.ru_utime + usage.ru_stime


@pytest.fixture(autouse=True)
def installed(monkeypatch, pytestconfig, tmp_path_factory):
    """As where the package is installed: it is found from any folder, and its modules are compiled once."""
    monkeypatch.setenv("PYTHONPATH", str(pytestconfig.rootpath))
    monkeypatch.setenv("PYTHONPYCACHEPREFIX", str(tmp_path_factory.mktemp("compiled")))
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)


def test_check_takes_no_longer_than_half_again_the_import_of_lark_and_z3(tmp_path):
    """On two constraints; the best of alternated runs of each, more of them the busier the machine is."""
    check = ["-m", "dynconstraints", "check", "s0 % 32 == 0", "s0 <= 1024"]
    seconds(check, tmp_path)  # compiles the modules
    theirs, ours = float("inf"), float("inf")
    for done in range(MOST_ROUNDS):
        theirs = min(theirs, seconds(["-c", "import lark, z3"], tmp_path))
        ours = min(ours, seconds(check, tmp_path))
        if done >= ROUNDS and ours < BUDGET * theirs:
            return
    raise AssertionError(f"{ours:.3f} s against {theirs:.3f} s")


def test_lint_of_a_thousand_files_takes_less_than_5_seconds(tmp_path):
    """One in a hundred of which holds constraints."""
    plain = "import os\n\n\ndef f(x):\n    return [os.path.join(str(x), y) for y in range(x)]\n" * 40
    for i in range(1000):
        extra = "DynamicInt(64, name='s0', constraints=['s0 % 32 == 0', 's0 <= 1024', 's1 == 2*s0'])\n"
        (tmp_path / f"m{i}.py").write_text(plain + (extra if i % 100 == 0 else ""))
    assert seconds(["-m", "dynconstraints", "lint", "."], tmp_path) < 5
