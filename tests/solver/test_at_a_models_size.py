"""What sets as large as models are asked: answers in counted steps, right, and as tight as they are said to be."""

from itertools import combinations
from math import comb, prod

import pytest

from dynconstraints import ConstraintSystem, Implied, SolverLimitError
from dynconstraints.solver.algebra.factors import divisors
from dynconstraints.solver.verdicts import Sat, Unsat

PRIME = 2**61 - 1


def unet(levels: int, blocks: int) -> list[str]:
    """The sizes of a U-Net: convolutions that keep them, poolings that halve them, and the way back."""
    texts = ["1 <= b <= 64", *(f"{side} % {2**levels} == 0" for side in "hw"), "16 <= h <= 1024", "16 <= w <= 1024"]
    last, skipped, layers = {"h": "h", "w": "w"}, [], 0

    def layer(form: str) -> None:
        nonlocal layers
        layers += 1
        for side in "hw":
            texts.append(f"{side}{layers} == {form.format(last[side])}")
            last[side] = f"{side}{layers}"

    for _ in range(levels):
        for _ in range(blocks):
            layer("({} + 2 - 3)//1 + 1")
        skipped.append(dict(last))
        layer("({} - 2)//2 + 1")
    for skip in reversed(skipped):
        layer("2*{}")
        texts.extend(f"{skip[side]} == {last[side]}" for side in "hw")
        for _ in range(blocks):
            layer("({} + 2 - 3)//1 + 1")
    return [*texts, f"t == b*{last['h']}*{last['w']}"]


def swin() -> list[str]:
    """The sizes of Swin: windows and tokens of four stages."""
    texts = ["h % 224 == 0", "w % 224 == 0", "224 <= h <= 896", "224 <= w <= 896", "1 <= b <= 64"]
    texts += ["h0 == h//4", "w0 == w//4"]
    for stage in range(4):
        texts += [f"windows{stage}_{i} == b*(h{stage}//7)*(w{stage}//7)" for i in range(5)]
        texts += [f"tokens{stage}_{i} == windows{stage}_{i}*49" for i in range(5)]
        if stage < 3:
            texts += [f"{side}{stage + 1} == ({side}{stage} + {side}{stage} % 2)//2" for side in "hw"]
    return texts


LLAMA = [
    *("1 <= b <= 64", "1 <= s <= 8192", "hidden == heads*hd", "hd in {64, 128}", "heads % kv == 0", "kv >= 1"),
    *("1 <= heads <= 128", "g == heads // kv", "tp in {1, 2, 4, 8}", "kv % tp == 0", "hl == heads // tp"),
    *("kl == kv // tp", "inter % 256 == 0", "256 <= inter <= 32768", "il == inter // tp", "q == b*s*heads*hd"),
    *("k == b*s*kv*hd", "v == b*s*kv*hd", "qkv == q + k + v", "t == b*s", "past >= 0", "total == past + s"),
    *("total <= 8192", "cache == b*kv*total*hd", "blocks == (total + 15)//16", "pad == blocks*16", "pad <= 8192"),
    *("half == hd // 2", "rot == s*half", "vocab % 64 == 0", "64 <= vocab <= 200000", "logits == t*vocab"),
]


@pytest.mark.parametrize(("levels", "blocks"), [(4, 2), (6, 4), (8, 6)])
def test_a_unet_of_any_depth_is_known_through(levels: int, blocks: int) -> None:
    system = ConstraintSystem(unet(levels, blocks))
    assert isinstance(system.implies("t == b*h*w"), Implied)
    modulus = 4**levels
    assert system.congruence("t") == (modulus, 0)
    most = 1024 // 2**levels * 2**levels
    assert system.bounds("t") == (max(16, 2**levels) ** 2, 64 * most**2)
    projected = system.project(["h", "w", "t"])
    assert projected.exact
    assert len(list(projected)) <= 10
    near = system.nearest({"h": 1000, "w": 512, "b": 2})
    assert (near["h"], near["w"], near["b"]) == (round(1000 / 2**levels) * 2**levels, 512, 2)
    assert all(map(system.holds, system.sample(5)))


def test_what_a_unets_skips_say_again_is_found() -> None:
    found = ConstraintSystem(unet(4, 2)).minimize()
    skips = {f"{side}{down} == {side}{up}" for side in "hw" for down, up in ((2, 22), (5, 19), (8, 16), (11, 13))}
    assert {one.constraint.text for one in found.dropped} == skips
    for one in found.dropped[:2]:
        assert isinstance(ConstraintSystem(one.follows_from).implies(one.constraint), Implied)
        for reason in one.follows_from:
            rest = ConstraintSystem([other for other in one.follows_from if other != reason])
            assert not isinstance(rest.implies(one.constraint), Implied)


