"""Small systems at random, and every kind of question about them, held against trying all values.

    python tests/benchmarks/small_systems.py SEED NUMBER

Systems have zero divisors, sets and ranges with terms, conditionals, both signs, and boxes of which an end may be
missing. Within a box that has all ends the answer is known; elsewhere a window of values can show that one is wrong.
"""

from __future__ import annotations

import math
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice, product
from pathlib import Path
from random import Random
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[2]))
sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.small_language import (
    Node,
    chain,
    conditional,
    disjunction,
    name,
    negation,
    number,
    some_formula,
    some_term,
)
from oracle import Meaning

from dynconstraints import (
    ConstraintSystem,
    Implied,
    InconsistentConstraintsError,
    Open,
    Refuted,
    Sat,
    SolverLimitError,
    Unknown,
    Unsat,
)

LIMIT = 50_000
_POINTS = 500
_DEPTHS = (1, 1, 1, 1, 2)

Values = dict[str, int]
Wrong = Iterator[str]
"""What is wrong with an answer, in words."""


class Undecided(Exception):
    """The solver said that it does not know."""


class Small:
    """A system, its texts, and the assignments of the window that satisfy it; ``complete`` where there are no others.

    ``free`` names are in no constraint of the system: they take the values of their window in questions.
    """

    def __init__(self, rng: Random) -> None:
        self.complete = rng.random() < 0.75
        self.names = ("a", "b", "c")[: rng.choice((1, 2, 2, 2, 3) if self.complete else (1, 2, 2))]
        width = {1: 60, 2: 18, 3: 7}[len(self.names)]
        bounds, ends = [], {}
        for one in self.names:
            texts, ends[one] = _bounds(rng, one, width, self.complete)
            bounds.extend(texts)
        self.window = {n: _window(low, high, width) for n, (low, high) in ends.items()}
        depth = rng.choice(_DEPTHS) if self.complete else 1
        parts = [
            some_formula(rng, self.names, depth)
            for _ in range(rng.choice((0, 1, 1, 1, 2, 2, 3) if self.complete else (0, 1, 1, 2)))
        ]
        self.parts = [*bounds, *parts]
        rng.shuffle(self.parts)
        self.points = [p for p in self.box() if self.satisfied(p)]
        self.system = ConstraintSystem([part.text for part in self.parts])

    def box(self) -> Iterator[Values]:
        """Every assignment of the window, in lexicographic order of the names."""
        return (dict(zip(self.window, values, strict=True)) for values in product(*self.window.values()))

    def satisfied(self, values: Mapping[str, int]) -> bool:
        return all(part.of(values) is True for part in self.parts)

    @property
    def used(self) -> tuple[str, ...]:
        """The names that the system mentions."""
        return self.system.symbols


def _bounds(rng: Random, one: str, width: int, both: bool) -> tuple[list[Node], tuple[int | None, int | None]]:
    """Constraints that bound a name, from both sides, one or none, and the ends that they say."""
    low = rng.choice((-6, -4, -3, -1, 0, 0, 1, 1, 2))
    high = low + rng.randrange(1, width)
    x, lower, upper = name(one), number(low), number(high)
    match rng.randrange(3, 10) if both else rng.randrange(6):
        case 0:
            return [chain(("<=",), (lower, x))], (low, None)
        case 1:
            return [chain(("<=",), (x, upper))], (None, high)
        case 2:
            return [], (None, None)
        case 3:
            return [chain((">=",), (x, lower)), chain(("<",), (x, number(high + 1)))], (low, high)
        case _:
            return [chain(("<=", "<="), (lower, x, upper))], (low, high)


