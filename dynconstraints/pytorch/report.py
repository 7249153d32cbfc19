"""`explain`: what was declared, what the compiler was told, what it still guards, and whether that covers it all."""

from __future__ import annotations

import json
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch

from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.nodes import Name
from dynconstraints.ir.printer import show
from dynconstraints.pytorch._compat import source_name
from dynconstraints.pytorch.declaration import system_of
from dynconstraints.pytorch.frame import FrameFacts
from dynconstraints.pytorch.observe import Frame, observe
from dynconstraints.pytorch.policies import narrowings
from dynconstraints.pytorch.symbolic import affine_to_term
from dynconstraints.solver.verdict import Implied, Open, Refuted


@dataclass(frozen=True)
class Remaining:
    """A condition on declared names that a graph is guarded by and the declaration does not settle by itself.

    ``fails_at`` is an assignment that satisfies the declaration and fails the condition, and so compiles anew; None
    where the solver found none and could not rule one out.
    """

    condition: str
    line: str | None
    specialises: str | None
    fails_at: Mapping[str, int] | None


@dataclass(frozen=True)
class Graph:
    """One compiled frame.

    ``places`` gives the guard expression of each declared value's source with the name it is held as; ``lattice`` each
    name over parameters (``s0 = 32*k_s0``) with the parameters' ranges; ``remaining`` the conditions beyond the
    declaration; ``undeclared`` the guards that relate declared names to sizes that nothing declares.
    """

    places: tuple[tuple[str, str], ...]
    declared: tuple[tuple[str, str | None], ...]
    lattice: tuple[str, ...]
    guards: tuple[str, ...]
    remaining: tuple[Remaining, ...]
    undeclared: tuple[str, ...]
    oracle: tuple[int, float]

    @property
    def covers_domain(self) -> bool | None:
        """Whether this graph serves all that is declared, other things equal; None where that is not known."""
        if any(r.fails_at is not None for r in self.remaining):
            return False
        return None if self.remaining or self.undeclared or not self.declared else True


@dataclass(frozen=True)
class Report:
    """What `explain` found: the graphs compiled for the call, in order."""

    function: str
    graphs: tuple[Graph, ...]

    @property
    def covers_domain(self) -> bool | None:
        """True where it is proved that the compiled graphs serve every input that the declaration allows.

        Other things equal: dtypes, contiguous layouts, and sizes that are not declared as they were in this call. False
        where some assignment within the declaration needs another graph: `counterexample` is one. None: not known.
        """
        found = [graph.covers_domain for graph in self.graphs]
        if not found or False in found:
            return False if found else None
        return None if None in found else True

    @cached_property
    def counterexample(self) -> Mapping[str, int] | None:
        """An assignment that satisfies the declaration and compiles anew; None where none is known."""
        return next((r.fails_at for g in self.graphs for r in g.remaining if r.fails_at is not None), None)

    def as_data(self) -> dict[str, Any]:
        """The report as plain data, ready for JSON."""
        return {
            "version": 1,
            "function": self.function,
            "covers_domain": self.covers_domain,
            "counterexample": None if self.counterexample is None else dict(self.counterexample),
            "graphs": [
                {
                    "places": dict(g.places),
                    "declared": [{"constraint": text, "at": at} for text, at in g.declared],
                    "lattice": list(g.lattice),
                    "guards": list(g.guards),
                    "remaining": [
                        {
                            "condition": r.condition,
                            "line": r.line,
                            "specialises": r.specialises,
                            "fails_at": None if r.fails_at is None else dict(r.fails_at),
                        }
                        for r in g.remaining
                    ],
                    "undeclared": list(g.undeclared),
                    "oracle": {"questions": g.oracle[0], "seconds": g.oracle[1]},
                }
                for g in self.graphs
            ],
        }

    def to_json(self) -> str:
        """The report as a JSON document."""
        return json.dumps(self.as_data(), indent=2)

    def __str__(self) -> str:
        lines = [f"{self.function}: {len(self.graphs)} graph{'s' * (len(self.graphs) != 1)}"]
        for number, graph in enumerate(self.graphs, 1):
            lines += [f"graph {number}", *(f"  {line}" for line in _lines(graph))]
        lines.append(_verdict(self))
        return "\n".join(lines)