def test_swin_is_known_through() -> None:
    system = ConstraintSystem(swin())
    assert isinstance(system.implies("tokens0_4 == b*h0*w0"), Implied)
    assert isinstance(system.implies("tokens3_1 == b*h3*w3"), Implied)
    found = system.range("tokens3_2")
    assert (found.lower, found.upper, found.lower_is_tight, found.upper_is_tight) == (49, 64 * 28 * 28, True, True)
    assert system.congruence("tokens3_2") == (49, 0)


def test_llamas_sizes_are_mended_and_sampled() -> None:
    system = ConstraintSystem(LLAMA)
    given = {"b": 2, "s": 100, "heads": 30, "kv": 8, "hd": 100, "inter": 11000, "tp": 3, "past": 5, "vocab": 32001}
    near = system.nearest(given)
    assert system.holds(near)
    kept = {name for name, value in given.items() if near[name] == value}
    assert kept == {"b", "s", "kv", "past"}
    assert (near["heads"], near["hd"], near["inter"], near["vocab"]) == (32, 128, 11008, 32000)
    assert near["tp"] in (2, 4)
    assert all(map(system.holds, system.sample(5)))
    assert isinstance(system.implies("q == t*hidden"), Implied)


@pytest.mark.parametrize(
    ("texts", "kept", "expected"),
    [
        (["y == x // 2", "z == y"], "xz", ["z == x // 2"]),
        (["y == x*x", "z == y"], "xz", ["z == x*x"]),
        (["y == max(x, 0)", "z == y"], "xz", ["z == max(x, 0)"]),
        (["y == x % 8", "z == y"], "xz", ["z == x % 8"]),
        (["n == a*b", "m == 2*n"], "abm", ["m == 2*(a*b)"]),
        (["e >= a*b", "e <= c"], "abc", ["c >= a*b"]),
        (["n == x // 3", "x >= 0"], "n", ["n >= 0"]),
        (["x + y == n", "x >= 0", "y >= 0", "x % 4 == 0"], "n", ["n >= 0"]),
        (["t == h*w", "h >= 1", "w == 2*h"], "tw", ["w % 2 == 0", "w // 2 >= 1", "t == w // 2 * w"]),
        (
            ["t == b*h*w", "1 <= b <= 64", "h >= 1", "w >= 1"],
            "hwt",
            ["h >= 1", "w >= 1", "t % (h*w) == 0", "1 <= t // (h*w)", "t // (h*w) <= 64"],
        ),
        (
            ["t + 3 == b*h", "1 <= b <= 4", "h >= 1"],
            "th",
            ["h >= 1", "(t + 3) % h == 0", "1 <= (t + 3) // h", "(t + 3) // h <= 4"],
        ),
        (["t == b*c", "1 <= b <= 64"], "ct", ["t == 0 if c == 0 else t % c == 0 and 1 <= t // c and t // c <= 64"]),
    ],
)
def test_definitions_are_taken_out_exactly(texts: list[str], kept: str, expected: list[str]) -> None:
    found = ConstraintSystem(texts).project(tuple(kept))
    assert found.exact
    assert [constraint.text for constraint in found] == expected


