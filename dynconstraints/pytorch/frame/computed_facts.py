"""What a frame knows of the values that the program computes and names with `bind`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dynconstraints.diagnostics.errors import ConstraintError
from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.nodes import (
    Formula,
    Name,
    Term,
)
from dynconstraints.pytorch._torch.shape_env import backed_values
from dynconstraints.pytorch.declarations.user_location import Place as SourcePlace

if TYPE_CHECKING:
    import sympy


@dataclass
class ComputedFacts:
    """Names of values that the program computes, what is declared of them, and which of that the graph asserts.

    ``own`` are the constraints that came with each name; ``symbols`` torch's unbacked symbols in the expressions, under
    names that no user can give; ``formulas`` what the graph has asserted so far, over parameters and those; ``errors``
    what to say where an assertion fails, given the values of symbols, by what is asserted; ``nodes`` each name in the
    graph, with the number that it is in the trace; ``gcds`` the symbols of those that the graph computes.
    """

    expressions: dict[str, sympy.Expr] = field(default_factory=dict)
    places: dict[str, SourcePlace] = field(default_factory=dict)
    own: dict[str, tuple[Constraint, ...]] = field(default_factory=dict)
    constraints: dict[Constraint, None] = field(default_factory=dict)
    asserted: dict[Constraint, None] = field(default_factory=dict)
    symbols: dict[sympy.Symbol, Term] = field(default_factory=dict)
    formulas: list[Formula] = field(default_factory=list)
    errors: dict[sympy.Basic, Callable[[Mapping[Any, Any]], ConstraintError]] = field(default_factory=dict)
    nodes: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    gcds: dict[tuple[Term, Term], sympy.Expr] = field(default_factory=dict)

    def learn_symbols(self, env: Any) -> None:
        """Give the symbols names for the solver."""
        for expr in self.expressions.values():
            unbacked = expr.free_symbols - backed_values(env).keys()
            self.symbols.update((symbol, Name(f"<{symbol}>")) for symbol in unbacked)
