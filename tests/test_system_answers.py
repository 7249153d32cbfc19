"""ConstraintSystem: what each question is answered with."""

import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import permutations

import pytest

from dynconstraints import (
    ConstraintSystem,
    Implied,
    InconsistentConstraintsError,
    Open,
    Refuted,
    Sat,
    SolverLimitError,
    Unsat,
)

TEXTS = ["s0 % 32 == 0", "32 <= s0 <= 1024", "s1 == 2*s0"]
SIZES = ConstraintSystem(TEXTS)


def texts(constraints: object) -> list[str]:
    return [str(c) for c in constraints]


def test_check_gives_a_model_of_every_name() -> None:
    """The model holds and names all symbols."""
    answer = SIZES.check()
    assert isinstance(answer, Sat)
    assert set(answer.model) == {"s0", "s1"}
    assert SIZES.holds(answer.model)


def test_no_answer_has_a_truth_value() -> None:
    """`if system.check():` is refused."""
    for answer in (SIZES.check(), SIZES.implies("s0 > 0"), SIZES.implies("s0 < 0"), SIZES.implies("s0 > 40")):
        with pytest.raises(TypeError, match="no truth value"):
            bool(answer)


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        ("s1 % 64 == 0", Implied),
        ("s1 <= 2048", Implied),
        ("s0 % 64 == 0", Open),
        ("s1 < s0", Refuted),
        ("s0 % 32 == 1", Refuted),
        ("other == s0", Open),
        ("s0 // (s1 - 2*s0) == 1", Refuted),
        ("not (s0 // (s1 - 2*s0) == 1)", Refuted),
    ],
)
def test_implies(query: str, kind: type) -> None:
    """Implied: defined and true everywhere; refuted: true nowhere; a query that is undefined everywhere is refuted."""
    assert isinstance(SIZES.implies(query), kind)


def test_open_has_witnesses_that_hold() -> None:
    """Both satisfy the set, the first alone the query."""
    answer = SIZES.implies("s0 % 64 == 0")
    assert isinstance(answer, Open)
    assert SIZES.holds(answer.holds_at)
    assert answer.holds_at["s0"] % 64 == 0
    assert SIZES.holds(answer.fails_at)
    assert answer.fails_at["s0"] % 64 != 0


def test_everything_follows_from_a_contradiction() -> None:
    """The set that nothing satisfies implies any query."""
    assert isinstance(ConstraintSystem(["a < b", "b < a"]).implies("a == 77"), Implied)


@pytest.mark.parametrize(
    "given",
    [
        ["a*a == 15"],
        ["a < b", "b < a"],
        ["a % 4 == 1", "a % 2 == 0"],
        ["2*a == 2*b + 1"],
        ["a*b == 7", "a > 1", "b > 1"],
        ["is_power_of_two(a)", "a % 3 == 0"],
        ["gcd(a, b) == 6", "a % 4 == 1"],
        ["x + y > 5", "a*a == 15"],
        ["a >= 1", "b < 0", "b > 0"],
        ["6 >= 11"],
        ["p > 0.5", "p < 0.25"],
        ["p*p < 0.0"],
    ],
)
@pytest.mark.parametrize("query", ["1 == 2", "1 == 1", "a == 1", "a != a", "other == 0", "a % 2 == 1", "false"])
def test_nothing_is_refuted_by_a_contradiction(given: list[str], query: str) -> None:
    """Where nothing satisfies the set, each way to the answer leads to Implied, and `check` tells the contradiction."""
    assert isinstance(ConstraintSystem(given).implies(query), Implied)
    assert isinstance(ConstraintSystem(given).check(), Unsat)


def test_core_is_minimal_and_in_the_users_order() -> None:
    """The core leaves out what is not needed."""
    system = ConstraintSystem(["a >= 0", "b == a + 1", "a % 2 == 0", "c < 9", "b % 2 == 0"])
    answer = system.check()
    assert isinstance(answer, Unsat)
    assert texts(answer.core) == ["b == a + 1", "a % 2 == 0", "b % 2 == 0"]


def test_several_cores_on_request() -> None:
    """Each conflict of a set with several of them."""
    system = ConstraintSystem(["a == 1", "a == 2", "a == 3"])
    assert sorted(map(texts, system.cores())) == [["a == 1", "a == 2"], ["a == 1", "a == 3"], ["a == 2", "a == 3"]]