@pytest.mark.parametrize(
    ("texts", "number"),
    [
        (["x in {0, 1, 2000000}"], 3),
        (["1 <= x <= 10**7"], 10**7),
        (["x % 16 == 0", "0 <= x <= 10**9"], 10**9 // 16 + 1),
        (["0 <= x <= y <= 4472"], comb(4474, 2)),
        (["x + y + z == 5000", "x >= 0", "y >= 0", "z >= 0"], comb(5002, 2)),
        (["y == x // 7", "0 <= x <= 10**7"], 10**7 + 1),
        (["a*b*c == 65536", "a >= 1", "b >= 1", "c >= 1"], comb(18, 2)),
        (["x == y*y", "-5 <= y <= 5"], 11),
        ([f"x in {{{', '.join(map(str, range(0, 20_000, 2)))}}}"], 10_000),
        ([f"x in {{{', '.join(['5'] * 300)}}}"], 1),
        (["0 <= x < 2**70", "x % 2 == 0", "y == 2*x"], 2**69),
        (["5*x == 3*y", "0 <= y <= 100"], 21),
        (["x // 3 == y", "y == 2 or y == 5", "x % 2 == 0"], 3),
    ],
)
def test_what_bounds_and_divisors_tell_is_not_counted_one_by_one(texts: list[str], number: int) -> None:
    assert ConstraintSystem(texts).count(limit=10**30) == number


def test_what_is_not_bounded_is_not_counted() -> None:
    for texts in (["x >= 0"], ["x % 4 == 0"], ["n == x*y", "1 <= x <= 2"], ["n == x // y", "1 <= y <= 2"]):
        with pytest.raises(SolverLimitError):
            ConstraintSystem(texts).count()


def test_a_gap_is_not_walked_through() -> None:
    assert [v["x"] for v in ConstraintSystem(["x in {0, 1, 10**12}".replace("10**12", str(10**12))]).enumerate()] == [
        0,
        1,
        10**12,
    ]


def test_sorted_names_and_fixed_sums_have_a_nearest_assignment() -> None:
    ordered = ConstraintSystem([*(f"x{i} <= x{i + 1}" for i in range(19)), "0 <= x0", "x19 <= 100"])
    near = ordered.nearest({f"x{i}": 40 - i for i in range(20)})
    assert len(set(near.values())) == 1
    assert sum(abs(value - 40 + i) for i, value in ((i, near[f"x{i}"]) for i in range(20))) == 100
    names = [f"x{i}" for i in range(10)]
    fixed = ConstraintSystem(["+".join(names) + " == 100", *(f"{name} >= 0" for name in names)])
    near = fixed.nearest({name: 3 * i for i, name in enumerate(names)})
    changed = [i for i, name in enumerate(names) if near[name] != 3 * i]
    assert sum(near.values()) == 100
    assert len(changed) == 2
    assert sum(abs(near[name] - 3 * i) for i, name in enumerate(names)) == 35
    assert changed == min(pair for pair in map(list, combinations(range(10), 2)) if 3 * sum(pair) >= 35)


def test_of_two_values_at_the_same_distance_the_lower_is_nearer_also_among_many_names() -> None:
    names = "abcdefg"
    near = ConstraintSystem(["d % 10 == 0", " + ".join(names) + " >= 0"]).nearest(dict.fromkeys(names, 5))
    assert near == {**dict.fromkeys(names, 5), "d": 0}


def test_products_of_many_names() -> None:
    factors = ConstraintSystem(["a*b*c*d*e == 2310", *(f"{name} >= 2" for name in "abcde")])
    assert isinstance(factors.implies("a + b + c + d + e == 28"), Implied)
    growing = ConstraintSystem(["n == a*b*c*d*e*f*g", *(f"{name} >= 1" for name in "abcdefg")])
    assert isinstance(growing.implies("n >= a + b + c - 2"), Implied)


def test_squares_modulo_a_large_prime_and_divisors_of_one() -> None:
    assert isinstance(ConstraintSystem(["x*x % 1031 == 14"]).check(), Unsat)
    assert isinstance(ConstraintSystem(["x*x % 1031 == 15"]).check(), Sat)
    assert isinstance(ConstraintSystem([f"{PRIME} % x == 0", "x > 1"]).implies(f"x == {PRIME}"), Implied)
    assert isinstance(ConstraintSystem([f"{PRIME} % x == 0", f"1 < x < {PRIME}"]).check(), Unsat)


def test_pigeons_need_holes() -> None:
    apart = [f"p{i} != p{j}" for i, j in combinations(range(9), 2)]
    crowded = ConstraintSystem([*(f"0 <= p{i} <= 7" for i in range(9)), *apart])
    assert isinstance(crowded.check(), Unsat)
    assert isinstance(ConstraintSystem([*(f"0 <= p{i} <= 8" for i in range(9)), *apart]).check(), Sat)


def test_cores_of_chains_and_of_clauses_among_many() -> None:
    halved = [f"x{i + 1} == x{i} // 2" for i in range(40)]
    found = ConstraintSystem([*halved, "x0 >= 2**41".replace("2**41", str(2**41)), "x40 == 0"]).check()
    assert isinstance(found, Unsat)
    assert len(found.core) == 42
    clauses = [f"x{i} == 0 or x{i} == x{i + 1} + 1" for i in range(40)]
    found = ConstraintSystem([*clauses, *(f"z{i} >= {i}" for i in range(460)), "x0 >= 50", "x40 <= 0"]).check()
    assert isinstance(found, Unsat)
    assert len(found.core) == 42


@pytest.mark.parametrize("number", [1, 2, 12, 97, 2**20, 3**20, 600_851_475_143, PRIME, 2**31 * 2**31, 10**18])
def test_divisors_are_those_that_divide(number: int) -> None:
    found = divisors(number)
    assert found is not None
    assert all(number % divisor == 0 for divisor in found)
    assert list(found) == sorted(set(found))
    assert all(-divisor in found for divisor in found)
    counts, left = [], number
    for prime in range(2, 2000):
        power = 0
        while left % prime == 0:
            left, power = left // prime, power + 1
        counts.append(power + 1)
    assert left == 1 or len(found) >= 4
    if left == 1:
        assert len(found) == 2 * prod(counts)


def test_the_divisors_of_small_numbers_are_all_of_them() -> None:
    for number in range(1, 500):
        assert divisors(number) == tuple(d for d in range(-number, number + 1) if d and number % d == 0)
    assert divisors(0) is None
