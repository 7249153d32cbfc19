"""What a frame looks at, what it changes, and what it hands over a graph break, told by its trace.

A proof of coverage needs to know of all that a frame is guarded by where it comes from. What comes before the first
break comes from the call. What comes after it is what the code before it hands over: values of the call, untouched;
what the trace has as constants; results of its graph, whose sizes have names or are numbers; and what code that ran in
eager made, of which nothing is known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import CodeType
from typing import Any

import torch

from dynconstraints.pytorch._torch.dynamo import dynamo
from dynconstraints.pytorch._torch.shape_env import source_name
from dynconstraints.pytorch._torch.trace import continuations, is_kind, line_of_change, parts_of_source, trace_values
from dynconstraints.pytorch.frame.frame_facts import FrameFacts
from dynconstraints.pytorch.frame.restart import KEY
from dynconstraints.pytorch.signatures.parameters import collecting
from dynconstraints.pytorch.tracing.break_effects import Break, break_of
from dynconstraints.pytorch.tracing.handed_values import Handed, handed


@dataclass(frozen=True)
class Look:
    """A guard: of which variable of the frame, None for what is no variable's, on what in it, and of which kind."""

    variable: str | None
    source: str
    path: tuple[str | None, ...]
    kind: str


@dataclass(frozen=True)
class Change:
    """What the program changes of what was there before, and where: which attributes of an object, or, without names,
    what is in it; ``rebinds`` where a variable of a closure or of the module is set anew. What ``is_fresh`` is another
    object in each call."""

    source: str
    names: frozenset[str] = frozenset()
    rebinds: bool = False
    line: str | None = None
    is_fresh: bool = False

    def touches(self, look: Look, in_same_frame: bool) -> bool:
        """Whether a guard may look at what is changed.

        In another frame the same object may be called otherwise: there the names of what is looked at decide.
        """
        if self.is_fresh and in_same_frame:
            return False
        within = look.source.startswith(self.source)
        if self.rebinds:
            return within or (not in_same_frame and ("cell_contents" in look.path or None in look.path))
        if self.names:
            return (within or not in_same_frame) and not self.names.isdisjoint(look.path)
        return (within and look.kind not in _OF_TYPE) if in_same_frame else look.kind in _OF_CONTENTS


_OF_TYPE = frozenset(("TYPE_MATCH", "ID_MATCH", "declared"))
"""Guards on an object, whatever is in it."""

_OF_CONTENTS = frozenset(
    (
        *("SEQUENCE_LENGTH", "DICT_KEYS", "DICT_KEYS_MATCH", "DICT_CONTAINS", "DICT_NOT_CONTAINS"),
        *("SET_CONTAINS", "TENSOR_MATCH", "EQUALS_MATCH", "CONSTANT_MATCH"),
    )
)
"""Guards on what is in an object, or may be."""


@dataclass(frozen=True)
class Trace:
    """All that a frame looks at, changes and hands over; ``rest`` is the code that goes on after its break.

    ``held`` tells what was in its variables in the call that was traced; ``computes`` is whether its graph computes
    tensors, rather than hand on what it is given.
    """

    looks: tuple[Look, ...]
    held: Mapping[str, str]
    changes: tuple[Change, ...] = ()
    handed: Mapping[str, Handed] = field(default_factory=dict)
    broke: Break | None = None
    rest: tuple[CodeType, ...] = ()
    computes: bool = False


@dataclass(frozen=True)
class _End:
    """What is known when a frame's graph ends, and is gone when its guards are made."""

    output: Any
    changes: tuple[Change, ...]
    handed: Mapping[str, Handed]
    broke: Break | None
    computes: bool


def note_end(output: Any, tx: Any, reason: Any, popped: int | None) -> None:
    """Keep what the variables hold at the end of a graph; called before the graph is compiled.

    The instruction that ends it takes as many values as are ``popped`` from the stack; None where that is not known.
    """
    inputs = {id(node.meta.get("example_value")): node for node in output.graph.find_nodes(op="placeholder")}
    broke = break_of(tx, reason) if reason.graph_break else None
    below = [] if popped is None else tx.stack[: len(tx.stack) - popped]
    left = [value for value in below if not is_kind(value, trace_values().Null)]
    variables = {name: value for name, value in tx.symbolic_locals.items() if not name.startswith(_STACK)}
    values = {**variables, **{on_stack(i): value for i, value in enumerate(left)}} if broke else {}
    found = {name: handed(value, output, inputs) for name, value in values.items()}
    if broke is not None and not broke.gives and popped is not None:
        found[on_stack(len(left))] = Handed(constants=("None",))
    output.shape_env.__dict__[_END] = _End(output, tuple(_changes(output)), found, broke, _computes(output.graph))


def on_stack(index: int) -> str:
    """What torch calls a value without a variable in the rest of a function."""
    return f"{_STACK}{index}"


