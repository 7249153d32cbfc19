"""The findings and the wording that several commands share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dynconstraints.diagnostics.diagnostic import Diagnostic
from dynconstraints.ir.constraint import Constraint
from dynconstraints.solver.reals.literals import shown as number

UNDECIDED = "DC601"


def counted(number: int, noun: str) -> str:
    """The number with the noun, in the plural where it takes that."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def shown(assignment: Mapping[str, int]) -> str:
    """The assignment as ``s0 = 64, s1 = 128``."""
    return ", ".join(f"{name} = {number(value)}" for name, value in assignment.items())


_MOST_SHOWN = 40


def example(assignment: Mapping[str, int]) -> str:
    """As ``shown``, of an assignment that only illustrates: of one to many names, the first of them."""
    if len(assignment) <= _MOST_SHOWN:
        return shown(assignment)
    first = dict(list(assignment.items())[:_MOST_SHOWN])
    return f"{shown(first)}, and {counted(len(assignment) - _MOST_SHOWN, 'name')} more"


def redundant(constraint: Constraint, follows_from: Iterable[Constraint]) -> Diagnostic:
    """The constraint says nothing that others do not say already."""
    causes = tuple(follows_from)
    if not causes:
        message, known = f"redundant: {constraint.line} always holds", ""
    else:
        message, known = f"redundant: {constraint.line} follows from the others", "follows"
    labels = (constraint.label(known), *(cause.label("from this") for cause in causes))
    return Diagnostic(
        "DC202", message, labels, help=("remove it; the set means the same without it",), severity="warning"
    )


def refuted(query: Constraint) -> Diagnostic:
    """The query is false wherever the constraints hold."""
    return Diagnostic(
        "DC203",
        f"refuted: {query.line}",
        (query.label("true of no legal values"),),
        help=("`check` with the query added shows the constraints that it conflicts with",),
    )


def left_open(query: Constraint, holds_at: Mapping[str, int], fails_at: Mapping[str, int]) -> Diagnostic:
    """The constraints allow the query and its opposite."""
    return Diagnostic(
        "DC204",
        f"not implied: {query.line}",
        (query.label("true of some legal values, false of others"),),
        notes=(f"it holds at {example(holds_at)}", f"it fails at {example(fails_at)}"),
        help=("where your values rule the second out, say so with a constraint",),
    )


def violated_together(
    constraints: Iterable[Constraint], values: Mapping[str, int], nearest: Mapping[str, int] | None
) -> Diagnostic:
    """Values leave none for the other names of these constraints; ``nearest`` are legal ones, where they are known."""
    labels = tuple(constraint.label() for constraint in constraints)
    message = f"constraints violated together: no values of the other names go with {shown(values)}"
    advice = () if nearest is None else (f"the nearest values that satisfy every constraint: {example(nearest)}",)
    return Diagnostic("DC301", message, labels, help=advice)


def undecided(reason: str, constraints: Iterable[Constraint] = ()) -> Diagnostic:
    """The solver gave up."""
    labels = tuple(constraint.label() for constraint in constraints)
    return Diagnostic(
        UNDECIDED,
        f"not decided: {reason}",
        labels,
        help=("raise the limit with --limit, or give simpler constraints",),
        severity="warning",
    )
