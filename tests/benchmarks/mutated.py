"""Asks thousands of questions nobody has seen, and judges the answers by oracles that share no code with the solver.

    python tests/benchmarks/mutated.py SEED NUMBER [facts.jsonl | hard.jsonl | another corpus]...

Answers are held against assignments: all of a box where premises bound the names, else samples. What is claimed for
all assignments is asked of z3, too, in an encoding of the oracle's own. Grades: right; WRONG; unknown; loose, an end or
modulus that is not tight; unconfirmed, which no assignment contradicts and z3 does not settle. Times are in ms.
"""

from __future__ import annotations

import itertools
import json
import math
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[2]))
sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.mutations import Line, asked, corpus, mutated
from oracle import Meaning, Solver, Unsupported, names

from dynconstraints import ConstraintSystem, Implied, Open, Refuted
from dynconstraints.solver.verdicts import Unknown

CORPUS = Path(__file__).parents[1] / "corpus"
_BOX = 20_000
_TRIES, _WANTED = 3_000, 300
_SLOW = 300

Values = dict[str, int]


@dataclass(frozen=True)
class Judged:
    """What was answered to a line, the grade, and the processor time in milliseconds."""

    line: Line
    kind: str
    grade: str
    spent: float
    answer: object


class Assignments:
    """Assignments that satisfy the premises; ``complete`` where there are no others."""

    def __init__(self, given: Sequence[str], question: str, rng: Random) -> None:
        self.names = names(*given, question)
        self.given = [Meaning(text) for text in given]
        self._rng, self._ends = rng, _ends(given)
        ranges = self._box()
        self.complete = ranges is not None and math.prod(map(len, ranges)) <= _BOX
        source = map(self._named, itertools.product(*ranges or ())) if self.complete else self._drawn()
        self.found = list(itertools.islice(filter(self.holds, source), None if self.complete else _WANTED))

    def _box(self) -> list[range] | None:
        ends = [self._ends.get(name, (None, None)) for name in self.names]
        if any(None in pair for pair in ends):
            return None
        return [range(low, high + 1) for low, high in ends]  # type: ignore[operator]

    def holds(self, values: Values) -> bool:
        return all(meaning(values) is True for meaning in self.given)

    def _named(self, values: Sequence[int]) -> Values:
        return dict(zip(self.names, values, strict=True))

    def _drawn(self) -> Iterator[Values]:
        rng = self._rng
        literals = sorted({int(x) for g in self.given for x in re.findall(r"\b\d{1,19}\b", g.text)} | {0, 1, 2})
        equal = [(m[1], Meaning(m[2])) for g in self.given if (m := re.fullmatch(r"(\w+) == ([^=<>!]*)", g.text))]
        equal = [(n, m) for n, m in equal if n in self.names and n not in names(m.text)]
        aligned = [
            (m[1], Meaning(m[2]), Meaning(m[3]))
            for g in self.given
            if (m := re.fullmatch(r"(\w+) % (.+) == (.+)", g.text))
        ]
        for _ in range(_TRIES):
            scale = rng.choice([6, 13, 130, 3000])
            signed = rng.random() < 0.6
            values = {n: self._value(n, scale, signed, literals) for n in self.names}
            for _ in range(2):
                for name, modulus, rest in aligned:
                    if name in values and (m := modulus(values)) and (r := rest(values)) is not None:
                        values[name] = values[name] // m * m + r
                for name, meaning in equal:
                    if (value := meaning(values)) is not None:
                        values[name] = value
            yield values

    def _value(self, name: str, scale: int, signed: bool, literals: Sequence[int]) -> int:
        rng = self._rng
        value = (
            rng.choice(literals) + rng.randrange(-1, 2)
            if rng.random() < 0.25
            else rng.randrange(-scale if signed else 0, scale)
        )
        if rng.random() < 0.04:
            value = rng.choice([2**32, 10**9]) + rng.randrange(100)
        low, high = self._ends.get(name, (None, None))
        if low is not None and value < low:
            value = low + abs(value) % 50
        if high is not None and value > high:
            value = high - abs(value) % (50 if low is None else max(1, high - low + 1))
        return value


def _ends(given: Sequence[str]) -> dict[str, tuple[int | None, int | None]]:
    """The bounds that premises of the plainest forms state."""
    ends: dict[str, tuple[int | None, int | None]] = {}

    def meet(name: str, low: int | None, high: int | None) -> None:
        a, b = ends.get(name, (None, None))
        lows, highs = [e for e in (a, low) if e is not None], [e for e in (b, high) if e is not None]
        ends[name] = max(lows, default=None), min(highs, default=None)

    for text in given:
        if m := re.fullmatch(r"(-?\d+) (<=?) (\w+) (<=?) (-?\d+)", text):
            meet(m[3], int(m[1]) + (m[2] == "<"), int(m[5]) - (m[4] == "<"))
        elif m := re.fullmatch(r"(?P<n>[A-Za-z_]\w*) (?P<r><=|>=|<|>|==) (?P<v>-?\d+)", text):
            value, relation = int(m["v"]), m["r"]
            low = value + (relation == ">") if relation in (">=", ">", "==") else None
            high = value - (relation == "<") if relation in ("<=", "<", "==") else None
            meet(m["n"], low, high)
    return ends


def by_z3(given: Sequence[str], true: Sequence[str] = (), untrue: Sequence[str] = ()) -> bool | None:
    try:
        return Solver().satisfiable([*given, *true], untrue)
    except (Unsupported, ArithmeticError):
        return None


