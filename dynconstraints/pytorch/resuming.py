"""Names across a graph break: what the graph before it computes reaches the rest of the function under its names.

A graph that ends at a break hands tensors and ints to code that is compiled, or run, on its own. Their sizes are
expressions over the declared names, and they are handed on as such: tensors with named dimensions, DynamicInts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import sympy
import torch

from dynconstraints.facts.affine import Affine
from dynconstraints.ir.fold import names as names_of
from dynconstraints.ir.fold import substitute_term
from dynconstraints.ir.nodes import Name, Term
from dynconstraints.pytorch.declaration import Binding, Declaration
from dynconstraints.pytorch.dims import attach
from dynconstraints.pytorch.dynamic_int import standing_for
from dynconstraints.pytorch.frame import FrameFacts
from dynconstraints.pytorch.scope import current_scope
from dynconstraints.pytorch.symbolic import term_of, to_torch


@dataclass(frozen=True)
class Carried:
    """A result of the graph: its index, and the terms of its dimensions; of an int, the one term."""

    index: int
    dims: Mapping[int, Term] | None
    terms: tuple[Term, ...]


def naming_results(compiled: Callable[..., Any], graph: Any, facts: FrameFacts) -> Callable[..., Any]:
    """The compiled graph, its results under their names. Costs a few microseconds a result, at breaks alone.

    Names are bound to what the parameters say, which the frame's guards hold to the declaration, also where a call
    passes plain ints. Inside other blocks than those the frame was compiled in it names nothing.
    """
    inputs = {_expression(node): i for i, node in enumerate(n for n in graph.graph.nodes if n.op == "placeholder")}
    values = _values(facts, inputs)
    carried = [c for c in _carried(graph, facts) if all(names_of(t) <= values.keys() for t in c.terms)]
    if not carried:
        return compiled
    scope, members = facts.scope.constraints, facts.members

    def call(*args: Any) -> Any:
        results = compiled(*args)
        if current_scope().constraints != scope:
            return results
        found = {
            name: Binding(name, constant + sum(c * args[i] for i, c in terms), members[name].constraints)
            for name, (constant, terms) in values.items()
        }
        results = list(results)
        for c in carried:
            used = tuple(found[name] for name in found if any(name in names_of(t) for t in c.terms))
            result = results[c.index]
            if c.dims is None:
                results[c.index] = standing_for(c.terms[0], int(result), used)
            elif all(result is not a for a in args):  # an argument is the user's own
                attach(result, c.dims, Declaration(used))
        return results

    return call


def _carried(graph: Any, facts: FrameFacts) -> list[Carried]:
    """The results that have sizes over declared names."""
    (output,) = graph.graph.find_nodes(op="output")
    named = _Named(facts)
    found = []
    for index, node in enumerate(output.args[0]):
        example = getattr(node, "meta", {}).get("example_value")
        if isinstance(example, torch.SymInt):
            term = named(example)
            if term is not None:
                found.append(Carried(index, None, (term,)))
        elif isinstance(example, torch.Tensor):
            dims = {i: t for i, size in enumerate(example.shape) if (t := named(size)) is not None}
            if dims:
                found.append(Carried(index, dims, tuple(dims.values())))
    return found


class _Named:
    """Sizes of the trace as terms over declared names: ``4*n``, not ``64*(n // 16)``, for 64*k where n is 16*k."""

    def __init__(self, facts: FrameFacts) -> None:
        self.members = facts.members.keys()
        known = {name: sympy.Symbol(name, integer=True) for name in facts.members}
        self.names: dict[sympy.Symbol, Term] = {symbol: Name(name) for name, symbol in known.items()}
        self.exact: dict[sympy.Symbol, Any] = {}
        self.divided: dict[sympy.Symbol, Term] = {}
        terms = facts.parameter_terms()
        for name, parameter in facts.parameters.items():
            row = facts.rows[name]
            self.divided[parameter.symbol] = substitute_term(terms[name], facts.held)
            whole = known.get(name)
            if whole is None and name in facts.held and names_of(facts.held[name]) <= self.members:
                whole = to_torch(facts.held[name], known)
            symbols = [(facts.parameters[n].symbol, c) for n, c in row.coefficients]
            if whole is not None and all(symbol in self.exact for symbol, _ in symbols):
                earlier = sympy.Add(*(self.exact[symbol] * c for symbol, c in symbols))
                self.exact[parameter.symbol] = (whole - row.constant - earlier) / row.divisor

    def __call__(self, size: Any) -> Term | None:
        if not isinstance(size, torch.SymInt) or not size.node.expr.free_symbols:
            return None
        expr = size.node.expr
        term = None
        if expr.free_symbols <= self.exact.keys():
            term = term_of(sympy.expand(expr.xreplace(self.exact)), self.names)
        if term is None:
            term = term_of(expr, self.divided)
        return term if term is not None and names_of(term) <= self.members else None


def _values(facts: FrameFacts, inputs: Mapping[Any, int]) -> dict[str, tuple[int, tuple[tuple[int, int], ...]]]:
    """How the value of each declared name follows from the inputs of the graph, for those of which it does."""
    found = {}
    for name in facts.members:
        row = facts.rows.get(name) or facts.row(name)
        affine = row.affine if name in facts.rows or not row.divisor else None
        slots = None if affine is None else _slots(affine, facts, inputs)
        if affine is not None and slots is not None:
            found[name] = (affine.constant, slots)
    return found


def _slots(affine: Affine, facts: FrameFacts, inputs: Mapping[Any, int]) -> tuple[tuple[int, int], ...] | None:
    symbols = [(facts.parameters[name].symbol, c) for name, c in affine.coefficients]
    return tuple((inputs[s], c) for s, c in symbols) if all(s in inputs for s, _ in symbols) else None


def _expression(node: Any) -> Any:
    """What an input of the graph is in the trace, if it is an int; else the node itself."""
    example = node.meta.get("example_value")
    return example.node.expr if isinstance(example, torch.SymInt) else node
