"""The error for values that break constraints: the user's text, his values, and what they come to."""

from __future__ import annotations

from collections.abc import Mapping

from dynconstraints.diagnostics.diagnostic import Diagnostic
from dynconstraints.diagnostics.errors import ConstraintViolationError
from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.evaluate import value_of
from dynconstraints.ir.fold import names, substitute_term
from dynconstraints.ir.nodes import Compare, Formula, Int, Member, Name, Not, Term, Test
from dynconstraints.ir.printer import show
from dynconstraints.pytorch.placing import Place


def violation(
    broken: tuple[Constraint, ...], values: Mapping[str, int], places: Mapping[str, Place], advice: str = ""
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
        labels.append(placed.label(known(constraint, values)))
    elsewhere = {str(places[name]): None for name in spoken if name in places and places[name].origin not in seen}
    notes = tuple(
        f"{name} = {values[name]} is from {places[name]}" for name in spoken if str(places.get(name)) in elsewhere
    )
    return ConstraintViolationError(
        Diagnostic("DC301", message, tuple(labels), notes, (advice,) if advice else ()), first, spoken
    )


def known(constraint: Constraint, values: Mapping[str, int]) -> str:
    """What is known at the constraint: ``s0 = 65, and 65 % 32 = 1``."""
    mine = {name: values[name] for name in constraint.symbols if name in values}
    if len(mine) < len(constraint.symbols):
        return shown(mine)
    worked = [
        _worked(term, mine) for term in _compared(constraint.formula) if names(term) and not isinstance(term, Name)
    ]
    return ", and ".join((shown(mine), *dict.fromkeys(worked)))


def shown(values: Mapping[str, int]) -> str:
    """The assignment as ``s0 = 64, s1 = 128``."""
    return ", ".join(f"{name} = {value}" for name, value in values.items())


def _compared(formula: Formula) -> tuple[Term, ...]:
    """The terms whose values decide the formula, where it is a single comparison or test; () for connectives."""
    match formula:
        case Compare(operands):
            return operands
        case Member(item):
            return (item,)
        case Test(_, arguments):
            return arguments
        case Not(operand):
            return _compared(operand)
        case _:
            return ()


def _worked(term: Term, values: Mapping[str, int]) -> str:
    value = value_of(term, values)
    written = show(substitute_term(term, {name: Int(v) for name, v in values.items()}))
    return f"{written} is undefined" if value is None else f"{written} = {value}"


def _free(broken: tuple[Constraint, ...], values: Mapping[str, int]) -> str:
    return " or ".join(dict.fromkeys(name for c in broken for name in c.symbols if name not in values))
