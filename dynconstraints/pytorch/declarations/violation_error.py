"""The error for values that break constraints: the user's text, his values, and what they come to."""

from __future__ import annotations

from collections.abc import Mapping

from dynconstraints.diagnostics.diagnostic import Diagnostic
from dynconstraints.diagnostics.errors import ConstraintViolationError
from dynconstraints.ir.constraint import Constraint
from dynconstraints.pytorch.declarations.user_location import Place
from dynconstraints.solver.queries.explain import known


def violation(
    broken: tuple[Constraint, ...],
    values: Mapping[str, int],
    places: Mapping[str, Place],
    advice: tuple[str, ...] = (),
) -> ConstraintViolationError:
    """The error for constraints that the values break: each by itself, or, where names are unbound, all together."""
    first, *others = broken
    spoken = {name: values[name] for c in broken for name in c.symbols if name in values}
    alone = all(name in values for name in first.symbols)
    if alone:
        message = f"constraint violated: {first}" + (f", and {len(others)} more" if others else "")
    else:
        message = f"constraints violated: no {_free(broken, values)} is left" + (
            f" for {shown(spoken)}" if spoken else ""
        )
    labels, seen = [], set()
    for constraint in broken:
        place = next((places[name] for name in constraint.symbols if name in places), None)
        placed = constraint if place is None else place.constraint(constraint)
        seen.add(placed.source.origin)
        labels.append(placed.label(_known(constraint, values)))
    elsewhere = {str(places[name]): None for name in spoken if name in places and places[name].origin not in seen}
    notes = tuple(
        f"{name} = {values[name]} is from {places[name]}" for name in spoken if str(places.get(name)) in elsewhere
    )
    return ConstraintViolationError(Diagnostic("DC301", message, tuple(labels), notes, advice), first, spoken)


def _known(constraint: Constraint, values: Mapping[str, int]) -> str:
    """What is known at the constraint: ``s0 = 65, and 65 % 32 = 1``; of a part of its names, their values alone."""
    mine = {name: values[name] for name in constraint.symbols if name in values}
    return shown(mine) if len(mine) < len(constraint.symbols) else known(constraint, values)


def shown(values: Mapping[str, int]) -> str:
    """The assignment as ``s0 = 64, s1 = 128``."""
    return ", ".join(f"{name} = {value}" for name, value in values.items())


def _free(broken: tuple[Constraint, ...], values: Mapping[str, int]) -> str:
    return " or ".join(dict.fromkeys(name for c in broken for name in c.symbols if name not in values))