@pytest.mark.parametrize(
    ("given", "expression", "expected"),
    [
        (["s0 % 4 == 0", "0 <= s0 <= 31"], "s0", (0, 28)),
        (TEXTS, "s1 + 3", (67, 2051)),
        (["a >= 1"], "a", (1, None)),
        (["a >= 1"], "-2*a", (None, -2)),
        (["a % 64 == 61", "100 <= a <= 300"], "a", (125, 253)),
        (["a*b == 64", "a >= 1", "b >= 1"], "a", (1, 64)),
        (["a in {3, 9, 27}"], "a % 8", (1, 3)),
        (["2**53 < a < 2**53 + 2"], "a", (2**53 + 1, 2**53 + 1)),
        (["a == 2**64 + 1", "b == a*a"], "b", ((2**64 + 1) ** 2, (2**64 + 1) ** 2)),
    ],
)
def test_bounds_are_tight(given: list[str], expression: str, expected: tuple[int | None, int | None]) -> None:
    """The least and the greatest value, exact beyond 2**53 and 2**63 too."""
    system = ConstraintSystem(given)
    assert system.bounds(expression) == expected
    found = system.range(expression)
    assert found.lower_is_tight
    assert found.upper_is_tight


@pytest.mark.parametrize(
    ("given", "expression", "expected"),
    [
        (TEXTS, "s1 + 3", (64, 3)),
        (["a % 4 == 0", "a % 6 == 0"], "a", (12, 0)),
        (["a % 3 == 2", "a % 5 == 3"], "a", (15, 8)),
        (["a == 5"], "2*a", (0, 10)),
        ([], "a", (1, 0)),
        (["a in {189, 253}"], "a", (64, 61)),
        (["a % 2 == 1"], "a*a", (8, 1)),
        (["0 <= a <= 5"], "a // (a - a)", (0, 0)),
    ],
)
def test_congruences_are_the_largest(given: list[str], expression: str, expected: tuple[int, int]) -> None:
    """The largest modulus."""
    assert ConstraintSystem(given).congruence(expression) == expected


def test_facts_of_each_name() -> None:
    """Ranges, congruences, values and equations."""
    facts = ConstraintSystem([*TEXTS, "s2 == 7"]).facts()
    assert (facts.ranges["s1"].lower, facts.ranges["s1"].upper) == (64, 2048)
    assert facts.congruences["s0"].modulus == 32
    assert facts.fixed == {"s2": 7}


def test_violations_speak_of_the_names_that_have_values() -> None:
    """A constraint with an unbound name is not violated."""
    (violation,) = SIZES.violations({"s0": 65})
    assert violation.constraint.text == "s0 % 32 == 0"
    assert violation.values == {"s0": 65}
    assert violation.nearest == {"s0": 64, "s1": 128}


def test_violations_of_a_contradiction_have_no_nearest_assignment() -> None:
    """There is none."""
    (violation,) = ConstraintSystem(["a > 3", "a < 2"]).violations({"a": 5})
    assert (violation.constraint.text, violation.nearest) == ("a < 2", None)


def test_a_constraint_is_shown_as_its_text() -> None:
    """In a core at the prompt the texts are what is read; formulas and places are attributes."""
    core = ConstraintSystem(["a > 3", "b > 0", "a < 2"]).check()
    assert repr(core) == "Unsat(core=(Constraint('a > 3'), Constraint('a < 2')))"
    assert SIZES.unbound({"s0"}) == ("s1",)


@pytest.mark.parametrize(
    ("given", "values", "expected"),
    [
        (TEXTS, {"s0": 65}, {"s0": 64, "s1": 128}),
        (TEXTS, {"s0": 64, "s1": 130}, {"s0": 64, "s1": 128}),
        (["s0 % 32 == 0"], {"s0": 80}, {"s0": 64}),
        (["s0 % 32 == 0"], {"s0": 81}, {"s0": 96}),
        (["a + b == 10", "c == 1"], {"a": 3, "b": 3, "c": 1}, {"a": 7, "b": 3, "c": 1}),
        (["a % 4 == 0", "b % 4 == 0"], {"a": 3, "b": 9}, {"a": 4, "b": 8}),
    ],
)
def test_nearest_changes_the_fewest_values_the_least(
    given: list[str], values: dict[str, int], expected: dict[str, int]
) -> None:
    """Few changed names first, then the distance, then the lower of two."""
    assert ConstraintSystem(given).nearest(values) == expected


