"""torch.onnx: the step from a program to a model, and what a model is made of. Read in 2.13."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from typing import Any

EXPORTER = "torch.onnx._internal.exporter._core"
"""The module of the step, which is loaded when torch.onnx.export is called."""


def exporter() -> tuple[Any, str]:
    """What torch.onnx.export makes a model by, before it is saved; the owner is None where onnxscript is missing."""
    try:
        found = importlib.import_module(EXPORTER)
    except ImportError:
        return None, "export"
    return (found if hasattr(found, "export") else None), "export"


def inputs_by_leaf(model: Any) -> dict[int, Any]:
    """The inputs of a model by the number of the flat input that each is; those that are constants are none."""
    program = model.exported_program
    graph = importlib.import_module("torch.export.graph_signature")
    specs = [s for s in program.graph_signature.input_specs if s.kind == graph.InputKind.USER_INPUT]
    passed = [i for i, spec in enumerate(specs) if not isinstance(spec.arg, graph.ConstantArgument)]
    return dict(zip(passed, model.model.graph.inputs, strict=False))


def rename_dimensions(model: Any, rename: Callable[[str], str]) -> None:
    """Give each dimension of each value of a model that has a text another one."""
    ir = importlib.import_module("onnx_ir")
    for value in _values(model.model):
        if value.shape is not None and any(isinstance(dim, ir.SymbolicDim) and dim.value for dim in value.shape):
            dims = [rename(dim.value) if isinstance(dim, ir.SymbolicDim) and dim.value else dim for dim in value.shape]
            value.shape = ir.Shape(dims)


def _values(model: Any) -> Iterator[Any]:
    seen = set()
    graphs = [model.graph, *getattr(model, "functions", {}).values()]
    for graph in graphs:
        for value in (*graph.inputs, *_made(graph)):
            if id(value) not in seen:
                seen.add(id(value))
                yield value


def _made(graph: Any) -> Iterator[Any]:
    for node in graph.all_nodes():
        yield from node.outputs
    yield from graph.outputs
