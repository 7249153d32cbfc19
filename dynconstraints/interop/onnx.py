"""ONNX: what a model's metadata has of a declaration, and a check of its inputs beside onnxruntime.

``torch.onnx.export(..., dynamo=True)`` of a declared program names the dimensions and writes the metadata. ONNX itself
enforces nothing of either.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, cast

from dynconstraints.interop.call_check import CallCheck
from dynconstraints.interop.reading.reading import cannot_read
from dynconstraints.signature.signature import Signature

SIGNATURE, CONSTRAINTS = "dynconstraints.signature", "dynconstraints.constraints"
"""The keys of the metadata: the signature as JSON, its paths the names of inputs; and the constraints, one a line."""


def metadata_of(signature: Signature) -> dict[str, str]:
    """What the metadata of a model has of a signature whose paths are the names of inputs."""
    return {SIGNATURE: signature.to_json(), CONSTRAINTS: "\n".join(c.line for c in signature.system)}


def signature_of_model(model: Any) -> Signature:
    """The signature in the metadata of a model.

    Args:
        model: A path, an ``onnxruntime.InferenceSession``, an ``onnx.ModelProto``, or what torch.onnx.export returned.

    Returns:
        The signature; its paths are the names of inputs.

    Raises:
        ArgumentError: The model has none.
    """
    text = _metadata(model).get(SIGNATURE)
    if text is None:
        advice = "export a declared program with torch.onnx.export(..., dynamo=True)"
        raise cannot_read("the ONNX model", "its metadata has no declaration", advice)
    return Signature.from_json(text)


def checker_of(model: Any) -> Callable[[Mapping[str, Any]], None]:
    """A function that checks the inputs of a model, for calls before ``session.run(None, inputs)``.

    Args:
        model: As `signature_of_model` takes it.

    Returns:
        A function of the inputs by name: arrays, or anything else with a shape. It returns None, or raises
        ConstraintViolationError for sizes that break the declaration, and DimensionError for another number of
        dimensions than is declared.

    Raises:
        ArgumentError: The metadata of the model has no declaration.

    Example:
        >>> session = onnxruntime.InferenceSession("model.onnx")  # doctest: +SKIP
        >>> check = checker_of(session)  # doctest: +SKIP
        >>> check(inputs)  # doctest: +SKIP
        >>> session.run(None, inputs)  # doctest: +SKIP
    """
    return CallCheck(signature_of_model(model), "the metadata of the model").check


def _metadata(model: Any) -> Mapping[str, str]:
    if isinstance(model, str | os.PathLike):
        model = import_module("onnx").load(os.fspath(model), load_external_data=False)
    if hasattr(model, "get_modelmeta"):
        return cast("Mapping[str, str]", model.get_modelmeta().custom_metadata_map)
    proto = getattr(model, "model_proto", model)
    if not hasattr(proto, "metadata_props"):
        advice = "pass a path, an InferenceSession, a ModelProto, or what torch.onnx.export returned"
        raise cannot_read("ONNX", f"{type(model).__name__} is no model", advice)
    return {entry.key: entry.value for entry in proto.metadata_props}
