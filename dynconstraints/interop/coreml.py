"""Core ML: input types with ranges, or with all shapes listed where they are few and ranges would let more through."""

from __future__ import annotations

from dynconstraints.interop.boxes import Range, boxes, split
from dynconstraints.interop.checker import written
from dynconstraints.interop.emission import Emission, Subject
from dynconstraints.interop.layout import layout_of
from dynconstraints.interop.listing import all_sizes

_MOST_LISTED = 128
"""Core ML takes no more shapes."""


def emit(subject: Subject) -> Emission:
    """A source that assigns ``inputs``, for ``coremltools.convert(…, inputs=inputs)``."""
    layout = layout_of("Core ML", subject.shapes, full=True)
    (box,) = found = boxes(subject, layout, "Core ML", most=1, bounded=False)
    held, left = split(subject, layout, found, "a RangeDim is a range by itself")
    tensors = {path: slots for path, slots in layout.slots.items() if not layout.is_number(path)}
    # All inputs have as many shapes, and the n-th of one goes with the n-th of another; a number is no input.
    listed = all_sizes(subject, layout, _MOST_LISTED) if left and len(tensors) == len(layout.slots) else None
    code = ["import coremltools as ct", "", "inputs = ["]
    if listed is not None:
        held, left = (*subject.system, *(relation for _, relation in layout.relations)), ()
        texts = {
            path: f"ct.EnumeratedShapes(shapes={[[one[slot] for slot in slots] for one in listed]!r})"
            for path, slots in tensors.items()
        }
    else:
        texts = {
            path: f"ct.Shape(({''.join(f'{_range(box[slot])}, ' for slot in slots)}))"
            for path, slots in tensors.items()
        }
    code += [f"    ct.TensorType(name={path!r}, shape={text})," for path, text in texts.items()]
    return written([*code, "]"], "Core ML", subject, held, left, layout)


def _range(ends: Range) -> str:
    least, usual, greatest = ends
    if least == greatest:
        return str(least)
    return f"ct.RangeDim(lower_bound={least}, upper_bound={-1 if greatest is None else greatest}, default={usual})"
