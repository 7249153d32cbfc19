"""ConstraintSystem: the immutable facade over facts, lowering and solver."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.nodes import Term
from dynconstraints.solver.limits import RLIMIT
from dynconstraints.solver.verdict import Satisfiability, Verdict
from dynconstraints.solver.violations import Violation
from dynconstraints.syntax.parser import parse
from dynconstraints.syntax.term import parse_term

if TYPE_CHECKING:
    from dynconstraints.solver.bounds import Range
    from dynconstraints.solver.prepared import Prepared


class ConstraintSystem:
    """The conjunction of a set of constraints: the set of integer assignments under which all of them hold.

    Takes constraint texts, or :class:`Constraint` objects, or a mix. Immutable, hashable, picklable; equal sets are
    equal and hash equal whatever their order or repetition. Contradictory sets can be made: ``check`` says so.
    """

    def __init__(self, constraints: Iterable[str | Constraint] | str = ()) -> None:
        if isinstance(constraints, str):
            constraints = (constraints,)
        self.constraints: tuple[Constraint, ...] = tuple(dict.fromkeys(map(_constraint, constraints)))

    @cached_property
    def symbols(self) -> tuple[str, ...]:
        """The names, each once, in the order in which the constraints mention them."""
        return tuple(dict.fromkeys(name for c in self.constraints for name in c.symbols))

    @cached_property
    def _prepared(self) -> Prepared:
        from dynconstraints.solver.prepared import Prepared

        return Prepared([constraint.formula for constraint in self.constraints])

    @cached_property
    def _answers(self) -> dict[tuple[object, ...], Any]:
        """Answers by question. Threads may work one out twice; they come to the same."""
        return {}

    @cached_property
    def _set(self) -> frozenset[Constraint]:
        return frozenset(self.constraints)

    def __eq__(self, other: object) -> bool:
        return self._set == other._set if isinstance(other, ConstraintSystem) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._set)

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.constraints,)

    def __iter__(self) -> Iterator[Constraint]:
        return iter(self.constraints)

    def __len__(self) -> int:
        return len(self.constraints)

    def __repr__(self) -> str:
        return f"ConstraintSystem({[c.text for c in self.constraints]!r})"

    def __and__(self, other: ConstraintSystem) -> ConstraintSystem:
        """The conjunction of both."""
        return self.extend(other.constraints) if isinstance(other, ConstraintSystem) else NotImplemented

    def extend(self, constraints: Iterable[str | Constraint] | str) -> ConstraintSystem:
        """This system with more constraints."""
        return (
            self & ConstraintSystem(constraints)
            if isinstance(constraints, str)
            else ConstraintSystem((*self, *constraints))
        )

    def unbound(self, bound: Iterable[str]) -> tuple[str, ...]:
        """The names of the system that are not among ``bound``, in the system's order."""
        given = set(bound)
        return tuple(name for name in self.symbols if name not in given)

    def holds(self, assignment: Mapping[str, int]) -> bool:
        """Whether every constraint holds under the assignment. Raises KeyError for a name without a value."""
        return all(constraint.holds(assignment) for constraint in self.constraints)

    def violations(self, assignment: Mapping[str, int]) -> tuple[Violation, ...]:
        """The constraints, of those whose names all have values, that do not hold under the assignment."""
        from dynconstraints.solver.violations import violations

        return violations(self.constraints, assignment)

    def check(self, limit: int | None = None) -> Satisfiability:
        """Whether any assignment satisfies the set: a model, a minimal core, or what stopped the search."""
        from dynconstraints.solver.check import check

        key = "check", limit
        if key not in self._answers:
            self._answers[key] = check(self._prepared, self.constraints, limit)
        return self._answers[key]

    def implies(self, query: str | Constraint, limit: int | None = None) -> Verdict:
        """Whether the set settles the query."""
        return self._prepared.implies(_constraint(query).formula, limit or RLIMIT)

    def range(self, expression: str | Term, limit: int | None = None) -> Range:
        """The tightest range of the expression that was found, with whether each end is proved to be tight."""
        from dynconstraints.solver.bounds import range_of

        key = "range", term_of(expression), limit
        if key not in self._answers:
            self._answers[key] = range_of(self._prepared, key[1], limit or RLIMIT)
        return self._answers[key]

    def bounds(self, expression: str | Term, limit: int | None = None) -> tuple[int | None, int | None]:
        """The least and the greatest value of the expression, both inclusive, None where it is not bounded."""
        found = self.range(expression, limit)
        return found.lower, found.upper

    def congruence(self, expression: str | Term, limit: int | None = None) -> tuple[int, int]:
        """``(modulus, remainder)`` with the largest modulus; (0, c) for the constant c, (1, 0) where nothing is known."""
        from dynconstraints.solver.bounds import congruence_of

        key = "congruence", term_of(expression), limit
        if key not in self._answers:
            self._answers[key] = congruence_of(self._prepared, key[1], limit or RLIMIT)
        return self._answers[key].modulus, self._answers[key].remainder

    def compile(self) -> Callable[[Mapping[str, int]], bool]:
        """A function from an assignment to whether every constraint holds under it."""
        return self.holds


def _constraint(given: str | Constraint) -> Constraint:
    return given if isinstance(given, Constraint) else parse(given)


def term_of(expression: str | Term) -> Term:
    """The term that the text says. Raises ConstraintSyntaxError where it says none."""
    return parse_term(expression) if isinstance(expression, str) else expression