def test_nearest_of_a_contradiction_is_an_error() -> None:
    """There is no nearest legal value where there is none."""
    with pytest.raises(InconsistentConstraintsError, match="no values satisfy these 2 constraints"):
        ConstraintSystem(["a > 3", "a < 2"]).nearest({"a": 1})


def test_samples_reach_ends_and_alternatives() -> None:
    """Both ends of the range and each alternative of a disjunction are among a few samples."""
    found = ConstraintSystem(["1 <= a <= 1000", "a == 1 or a % 8 == 0 or a == 999"]).sample(8, seed=3)
    assert {1, 999, 1000} <= {model["a"] for model in found}
    assert len({model["a"] for model in found}) == 8


def test_samples_of_a_small_set_are_all_of_it() -> None:
    """Fewer where there are no more."""
    found = ConstraintSystem(["a in {1, 5, 7}"]).sample(10)
    assert sorted(model["a"] for model in found) == [1, 5, 7]


def test_enumeration_is_in_order_and_counted() -> None:
    """Lexicographic in the order of the names."""
    system = ConstraintSystem(["1 <= a <= 2", "b == 10*a + c", "0 <= c <= 1"])
    assert [tuple(m[n] for n in ("a", "b", "c")) for m in system.enumerate()] == [
        (1, 10, 0),
        (1, 11, 1),
        (2, 20, 0),
        (2, 21, 1),
    ]
    assert system.count() == 4
    assert ConstraintSystem([f"0 <= x{i} < 10" for i in range(6)]).count() == 10**6


def test_counting_beyond_the_limit_is_an_error() -> None:
    """More than the limit, or infinitely many."""
    with pytest.raises(SolverLimitError):
        ConstraintSystem(["0 <= a < 1000"]).count(limit=999)
    with pytest.raises(SolverLimitError, match="no greatest value"):
        ConstraintSystem(["0 <= a"]).count()


def test_minimize_says_what_each_dropped_constraint_followed_from() -> None:
    """What is kept means the same."""
    smaller = ConstraintSystem(["s0 % 16 == 0", "s0 % 32 == 0", "s1 == 2*s0", "s1 % 64 == 0", "0 == 0*s0"]).minimize()
    assert texts(smaller) == ["s0 % 32 == 0", "s1 == 2*s0"]
    assert [(d.constraint.text, texts(d.follows_from)) for d in smaller.dropped] == [
        ("s0 % 16 == 0", ["s0 % 32 == 0"]),
        ("s1 % 64 == 0", ["s0 % 32 == 0", "s1 == 2*s0"]),
        ("0 == 0*s0", []),
    ]


@pytest.mark.parametrize(
    ("given", "names", "expected", "exact"),
    [
        (["s1 == 2*s0", "1 <= s0 <= 8"], ["s1"], ["s1 % 2 == 0", "s1 >= 2", "s1 <= 16"], True),
        (["a < b", "b < c"], ["a", "c"], ["c - 2 >= a"], True),
        (["a == b*c", "1 <= b <= 3", "1 <= c <= 3"], ["a"], ["a in {1, 2, 3, 4, 6, 9}"], True),
        (["a == 3*b", "c == 2*b"], ["a", "c"], ["3*c == 2*a"], True),
        (["1 <= a <= 3", "0 <= b <= 2", "a*b % 5 != 3"], ["a"], ["1 <= a and a <= 3"], True),
        (["1 <= a <= 4", "b*b == a", "a*b >= 1"], ["a"], ["a in {1, 4}"], True),
        (["-1 <= b <= 1", "a == b*b"], ["a"], ["a in {0, 1}"], True),
    ],
)
def test_projection(given: list[str], names: list[str], expected: list[str], exact: bool) -> None:
    """What is said about the names alone."""
    projected = ConstraintSystem(given).project(names)
    assert texts(projected) == expected
    assert projected.exact is exact


