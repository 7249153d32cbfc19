"""Hostile texts are answered fast, in little memory, without a traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import dynconstraints

SCRIPT = Path(__file__).parent / "hostile.py"
ACCEPTED = {"zero divisor", "10,000 powers of one"}
REFUSED = {"10,000 quotients", "10,000 implications", "5,000 conditionals", "10,000 powers"}


@pytest.fixture(scope="module")
def answers() -> dict[str, tuple[float, str]]:
    root = Path(dynconstraints.__file__).parent.parent
    environment = os.environ | {"PYTHONPATH": str(root)}
    done = subprocess.run([sys.executable, SCRIPT], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    lines = (line.split("\t") for line in done.stdout.splitlines())
    return {name: (float(number), said) for name, number, said in lines}


def test_each_is_answered_within_a_second(answers):
    """Of processor time, whatever else the machine does."""
    assert len(answers) > 30
    slow = {name: seconds for name, (seconds, said) in answers.items() if said != "MB" and seconds > 1}
    assert not slow


def test_all_of_them_together_take_less_than_200_megabytes(answers):
    """At the peak."""
    megabytes, _ = answers["peak"]
    assert megabytes < 200


def test_wide_texts_are_constraints_and_deep_ones_are_errors(answers):
    """Width is no limit; depth is."""
    for name, (_, said) in answers.items():
        if name.startswith("megabyte") or name in REFUSED:
            assert said.startswith("DC1"), name
        elif "10,000 n" in name or "10,000 m" in name or name in ACCEPTED:
            assert said == "constraint", name


def test_a_set_of_a_hundred_thousand_numbers_is_a_constraint_and_one_of_a_million_is_not():
    """A set says more in a character than other texts do; there is a limit for it, too."""
    elements = dynconstraints.parse(f"x in {{{', '.join(map(str, range(100_000)))}}}").formula.collection.elements
    assert len(elements) == 100_000
    with pytest.raises(dynconstraints.ConstraintSyntaxError, match="DC126"):
        dynconstraints.parse(f"x in {{{', '.join(map(str, range(1_000_000)))}}}")
