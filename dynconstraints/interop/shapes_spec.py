"""torch's ShapesSpec: a variable for each name, sizes that are arithmetic of them, and assumptions."""

from __future__ import annotations

from collections.abc import Mapping

from dynconstraints.interop.checker import written
from dynconstraints.interop.emission import Emission, Left, Subject, parted
from dynconstraints.interop.layout import Slot, layout_of
from dynconstraints.interop.nesting import nested
from dynconstraints.interop.plain_links import links, plain_term
from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.fold import names as names_in
from dynconstraints.ir.fold import substitute, substitute_term
from dynconstraints.ir.nodes import Name, conjunction
from dynconstraints.ir.printer import show
from dynconstraints.lowering.to_closure import python_names
from dynconstraints.system import ConstraintSystem

_REASON = "an assumption compares sums, products, and divisions by numbers, of names that stand bare in a shape"
_USED = ("IntVar", "ShapeVar", "ShapesSpec", "TensorSpec", "DictSpec", "SeqSpec", "STATIC", "shapes_spec")


def emit(subject: Subject) -> Emission:
    """A source that assigns to ``shapes_spec``."""
    layout = layout_of("ShapesSpec", subject.shapes)
    system = subject.system
    bare = [n for n, slot in layout.homes.items() if slot.term == Name(n) and n not in system.reals]
    places = python_names(bare, _USED)
    code, ranges = [], []
    for name in bare:
        is_size = layout.homes[name].index is not None
        lower, upper = subject.integers.bounds(name, subject.limit)
        lower = max(lower or 0, 0) if is_size else lower
        ends = [f"min={lower}"] * (lower is not None) + [f"max={upper}"] * (upper is not None)
        code.append(f"{places[name]} = {'ShapeVar' if is_size else 'IntVar'}({', '.join([repr(name), *ends])})")
        ranges += [f"{name} >= {lower}"] * (lower is not None) + [f"{name} <= {upper}"] * (upper is not None)
    held, left = parted(system, [ConstraintSystem(ranges)], _REASON, subject.limit)
    said = {one.constraint: _assumptions(one.constraint, places) for one in left}
    held = (*held, *(c for c, lines in said.items() if lines))
    left = tuple(one for one in left if not said[one.constraint])
    dims = {slot: _size(slot, places) for slot in layout}
    held = (*held, *(relation for slot, relation in layout.relations if dims[slot] != "STATIC"))
    left = (*left, *(Left(relation, _REASON) for slot, relation in layout.relations if dims[slot] == "STATIC"))
    listed = {path: [dims[slot] for slot in slots] for path, slots in layout.slots.items()}
    shapes = {p: d[0] if layout.is_number(p) else f"TensorSpec([{', '.join(d)}])" for p, d in listed.items()}
    assumed = [f"    {line}," for lines in said.values() for line in lines]
    tree = nested("ShapesSpec", shapes, "DictSpec({})", "SeqSpec({})")
    code += [f"shapes_spec = ShapesSpec({tree}, assumptions=[", *assumed, "])"]
    used = sorted(word for word in _USED[:-1] if any(word in line for line in code))
    head = [f"from torch.fx.experimental.dynamic_spec import {', '.join(used)}", ""]
    return written([*head, *code], "ShapesSpec", subject, held, left, layout)


def _size(slot: Slot, places: Mapping[str, str]) -> str:
    term = None if slot.term is None else plain_term(slot.term)
    if term is None or not names_in(term) <= places.keys():
        return "STATIC"
    return show(substitute_term(term, {name: Name(place) for name, place in places.items()}))


def _assumptions(constraint: Constraint, places: Mapping[str, str]) -> list[str]:
    """The constraint as assumptions; none where it cannot be one."""
    found = links(constraint.formula)
    if not found or not names_in(constraint.formula) <= places.keys():
        return []
    if not all(map(names_in, found)):
        return []  # Python would make a bool of it
    spelled = {name: Name(place) for name, place in places.items()}
    return [show(substitute(conjunction((link,)), spelled)) for link in found]
