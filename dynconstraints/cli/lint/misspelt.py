"""Names that look like a slip of the finger: used once, one edit away from a name in use."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from dynconstraints.cli.nearest_name import one_edit_apart
from dynconstraints.diagnostics.diagnostic import Diagnostic, Label
from dynconstraints.diagnostics.source import Source, Span
from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.fold import walk
from dynconstraints.ir.nodes import Name, Term

_SHORTEST = 4
"""Shorter names differ by a letter on purpose: h and w, bs and ks."""
_LONGEST = 64
"""Nobody types longer ones."""


@dataclass(frozen=True, slots=True)
class Dimension:
    """An expression that names a dimension of a tensor, and the character of ``source`` at which it starts."""

    term: Term
    source: Source
    offset: int

    def label(self, text: str, span: Span) -> Label:
        """A label on a part of it."""
        return Label(self.source, span.shifted(self.offset), text)


def misspelt(
    constraints: Iterable[Constraint], dimensions: Iterable[Dimension], declared: Iterable[str]
) -> Iterator[Diagnostic]:
    """A finding for each name that a file uses once, where a like name occurs elsewhere.

    ``declared`` are the names that values of the file carry: those are in use, and no misspelling themselves. A name of
    a dimension is in use as well, and may be misspelt. Names that differ in a digit, as s0 and s1, differ on purpose.
    """
    stated = [(node, c) for c in constraints for node in walk(c.formula) if isinstance(node, Name)]
    sizes = [(node, d) for d in dimensions for node in walk(d.term) if isinstance(node, Name)]
    uses = Counter(node.id for node, _ in [*stated, *sizes])
    known = set(declared)
    often = known | {name for name, count in uses.items() if count > 1}
    once = {name for name, count in uses.items() if count == 1} - known
    wrong = _like({node.id for node, _ in sizes} & once, often)
    wrong |= _like({node.id for node, _ in stated} & once, often | {n.id for n, _ in sizes if n.id not in wrong})
    places: list[tuple[Name, Constraint | Dimension]] = [*stated, *sizes]
    for node, place in places:
        if node.id in wrong:
            yield _finding(node, place, wrong[node.id])


def _like(once: AbstractSet[str], in_use: AbstractSet[str]) -> dict[str, list[str]]:
    """Of the names used once those that are like names in use, and which."""
    by_shortened = _by_shortened(sorted(in_use))
    near = {name: {like for short in _shortened(name) for like in by_shortened.get(short, ())} for name in once}
    meant = {name: sorted(like for like in found if _alike(name, like)) for name, found in near.items()}
    return {name: found for name, found in meant.items() if found}


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


def _finding(node: Name, place: Constraint | Dimension, meant: list[str]) -> Diagnostic:
    names = " or ".join(meant)
    return Diagnostic(
        "DC405",
        f"{node.id} is used once, and looks like {names}",
        (place.label(f"did you mean {names}?", node.span or Span(0, 0)),),
        help=(f"write {meant[0]}, or keep the name with `# dync: ignore[DC405]`",),
        severity="warning",
    )
