"""New questions from those of a corpus: renamed, with other constants, premises and relations, nested, composed.

What a mutated question's answer is, nobody knows beforehand: `mutated.py` judges answers by oracles of its own.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from random import Random

from oracle import names

Line = dict[str, object]
ASKS = ("query", "range_of", "congruence_of")
_NEW_NAMES = (
    "p",
    "q",
    "s0",
    "s1",
    "n",
    "m",
    "batch",
    "seq",
    "i",
    "h",
    "w",
    "hidden",
    "heads",
    "tp",
    "k",
    "c",
    "d0",
    "zz",
)
_RELATION = re.compile(r"==|<=|>=|!=|<(?!=)|(?<!=)>")
_LITERAL = re.compile(r"(?<!\*\*)(?<![\w.])\d+(?!\w)")
_LARGE = 10**6


def corpus(path: Path) -> list[Line]:
    return [json.loads(text) for text in path.read_text().splitlines()]


def mutated(lines: list[Line], index: int, rng: Random) -> Line:
    """The line of that index, changed in several ways; without a label."""
    line = _renamed(lines[index % len(lines)], rng)
    strength = rng.choice([0, 0.15, 0.3, 0.6])
    line = _mapped(line, lambda text: _with_other_literals(text, rng, strength))
    for change, chance in _CHANGES:
        if rng.random() < chance:
            line = change(line, lines, rng)
    return line


def asked(line: Line) -> str:
    """The question's own text."""
    return next(str(line[field]) for field in ASKS if field in line)


def _mapped(line: Line, change: object) -> Line:
    new: Line = {"given": [change(text) for text in line["given"]]}  # type: ignore[operator,attr-defined]
    return new | {field: change(line[field]) for field in ASKS if field in line}  # type: ignore[operator]


def _renamed(line: Line, rng: Random) -> Line:
    old = names(*line["given"], asked(line))  # type: ignore[misc]
    pool = [*_NEW_NAMES, *(f"v{i}" for i in range(20))]
    new = dict(zip(old, rng.sample(pool, len(old)), strict=True))
    return _mapped(line, lambda text: re.sub(r"[A-Za-z_]\w*", lambda m: new.get(m[0], m[0]), text))


def _with_other_literals(text: str, rng: Random, strength: float) -> str:
    def other(match: re.Match[str]) -> str:
        value = int(match[0])
        if rng.random() > strength:
            return match[0]
        if value > _LARGE:
            return str(value + rng.randrange(-2, 3))
        choice = rng.random()
        if choice < 0.5:
            return str(max(0, value + rng.choice([-2, -1, 1, 2])))
        if choice < 0.85:
            return str(value * 2 if choice < 0.7 else max(1, value // 2))
        return str(rng.randrange(1, 40))

    return _LITERAL.sub(other, text)


def _other_relation(line: Line, _: list[Line], rng: Random) -> Line:
    found = list(_RELATION.finditer(str(line.get("query", ""))))
    if not found or "=>" in asked(line):
        return line
    match, query = rng.choice(found), asked(line)
    return line | {
        "query": query[: match.start()] + rng.choice(["==", "<", "<=", ">", ">=", "!="]) + query[match.end() :]
    }


def _negated(line: Line, _: list[Line], rng: Random) -> Line:
    return line | {"query": f"not ({line['query']})"} if "query" in line and "=>" not in asked(line) else line


def _premise_dropped(line: Line, _: list[Line], rng: Random) -> Line:
    given = list(line["given"])  # type: ignore[call-overload]
    if given:
        del given[rng.randrange(len(given))]
    return line | {"given": given}


def _premise_added(line: Line, lines: list[Line], rng: Random) -> Line:
    """A premise of another line, over names of this one."""
    own, others = names(asked(line)), [g for g in rng.choice(lines)["given"] if "=>" not in g]  # type: ignore[attr-defined]
    if not own or not others:
        return line
    text = rng.choice(others)
    new = {name: rng.choice(own) for name in names(text)}
    text = re.sub(r"[A-Za-z_]\w*", lambda m: new.get(m[0], m[0]), text)
    return line | {"given": [*line["given"], text]}  # type: ignore[misc]


def _instance(line: Line, _: list[Line], rng: Random) -> Line:
    """A name replaced by an expression everywhere."""
    own = names(*line["given"], asked(line))  # type: ignore[misc]
    if not own:
        return line
    name, k = rng.choice(own), rng.randrange(1, 9)
    other = rng.choice([n for n in own if n != name] or [str(k)])
    forms = (f"({name} + {k})", f"({k}*{name})", f"({name} - {k})", f"({name} + {other})", f"({name} // {k})")
    new = rng.choice((*forms, f"min({name}, {other})", f"({name} % {k + 1})"))
    return _mapped(line, lambda text: re.sub(rf"\b{name}\b", new, text))


def _composed(line: Line, lines: list[Line], rng: Random) -> Line:
    """Two questions in one, with the premises of both."""
    other = _renamed(rng.choice(lines), rng)
    if "query" not in line or "query" not in other or "=>" in asked(line) + asked(other):
        return line
    join = rng.choice(["and", "or", "and"])
    return {"given": [*line["given"], *other["given"]], "query": f"({line['query']}) {join} ({other['query']})"}  # type: ignore[misc]


def _side_asked(line: Line, _: list[Line], rng: Random) -> Line:
    """Instead of whether a comparison holds, what range or congruence one of its sides has."""
    query = str(line.get("query", "and"))
    parts = re.split(r"==|<=|>=|!=|<|>", query)
    if len(parts) != 2 or re.search(r"\b(and|or|not|in|if)\b", query):
        return line
    return {
        "given": line["given"],
        rng.choice(["range_of", "range_of", "congruence_of"]): parts[rng.randrange(2)].strip(),
    }


_CHANGES = (
    (_other_relation, 0.25),
    (_premise_dropped, 0.2),
    (_premise_added, 0.12),
    (_instance, 0.15),
    (_negated, 0.1),
    (_composed, 0.06),
    (_side_asked, 0.12),
)