def explain(fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Report:
    """Compile the function for one call, apart from the user's own graphs, run it, and tell what it was compiled under.

    ``fn`` is a function or a module, compiled or not. Raises what the call itself raises.
    """
    target = getattr(fn, "_torchdynamo_orig_callable", getattr(fn, "_orig_mod", fn))
    compiled = torch.compile(_apart(target), backend="eager")
    with observe() as frames:
        compiled(*args, **kwargs)
    name = getattr(target, "__qualname__", type(target).__name__)
    return Report(name, tuple(map(_graph, frames)))


def _apart(fn: Callable[..., Any]) -> Callable[..., Any]:
    """The callable with a code object of its own, so that torch keeps its graphs apart."""
    bound = fn.forward if isinstance(fn, torch.nn.Module) else fn
    function = getattr(bound, "__func__", bound)
    if not isinstance(function, types.FunctionType):
        return lambda *args, **kwargs: fn(*args, **kwargs)
    copy = types.FunctionType(
        function.__code__.replace(),
        function.__globals__,
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )
    copy.__kwdefaults__ = function.__kwdefaults__
    owner = getattr(bound, "__self__", None)
    return copy if owner is None else types.MethodType(copy, owner)


def _graph(frame: Frame) -> Graph:
    facts = frame.facts
    if facts is None:
        return Graph((), (), (), frame.guards, (), frame.guards, (0, 0.0))
    symbols = {p.symbol for p in facts.parameters.values()}
    mixed = [g.expr for g in facts.env.guards if g.expr.free_symbols & symbols and not g.expr.free_symbols <= symbols]
    said = {*facts.scope.constraints, *(c for member in facts.members.values() for c in member.constraints)}
    return Graph(
        tuple((source_name(p.source) + _dimension(p.dimension), p.name) for p in facts.places),
        tuple((c.text, _where(facts, c)) for c in facts.constraints if c in said),
        tuple(_lattice(facts)),
        frame.guards,
        tuple(_remaining(facts)),
        tuple(map(str, mixed)),
        (facts.asked, facts.seconds),
    )


def _remaining(facts: FrameFacts) -> list[Remaining]:
    system = system_of(tuple(facts.constraints))
    found = []
    for narrowing in narrowings(facts):
        verdict = system.implies(Constraint.of(narrowing.condition))
        if isinstance(verdict, Implied):
            continue
        fails_at = verdict.fails_at if isinstance(verdict, Open) else None
        if isinstance(verdict, Refuted):  # the call that was traced satisfies both, so this cannot be
            raise RuntimeError(f"a guard contradicts the declaration: {show(narrowing.condition)}")
        found.append(Remaining(show(narrowing.condition), narrowing.line, narrowing.name, fails_at))
    return found


def _lattice(facts: FrameFacts) -> list[str]:
    lines = []
    for row in facts.rows.values():
        affine = row.affine
        term = affine_to_term(affine.constant, tuple((f"k_{name}", c) for name, c in affine.coefficients))
        lines.append(f"{row.name} = {show(term)}")
    state = facts.parameter_state()
    for name in facts.parameters:
        low, high = state.range_of(Name(name))
        lines.append(f"k_{name} in {'-oo' if low is None else low}..{'oo' if high is None else high}")
    return lines


def _dimension(dimension: int | None) -> str:
    return "" if dimension is None else f".shape[{dimension}]"


def _where(facts: FrameFacts, constraint: Constraint) -> str | None:
    if constraint.source.file is not None:
        return f"{constraint.source.file}:{constraint.source.line}"
    for member in facts.members.values():
        if constraint in member.constraints and member.place is not None:
            return str(member.place)
    return None


def _lines(graph: Graph) -> list[str]:
    lines = [f"{place} is {name}" for place, name in graph.places]
    lines += [f"declared: {text}" + (f"    {at}" if at else "") for text, at in graph.declared]
    lines += [f"lattice: {row}" for row in graph.lattice]
    lines += [f"guard: {guard}" for guard in graph.guards]
    for r in graph.remaining:
        lines.append(f"beyond the declaration: {r.condition}")
        if r.specialises is not None:
            lines.append(f"  it forces {r.specialises} to one value")
        if r.line is not None:
            lines.append(f"  from: {r.line}")
        if r.fails_at is not None:
            values = ", ".join(f"{name} = {value}" for name, value in r.fails_at.items())
            lines.append(f"  compiles anew for {values}; declare {r.condition} to rule that out")
    lines += [f"also on sizes that are not declared: {guard}" for guard in graph.undeclared]
    questions, seconds = graph.oracle
    if questions:
        lines.append(f"oracle: {questions} questions in {seconds * 1e3:.1f} ms")
    return lines


def _verdict(report: Report) -> str:
    if report.covers_domain:
        return (
            "proved: the graphs serve every input that the declaration allows,\n"
            "dtypes, contiguous layouts and undeclared sizes being as in this call"
        )
    if report.covers_domain is False and report.counterexample is not None:
        values = ", ".join(f"{name} = {value}" for name, value in report.counterexample.items())
        return f"not the whole domain: {values} compiles anew"
    return "not known whether this covers the declared domain"
