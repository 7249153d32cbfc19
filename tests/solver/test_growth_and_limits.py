"""Large sets stay cheap, questions end at their limit, and numbers stay exact."""

import random
import time

import pytest

from dynconstraints import ConstraintSystem, Implied, Open, Refuted, Sat, Unknown, Unsat


def chain(size: int) -> list[str]:
    return [f"x{i} <= x{i + 1} - 1" for i in range(size - 1)] + ["x0 >= 0"]


def star(size: int) -> list[str]:
    return [f"x{i} == {i % 7 + 1}*h" for i in range(size)]


def sparse(size: int) -> list[str]:
    rng = random.Random(1)

    def name() -> str:
        return f"x{rng.randrange(size)}"

    return [
        rng.choice([f"{name()} <= {name()} + {rng.randrange(9)}", f"{name()} % {2 ** rng.randrange(1, 4)} == 0"])
        for _ in range(size)
    ]


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
