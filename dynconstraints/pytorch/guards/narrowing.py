"""What a block asks for when a program narrows its declaration: nothing, a warning, or an error that names the line.

A program adds a *new guard* when the compiled frame serves only a part of what is declared; it *specialises* a declared
name when that part is one value of it that the declaration does not force.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import sympy

from dynconstraints.ir.nodes import Formula, Int, Name, Relation, Term, comparison, conjunction
from dynconstraints.ir.printer import show
from dynconstraints.pytorch._torch.compilation import KEPT_BY_AUTOGRAD, patched
from dynconstraints.pytorch._torch.dynamo import KEPT_BY_INDUCTOR
from dynconstraints.pytorch._torch.shape_env import (
    bound_place,
    inner_line,
    operation_of,
    plain_source,
    replacement_place,
    source_name,
    user_line,
)
from dynconstraints.pytorch.frame.frame_facts import FrameFacts
from dynconstraints.pytorch.frame.sympy_bridge import formula_of
from dynconstraints.pytorch.oracle.float_conditions import Condition, condition_of, real
from dynconstraints.pytorch.oracle.min_max import kept

_LINE = re.compile(r"(?P<code>.+)  # (?P<file>.+):(?P<line>\d+) in (?P<function>.+)", re.DOTALL)
"""A line of the user's as torch tells it."""


@dataclass(frozen=True)
class ExtraGuard:
    """A condition that the compiled frame needs and the declaration does not imply, in the user's names.

    ``name`` is the declared name that is left one value, if it is; ``line`` the user's own line, where torch knows it,
    and ``operation`` what asked for the value there, where it is one that does not support dynamic floats; ``asked_at``
    is the operation in the graph at which the backend asked, where Dynamo itself did not, and ``inner_line`` the line
    that torch tells, where that is in a package that the user's line calls. Floats round: ``bounds`` are exact formulas
    that make a condition on them true, and false, where there are such. A condition that the language has no words for
    is None; then ``guard`` is torch's own expression, and ``in_words`` the same over the names.
    """

    condition: Formula | None
    name: str | None
    line: str | None
    operation: str | None = None
    bounds: tuple[Formula | None, Formula | None] | None = None
    guard: Any = None
    in_words: str = ""
    asked_at: str | None = None
    inner_line: str | None = None

    @property
    def text(self) -> str:
        """The condition, as the user reads it."""
        return self.in_words if self.condition is None else show(self.condition)


@contextmanager
def places_known(facts: FrameFacts) -> Iterator[None]:
    """While the frame's graph is compiled, nothing kept on disk takes its place where its guards may have to be told:
    an entry there has the guards, and not where they come from."""
    if facts.scope.on_specialize == facts.scope.on_new_guard == "allow":
        yield
        return
    with (
        patched("torch._inductor.config", KEPT_BY_INDUCTOR),
        patched("torch._functorch.config", KEPT_BY_AUTOGRAD),
    ):
        yield


def extra_guards(facts: FrameFacts) -> Iterator[ExtraGuard]:
    """The conditions on declared names that the frame is guarded by beyond the declaration."""
    state = facts.parameter_state()
    for name, parameter in facts.parameters.items():
        low, high = state.range_of(Name(name))
        fixed = facts.env.replacements.get(parameter.symbol)
        if fixed is not None and isinstance(fixed, sympy.Integer) and not low == high == int(fixed):
            value = facts.values[name]
            place = _place(facts, parameter.symbol, replacement_place(facts.env, parameter.symbol))
            yield _placed(ExtraGuard(comparison(Name(name), Relation.EQ, Int(value)), name, None), place)
            continue
        if fixed is not None and not isinstance(fixed, sympy.Integer):
            # Torch guards an equality between symbols by replacing one of them, not in its list of guards.
            formula = in_names(facts, sympy.Eq(parameter.symbol, fixed, evaluate=False))
            if formula is not None:
                place = replacement_place(facts.env, parameter.symbol)
                yield _placed(ExtraGuard(formula, None, None), _place(facts, parameter.symbol, place))
            continue
        known = facts.env.var_to_range[parameter.symbol]
        for relation, bound, declared in ((Relation.GE, known.lower, low), (Relation.LE, known.upper, high)):
            if isinstance(bound, sympy.Integer) and int(bound) != declared:
                formula = in_names(facts, sympy.Rel(parameter.symbol, int(bound), relation.value))
                if formula is not None:
                    place = bound_place(facts.env, parameter.symbol, is_upper=relation is Relation.LE)
                    yield _placed(ExtraGuard(formula, None, None), _place(facts, parameter.symbol, place))
    for name, constant in facts.floats.constants.items():
        if name in facts.members:
            only = comparison(Name(name), Relation.EQ, real(facts.floats.values[name]))
            yield ExtraGuard(only, name, constant.line, constant.operation)
    for guard, on_undeclared in open_guards(facts):
        if not on_undeclared:
            yield _placed(_told(facts, guard), guard.sloc)