def judge(line: Line, rng: Random) -> Judged:
    """Ask, and hold the answer against the oracles."""
    given: list[str] = list(line["given"])  # type: ignore[call-overload]
    started = time.process_time()
    system = ConstraintSystem(given)
    kind, ask, check = next(
        (kind, ask, check)
        for kind, ask, check in (
            ("query", system.implies, verdict_grade),
            ("range_of", system.range, _range),
            ("congruence_of", system.congruence, _congruence),
        )
        if kind in line
    )
    answer = ask(asked(line))
    spent = 1e3 * (time.process_time() - started)
    grade = check(answer, given, asked(line), Assignments(given, asked(line), rng))
    return Judged(line, type(answer).__name__ if kind == "query" else kind, grade, spent, answer)


def verdict_grade(answer: object, given: list[str], query: str, known: Assignments) -> str:
    meaning = Meaning(query)
    truths = {meaning(values) is True for values in known.found}
    match answer:
        case Unknown():
            return "unknown"
        case Open(holds_at, fails_at):
            fits = known.holds(dict(holds_at)) and known.holds(dict(fails_at))
            return "right" if fits and meaning(holds_at) is True and meaning(fails_at) is not True else "WRONG"
        case Implied():
            if False in truths:
                return "WRONG"
            found = False if known.complete else by_z3(given, untrue=[query])
        case Refuted():
            if True in truths or (known.complete and not truths):
                return "WRONG"
            found = False if known.complete else by_z3(given, true=[query])
    return "right" if found is False else "WRONG" if found else "unconfirmed"


def _range(answer: object, given: list[str], term: str, known: Assignments) -> str:
    meaning = Meaning(term)
    values = [value for a in known.found if (value := meaning(a)) is not None]
    grades = {
        _end(answer.lower, answer.lower_is_tight, "<", min(values, default=None), given, term, known.complete),  # type: ignore[attr-defined]
        _end(answer.upper, answer.upper_is_tight, ">", max(values, default=None), given, term, known.complete),  # type: ignore[attr-defined]
    }
    if known.complete and not values:
        return (
            "right"
            if answer.lower is not None and answer.upper is not None and answer.lower > answer.upper
            else "loose"
        )  # type: ignore[attr-defined]
    return next(grade for grade in ("WRONG", "loose", "unconfirmed", "right") if grade in grades)


def _end(
    end: int | None, is_tight: bool, beyond: str, seen: int | None, given: list[str], term: str, complete: bool
) -> str:
    sign = 1 if beyond == ">" else -1
    if seen is not None and end is not None and sign * (seen - end) > 0:
        return "WRONG"
    if complete and seen is not None:
        return "right" if end == seen else "WRONG" if is_tight else "loose"
    if end is None:
        reached = [
            by_z3(given, [f"({term}) {beyond} {sign * far}"])
            for far in (10**4, 10**9)
            if seen is None or sign * seen < far
        ]
        return (
            "WRONG"
            if is_tight and False in reached
            else "loose"
            if not is_tight
            else "unconfirmed"
            if None in reached
            else "right"
        )
    outside = by_z3(given, [f"({term}) {beyond} {end}"])
    attained = seen == end or by_z3(given, [f"({term}) == {end}"])
    if outside or (is_tight and attained is False):
        return "WRONG" if seen is not None or outside else "unconfirmed"
    return "loose" if not is_tight else "unconfirmed" if None in (outside, attained) else "right"


def _congruence(answer: object, given: list[str], term: str, known: Assignments) -> str:
    meaning, (modulus, rest) = Meaning(term), answer  # type: ignore[misc]
    values = [value for a in known.found if (value := meaning(a)) is not None]
    if not values:
        return "unconfirmed"
    step = math.gcd(*(value - values[0] for value in values))
    if any((value - rest) % modulus if modulus else value != rest for value in values):
        return "WRONG"
    if (modulus, rest) == (step, values[0] % step if step else values[0]):
        return "right"
    return "WRONG" if known.complete else "unconfirmed" if modulus or step else "loose"


def run(path: Path, seed: int, number: int) -> list[Judged]:
    """Judge that many questions made from those of the file; print those that are not right, and slow ones."""
    rng, lines, judged = Random(seed), corpus(path), []
    for index in range(number):
        line = mutated(lines, rng.randrange(len(lines)) if number < len(lines) else index, rng)
        try:
            one = judge(line, rng)
        except (ValueError, OverflowError, ZeroDivisionError) as error:
            if "nested implication" in str(error) or "=>" in json.dumps(line):
                continue
            one = Judged(line, "error", type(error).__name__, 0, error)
        judged.append(one)
        if one.grade not in ("right", "unconfirmed") or one.spent > _SLOW:
            print(f"{one.grade} {one.kind} {one.spent:.0f} ms {json.dumps(line)} {str(one.answer)[:200]}", flush=True)
    return judged


def report(path: Path, judged: list[Judged]) -> None:
    counts = Counter((one.kind, one.grade) for one in judged)
    times = [one.spent for one in judged]
    print(f"{path.name}: {len(judged)} questions, median {median(times):.2f} ms, longest {max(times):.0f} ms")
    for (kind, grade), count in sorted(counts.items()):
        print(f"  {kind:14}{grade:12}{count:6}")


def main(arguments: list[str]) -> None:
    seed, number, *files = arguments
    for name in files or ("facts.jsonl", "hard.jsonl"):
        report(CORPUS / name, run(CORPUS / name, int(seed), int(number)))


if __name__ == "__main__":
    main(sys.argv[1:])