def _window(low: int | None, high: int | None, width: int) -> range:
    """The values that are tried: all, or those next to the one end, or to 0."""
    start = low if low is not None else (high if high is not None else width // 2) - width
    return range(start, (high if high is not None else start + width) + 1)


def asked_system(rng: Random) -> Small:
    """A system that something satisfies, mostly; a set that nothing does answers every question alike."""
    for _ in range(4):
        small = Small(rng)
        if small.points or rng.random() < 0.1:
            break
    return small


def check(small: Small, rng: Random) -> Wrong:
    match small.system.check(LIMIT):
        case Sat(model):
            if not small.satisfied(model):
                yield f"no model: {model}"
        case Unsat(core):
            texts = {c.text for c in core}
            kept = [part for part in small.parts if part.text in texts]
            if len(texts) != len(kept) or any(all(p.of(v) is True for p in kept) for v in small.box()):
                yield f"no core: {texts}"
        case Unknown():
            raise Undecided


def implies(small: Small, rng: Random) -> Wrong:
    names = small.names if rng.random() < 0.95 else (*small.names, "free")
    query = _query(small, names, rng)
    points = small.points if names == small.names else [{**p, "free": v} for p in small.points for v in range(-2, 3)]
    answer = small.system.implies(query.text, LIMIT)
    truths = {query.of(point) is True for point in points}
    match answer:
        case Implied():
            if False in truths:
                yield f"{query.text} is implied, though not at {next(p for p in points if query.of(p) is not True)}"
        case Refuted():
            if True in truths:
                yield f"{query.text} is refuted, though not at {next(p for p in points if query.of(p) is True)}"
            if small.complete and not truths:
                yield f"{query.text} is refuted of nothing"
        case Open(yes, no):
            if not (small.satisfied(yes) and small.satisfied(no)) or query.of(yes) is not True or query.of(no) is True:
                yield f"{query.text}: no witnesses {yes} {no}"
        case Unknown():
            raise Undecided


def _query(small: Small, names: Sequence[str], rng: Random) -> Node:
    """Any formula; one that only a part without a value keeps from being true; where a term lies among its values."""
    chosen = rng.random()
    if chosen < 0.5:
        return some_formula(rng, names, rng.choice(_DEPTHS))
    if chosen < 0.6:
        part = some_formula(rng, names, 1)
        same = rng.choice((conditional(part, number(3), number(3)), some_term(rng, names, 2)))
        return rng.choice((chain(("==",), (same, same)), disjunction((part, negation(part)))))
    term = some_term(rng, names, rng.choice(_DEPTHS))
    values = sorted({v for p in small.points if (v := term.of({"free": 0, **p})) is not None}) or [0]
    end = rng.choice((values[0], values[-1], rng.choice(values)))
    return chain((rng.choice(("<=", ">=", "<", ">", "!=", "==")),), (term, number(end)))


def ends(small: Small, rng: Random) -> Wrong:
    term = some_term(rng, small.names, rng.choice(_DEPTHS))
    yield from _ends(small, term, small.system.range(term.text, LIMIT))
    if small.system.bounds(term.text, LIMIT) != _pair(small.system.range(term.text, LIMIT)):
        yield f"bounds and range of {term.text} differ"


def _pair(found: object) -> tuple[int | None, int | None]:
    return found.lower, found.upper  # type: ignore[attr-defined]


def _ends(small: Small, term: Node, found: object) -> Wrong:
    low, high = _pair(found)
    values = {v for p in small.points if (v := term.of(p)) is not None}
    for value in values:
        if (low is not None and value < low) or (high is not None and value > high):
            yield f"{term.text} is {value}, outside {found}"
            return
    for end, is_tight, best in (
        (low, found.lower_is_tight, min(values, default=None)),  # type: ignore[attr-defined]
        (high, found.upper_is_tight, max(values, default=None)),  # type: ignore[attr-defined]
    ):
        if not is_tight or (low is not None and high is not None and low > high):
            continue
        if small.complete and end != best:
            yield f"an end of {term.text} is {best}, not {end} and tight"
        elif end is not None and end != best and not small.complete:
            equal = ConstraintSystem([*small.system, f"{term.inner} == {end}"]).check(LIMIT)
            if isinstance(equal, Unsat):
                yield f"{term.text} never is {end}, its tight end"


def congruence(small: Small, rng: Random) -> Wrong:
    term = some_term(rng, small.names, rng.choice(_DEPTHS))
    yield from _congruence(small, term, *small.system.congruence(term.text, LIMIT))


def _congruence(small: Small, term: Node, modulus: int, rest: int, is_tight: bool = False) -> Wrong:
    values = [v for p in small.points if (v := term.of(p)) is not None]
    if any((v - rest) % modulus if modulus else v != rest for v in values):
        yield f"{term.text} is not always {rest} modulo {modulus}"
    if is_tight and values and small.complete and modulus != math.gcd(*(v - values[0] for v in values)):
        yield f"{modulus} is not the largest modulus of {term.text}"


def count(small: Small, rng: Random) -> Wrong:
    if not set(small.names) <= set(small.used) or (not small.complete and rng.random() < 0.95):
        return
    try:
        found = small.system.count(5_000)
    except SolverLimitError:
        if small.complete:
            raise Undecided from None
        return
    if found != len(small.points) if small.complete else found < len(small.points):
        yield f"{found} assignments, not {len(small.points)}"


def listed(small: Small, rng: Random) -> Wrong:
    if not set(small.names) <= set(small.used) or (not small.complete and rng.random() < 0.95):
        return
    try:
        found = list(islice(small.system.enumerate(2_000), 2_000))
    except SolverLimitError:
        if small.complete and len(small.points) <= 2_000:
            raise Undecided from None
        return
    order = [[values[n] for n in small.used] for values in found]
    if order != sorted(order) or not all(map(small.satisfied, found)):
        yield "listed out of order, or what does not satisfy it"
    missed = [p for p in small.points if p not in found]
    if missed or (small.complete and len(found) != len(small.points)):
        yield f"not listed: {missed[:1]}, or listed twice"


def nearest(small: Small, rng: Random) -> Wrong:
    given = {n: rng.randrange(-9, 12) for n in small.used if rng.random() < 0.9}
    points = [{n: p[n] for n in small.used} for p in small.points]

    def cost(values: Mapping[str, int]) -> tuple[int, int]:
        return sum(values[n] != v for n, v in given.items()), sum(abs(values[n] - v) for n, v in given.items())

    try:
        found = small.system.nearest(given, LIMIT)
    except InconsistentConstraintsError:
        if points:
            yield f"nothing near {given}, though {points[0]}"
        return
    except SolverLimitError:
        raise Undecided from None
    if not small.satisfied(found):
        yield f"nearest to {given}: {found} does not satisfy it"
    elif points and cost(found) > min(map(cost, points)):
        yield f"nearest to {given}: {found}, farther than {min(points, key=cost)}"


def violations(small: Small, rng: Random) -> Wrong:
    values = {n: rng.randrange(-9, 12) for n in small.used}
    broken = {part.text for part in small.parts if part.of({"free": 0, **values}) is not True}
    if {v.constraint.text for v in small.system.violations(values)} != broken:
        yield f"{values} breaks {broken}"
    if small.system.holds(values) is bool(broken) or small.system.compile()(values) is bool(broken):
        yield f"holds or compile at {values}"


def projection(small: Small, rng: Random) -> Wrong:
    kept = [n for n in small.used if rng.random() < 0.5]
    found = small.system.project(kept, LIMIT)
    meanings = [Meaning(c.text) for c in found if "=>" not in c.text]
    reached = {tuple(p[n] for n in kept) for p in small.points}
    for values in reached:
        if not all(m(dict(zip(kept, values, strict=True))) is True for m in meanings):
            yield f"the projection on {kept} excludes {values}: {list(found)}"
            return
    if not (found.exact and small.complete) or len(meanings) < len(list(found)):
        return
    for values in product(*(range(w[0] - 2, w[-1] + 3) for n, w in small.window.items() if n in kept)):
        point = dict(zip(sorted(kept), values, strict=True))
        if all(m(point) is True for m in meanings) and tuple(point[n] for n in kept) not in reached:
            yield f"the projection on {kept} is not exact at {point}: {list(found)}"
            return


def minimized(small: Small, rng: Random) -> Wrong:
    found = small.system.minimize(LIMIT)
    parts = {part.text: part for part in small.parts}
    if not {c.text for c in (*found, *(one.constraint for one in found.dropped))} <= parts.keys():
        yield "minimised to what is not of it"
        return
    if small.points != [p for p in small.box() if all(parts[c.text].of(p) is True for c in found)]:
        yield f"minimised to {list(found)}"
    for one in found.dropped:
        points = (p for p in small.box() if all(parts[c.text].of(p) is True for c in one.follows_from))
        if any(parts[one.constraint.text].of(p) is not True for p in points):
            yield f"{one.constraint} does not follow from {one.follows_from}"


def facts(small: Small, rng: Random) -> Wrong:
    found = small.system.facts(LIMIT)
    for one in found:
        yield from _ends(small, name(one), found.ranges[one])
        rest = found.congruences[one]
        yield from _congruence(small, name(one), rest.modulus, rest.remainder, rest.is_tight)
        if one in found.fixed and any(p[one] != found.fixed[one] for p in small.points):
            yield f"{one} is not always {found.fixed[one]}"
    if found.lattice is None and small.points:
        yield "no lattice"
    if found.lattice is not None and not all(map(found.lattice.contains, small.points)):
        yield "a point outside the lattice"


def sampled(small: Small, rng: Random) -> Wrong:
    found = small.system.sample(4, rng.randrange(3), LIMIT)
    if not all(map(small.satisfied, ({"free": 0, **dict.fromkeys(small.names, 0), **v} for v in found))):
        yield f"samples: {found}"
    if len({tuple(v.items()) for v in found}) < len(found):
        yield f"samples twice: {found}"


QUESTIONS: Mapping[Callable[[Small, Random], Wrong], int] = {
    check: 3,
    implies: 12,
    ends: 6,
    congruence: 3,
    count: 2,
    listed: 2,
    nearest: 1,
    violations: 2,
    projection: 2,
    minimized: 1,
    facts: 2,
    sampled: 1,
}
"""The questions, each as often as it is asked among others."""
_EACH = 3


class Asked:
    """Questions of a seed: what was wrong, and how often each was asked and left undecided."""

    def __init__(self) -> None:
        self.wrong: list[str] = []
        self.asked: Counter[str] = Counter()
        self.undecided: Counter[str] = Counter()
        self.spent: list[tuple[float, str]] = []

    def ask(self, small: Small, rng: Random) -> None:
        (question,) = rng.choices(list(QUESTIONS), list(QUESTIONS.values()))
        kind = question.__name__
        self.asked[kind] += 1
        started = time.process_time()
        try:
            found = list(question(small, rng))
        except Undecided:
            self.undecided[f"{kind}{'' if small.complete else ', open'}"] += 1
            found = []
        except Exception as error:  # whatever it is, it is a wrong answer
            found = [f"{type(error).__name__}: {error}"]
        self.spent.append((time.process_time() - started, f"{kind} {[p.text for p in small.parts]}"))
        self.wrong.extend(f"{kind} {[p.text for p in small.parts]} {text}" for text in found)


def ask(seed: int, number_: int, said: Callable[[str], None] = lambda _: None) -> Asked:
    """That many questions."""
    asked = Asked()
    for index in range(-(-number_ // _EACH)):
        rng = Random(f"{seed} {index}")
        small, told = asked_system(rng), len(asked.wrong)
        for _ in range(min(_EACH, number_ - index * _EACH)):
            asked.ask(small, rng)
        for text in asked.wrong[told:]:
            said(f"WRONG [{seed} {index}] {text}")
        if index % 1000 == 999:
            said(f"{sum(asked.asked.values())} questions")
    return asked


def main(arguments: list[str]) -> None:
    seed, number_ = map(int, arguments)
    asked = ask(seed, number_, lambda text: print(text, flush=True))
    print(f"{sum(asked.asked.values())} questions, {len(asked.wrong)} wrong, undecided {dict(asked.undecided)}")
    times = [spent for spent, _ in asked.spent]
    print(f"{dict(asked.asked)}; median {1e3 * median(times):.1f} ms, together {sum(times):.0f} s; the slowest:")
    for spent, what in sorted(asked.spent, reverse=True)[:8]:
        print(f"  {spent:.1f} s {what}")


if __name__ == "__main__":
    main(sys.argv[1:])
