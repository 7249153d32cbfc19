"""ExecuTorch: upper bounds for its memory plan, and rows [least, greatest, step] of what each dimension can be."""

from __future__ import annotations

from dynconstraints.interop.boxes import Box, boxes, split
from dynconstraints.interop.checker import written
from dynconstraints.interop.emission import Emission, Subject
from dynconstraints.interop.layout import Layout, Slot, layout_of
from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.nodes import Int, Mod, Name, Relation, Term, comparison, negated, total

_CHECK = '''\

def accepts(sizes):
    """Whether each shape, by argument, is one of the rows'."""
    return all(
        len(sizes[name]) == len(row) and all(n in range(a, b + 1, step) for n, (a, b, step) in zip(sizes[name], row))
        for name, row in rows.items()
    )
'''


def emit(subject: Subject) -> Emission:
    """A source that assigns ``rows`` and ``upper_bounds`` by argument, and a function that goes by the rows."""
    layout = layout_of("ExecuTorch", subject.shapes, full=True)
    (box,) = found = boxes(subject, layout, "ExecuTorch", most=1)
    steps = {slot: _step(subject, slot, box) for slot in box}
    held, left = split(subject, layout, found, "a row is a range with a step", [_stepped(layout, box, steps)])
    code = ["rows = {  # by argument, for each dimension: the least size, the greatest, and the step"]
    tensors = {path: slots for path, slots in layout.slots.items() if not layout.is_number(path)}
    for path, slots in tensors.items():
        code.append(f"    {path!r}: {[[box[s].least, box[s].greatest, steps[s]] for s in slots]!r},")
    bounds = {path: [box[s].greatest for s in slots] for path, slots in tensors.items()}
    code += ["}", f"upper_bounds = {bounds!r}", "", *_CHECK.splitlines()]
    return written(code, "ExecuTorch", subject, held, left, layout)


def _step(subject: Subject, slot: Slot, box: Box) -> int:
    if slot.term is None or box[slot].least == box[slot].greatest:
        return 1
    modulus, rest = subject.integers.congruence(slot.term, subject.limit)
    return modulus if modulus > 1 and (box[slot].least - rest) % modulus == 0 else 1


def _stepped(layout: Layout, box: Box, steps: dict[Slot, int]) -> list[Constraint]:
    said = []
    for slot, step in steps.items():
        is_home = any(home is slot for home in layout.homes.values())
        terms: list[Term] = [Name(slot.place), *([slot.term] if is_home and slot.term is not None else [])]
        for term in terms if step > 1 else ():
            above = total((term, negated(Int(box[slot].least))))
            said.append(Constraint.of(comparison(Mod(above, Int(step)), Relation.EQ, Int(0))))
    return said
