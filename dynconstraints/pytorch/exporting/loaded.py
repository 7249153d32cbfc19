"""The ShapeEnv of a program from a file knows its contract again, before the program is traced anew or compiled."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import sympy
import torch

from dynconstraints.ir.nodes import Name
from dynconstraints.pytorch._torch import exporting as upstream
from dynconstraints.pytorch._torch.dynamo import dynamo
from dynconstraints.pytorch._torch.shape_env import backed_values, narrow
from dynconstraints.pytorch.declarations.scope import Scope
from dynconstraints.pytorch.exporting.contract import Contract, carried
from dynconstraints.pytorch.exporting.tracing import Traced, TracedSize, facts_in
from dynconstraints.pytorch.frame.frame_facts import FrameFacts
from dynconstraints.pytorch.frame.restart import KEY


def learn_again(program: Any) -> bool:
    """Whether the program's ShapeEnv knows what the program carries; True for one that carries nothing.

    False where a size is not the expression that it was when the program was exported.
    """
    contract = carried(program.graph_module)
    return contract is None or knows(contract, [node.meta["val"] for node in upstream.placeholders_of(program)])


def knows(contract: Contract, inputs: Sequence[Any]) -> bool:
    """The same of inputs as a trace has them."""
    env = next((size.node.shape_env for size in upstream.symbols_of(inputs)), None)
    if env is None or KEY in env.__dict__:
        return True
    found, sizes = [], []
    for place in contract.places:
        value = inputs[place.leaf]
        size = value if place.dimension is None else value.shape[place.dimension]
        hint = size.node.hint if isinstance(size, torch.SymInt) else size
        if hint is None:
            return False
        if not isinstance(hint, float):
            source = dynamo().LocalSource(contract.inputs[place.leaf].path)
            sizes.append(TracedSize(place, hint, source))
            found.append(size.node.expr if isinstance(size, torch.SymInt) else sympy.Integer(size))
    traced = Traced(tuple(sizes), contract.system.constraints, (), Scope.EMPTY, frozenset(contract.floats))
    facts = facts_in(upstream.fresh_env(), traced)
    return _moved(facts, env, list(zip((facts.at(size.place.term) for size in sizes), found, strict=True)))


def _moved(facts: FrameFacts, env: Any, pairs: list[tuple[Any, Any]]) -> bool:
    """Have the ShapeEnv know the facts, over its own symbols in place of those that the facts were made with."""
    places = {p.symbol: sympy.Dummy(integer=True) for p in facts.parameters.values()}
    wanted = [(None if w is None else w.xreplace(places), f) for w, f in pairs]
    solved = _solved(wanted)
    if any(d not in solved for d in places.values()):
        return False
    if any(w is None or sympy.expand(w.xreplace(solved) - f) != 0 for w, f in wanted):
        return False
    symbols = {symbol: solved[dummy] for symbol, dummy in places.items()}
    facts.env, facts.dimensions = env, {}
    facts.expressions = {name: e.xreplace(places).xreplace(solved) for name, e in facts.expressions.items()}
    for name, p in facts.parameters.items():
        symbol = symbols[p.symbol]
        backed_values(env).setdefault(symbol, sympy.Integer(p.hint))
        facts.parameters[name] = replace(p, symbol=symbol, node=env.create_symintnode(symbol, hint=p.hint))
    env.__dict__[KEY] = facts
    state = facts.parameter_state()
    for name, p in facts.parameters.items():
        narrow(env, p.symbol, *state.range_of(Name(name)))
    return True


def _solved(pairs: Iterable[tuple[Any, Any]]) -> dict[Any, Any]:
    """The symbols for the dummies, from expressions that are to be the same, one after the other."""
    solved: dict[Any, Any] = {}
    waiting = [(w, f) for w, f in pairs if w is not None]
    while True:
        for wanted, found in waiting:
            open_ = [d for d in wanted.free_symbols if isinstance(d, sympy.Dummy) and d not in solved]
            if len(open_) == 1:
                over = sympy.expand(wanted.xreplace(solved))
                factor = over.coeff(open_[0])
                value = sympy.cancel((found - (over - factor * open_[0])) / factor) if factor != 0 else None
                if isinstance(value, sympy.Symbol) and value not in solved.values():
                    solved[open_[0]] = value
                    break
        else:
            return solved
