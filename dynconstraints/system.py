"""ConstraintSystem: the immutable facade over facts, lowering and solver."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property

from dynconstraints.ir.constraint import Constraint
from dynconstraints.solver.verdict import Satisfiability, Verdict
from dynconstraints.syntax.parser import parse


class ConstraintSystem:
    """The conjunction of a set of constraints: the set of integer assignments under which all of them hold.

    Takes constraint texts, or :class:`Constraint` objects, or a mix. Immutable, hashable, picklable; equal sets are equal
    and hash equal whatever their order or repetition. Contradictory sets can be made: ``check`` says so.
    """

    def __init__(self, constraints: Iterable[str | Constraint] = ()) -> None:
        if isinstance(constraints, str):
            constraints = (constraints,)
        made = (c if isinstance(c, Constraint) else parse(c) for c in constraints)
        self.constraints: tuple[Constraint, ...] = tuple(dict.fromkeys(made))

    @cached_property
    def symbols(self) -> tuple[str, ...]:
        """The names, each once, in the order in which the constraints mention them."""
        return tuple(dict.fromkeys(name for c in self.constraints for name in c.symbols))

    def __iter__(self) -> Iterator[Constraint]:
        return iter(self.constraints)

    def __len__(self) -> int:
        return len(self.constraints)

    def __repr__(self) -> str:
        return f"ConstraintSystem({[c.text for c in self.constraints]!r})"

    def check(self, limit: int | None = None) -> Satisfiability:
        """Whether any assignment satisfies the set: a model, a minimal core, or what stopped the search."""
        raise NotImplementedError

    def implies(self, query: str | Constraint, limit: int | None = None) -> Verdict:
        """Whether the set settles the query."""
        raise NotImplementedError
