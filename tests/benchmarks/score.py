"""Scores the solver on the two corpora and prints a table by kind, with times.

    python tests/benchmarks/score.py [facts.jsonl | hard.jsonl | a file of the same shape]... [--misses]
    python tests/benchmarks/score.py --growth       (how times grow with the size of a set)

A line asks for a verdict (`given`, `query`, `expect`), a range (`range_of`, `expect_range`) or a congruence
(`congruence_of`, `expect_mod`, `expect_rem`); `sound_only` lines want an enclosure of it, the others it.
"""

from __future__ import annotations

import json
import sys
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[2]))

from dynconstraints import ConstraintSystem, Implied, Open, Refuted, parse

CORPUS = Path(__file__).parents[1] / "corpus"
_VERDICTS = {Implied: "proved", Refuted: "refuted", Open: "open"}


@dataclass(frozen=True)
class Outcome:
    """How one line was answered: ``grade`` is right, loose, unknown or WRONG; times are in milliseconds."""

    kind: str
    grade: str
    making: float
    solving: float
    line: dict
    answer: object


def lines(path: Path) -> list[dict]:
    return [json.loads(text) for text in path.read_text().splitlines()]


def answer(line: dict) -> Outcome:
    started = time.perf_counter()
    system = ConstraintSystem(line["given"])
    query = parse(line["query"]) if "query" in line else None
    made = time.perf_counter()
    if query is not None:
        kind, (grade, said) = line["expect"], _verdict(system, query, line["expect"])
    elif "range_of" in line:
        kind, (grade, said) = "range", _range(system, line)
    else:
        kind, (grade, said) = "congruence", _congruence(system, line)
    ended = time.perf_counter()
    return Outcome(kind, grade, 1e3 * (made - started), 1e3 * (ended - made), line, said)


def _verdict(system: ConstraintSystem, query: object, expect: str) -> tuple[str, object]:
    verdict = system.implies(query)
    said = _VERDICTS.get(type(verdict))
    return "unknown" if said is None else "right" if said == expect else "WRONG", verdict


def _range(system: ConstraintSystem, line: dict) -> tuple[str, object]:
    low, high = said = tuple(system.bounds(line["range_of"]))
    least, most = line["expect_range"]
    if line.get("sound_only"):  # enclose what was seen to be attained
        seen_low, seen_high = line.get("seen_range", (least, most))
        sound = (low is None or (seen_low is not None and low <= seen_low)) and (
            high is None or (seen_high is not None and high >= seen_high)
        )
        return "right" if sound else "WRONG", said
    if said == (least, most):
        return "right", said
    sound = (low is None or (least is not None and low <= least)) and (
        high is None or (most is not None and high >= most)
    )
    return "loose" if sound else "WRONG", said


def _congruence(system: ConstraintSystem, line: dict) -> tuple[str, object]:
    modulus, remainder = said = tuple(system.congruence(line["congruence_of"]))
    expected, rest = line["expect_mod"], line["expect_rem"]
    if said == (expected, rest):
        return "right", said
    sound = (modulus == 0 and expected == 0 and remainder == rest) or (
        modulus != 0 and expected % modulus == 0 and (rest - remainder) % modulus == 0
    )
    if line.get("sound_only"):  # any congruence that the expected one, known to hold, is consistent with
        return "right", said
    return "loose" if sound else "WRONG", said


def report(path: Path, show_misses: bool) -> None:
    started = time.perf_counter()
    outcomes = [answer(line) for line in lines(path)]
    elapsed = time.perf_counter() - started
    by_kind = defaultdict(list)
    for outcome in outcomes:
        by_kind[outcome.kind].append(outcome)
    print(f"{path.name}: {len(outcomes)} lines in {elapsed:.2f} s")
    print(f"{'kind':12}{'lines':>6}{'right':>6}{'loose':>6}{'unknown':>8}{'WRONG':>6}{'median ms':>11}{'most ms':>9}")
    for kind, group in [*sorted(by_kind.items()), ("all", outcomes)]:
        counts = [sum(o.grade == grade for o in group) for grade in ("right", "loose", "unknown", "WRONG")]
        times = [o.solving for o in group]
        right, loose, unknown, wrong = counts
        print(f"{kind:12}{len(group):6}{right:6}{loose:6}{unknown:8}{wrong:6}{median(times):11.3f}{max(times):9.1f}")
    if show_misses:
        for outcome in outcomes:
            if outcome.grade != "right":
                print(
                    outcome.grade, outcome.kind, json.dumps(outcome.line), outcome.answer, f"{outcome.solving:.1f} ms"
                )
        print("slowest:")
        for outcome in sorted(outcomes, key=lambda o: -o.solving)[:15]:
            print(f"{outcome.solving:8.1f} ms", outcome.kind, outcome.line["given"], outcome.line.get("query"))


def main(arguments: list[str]) -> None:
    if "--growth" in arguments:
        from growing import report as growth  # beside this file, where it runs as a script

        growth()
        return
    paths = [Path(a) for a in arguments if not a.startswith("--")] or sorted(CORPUS.glob("*.jsonl"))
    for path in paths:
        report(path if path.exists() else CORPUS / path.name, "--misses" in arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
