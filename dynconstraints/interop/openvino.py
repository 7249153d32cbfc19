"""OpenVINO: partial shapes of ranges, one for each argument."""

from __future__ import annotations

from dynconstraints.interop.boxes import Range, boxes, split
from dynconstraints.interop.checker import written
from dynconstraints.interop.emission import Emission, Subject
from dynconstraints.interop.layout import layout_of


def emit(subject: Subject) -> Emission:
    """A source that assigns ``shapes``, for ``model.reshape(shapes)``."""
    layout = layout_of("OpenVINO", subject.shapes)
    (box,) = found = boxes(subject, layout, "OpenVINO", most=1, bounded=False)
    held, left = split(subject, layout, found, "a Dimension is a range by itself")
    code = ["import openvino as ov", "", "shapes = {"]
    for path, slots in layout.slots.items():
        if not layout.is_number(path):
            code.append(f"    {path!r}: ov.PartialShape([{', '.join(_dimension(box[slot]) for slot in slots)}]),")
    return written([*code, "}"], "OpenVINO", subject, held, left, layout)


def _dimension(ends: Range) -> str:
    if ends.least == ends.greatest:
        return str(ends.least)
    return f"ov.Dimension({ends.least}, {-1 if ends.greatest is None else ends.greatest})"
