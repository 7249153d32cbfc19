"""Questions made from those of the corpora by mutation: none is answered wrong. `mutated.py` asks thousands."""

from random import Random

import pytest
from benchmarks.mutated import CORPUS, Assignments, judge, verdict_grade
from benchmarks.mutations import corpus, mutated

from dynconstraints import Implied, Refuted

SEED, NUMBER = 2026, 40


@pytest.mark.parametrize("name", ["facts.jsonl", "hard.jsonl", "mixtures.jsonl", "sizes_in_use.jsonl"])
def test_no_answer_to_a_new_question_is_wrong(name: str) -> None:
    """Held against all assignments of a box, samples, and z3."""
    rng, lines = Random(SEED), corpus(CORPUS / name)
    asked = [mutated(lines, rng.randrange(len(lines)), rng) for _ in range(NUMBER)]
    judged = [judge(line, rng) for line in asked if "=>" not in str(line)]
    assert len(judged) > NUMBER // 2
    assert [(one.grade, one.line, str(one.answer)) for one in judged if one.grade in ("WRONG", "unknown")] == []


def test_a_wrong_answer_is_seen() -> None:
    """The judge can say no: a line whose answer is bent is WRONG."""
    known = Assignments(["a >= 1", "a <= 5"], "a >= 1", Random(0))
    assert verdict_grade(Refuted(), ["a >= 1", "a <= 5"], "a >= 1", known) == "WRONG"
    assert verdict_grade(Implied(), ["a >= 1", "a <= 5"], "a >= 1", known) == "right"
    assert verdict_grade(Implied(), ["a >= 1", "a <= 5"], "a >= 2", known) == "WRONG"
