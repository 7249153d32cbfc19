"""Small systems that nobody has seen, and every kind of question about them, against trying all values.

`benchmarks/small_systems.py` makes them and judges the answers, by an evaluator that shares no code with the package.
"""

from random import Random

import pytest
from benchmarks.small_systems import QUESTIONS, Small, ask, asked_system
from hypothesis import settings

from dynconstraints import ConstraintSystem

SEEDS = range(20)
EACH = settings().max_examples
"""Questions of a seed: 2,000 in all, 200,000 of the nightly profile."""


@pytest.mark.parametrize("seed", SEEDS)
def test_no_answer_is_wrong(seed: int) -> None:
    """Zero divisors, sets and ranges with terms, conditionals, both signs, boxes of which an end may be missing."""
    asked = ask(seed, EACH)
    assert asked.wrong == []
    assert sum(asked.asked.values()) == EACH
    assert sum(asked.undecided.values()) <= EACH // 50


def of_another_set(rng: Random, texts: list[str]) -> Small:
    """A small system that something satisfies, whose questions another set answers."""
    while not (small := asked_system(rng)).points or not small.complete or set(small.used) != {"a", "b"}:
        pass
    small.system = ConstraintSystem(texts)
    return small


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.__name__)
def test_a_wrong_answer_is_seen(question) -> None:
    """Of a set whose answers are about another set, every kind of question is found to be answered wrong."""
    rng, wrong = Random(7), 0
    for _ in range(12):
        small = of_another_set(rng, ["a == 40", "a + b == 77", "b >= 0"])
        wrong += bool(list(question(small, rng)))
    assert wrong >= 3
