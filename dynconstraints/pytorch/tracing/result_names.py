"""Results of a compiled function: what its graph knows of their sizes goes with them (`values/result_dims`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from dynconstraints.pytorch._torch.compilation import is_kept_on_disk, makes_sizes_dynamic
from dynconstraints.pytorch.declarations.scope import current_scope
from dynconstraints.pytorch.frame.call_check import traced_code
from dynconstraints.pytorch.frame.frame_facts import FrameFacts
from dynconstraints.pytorch.tracing.graph_breaks import carried_results
from dynconstraints.pytorch.values.dims_record import NamedDims
from dynconstraints.pytorch.values.result_dims import ResultDims, known_of, remember


def knowing_results(compiled: Callable[..., Any], graph: Any, facts: FrameFacts) -> Callable[..., Any]:
    """The compiled graph, whose results keep what is known of their sizes. Costs an attribute a result.

    What the user passed in is none of them, whether it comes back as it is or changed in place.
    """
    code = traced_code()
    found = dict(_known(graph, facts, "?" if code is None else code.co_name)) if facts.members else {}
    if not found or is_kept_on_disk(compiled):
        return compiled

    def call(*args: Any) -> Any:
        results = compiled(*args)
        for index, known in found.items():
            remember(results[index], known)
        return results

    return call


def _known(graph: Any, facts: FrameFacts, function: str) -> Iterator[tuple[int, ResultDims]]:
    (output,) = graph.graph.find_nodes(op="output")
    said = dict.fromkeys((*facts.scope.constraints, *(c for m in facts.members.values() for c in m.constraints)))
    for c in carried_results(graph, facts):
        if c.dims is not None and not _may_be_an_argument(output.args[0][c.index]):
            yield c.index, ResultDims.of(function, c.dims, said)


def _may_be_an_argument(node: Any) -> bool:
    """Whether it is what was passed in: an input, or what an operation in place returns."""
    name = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", "")
    return node.op == "placeholder" or name.endswith("_") or name.startswith("__i") or "out" in node.kwargs


def known_input(tx: Any, tensor: Any) -> NamedDims | None:
    """What is known of an input of the frame that is another function's result.

    Nothing where a block has guards told, for which no declaration is the cure, or where all sizes are to be static.
    """
    scope = current_scope()
    if not makes_sizes_dynamic() or {scope.on_new_guard, scope.on_specialize} != {"allow"}:
        return None
    output = tx.output
    record = known_of(tensor, output.__dict__.get(_RESULTS, 0))
    if record is not None:
        output.__dict__[_RESULTS] = output.__dict__.get(_RESULTS, 0) + 1
    return record


_RESULTS = "_dynconstraints_results"
