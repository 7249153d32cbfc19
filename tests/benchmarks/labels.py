"""Confirms the labels of the frozen corpora by oracles that share no code with the solver: z3, and assignments.

    python tests/benchmarks/labels.py [facts.jsonl | hard.jsonl | another corpus]...

Proved and refuted: z3 finds no counterexample; where it gives up, none among the assignments is one. Open: assignments
of both kinds, else models of z3's. Ranges: z3 finds both ends attained, and nothing beyond.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parents[2]))
sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.mutated import CORPUS, Assignments, by_z3
from benchmarks.mutations import Line, corpus
from oracle import Meaning


def confirmed(line: Line, rng: Random) -> str:
    """By which oracle the label is confirmed, or that one contradicts it."""
    given: list[str] = list(line["given"])  # type: ignore[call-overload]
    if "query" in line:
        return _verdict(given, str(line["query"]), str(line["expect"]), rng)
    if "range_of" in line and not line.get("sound_only"):
        return _range(given, str(line["range_of"]), *line["expect_range"])  # type: ignore[misc]
    return "not asked"


def _verdict(given: list[str], query: str, expect: str, rng: Random) -> str:
    known = Assignments(given, query, rng)
    meaning = Meaning(query)
    truths = {meaning(values) is True for values in known.found}
    if expect == "open":
        if len(truths) == 2:
            return "assignments"
        models = by_z3(given, true=[query]), by_z3(given, untrue=[query])
        return "CONTRADICTED" if False in models else "z3" if None not in models else "not told"
    if (expect == "refuted") in truths:
        return "CONTRADICTED"
    if known.complete:
        return "assignments"
    found = by_z3(given, untrue=[query]) if expect == "proved" else by_z3(given, true=[query])
    return "CONTRADICTED" if found else "z3" if found is False else "samples only"


def _range(given: list[str], term: str, low: int | None, high: int | None) -> str:
    found: list[bool | None] = []
    for end, beyond, far in ((low, "<", -(10**7)), (high, ">", 10**7)):
        if end is None:
            found.append(by_z3(given, [f"({term}) {beyond} {far}"]))
        else:
            outside = by_z3(given, [f"({term}) {beyond} {end}"])
            found += [by_z3(given, [f"({term}) == {end}"]), None if outside is None else not outside]
    return "CONTRADICTED" if False in found else "not told" if None in found else "z3"


def main(names: list[str]) -> None:
    for path in [CORPUS / name for name in names] or sorted(CORPUS.glob("*.jsonl")):
        rng, counts = Random(0), Counter[str]()
        for line in corpus(path):
            try:
                how = confirmed(line, rng)
            except ValueError:
                how = "not read"
            counts[how] += 1
            if how == "CONTRADICTED":
                print("CONTRADICTED", line, flush=True)
        print(path.name, dict(sorted(counts.items())), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
