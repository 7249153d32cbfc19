"""The reduced product of the domains: what is known of a set of constraints, without a solver."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from dynconstraints.facts import cases, columns
from dynconstraints.facts import polynomial as poly
from dynconstraints.facts.affine import linear_facts
from dynconstraints.facts.definitions import Rows, rows_of, with_definitions
from dynconstraints.facts.knowledge import Knowledge
from dynconstraints.facts.lattice import Contradiction, Lattice
from dynconstraints.facts.ranges import Range
from dynconstraints.facts.truth import possible
from dynconstraints.ir.fold import names as names_of
from dynconstraints.ir.fold import names_in_order
from dynconstraints.ir.nodes import Formula, Term


def analyse(constraints: Sequence[Formula]) -> State:
    """What follows from the constraints, as far as the domains see. Sound: every satisfying assignment is in it."""
    names = tuple(dict.fromkeys(name for c in constraints for name in names_in_order(c)))
    facts = [linear_facts(c) for c in constraints]
    lattice = Lattice.of(names, (e for f in facts for e in f.equalities), (c for f in facts for c in f.congruences))
    if isinstance(lattice, Contradiction):
        return State(tuple(constraints), names, None, {}, Knowledge({}, empty=True), ())
    rows = with_definitions(rows_of(lattice, names), constraints)
    known, pending = cases.learnt(rows, constraints)
    return State(tuple(constraints), names, lattice, rows, known, pending)


@dataclass(frozen=True)
class State:
    """What is known of the assignments that satisfy the constraints.

    ``lattice`` is None where the equalities and congruences contradict each other. Names that no constraint mentions are
    free. An answer never depends on what was asked before.
    """

    constraints: tuple[Formula, ...]
    names: tuple[str, ...]
    lattice: Lattice | None
    rows: Rows
    known: Knowledge = field(compare=False, repr=False)
    pending: tuple[Formula, ...] = field(compare=False, repr=False)

    @property
    def is_empty(self) -> bool:
        """Whether it is known that no assignment satisfies the constraints; False means that it is not known."""
        return self.known.empty

    def truth(self, formula: Formula) -> bool | None:
        """True: under every satisfying assignment the formula is defined and true. False: it is true under none."""
        if self.is_empty:
            return True
        verdict = possible(self.known, formula).verdict
        if verdict is not None:
            return verdict
        return cases.decide(self, formula).verdict

    def range_of(self, term: Term) -> Range:
        """Ends, both inclusive, that hold the term's values wherever it is defined; None for no end known."""
        return self.known.range_of(self.known.normal.term(term))

    def congruence_of(self, term: Term) -> tuple[int, int]:
        """A modulus m and remainder r with ``term ≡ r (mod m)`` wherever it is defined; (0, c) for the constant c."""
        p = self.known.normal.term(term)
        modulus = poly.content(p)
        constant = p.get((), 0)
        return (modulus, constant % modulus) if modulus else (0, constant)