def test_the_error_of_a_violation_shows_the_values_and_the_nearest() -> None:
    """The full text."""
    error = ConstraintSystem(["s0 % 32 == 0", "s0 >= 1"]).violation({"s0": 65})
    assert str(error) == (
        "error[DC301]: constraint violated: s0 % 32 == 0\n"
        "    s0 % 32 == 0\n"
        "    ^^^^^^^^^^^^    s0 = 65, and 65 % 32 = 1\n"
        "  help: the nearest values that satisfy every constraint on s0 are 64 and 96"
    )
    assert error.values == {"s0": 65}


def test_other_languages() -> None:
    """SMT-LIB, z3 and the compiled function say the same."""
    assert "(assert (= s1 (* 2 s0)))" in SIZES.to_smtlib()
    assert SIZES.to_smtlib().endswith("(check-sat)\n")
    assert "s1 == 2*s0" in str(SIZES.to_z3())
    compiled = SIZES.compile()
    assert compiled({"s0": 64, "s1": 128}) is True
    assert compiled({"s0": 64, "s1": 64}) is False


def test_systems_are_values() -> None:
    """Equal sets are equal, hash equal, and survive pickling."""
    other = ConstraintSystem(reversed([*TEXTS, TEXTS[0]]))
    assert other == SIZES
    assert hash(other) == hash(SIZES)
    assert pickle.loads(pickle.dumps(SIZES)) == SIZES
    assert SIZES & ConstraintSystem("s0 > 64") == SIZES.extend("s0 > 64")


def test_the_order_of_the_constraints_changes_no_answer() -> None:
    """Models, witnesses, bounds and samples are the same for each order."""
    answers = {
        repr(
            (
                system.check(),
                system.implies("s0 % 64 == 0"),
                system.range("s0*s1"),
                system.nearest({"s0": 65, "s1": 7}),
                sorted(map(str, system.sample(5, seed=2))),
            )
        )
        for order in permutations(TEXTS)
        for system in [ConstraintSystem(order)]
    }
    assert len(answers) == 1


def test_the_order_changes_neither_which_conflict_is_reported_nor_witnesses_over_several_parts() -> None:
    """Two independent conflicts, and an open query beside an independent part."""
    conflicts = ["a < b", "b < a", "c < d", "d < c"]
    cores = {frozenset(texts(ConstraintSystem(order).check().core)) for order in permutations(conflicts)}
    assert len(cores) == 1
    parts = ["a < b", "c % 8 == 4", "d == 2*c"]
    witnesses = {repr(ConstraintSystem(order).implies("a > 0")) for order in permutations(parts)}
    assert len(witnesses) == 1


def test_another_process_and_hash_seed_change_no_answer() -> None:
    """A subprocess with another hash seed gives the same witnesses and cores."""
    script = (
        "from dynconstraints import ConstraintSystem as S;"
        f"s = S({TEXTS!r});"
        "print(s.check(), s.implies('s0 % 64 == 0'), s.sample(4, seed=1));"
        "print(S(['a < b', 'b < c', 'c < a', 'a > 0']).check())"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", script],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        )
        for seed in ("1", "2")
    ]
    assert runs[0].stdout == runs[1].stdout != ""


def test_threads_share_a_system() -> None:
    """Many threads ask one system; all get the right answers."""
    system = ConstraintSystem(["b > 0", "c > 0", "a % (b*c) == 0", "n % 16 == 0"])
    queries = ["(a // b) % c == 0", "n*a % 16 == 0", "a*n >= 0", "not (n % 8 == 0)", "a % c == 0"] * 4
    with ThreadPoolExecutor(8) as pool:
        kinds = [type(answer) for answer in pool.map(system.implies, queries)]
    assert kinds == [Implied, Implied, Open, Refuted, Implied] * 4


def test_importing_loads_no_solver() -> None:
    """Neither torch nor sympy nor z3 is loaded by the import, nor by making a system; the check itself can fail."""
    script = (
        "import sys, dynconstraints; dynconstraints.ConstraintSystem(['a > 1']);"
        "print([m for m in ('torch', 'sympy', 'z3') if m in sys.modules])"
    )
    env = {"PYTHONPATH": ":".join(sys.path)}
    done = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
    loaded = subprocess.run(
        [sys.executable, "-c", "import z3;" + script], env=env, capture_output=True, text=True, check=True
    )
    assert loaded.stdout == "['z3']\n"
