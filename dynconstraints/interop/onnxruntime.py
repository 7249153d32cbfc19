"""ONNX Runtime: the options of its TensorRT provider, a profile an alternative of the constraints."""

from __future__ import annotations

from dynconstraints.interop.boxes import boxes, split
from dynconstraints.interop.checker import written
from dynconstraints.interop.emission import Emission, Subject
from dynconstraints.interop.layout import layout_of
from dynconstraints.interop.tensorrt import REASON, shapes


def emit(subject: Subject) -> Emission:
    """A source that assigns ``provider_options``."""
    layout = layout_of("ONNX Runtime", subject.shapes, full=True)
    found = boxes(subject, layout, "ONNX Runtime")
    held, left = split(subject, layout, found, REASON)
    profiles = [shapes(layout, box) for box in found]
    code = ["provider_options = {"]
    for end, kind in enumerate(("min", "opt", "max")):
        texts = [f"{path}:{'x'.join(map(str, triple[end]))}" for one in profiles for path, triple in one.items()]
        code.append(f'    "trt_profile_{kind}_shapes": {",".join(texts)!r},')
    return written([*code, "}"], "ONNX Runtime", subject, held, left, layout)
