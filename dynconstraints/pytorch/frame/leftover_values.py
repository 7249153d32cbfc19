"""What a former call left behind: a declared value, found where the call that is traced is to put its own.

A training step that sets ``group["lr"] = lr`` finds the ``lr`` of the step before there, and Dynamo looks at all that
is in a group when the program asks for any of it. A value that the frame never uses is no second value of its name. Of
one that it does use, the name has two values, and the user hears of that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from dynconstraints.pytorch._torch.dynamo import dynamo
from dynconstraints.pytorch._torch.shape_env import source_name
from dynconstraints.pytorch.declarations.check_values import conflict, differ
from dynconstraints.pytorch.declarations.declaration import Binding
from dynconstraints.pytorch.frame.call_check import traced_call
from dynconstraints.pytorch.frame.dynamo_errors import passed_through
from dynconstraints.pytorch.frame.frame_facts import FrameFacts


def is_left_behind(facts: FrameFacts, source: Any, members: Iterable[Binding]) -> bool:
    """Whether the arguments of the call give another value to a name of what the trace has found at the source.

    It is to be traced as undeclared then; `check_unused` asks later whether that was right. Arguments agree with each
    other, so it is none of them.
    """
    given = {binding.name: binding for binding in traced_call().members}
    for member in members:
        known = given.get(member.name)
        if known is not None and differ(known.value, member.value):
            facts.leftovers[source_name(source)] = (known, member)
            return True
    return False


def check_unused(facts: FrameFacts, graph: Any = None) -> None:
    """Raises ConflictingBindingError where the frame uses a value that a former call left behind, in its graph or to
    decide by."""
    if facts.leftovers:
        used = {*_in_guards(facts), *(() if graph is None else _in_graph(graph))}
        for name in used & facts.leftovers.keys():
            raise passed_through(conflict(*facts.leftovers[name]))


def _in_graph(graph: Any) -> Iterator[str]:
    """The sources of what the graph computes with."""
    for node in graph.find_nodes(op="placeholder"):
        if any(user.users or not _only_reads(user) for user in node.users):
            yield from _sources(getattr(node.meta.get("grapharg"), "source", None))


def _only_reads(node: Any) -> bool:
    """Whether the node takes the number out of a tensor, as is done for each float that is met."""
    return bool(node.op == "call_method" and node.target == "item")


def _in_guards(facts: FrameFacts) -> Iterator[str]:
    """The sources of what the program decided by."""
    env, floats = facts.env, facts.floats
    symbols = {symbol for guard in env.guards for symbol in guard.expr.free_symbols} | env.replacements.keys()
    for symbol in symbols:
        for source in env.var_to_sources.get(symbol, ()):
            yield from _sources(source)
    yield from floats.constants
    yield from floats.names_in(symbols)


def _sources(source: Any) -> Iterator[str]:
    """The source, and those that it reads."""
    while source is not None:
        yield source_name(source)
        source = source.base if isinstance(source, dynamo().ChainedSource) else None
