"""What a target makes of a declaration: its text, and constraint by constraint what it holds and what it cannot."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from dynconstraints.ir.constraint import Constraint
from dynconstraints.signature.shape import Shape
from dynconstraints.system import ConstraintSystem


@dataclass(frozen=True)
class Subject:
    """What is written out: constraints, the shapes of the arguments by path, and the name of the function."""

    system: ConstraintSystem
    shapes: Mapping[str, Shape] = field(default_factory=dict)
    name: str = ""
    limit: int | None = None


@dataclass(frozen=True)
class Left:
    """A constraint that a target does not hold, and why."""

    constraint: Constraint
    reason: str


@dataclass(frozen=True)
class Emission:
    """The text for a target, in full: with what is left over, and its check, where the text's language can have it.

    Attributes:
        text: What the target reads.
        held: The constraints that the target's own form enforces, or that follow from what it enforces.
        left: The others, each with the reason.
        checker: Python source of a function ``check`` of what is left over; empty where nothing is.
    """

    text: str
    held: tuple[Constraint, ...] = ()
    left: tuple[Left, ...] = ()
    checker: str = ""


def parted(
    system: ConstraintSystem, held: ConstraintSystem, reason: Mapping[Constraint, str], otherwise: str, limit: int | None
) -> tuple[tuple[Constraint, ...], tuple[Left, ...]]:
    """The constraints that follow from those a target holds, and the others with their reason.

    A constraint counts as held only where that is proved.
    """
    from dynconstraints.solver.verdicts import Implied

    verdicts = {c: c in held.constraints or isinstance(held.implies(c, limit), Implied) for c in system}
    kept = tuple(c for c, is_held in verdicts.items() if is_held)
    left = tuple(Left(c, reason.get(c, otherwise)) for c, is_held in verdicts.items() if not is_held)
    return kept, left


def remarks(target: str, held: Iterable[Constraint], left: Iterable[Left]) -> list[str]:
    """Lines that say what the target holds and what is left over, for the head of the text."""
    held, left = tuple(held), tuple(left)
    lines = [f"{target} holds:", *(f"  {c.line}" for c in held)] if held else []
    if not left:
        return [*lines, "Nothing is left over: every constraint is held."]
    return [*lines, "Left over, for check() to hold:", *(f"  {one.constraint.line}  ({one.reason})" for one in left)]


def commented(lines: Iterable[str], mark: str = "#") -> list[str]:
    """The lines as comments."""
    return [f"{mark} {line}".rstrip() for line in lines]