_STACK = "___stack"
"""Of such a value in the rest itself nothing is handed on: after its own break the name means another."""


def trace_of(env: Any) -> Trace | None:
    """What was kept of a frame, with its guards; called when they are all there."""
    end = env.__dict__.pop(_END, None)
    if end is None:
        return None
    facts = env.__dict__.get(KEY)
    carried = frozenset() if facts is None else facts.carried
    known = {name: value.under(env, carried) for name, value in end.handed.items()}
    output = end.output
    return Trace(
        tuple(_looks(output, facts)), _held(output), end.changes, known, end.broke, continuations(output), end.computes
    )


def trace_without_graph(output: Any) -> Trace | None:
    """The trace of a frame that torch leaves to eager since there is nothing in it to compile; None for other ends."""
    is_cut = getattr(output, "compile_subgraph_reason", None) is not None
    if is_cut or not output.root_tx.current_instruction.opname.startswith("RETURN_"):
        return None
    facts = output.shape_env.__dict__.get(KEY)
    return Trace(tuple(_looks(output, facts)), _held(output), tuple(_changes(output)))


_END = f"{KEY}_end"


def _computes(graph: Any) -> bool:
    numbers = torch.SymInt, torch.SymFloat, torch.SymBool, int, float
    calls = [node for node in graph.nodes if node.op.startswith("call_")]
    return not all(isinstance(node.meta.get("example_value"), numbers) for node in calls)


def _looks(output: Any, facts: FrameFacts | None) -> Iterator[Look]:
    for guard in output.guards:
        variable, path = parts_of_source(guard.originating_source)
        key = getattr(guard.create_fn, "keywords", {}).get("key")
        path = (*path, key) if isinstance(key, str) else path
        yield Look(variable, source_name(guard.originating_source), path, guard.create_fn_name())
    for place in () if facts is None else facts.places:
        variable, path = parts_of_source(place.source)
        yield Look(variable, source_name(place.source), path, "declared")


def _held(output: Any) -> dict[str, str]:
    return {name: _shown(value) for name, value in output.local_scope.items()}


def _shown(value: Any) -> str:
    if isinstance(value, torch.Tensor):
        return f"has the sizes {tuple(value.shape)}"
    is_short = isinstance(value, int | float | str | None) and len(repr(value)) <= _SHORT
    return f"== {value!r}" if is_short else f"is a {type(value).__name__}"


_SHORT = 30
"""Values whose text is longer are told by their type."""


def _changes(output: Any) -> Iterator[Change]:
    """What the trace changes that was there before."""
    effects, fresh = output.side_effects, _of_the_call(output.root_tx.f_code)
    for variable in effects.id_to_variable.values():
        if variable.source is not None and effects.is_modified(variable):
            names = frozenset(effects.store_attr_mutations.get(variable) or _changed_keys(variable))
            line = line_of_change(effects, variable)
            if is_kind(variable, trace_values().Rebound):
                yield Change(_name_of_variable(variable.source), rebinds=True, line=line)
            else:
                changed = source_name(variable.source)
                yield Change(changed, names, line=line, is_fresh=changed == fresh)
    for node in output.graph.find_nodes(op="call_method"):
        argument = getattr(node.args[0], "meta", {}).get("grapharg") if node.args else None
        source = getattr(argument, "source", None)
        if node.target in _RESHAPING and source is not None:
            yield Change(source_name(source))


def _of_the_call(code: CodeType) -> str | None:
    """The source of the dict that Python makes for a function's ``**kwargs``: no other call has it."""
    _, more = collecting(code)
    return None if more is None else source_name(dynamo().LocalSource(more))


def _changed_keys(variable: Any) -> list[str]:
    """The keys of a dict whose values are others now; none where keys come or go, or are no texts."""
    before, kinds = getattr(variable, "original_items", None), trace_values()
    if not is_kind(variable, kinds.Mapping) or before is None:
        return []
    after = {key.vt: value for key, value in variable.items.items()}
    changed = [key for key, value in after.items() if before.get(key) is not value]
    keys = [key.as_python_constant() for key in changed if is_kind(key, kinds.Constant)]
    names = [key for key in keys if isinstance(key, str)]
    return names if before.keys() == after.keys() and len(names) == len(changed) else []


def _name_of_variable(source: Any) -> str:
    """The source of what is in the variable: torch has none for the cell of a closure."""
    variable, _ = parts_of_source(source)
    return source_name(source) if variable is None else source_name(dynamo().LocalSource(variable))


_RESHAPING = frozenset(
    (
        *("as_strided_", "detach_", "requires_grad_", "resize_", "resize_as_"),
        *("rename_", "set_", "squeeze_", "swapaxes_", "swapdims_"),
        *("t_", "transpose_", "unsqueeze_"),
    )
)
"""Methods that change what guards look at of a tensor in place."""
