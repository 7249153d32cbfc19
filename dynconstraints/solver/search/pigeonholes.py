"""Names that all differ, and have fewer values than there are names: what cases show only after factorially many."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dynconstraints.facts.domains.intervals import Range
from dynconstraints.ir.fold import conjuncts, has_link
from dynconstraints.ir.nodes import Compare, Formula, Name, Relation


def too_few_values(formulas: Sequence[Formula], range_of: Callable[[str], Range]) -> bool:
    """Whether some names that the formulas keep apart, each from each, have too few values between their ends.

    Of an interval with more such names than values nothing is left (P. Hall, *On representatives of subsets*, 1935).
    The names are collected greedily, so that not all such sets are found.
    """
    apart: dict[str, set[str]] = {}
    for formula in formulas:
        for part in conjuncts(formula) if has_link(formula, Relation.NE) else ():
            match part:
                case Compare((Name(left), Name(right)), (Relation.NE,)) if left != right:
                    apart.setdefault(left, set()).add(right)
                    apart.setdefault(right, set()).add(left)
    if not apart:
        return False
    clique: list[str] = []
    for name in sorted(apart, key=lambda name: (-len(apart[name]), name)):
        if apart[name].issuperset(clique):
            clique.append(name)
    closed = [(low, high) for low, high in map(range_of, clique) if low is not None and high is not None]
    lows, highs = {low for low, _ in closed}, {high for _, high in closed}
    return any(
        sum(low <= a and b <= high for a, b in closed) > high - low + 1 for low in lows for high in highs if low <= high
    )