def open_guards(facts: FrameFacts) -> Iterator[tuple[Any, bool]]:
    """The guards on declared names that the declaration does not settle; each with whether on undeclared sizes, too."""
    symbols = {p.symbol for p in facts.parameters.values()}
    floats = facts.floats.symbols
    symbols |= {symbol for symbol, name in floats.items() if name in facts.members}
    # What arithmetic made of declared floats changes with them, in a way that nobody keeps.
    derived = {symbol for symbol, name in floats.items() if name in _declared_floats(facts)} - symbols
    # So does what a program gives a name to that it made of numbers of the call.
    derived |= {s for expr in facts.computed.expressions.values() for s in expr.free_symbols} - symbols
    concerned = [guard for guard in facts.env.guards if guard.expr.free_symbols & (symbols | derived)]
    with kept(facts.env):  # as torch prints
        left = [g for g in concerned if facts.env._maybe_evaluate_static(g.expr, axioms=()) is None]  # noqa: SLF001
    for guard in left:
        yield guard, not guard.expr.free_symbols <= symbols


def _declared_floats(facts: FrameFacts) -> set[str]:
    return {place.name for place in facts.places if place.kind is float and place.declaration is not None}


def _told(facts: FrameFacts, guard: Any) -> ExtraGuard:
    """The guard in the user's names."""
    floats: dict[sympy.Symbol, Term] = {symbol: Name(name) for symbol, name in facts.floats.symbols.items()}
    if not guard.expr.free_symbols & floats.keys():
        formula = in_names(facts, guard.expr)
        if formula is not None:
            return ExtraGuard(formula, None, None)
    plain, called = _quotients(facts)
    terms = facts.parameter_terms()
    condition = condition_of(guard.expr.xreplace(plain), {**called, **floats}) if plain else None
    if condition is None:
        condition = condition_of(guard.expr, {**{p.symbol: terms[n] for n, p in facts.parameters.items()}, **floats})
    if condition is not None:
        true, false = (_limited(condition, condition.enough(answer)) for answer in (True, False))
        return ExtraGuard(condition.exactly, None, None, bounds=(true, false))
    return ExtraGuard(None, None, None, guard=guard.expr, in_words=untold(facts, guard.expr))


def _limited(condition: Condition, enough: Formula | None) -> Formula | None:
    """What is enough, as far as the integers in the condition are small enough for floats to hold them."""
    small = condition.small_integers
    return enough if enough is None or small is None else conjunction((enough, small))


def untold(facts: FrameFacts, expr: Any) -> str:
    """Torch's expression as text, over the names, and over the sources of sizes that have none."""
    sources = facts.env.var_to_sources
    names: dict[Any, Any] = {
        s: sympy.Symbol(plain_source(source_name(sources[s][0]))) for s in expr.free_symbols if sources.get(s)
    }
    names.update((symbol, sympy.Symbol(name)) for symbol, name in facts.floats.symbols.items())
    for name, parameter in facts.parameters.items():
        row, called = facts.rows[name], sympy.Symbol(name, integer=True)
        plain = not row.constant and not row.coefficients
        names[parameter.symbol] = called / row.divisor if plain else sympy.Symbol(f"k_{name}", integer=True)
    return str(expr.xreplace(names)).replace("ToFloat(", "float(").replace("TruncToInt(", "int(")


def in_names(facts: FrameFacts, expr: Any) -> Formula | None:
    """A condition on parameters as one on names; divisions cancel where they can: ``h != 16``, not ``h // 16 != 1``."""
    terms = facts.parameter_terms()
    symbols = {parameter.symbol: terms[name] for name, parameter in facts.parameters.items()}
    quotients, plain = _quotients(facts)
    if quotients and isinstance(expr, sympy.core.relational.Relational):
        concerned = [name for name, p in facts.parameters.items() if p.symbol in expr.free_symbols]
        divisors = [facts.rows[name].divisor for name in concerned]
        sides = [sympy.expand(side.xreplace(quotients)) for side in expr.args]
        for factor in (1, math.lcm(*divisors), math.prod(divisors)):
            formula = formula_of(expr.func(*(side * factor for side in sides)), plain)
            if formula is not None:
                return formula
    return formula_of(expr, symbols)


def _quotients(facts: FrameFacts) -> tuple[dict[Any, Any], dict[sympy.Symbol, Term]]:
    """Each parameter as its name over a number, and what the names' symbols stand for; nothing where one isn't such."""
    rows = {name: facts.rows[name] for name in facts.parameters}
    if any(row.constant or row.coefficients for row in rows.values()):
        return {}, {}
    called = {name: sympy.Symbol(name, integer=True) for name in rows}
    quotients = {facts.parameters[name].symbol: called[name] / row.divisor for name, row in rows.items()}
    return quotients, {symbol: Name(name) for name, symbol in called.items()}


def _place(facts: FrameFacts, symbol: Any, place: Any) -> Any:
    """Where torch learned it; where it keeps no place, that of the first guard on the symbol, if there is one."""
    places = (g.sloc for g in facts.env.guards if symbol in g.expr.free_symbols)
    return next(places, None) if place is None else place


def _placed(narrowing: ExtraGuard, place: Any) -> ExtraGuard:
    """With the lines and the operation that the place tells."""
    if place is None:
        return narrowing
    return replace(narrowing, line=user_line(place), inner_line=inner_line(place), asked_at=operation_of(place))
