"""All assignments, where they are few."""

from __future__ import annotations

from collections.abc import Mapping

from dynconstraints.diagnostics.errors import SolverLimitError
from dynconstraints.interop.emission import Subject
from dynconstraints.interop.layout import Layout, Slot
from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.evaluate import value_of
from dynconstraints.ir.fold import names_in_order
from dynconstraints.ir.nodes import Int, Name, Relation, comparison
from dynconstraints.system import ConstraintSystem


def assignments(system: ConstraintSystem, most: int) -> list[dict[str, int]] | None:
    """Every assignment; None where there are more than so many, or it is not known."""
    try:
        return list(system.enumerate(most)) if system.count(most) else None
    except SolverLimitError:
        return None


def all_sizes(subject: Subject, layout: Layout, most: int) -> list[Mapping[Slot, int]] | None:
    """Every legal choice of all sizes of the arguments; None where there are more than so many, or it is not known."""
    terms = [slot.term for slot in layout]
    names = {name for term in terms if term is not None for name in names_in_order(term)}
    if None in terms or not layout.homes.keys() >= names or not names >= set(subject.system.symbols):
        return None
    sizes = [comparison(Name(name), Relation.GE, Int(0)) for name in layout.sizes]
    found = assignments(subject.system.extend(map(Constraint.of, sizes)), most)
    if found is None:
        return None
    listed = [{slot: value_of(slot.term, one) for slot in layout if slot.term is not None} for one in found]
    if any(value is None or value < 0 for one in listed for value in one.values()):
        return None
    return [{slot: value for slot, value in one.items() if value is not None} for one in listed]
