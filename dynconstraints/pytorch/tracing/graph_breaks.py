"""Names across a graph break: what the graph before it computes reaches the rest of the function under its names.

A graph that ends at a break hands tensors and ints to code that is compiled, or run, on its own. Their sizes are
expressions over the declared names, and over those that the program gave to what it computed (`bind`), and they are
handed on as such: tensors with named dimensions, DynamicInts. When the call ends, the names go: what it returns is as
undeclared as the results of a function without a break.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Any

import sympy
import torch

from dynconstraints.facts.domains.linear_forms import Affine
from dynconstraints.ir.fold import names as names_of
from dynconstraints.ir.fold import substitute_term
from dynconstraints.ir.nodes import Name, Term
from dynconstraints.pytorch._torch.compilation import compiled_calls
from dynconstraints.pytorch.declarations.declaration import Binding, Declaration, Passing
from dynconstraints.pytorch.declarations.scope import current_scope
from dynconstraints.pytorch.frame.call_check import traced_call, traced_code
from dynconstraints.pytorch.frame.frame_facts import FrameFacts
from dynconstraints.pytorch.frame.sympy_bridge import term_of, to_torch
from dynconstraints.pytorch.tracing.served_names import Traced
from dynconstraints.pytorch.values.dynamic_int import standing_for
from dynconstraints.pytorch.values.named_dims import attach


@dataclass(frozen=True)
class Slot:
    """Where a number is: an input of the graph, or a result of it; of a tensor which of its dimensions."""

    of_result: bool
    index: int
    dimension: int | None = None

    def read(self, args: Sequence[Any], results: Sequence[Any]) -> int:
        """The number, in a call."""
        found = (results if self.of_result else args)[self.index]
        return int(found if self.dimension is None else found.shape[self.dimension])


@dataclass(frozen=True)
class Value:
    """How the value of a name follows from numbers in the graph's inputs or results.

    It is ``(constant + Σ coefficient*number) // divisor``, and the division leaves no rest.
    """

    constant: int
    slots: tuple[tuple[Slot, int], ...]
    divisor: int = 1

    def read(self, args: Sequence[Any], results: Sequence[Any]) -> int:
        """The value, in a call."""
        return (self.constant + sum(c * slot.read(args, results) for slot, c in self.slots)) // self.divisor


@dataclass(frozen=True)
class Carried:
    """A result of the graph: its index, and the terms of its dimensions; of an int, the one term."""

    index: int
    dims: Mapping[int, Term] | None
    terms: tuple[Term, ...]


def naming_results(compiled: Callable[..., Any], graph: Any, facts: FrameFacts) -> Callable[..., Any]:
    """The compiled graph, its results under their names. Costs a few microseconds a result, at breaks alone.

    Names are bound to what the parameters say, which the frame's guards hold to the declaration, also where a call
    passes plain ints; not in a call that means something else by them (`Traced.holding`). Inside other blocks than
    those the frame was compiled in it names nothing.
    """
    inputs = {_expression(node): i for i, node in enumerate(n for n in graph.graph.nodes if n.op == "placeholder")}
    values = {**_computed_values(facts, graph), **_values(facts, inputs)}
    carried = [c for c in carried_results(graph, facts) if all(names_of(t) <= values.keys() for t in c.terms)]
    facts.carried = frozenset(_sizes(graph, carried))
    code = traced_code()
    if not carried or code is None:
        return compiled
    traced = Traced(code, frozenset(traced_call().names))
    scope = facts.scope.constraints
    constraints = {**facts.computed.own, **{name: member.constraints for name, member in facts.members.items()}}
    places = facts.computed.places

    def call(*args: Any) -> Any:
        results = compiled(*args)
        if current_scope().constraints != scope:
            return results
        during = _call_under_way()
        read = {name: value.read(args, results) for name, value in values.items()}
        holding = traced.holding(read)
        found = {n: Binding(n, read[n], constraints[n], places.get(n), during) for n in read if n in holding}
        results = list(results)
        for c in carried:
            if not all(names_of(t) <= holding for t in c.terms):
                continue
            used = tuple(found[name] for name in found if any(name in names_of(t) for t in c.terms))
            result = results[c.index]
            if c.dims is None:
                results[c.index] = standing_for(c.terms[0], int(result), used)
            elif all(result is not a for a in args):  # an argument is the user's own
                attach(result, c.dims, Declaration(used))
        return results

    return call


def _call_under_way() -> Passing | None:
    """The call of a compiled function that a graph runs in; None where torch has none that is known."""
    entry = compiled_calls().code
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001  inspect.currentframe is the same, slower
    while frame is not None and frame.f_code is not entry:
        frame = frame.f_back
    if frame is None:
        return None
    cleanups = frame.f_locals["cleanups"]
    call = next((each for each in cleanups if isinstance(each, Passing)), None)
    if call is None:
        call = Passing()
        cleanups.append(call)
    return call


def _sizes(graph: Any, carried: Sequence[Carried]) -> Iterator[sympy.Expr]:
    """The sizes and numbers that are carried, as expressions of the trace."""
    examples = dict(_examples(graph))
    for c in carried:
        example = examples[c.index]
        yield from (example.node.expr,) if c.dims is None else (example.shape[i].node.expr for i in c.dims)


def _examples(graph: Any) -> Iterator[tuple[int, Any]]:
    """The results of the graph that are tensors or symbolic ints, as they are in the trace."""
    (output,) = graph.graph.find_nodes(op="output")
    for index, node in enumerate(output.args[0]):
        example = getattr(node, "meta", {}).get("example_value")
        if isinstance(example, torch.SymInt | torch.Tensor):
            yield index, example


def carried_results(graph: Any, facts: FrameFacts) -> list[Carried]:
    """The results that have sizes over names."""
    named = _Named(facts)
    found = []
    for index, example in _examples(graph):
        if isinstance(example, torch.SymInt):
            term = named(example)
            if term is not None:
                found.append(Carried(index, None, (term,)))
        else:
            dims = {i: t for i, size in enumerate(example.shape) if (t := named(size)) is not None}
            if dims:
                found.append(Carried(index, dims, tuple(dims.values())))
    return found


class _Named:
    """Sizes of the trace as terms over names: ``4*n``, not ``64*(n // 16)``, for 64*k where n is 16*k."""

    def __init__(self, facts: FrameFacts) -> None:
        self.members = facts.members.keys() | facts.computed.expressions.keys()
        known = {name: sympy.Symbol(name, integer=True) for name in self.members}
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
        for name, expr in _computed(facts):
            for symbol in expr.free_symbols & facts.computed.symbols.keys() - self.exact.keys():
                slope, rest = _line(expr, symbol)
                if slope is not None and rest.free_symbols <= self.exact.keys():
                    self.exact[symbol] = (known[name] - rest.xreplace(self.exact)) / slope

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


def _computed(facts: FrameFacts) -> Iterator[tuple[str, Any]]:
    """The names that the program gave, and what they stand for: replacements are what is known to be equal."""
    for name, expr in facts.computed.expressions.items():
        if name not in facts.members:
            yield name, sympy.expand(facts.env.replace(expr))


def _computed_values(facts: FrameFacts, graph: Any) -> dict[str, Value]:
    """How the values of names that the program gave follow from the graph's results, for those of which they do."""
    sizes: list[tuple[Any, Slot]] = []
    for index, example in _examples(graph):
        found = {None: example} if isinstance(example, torch.SymInt) else dict(enumerate(example.shape))
        sizes += [(s.node.expr, Slot(True, index, i)) for i, s in found.items() if isinstance(s, torch.SymInt)]
    values = {}
    for name, expr in _computed(facts):
        for size, slot in sizes:
            value = _from(size, slot, expr)
            if value is not None:
                values[name] = value
                break
    return values


def _from(size: Any, slot: Slot, expr: Any) -> Value | None:
    """How the expression follows from a size, where both are multiples of one symbol plus a constant, or the same."""
    if size == expr:
        return Value(0, ((slot, 1),))
    if len(expr.free_symbols) != 1 or size.free_symbols != expr.free_symbols:
        return None
    (symbol,) = expr.free_symbols
    (slope, rest), (other, more) = _line(expr, symbol), _line(size, symbol)
    if slope is None or other is None or not (rest.is_Integer and more.is_Integer):
        return None
    sign = 1 if other > 0 else -1
    return Value(int(sign * (other * rest - slope * more)), ((slot, sign * slope),), abs(other))


def _line(expr: Any, symbol: Any) -> tuple[int | None, Any]:
    """The slope and what is left without the symbol; no slope where the expression is not that integer times it, and
    the rest."""
    rest = expr.xreplace({symbol: sympy.Integer(0)})
    slope = sympy.expand(expr - rest) / symbol
    return int(slope) if slope.is_Integer and slope else None, rest


def _values(facts: FrameFacts, inputs: Mapping[Any, int]) -> dict[str, Value]:
    """How the value of each declared name follows from the inputs of the graph, for those of which it does."""
    found = {}
    for name in facts.members:
        row = facts.rows.get(name) or facts.row(name)
        affine = row.affine if name in facts.rows or not row.divisor else None
        slots = None if affine is None else _slots(affine, facts, inputs)
        if affine is not None and slots is not None:
            found[name] = Value(affine.constant, slots)
    return found


def _slots(affine: Affine, facts: FrameFacts, inputs: Mapping[Any, int]) -> tuple[tuple[Slot, int], ...] | None:
    symbols = [(facts.parameters[name].symbol, c) for name, c in affine.coefficients]
    return tuple((Slot(False, inputs[s]), c) for s, c in symbols) if all(s in inputs for s, _ in symbols) else None


def _expression(node: Any) -> Any:
    """What an input of the graph is in the trace, if it is an int; else the node itself."""
    example = node.meta.get("example_value")
    return example.node.expr if isinstance(example, torch.SymInt) else node
