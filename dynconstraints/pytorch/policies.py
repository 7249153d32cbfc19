"""What a block asks for when a program narrows its declaration: nothing, a warning, or an error that names the line.

A program *specialises* a declared name when it forces it to one value that the declaration does not; it adds a *new
guard* when the compiled frame serves only a part of what is declared.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sympy

from dynconstraints.diagnostics.diagnostic import Diagnostic, Severity
from dynconstraints.diagnostics.errors import SpecializationError
from dynconstraints.ir.nodes import Formula, Int, Name, Relation, Term, comparison
from dynconstraints.ir.printer import show
from dynconstraints.pytorch.frame import FrameFacts
from dynconstraints.pytorch.symbolic import formula_of


class DeclarationWarning(UserWarning):
    """A program narrows what is declared, and the block that is open asked for a warning."""


@dataclass(frozen=True)
class Narrowing:
    """A condition that the compiled frame needs and the declaration does not imply, in the user's names.

    ``name`` is the declared name that is left one value, if it is; ``line`` the user's own line, where torch knows it.
    """

    condition: Formula
    name: str | None
    line: str | None


def enforce(facts: FrameFacts) -> None:
    """Warn or raise SpecializationError as the block that was open at the compilation asks."""
    scope = facts.scope
    if scope.on_specialize == scope.on_new_guard == "allow":
        return
    for narrowing in narrowings(facts):
        policy = scope.on_new_guard if narrowing.name is None else scope.on_specialize
        if policy == "error":
            raise SpecializationError(_diagnostic(narrowing, "error"))
        if policy == "warn":
            warnings.warn(str(SpecializationError(_diagnostic(narrowing, "warning"))), DeclarationWarning, stacklevel=2)


def narrowings(facts: FrameFacts) -> Iterator[Narrowing]:
    """The conditions on declared names that the frame is guarded by beyond the declaration."""
    state, symbols = facts.parameter_state(), {p.symbol for p in facts.parameters.values()}
    for name, parameter in facts.parameters.items():
        low, high = state.range_of(Name(name))
        fixed = facts.env.replacements.get(parameter.symbol)
        if fixed is not None and isinstance(fixed, sympy.Integer) and not low == high == int(fixed):
            value = facts.values[name]
            yield Narrowing(comparison(Name(name), Relation.EQ, Int(value)), name, _line(facts, parameter.symbol))
            continue
        if fixed is not None and not isinstance(fixed, sympy.Integer):
            # Torch guards an equality between symbols by replacing one of them, not in its list of guards.
            formula = in_names(facts, sympy.Eq(parameter.symbol, fixed, evaluate=False))
            if formula is not None:
                yield Narrowing(formula, None, _line(facts, parameter.symbol))
            continue
        known = facts.env.var_to_range[parameter.symbol]
        for relation, bound, declared in ((Relation.GE, known.lower, low), (Relation.LE, known.upper, high)):
            if isinstance(bound, sympy.Integer) and int(bound) != declared:
                formula = in_names(facts, sympy.Rel(parameter.symbol, int(bound), relation.value))
                if formula is not None:
                    yield Narrowing(formula, None, _line(facts, parameter.symbol))
    for guard in facts.env.guards:
        open_ = guard.expr.free_symbols and guard.expr.free_symbols <= symbols
        if open_ and facts.env._maybe_evaluate_static(guard.expr, axioms=()) is None:  # noqa: SLF001  as torch prints
            formula = in_names(facts, guard.expr)
            if formula is not None:
                yield Narrowing(formula, None, _user_line(guard))


def in_names(facts: FrameFacts, expr: Any) -> Formula | None:
    """A condition on parameters as one on names; divisions cancel where they can: ``h != 16``, not ``h // 16 != 1``."""
    terms = facts.parameter_terms()
    symbols = {parameter.symbol: terms[name] for name, parameter in facts.parameters.items()}
    rows = {name: facts.rows[name] for name in facts.parameters}
    if all(not row.constant and not row.coefficients for row in rows.values()):
        called = {name: sympy.Symbol(name, integer=True) for name in rows}
        quotients = {facts.parameters[name].symbol: called[name] / row.divisor for name, row in rows.items()}
        scale = math.prod(row.divisor for row in rows.values())
        plain: dict[sympy.Symbol, Term] = {symbol: Name(name) for name, symbol in called.items()}
        if isinstance(expr, sympy.core.relational.Relational):
            sides = [sympy.expand(side.xreplace(quotients)) for side in expr.args]
            for factor in (1, scale):
                formula = formula_of(expr.func(*(side * factor for side in sides)), plain)
                if formula is not None:
                    return formula
    return formula_of(expr, symbols)


def _line(facts: FrameFacts, symbol: Any) -> str | None:
    """The line of the first guard on the symbol."""
    return next((_user_line(g) for g in facts.env.guards if symbol in g.expr.free_symbols), None)


def _user_line(guard: Any) -> str | None:
    return getattr(guard.sloc, "maybe_user_loc", None) or str(guard.sloc)


def _diagnostic(narrowing: Narrowing, severity: Severity) -> Diagnostic:
    condition = show(narrowing.condition)
    where = () if narrowing.line is None else (f"it comes from {narrowing.line}",)
    if narrowing.name is None:
        return Diagnostic(
            "DC502",
            f"the program serves only a part of the declaration: {condition}",
            notes=where,
            help=(f"declare it ({condition}), or mend the line that asks",),
            severity=severity,
        )
    return Diagnostic(
        "DC501",
        f"the program forces {narrowing.name} to one value: {condition}",
        notes=where,
        help=(f"declare it ({condition}), or mend the line that needs it constant",),
        severity=severity,
    )
