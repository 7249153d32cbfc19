"""Large sets stay cheap, questions end at their limit, and numbers stay exact."""

import time

import pytest
from benchmarks.growing import chain, sparse, star

from dynconstraints import ConstraintSystem, Implied, Open, Refuted, Sat, Unknown, Unsat


@pytest.mark.parametrize("make", [chain, star, sparse])
def test_a_thousand_constraints_take_seconds(make: object) -> None:
    """Satisfiable, and so found, far within ten seconds on a busy machine."""
    system = ConstraintSystem(make(1000))
    started = time.perf_counter()
    assert isinstance(system.check(), Sat)
    assert isinstance(system.implies("x500 + 1 >= x499"), Implied if make is chain else Open)
    assert time.perf_counter() - started < 10


def test_a_limit_gives_unknown_with_its_name() -> None:
    """A question that z3 cannot decide within its limit is not guessed."""
    hard = ConstraintSystem(["x > 2", "y > 2", "z > 2", "x**5 + y**5 == z**5"])
    answer = hard.check(limit=1000)
    assert isinstance(answer, Unknown)
    assert "1000" in answer.reason


@pytest.mark.parametrize(
    ("given", "query", "kind"),
    [
        (["a == 2**63", "b == a + 1"], "b > 9223372036854775807", Implied),
        (["a == 2**53 + 1"], "a == 2**53", Refuted),
        (["a >= 2**80", "b >= 2**80"], "a*b >= 2**160", Implied),
        (["a % 2**70 == 5"], "a % 2**65 == 5", Implied),
        (["a > 2**64"], "a % 3 == 0", Open),
        (["a >= 2**80", "b == a + 19"], "b // 4**80 >= 1", Open),
        (["2**70 <= a <= 2**71"], "a // 2**69 >= 2", Implied),
    ],
)
def test_large_numbers_stay_exact(given: list[str], query: str, kind: type) -> None:
    """Beyond 2**53 and 2**63."""
    assert isinstance(ConstraintSystem(given).implies(query), kind)


def test_a_contradiction_among_a_thousand_is_found() -> None:
    """The core is the three that matter."""
    texts = [*sparse(300), "p < q", "q < r", "r < p"]
    answer = ConstraintSystem(texts).check()
    assert isinstance(answer, Unsat)
    assert [c.text for c in answer.core] == ["p < q", "q < r", "r < p"]


@pytest.mark.parametrize(
    ("given", "query", "kind"),
    [
        (["n >= 1", "0 <= h <= c", "c < n"], "c*(c + 1) // 4 >= c", Open),
        (["0 <= c <= d", "d < e"], "d*(d - 1) // 2 >= 0", Implied),
        (["a >= b**9", "b >= c**9", "c >= a**9", "a >= 2"], "a > 5", Implied),
    ],
)
def test_bounds_that_square_each_other_do_not_run_away(given: list[str], query: str, kind: type) -> None:
    """Each round would double the length of the ends; twenty of them would take minutes."""
    started = time.process_time()
    assert isinstance(ConstraintSystem(given).implies(query), kind)
    assert time.process_time() - started < 3
