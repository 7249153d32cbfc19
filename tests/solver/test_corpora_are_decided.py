"""Both corpora of facts: every verdict right, every range and congruence tight or, where only that is asked, sound."""

import json

import pytest
from benchmarks import score

from dynconstraints import ConstraintSystem, Implied


@pytest.mark.parametrize(
    "name", ["facts.jsonl", "hard.jsonl", "mixtures.jsonl", "divisors_and_sizes.jsonl", "sizes_in_use.jsonl"]
)
def test_every_line_is_answered_right(name: str) -> None:
    """No line is wrong, loose or unknown."""
    outcomes = [score.answer(line) for line in score.lines(score.CORPUS / name)]
    assert len(outcomes) > 200
    missed = [(o.grade, json.dumps(o.line), str(o.answer)) for o in outcomes if o.grade != "right"]
    assert not missed


def test_the_score_sees_a_wrong_verdict() -> None:
    """The grading can fail: an open question that is said to be proved counts as wrong."""
    line = {"given": ["a >= 1"], "query": "a >= 2", "expect": "proved"}
    assert score.answer(line).grade == "WRONG"


def test_a_constraint_without_names_that_never_holds_makes_the_set_empty() -> None:
    """Nothing satisfies the set, so everything is implied; no witness breaks a constraint that has no name."""
    for texts in (["a > 0", "6 >= 11"], ["a > 0", "b > a", "is_power_of_two(3)"], ["6 >= 11"]):
        assert isinstance(ConstraintSystem(texts).implies("a > 3"), Implied)
