"""The targets by name."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from dynconstraints.interop.emission import Emission, Subject
from dynconstraints.signature.signature import Signature
from dynconstraints.syntax.given import unfit

TARGETS = {
    "checker": "a Python function without imports that checks values, or shapes",
    "cpp": "a C++17 header that checks values, exactly over 64 bits",
    "export": "torch.export: Dims and dynamic_shapes",
    "shapes-spec": "torch's ShapesSpec, of 2.13 and newer",
    "hypothesis": "a Hypothesis strategy of all legal values",
    "annotated": "a type for each name, of annotated-types",
    "jax": "JAX's symbolic shapes",
    "tensorrt": "optimization profiles of TensorRT",
    "onnxruntime": "the same as options of ONNX Runtime",
    "executorch": "upper bounds and rows of ExecuTorch",
    "coreml": "input types of Core ML",
    "vllm": "arguments of vLLM's support_torch_compile",
    "iree": "assumptions of IREE, in MLIR",
    "openvino": "partial shapes of OpenVINO",
}
"""What each is, in a line; its file has its name."""

SHAPELESS = ("checker", "cpp", "export", "hypothesis", "annotated", "jax", "iree")
"""Those that can go by names alone."""


def emit(target: str, subject: Subject | Signature) -> Emission:
    """The text for a target, and what it holds.

    Args:
        target: One of `TARGETS`.
        subject: A Signature, or constraints with or without shapes.

    Returns:
        The Emission.

    Raises:
        ArgumentError: There is no such target, or it cannot take the declaration: it needs shapes, or an upper bound.
        InconsistentConstraintsError: Nothing satisfies the constraints.

    Example:
        >>> print(emit("annotated", Signature.of({"x": "n"}, ["n % 8 == 0", "8 <= n <= 64"])).text)
        # annotated-types holds:
        #   n % 8 == 0
        #   8 <= n <= 64
        # Nothing is left over: every constraint is held.
        from typing import Annotated
        <BLANKLINE>
        from annotated_types import Ge, Le, MultipleOf
        <BLANKLINE>
        N = Annotated[int, Ge(8), Le(64), MultipleOf(8)]
        <BLANKLINE>
    """
    from dynconstraints.solver.verdicts import Unsat

    if target not in TARGETS:
        raise unfit(target, f"there is no target {target!r}", f"the targets are {', '.join(TARGETS)}")
    if isinstance(subject, Signature):
        subject = Subject(subject.system, subject.arguments, subject.name)
    subject = subject.of_whole_sizes()
    for system in () if target in ("checker", "cpp") else (subject.system, subject.integers):
        if isinstance(system.check(subject.limit), Unsat):
            raise system.inconsistency(subject.limit)
    module = import_module(f"dynconstraints.interop.{target.replace('-', '_')}")
    write: Callable[[Subject], Emission] = module.emit
    return write(subject)
