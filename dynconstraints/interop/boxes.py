"""Boxes: a least, a usual and a greatest size for each dimension, one box for each alternative of the constraints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice, product
from typing import NamedTuple

from dynconstraints.interop.emission import Left, Subject, parted
from dynconstraints.interop.layout import Layout, Slot, cannot
from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.evaluate import value_of
from dynconstraints.ir.fold import conjuncts, names_in_order
from dynconstraints.ir.nodes import Formula, Int, Member, Name, Or, Relation, SetOf, comparison
from dynconstraints.ir.printer import show
from dynconstraints.system import ConstraintSystem

_LARGEST = (1 << 63) - 1
"""The greatest size that the systems with boxes can say; above it is no end."""

MOST_BOXES = 16
"""With more alternatives there is one box around all of them."""


class Range(NamedTuple):
    """What a dimension can be, both ends inclusive; ``usual`` is part of a legal assignment."""

    least: int
    usual: int
    greatest: int | None


Box = Mapping[Slot, Range]
"""By dimension; arguments that are numbers are in no box."""


def boxes(subject: Subject, layout: Layout, target: str, *, most: int = MOST_BOXES, bounded: bool = True) -> list[Box]:
    """The boxes. Raises ArgumentError where ``bounded`` ones are wanted and a size has no upper end."""
    systems = _alternatives(subject.integers, most, subject.limit)
    found: list[Box] = []
    for system in systems:
        box: Box = _box(system, layout, subject.limit)
        if all(_ends(box) != _ends(other) for other in found):
            found.append(box)
    for box in found if bounded else ():
        for slot, ends in box.items():
            if ends.greatest is None:
                size = slot.place if slot.term is None else show(slot.term)
                raise cannot(f"{size} has no upper bound, and {target} needs one", f"add one, such as {size} <= 4096")
    return found


def split(
    subject: Subject, layout: Layout, found: Sequence[Box], reason: str, more: Sequence[Sequence[Constraint]] = ()
) -> tuple[tuple[Constraint, ...], tuple[Left, ...]]:
    """What the boxes hold of the constraints, the declared sizes among them, and what is left over.

    ``more`` is what the target holds beside each box.
    """
    systems = []
    for index, box in enumerate(found):
        said: list[Formula] = []
        for slot, (least, _, greatest) in box.items():
            is_home = any(home is slot for home in layout.homes.values())
            terms = [Name(slot.place), *([slot.term] if is_home and slot.term is not None else [])]
            said += [comparison(Int(least), Relation.LE, term) for term in terms]
            said += [comparison(term, Relation.LE, Int(greatest)) for term in terms if greatest is not None]
        extra = more[index] if more else ()
        systems.append(ConstraintSystem([*map(Constraint.of, said), *extra]))
    wanted = (*subject.system, *(relation for _, relation in layout.relations))
    return parted(wanted, systems, reason, subject.limit)


def _ends(box: Box) -> list[tuple[int, int | None]]:
    return [(ends.least, ends.greatest) for ends in box.values()]


def _alternatives(system: ConstraintSystem, most: int, limit: int | None) -> list[ConstraintSystem]:
    """Systems that together are the given one; those that nothing satisfies are left out."""
    from dynconstraints.solver.verdicts import Unsat

    parts = [formula for constraint in system for formula in conjuncts(constraint.formula)]
    choices = [_choices(part) for part in parts]
    several = list(islice(product(*choices), most + 1))
    if len(several) > most or len(several) == 1:
        return [system]
    systems = [ConstraintSystem(map(Constraint.of, chosen), reals=system.reals) for chosen in several]
    return [one for one in systems if not isinstance(one.check(limit), Unsat)] or [system]


def _choices(formula: Formula) -> tuple[Formula, ...]:
    match formula:
        case Or(operands):
            return operands
        case Member(item, SetOf(elements)):
            return tuple(comparison(item, Relation.EQ, element) for element in elements)
        case _:
            return (formula,)


def _box(system: ConstraintSystem, layout: Layout, limit: int | None) -> dict[Slot, Range]:
    dims = [slot for slot in layout if slot.index is not None]
    ends = {slot: (0, None) if slot.term is None else system.bounds(slot.term, limit) for slot in dims}
    middle = {}
    for name, slot in layout.homes.items():
        lower, upper = system.bounds(name, limit)
        low = max(lower or 0, 0) if slot.index is not None else lower or 0
        middle[name] = low if upper is None else (low + upper) // 2
    wanted = {name: value for name, value in middle.items() if name in system.symbols}
    usual = middle | system.nearest(wanted, limit)
    found = {}
    for slot, (lower, upper) in ends.items():
        low = max(lower or 0, 0)
        value = (
            None if slot.term is None or not layout.homes.keys() >= set(_names(slot)) else value_of(slot.term, usual)
        )
        upper = None if upper is None or upper > _LARGEST else upper
        found[slot] = Range(low, low if value is None else value, upper)
    return found


def _names(slot: Slot) -> tuple[str, ...]:
    return () if slot.term is None else names_in_order(slot.term)
