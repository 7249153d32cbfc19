"""Names that look like a slip of the finger: used once, one edit away from a name in use."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping

from dynconstraints.cli.nearest_name import one_edit_apart
from dynconstraints.diagnostics.diagnostic import Diagnostic
from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.fold import walk
from dynconstraints.ir.nodes import Name

_SHORTEST = 4
"""Shorter names differ by a letter on purpose: h and w, bs and ks."""
_LONGEST = 64
"""Nobody types longer ones."""


def misspelt(constraints: Iterable[Constraint], declared: Iterable[str]) -> Iterator[Diagnostic]:
    """A finding for each name that occurs once in the constraints of a file, where a like name occurs elsewhere.

    ``declared`` are the names that values of the file carry: those are in use, and no misspelling themselves. Names
    that differ in a digit, as s0 and s1 do, differ on purpose.
    """
    places = [(node, c) for c in constraints for node in walk(c.formula) if isinstance(node, Name)]
    uses = Counter(node.id for node, _ in places)
    known = set(declared)
    in_use = _by_shortened(sorted(known | {name for name, count in uses.items() if count > 1}))
    for node, constraint in places:
        if uses[node.id] == 1 and node.id not in known:
            near = {name for short in _shortened(node.id) for name in in_use.get(short, ())}
            meant = sorted(name for name in near if _alike(node.id, name))
            if meant:
                yield _finding(node, constraint, meant)


def _by_shortened(names: Iterable[str]) -> Mapping[str, list[str]]:
    """The names by what is left of them without one letter: names one edit apart have some of that in common."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for name in names:
        for short in _shortened(name):
            found[short].append(name)
    return found


def _shortened(name: str) -> frozenset[str]:
    """The name, and the name without one of its letters; long names as they are."""
    if len(name) > _LONGEST:
        return frozenset((name,))
    return frozenset((name, *(name[:i] + name[i + 1 :] for i in range(len(name)))))


def _alike(once: str, name: str) -> bool:
    if min(len(once), len(name)) < _SHORTEST or not one_edit_apart(once, name):
        return False
    return _digits(once) == _digits(name)


def _digits(name: str) -> list[str]:
    return [character for character in name if character.isdigit()]


def _finding(node: Name, constraint: Constraint, meant: list[str]) -> Diagnostic:
    names = " or ".join(meant)
    return Diagnostic(
        "DC405",
        f"{node.id} is used once, and looks like {names}",
        (constraint.label(f"did you mean {names}?", node.span),),
        help=(f"write {meant[0]}, or keep the name with `# dync: ignore[DC405]`",),
        severity="warning",
    )
