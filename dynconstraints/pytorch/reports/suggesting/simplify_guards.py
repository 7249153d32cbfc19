"""What a person would write for guards that the program asks in a roundabout way.

``max(1, h // 4)*max(1, w // 4) != 1`` fails at ``h == 4, w == 4`` alone, of multiples of 4 from 4 on: it is
``h >= 8 or w >= 8``. Candidates come from where the guards fail, and from the divisors in them. The solver has to prove
that they imply the guards; those that the guards imply in turn lose nothing, and come first. Others, which every call
that was tried satisfies, are taken only where the guards say what nobody would.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice
from math import gcd, prod

from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.fold import names, names_in_order, walk
from dynconstraints.ir.nodes import (
    Add,
    Call,
    FloorDiv,
    Formula,
    Int,
    Mod,
    Mul,
    Name,
    Neg,
    Node,
    Relation,
    Term,
    comparison,
    conjunction,
    product,
    total,
)
from dynconstraints.pytorch.guards.plain_guards import outside_box
from dynconstraints.pytorch.reports.suggesting.implications import Implications
from dynconstraints.system import ConstraintSystem

_LARGEST_DIVISOR = 4096
"""Larger products of the divisors in a guard are no candidates."""

_MOST_CANDIDATES = 32
"""How many candidates are asked about, at a few milliseconds each."""


def simpler(
    guards: Sequence[Formula], known: ConstraintSystem, values: Sequence[Mapping[str, int]], asking: Implications
) -> tuple[Constraint, ...] | None:
    """Constraints that imply the guards beside the known ones and hold in the calls; None where none are simpler.

    Without calls only what says the same as the guards.
    """
    if not any(map(_is_roundabout, guards)):
        return None
    meant = Constraint.of(conjunction(tuple(guards)))
    enough: list[Constraint] = []
    candidates = dict.fromkeys(chain(_cancelled(guards), outside_box(meant, known), _multiples(guards)))
    for candidate in islice(candidates, _MOST_CANDIDATES):
        if len(candidate.text) >= len(meant.text) or not _hold(candidate, values):
            continue
        if not asking.implied(known.extend([candidate]), meant):
            continue
        if asking.implied(known.extend([meant]), candidate):
            return (candidate,)
        enough.append(candidate)
    return _widest(enough, known, asking) if values else None


def _is_roundabout(guard: Formula) -> bool:
    """Whether it computes with quotients, or divides by what is no number, or is long for what it may say."""
    nodes = list(walk(guard))
    quotients = [node for node in nodes if isinstance(node, FloorDiv | Call)]
    products = [node for node in nodes if isinstance(node, Mod) and not isinstance(node.divisor, Int | Name)]
    return bool(products) or len(quotients) > 1 or any(names(q.divisor) for q in quotients if isinstance(q, FloorDiv))


def _cancelled(guards: Sequence[Formula]) -> Iterator[Constraint]:
    """Divisibility without the factors that both sides have: ``a % c == 0`` for ``a*b % (c*b) == 0``."""
    for node in _nodes(guards):
        if isinstance(node, Mod) and isinstance(node.divisor, Mul):
            number, shared = _factors(node.divisor)
            parts = [
                _factors(part) for part in (node.dividend.terms if isinstance(node.dividend, Add) else (node.dividend,))
            ]
            for _, factors in parts:
                for factor in shared:
                    if factor not in factors:
                        return
                    factors.remove(factor)
            common = gcd(number, *(coefficient for coefficient, _ in parts))
            whole = total(
                tuple(product((Int(c // common), *f)) if c != common else product(tuple(f)) for c, f in parts)
            )
            spoken = names_in_order(whole)
            dividends = (Name(spoken[0]), whole) if len(spoken) == 1 else (whole,)
            yield from (_multiple(dividend, number // common) for dividend in dividends)


def _factors(term: Term) -> tuple[int, list[Term]]:
    """The number in a product, and its other factors."""
    if isinstance(term, Neg):
        number, factors = _factors(term.operand)
        return -number, factors
    factors = list(term.factors) if isinstance(term, Mul) else [term]
    return prod(f.value for f in factors if isinstance(f, Int)), [f for f in factors if not isinstance(f, Int)]


def _multiples(guards: Sequence[Formula]) -> Iterator[Constraint]:
    """That names, and quotients of names by numbers, are multiples of the divisors in the guards."""
    divisors = {
        abs(f.value)
        for node in _nodes(guards)
        if isinstance(node, FloorDiv | Mod)
        for f in (node.divisor.factors if isinstance(node.divisor, Mul) else (node.divisor,))
        if isinstance(f, Int)
    }
    numbers = sorted(
        {
            *divisors,
            *(a * b for a in divisors for b in divisors),
            *(a // b for a in divisors for b in divisors if b and a % b == 0),
        }
    )
    numbers = [d for d in numbers if 1 < d <= _LARGEST_DIVISOR]
    bases: list[Term] = [Name(name) for name in dict.fromkeys(n for g in guards for n in names_in_order(g))]
    bases += dict.fromkeys(n for n in _nodes(guards) if isinstance(n, FloorDiv) and isinstance(n.divisor, Int))
    for base in bases:
        if len(names(base)) == 1:
            yield from (_multiple(base, d) for d in numbers)


def _multiple(term: Term, divisor: int) -> Constraint:
    return Constraint.of(comparison(Mod(term, Int(divisor)), Relation.EQ, Int(0)))


def _nodes(guards: Sequence[Formula]) -> Iterator[Node]:
    return chain.from_iterable(map(walk, guards))


def _hold(constraint: Constraint, values: Sequence[Mapping[str, int]]) -> bool:
    return all(constraint.holds(v) for v in values if v.keys() >= set(constraint.symbols))


def _widest(
    found: Sequence[Constraint], known: ConstraintSystem, asking: Implications
) -> tuple[Constraint, ...] | None:
    """One that allows all that the others do, as far as one does; of several the shortest."""
    best: Constraint | None = None
    for one in sorted(found, key=lambda c: len(c.text)):
        if best is None or (
            asking.implied(known.extend([best]), one) and not asking.implied(known.extend([one]), best)
        ):
            best = one
    return None if best is None else (best,)
