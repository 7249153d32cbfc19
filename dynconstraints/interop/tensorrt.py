"""TensorRT: optimization profiles of a least, a best and a greatest shape, one an alternative of the constraints."""

from __future__ import annotations

from dynconstraints.interop.boxes import Box, boxes, split
from dynconstraints.interop.checker import written
from dynconstraints.interop.emission import Emission, Subject
from dynconstraints.interop.layout import Layout, layout_of

REASON = "a profile is a range for each dimension by itself"

_ADD = """\

def add_profiles(builder, config):
    for shapes in profiles:
        profile = builder.create_optimization_profile()
        for name, (least, best, greatest) in shapes.items():
            profile.set_shape(name, least, best, greatest)
        config.add_optimization_profile(profile)
"""


def emit(subject: Subject) -> Emission:
    """A source that assigns ``profiles``, with a function that adds them to a builder's config."""
    layout = layout_of("TensorRT", subject.shapes, full=True)
    found = boxes(subject, layout, "TensorRT")
    held, left = split(subject, layout, found, REASON)
    code = ["profiles = [  # by argument: the least, the best, and the greatest shape"]
    for box in found:
        code += ["    {", *(f"        {path!r}: {triple!r}," for path, triple in shapes(layout, box).items()), "    },"]
    code += ["]", "", *_ADD.splitlines()]
    return written(code, "TensorRT", subject, held, left, layout)


def shapes(layout: Layout, box: Box) -> dict[str, tuple[tuple[int, ...], ...]]:
    """The least, the usual and the greatest shape of each tensor."""
    return {
        path: tuple(tuple(ends[end] or 0 for ends in (box[slot] for slot in slots)) for end in range(3))
        for path, slots in layout.slots.items()
        if not layout.is_number(path)
    }
