"""What a target makes of a declaration: its text, and constraint by constraint what it holds and what it cannot."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.fold import names
from dynconstraints.ir.nodes import Int, Relation, Term, comparison
from dynconstraints.ir.sorts import speaks_of_reals
from dynconstraints.signature.shape import Shape, is_number
from dynconstraints.system import ConstraintSystem


@dataclass(frozen=True)
class Subject:
    """What is written out: constraints, the shapes of the arguments by path, and the name of the function."""

    system: ConstraintSystem
    shapes: Mapping[str, Shape] = field(default_factory=dict)
    name: str = ""
    limit: int | None = None

    def of_whole_sizes(self) -> Subject:
        """The same, where the names of dimensions are integers, whatever stands beside them in a constraint."""
        return replace(self, system=self.system.typed((), {name for term in self._sizes for name in names(term)}))

    @property
    def _sizes(self) -> list[Term]:
        """What dimensions are."""
        shapes = [shape for path, shape in self.shapes.items() if not is_number(path, shape)]
        return [term for shape in shapes for term in shape.sizes if term is not None and not isinstance(term, Int)]

    @cached_property
    def integers(self) -> ConstraintSystem:
        """The constraints that speak of integers alone, of which more is found out than of those with floats.

        Sizes are not negative: that is one of them.
        """
        return of_sizes(_of_integers(self.system), self._sizes)


@dataclass(frozen=True)
class Left:
    """A constraint that a target does not hold, and why."""

    constraint: Constraint
    reason: str


@dataclass(frozen=True)
class Emission:
    """The text for a target, in full: with what is left over, and its check.

    Attributes:
        text: What the target reads; where it is Python, with ``checker`` at its end.
        held: The constraints that the target's own form enforces, or that follow from what it enforces.
        left: The others, each with the reason.
        checker: Python source of a function ``check`` of what is left over; empty where nothing is.
    """

    text: str
    held: tuple[Constraint, ...] = ()
    left: tuple[Left, ...] = ()
    checker: str = ""


def parted(
    constraints: Iterable[Constraint], alternatives: Sequence[ConstraintSystem], reason: str, limit: int | None
) -> tuple[tuple[Constraint, ...], tuple[Left, ...]]:
    """The constraints that hold wherever a target lets values through, and the others.

    What it lets through is what satisfies one of the alternatives. A constraint counts as held only where that is
    proved.
    """
    held, left = [], []
    for constraint in constraints:
        if all(_holds(system, constraint, limit) for system in alternatives):
            held.append(constraint)
        else:
            left.append(Left(constraint, reason))
    return tuple(held), tuple(left)


def of_sizes(system: ConstraintSystem, terms: Iterable[Term]) -> ConstraintSystem:
    """The system, with all of the terms at least 0."""
    return system.extend([Constraint.of(comparison(term, Relation.GE, Int(0))) for term in terms])


def _of_integers(system: ConstraintSystem) -> ConstraintSystem:
    if not system.reals:
        return system
    return ConstraintSystem(c for c in system if not speaks_of_reals((c.formula,), system.reals))


def _holds(system: ConstraintSystem, constraint: Constraint, limit: int | None) -> bool:
    from dynconstraints.solver.verdicts import Implied

    if not speaks_of_reals((constraint.formula,), system.reals):
        system = _of_integers(system)
    return constraint in system.constraints or isinstance(system.implies(constraint, limit), Implied)


def remarks(target: str, held: Iterable[Constraint], left: Iterable[Left], checker: str = "check()") -> list[str]:
    """Lines that say what the target holds and what is left over, for the head of the text."""
    held, left = tuple(held), tuple(left)
    lines = [f"{target} holds:", *(f"  {c.line}" for c in held)] if held else []
    if not left:
        return [*lines, "Nothing is left over: every constraint is held."]
    return [*lines, f"Left over, for {checker} to hold:", *(f"  {o.constraint.line}  ({o.reason})" for o in left)]


def commented(lines: Iterable[str], mark: str = "#") -> list[str]:
    """The lines as comments."""
    return [f"{mark} {line}".rstrip() for line in lines]
