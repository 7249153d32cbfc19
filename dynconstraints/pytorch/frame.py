"""What one traced frame knows: the names it has met, the lattice chosen for them, and each name as an expression.

The declared equalities and congruences are solved over the integers (`dynconstraints.facts.lattice`), and the parameters
of the solution become the symbols of the ShapeEnv: with ``s0 % 32 == 0`` the symbol is k, and s0 is ``32*k`` wherever it
occurs. Names are taken in the order in which the trace meets them, so each brings at most one parameter and disturbs no
earlier one; where constraints that arrive late would, the trace is restarted with what was learnt.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import sympy

from dynconstraints.facts.lattice import Contradiction, Lattice, Row, linear_facts
from dynconstraints.facts.state import State, analyse
from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.fold import names as names_of
from dynconstraints.ir.fold import substitute
from dynconstraints.ir.nodes import Formula, Int, Name, Relation, Term, comparison
from dynconstraints.ir.printer import show
from dynconstraints.pytorch._compat import dynamo
from dynconstraints.pytorch.checking import check_bindings, conflict
from dynconstraints.pytorch.declaration import Binding, Declaration, system_of
from dynconstraints.pytorch.scope import Scope, current_scope
from dynconstraints.pytorch.symbolic import affine_to_term, affine_to_torch, to_torch
from dynconstraints.pytorch.wellformed import check_consistent

KEY = "_dynconstraints"
"""The attribute under which a ShapeEnv, and a CompileContext, carry what is known."""


@dataclass(frozen=True)
class Place:
    """One place of a frame that holds a declared value: the source of the object, and which dimension of it, if any."""

    source: Any
    dimension: int | None
    name: str
    declaration: Declaration | None


@dataclass(frozen=True)
class Parameter:
    """A symbol of the ShapeEnv, its source and its graph input, under the name that brought it."""

    symbol: sympy.Symbol
    source: Any
    node: Any
    proxy: Any


@dataclass
class FrameFacts:
    """The state of one attempt to trace one frame; it hangs on the attempt's ShapeEnv."""

    env: Any
    scope: Scope
    constraints: dict[Constraint, None]
    members: dict[str, Binding] = field(default_factory=dict)
    values: dict[str, int] = field(default_factory=dict)
    rows: dict[str, Row] = field(default_factory=dict)
    parameters: dict[str, Parameter] = field(default_factory=dict)
    expressions: dict[str, sympy.Expr] = field(default_factory=dict)
    dimensions: dict[str, sympy.Expr] = field(default_factory=dict)
    places: list[Place] = field(default_factory=list)
    guarded: bool = False
    asked: int = 0
    seconds: float = 0.0
    _lattice: Lattice | None = None
    _premises: tuple[Formula, ...] | None = None

    @classmethod
    def of(cls, env: Any) -> FrameFacts:
        """The facts of the ShapeEnv's frame, made at the first declared value."""
        facts = env.__dict__.get(KEY)
        if facts is None:
            scope = current_scope()
            facts = cls(env, scope, dict.fromkeys((*scope.constraints, *_remembered())))
            env.__dict__[KEY] = facts
        return facts  # type: ignore[no-any-return]

    def learn(self, constraints: Iterable[Constraint]) -> None:
        """Take constraints into force. Restarts the trace where they change an expression already handed out.

        Raises InconsistentConstraintsError where no values satisfy all that is in force.
        """
        new = [c for c in constraints if c not in self.constraints]
        if not new:
            return
        self.constraints.update(dict.fromkeys(new))
        self._lattice = self._premises = None
        check_consistent(system_of(tuple(self.constraints)))
        if self._rows(self.rows) != tuple(self.rows.values()):
            _remember(self.constraints)
            raise dynamo().Restart(restart_reason="a constraint on an earlier size arrived with a later one")

    def resolve(self, term: Term, value: int, members: Iterable[Binding]) -> tuple[str, bool]:
        """The name under which a value is held, and whether it is met now for the first time.

        A value given by an expression over names that the trace has not met is held under the expression's text.
        Raises ConflictingBindingError and ConstraintViolationError in the user's terms.
        """
        for member in members:
            known = self.members.setdefault(member.name, member)
            if known.value != member.value:
                raise conflict(known, member)
        self.learn(c for member in self.members.values() for c in member.constraints)
        places = {m.name: m.place for m in self.members.values() if m.place is not None}
        check_bindings(system_of(tuple(self.constraints)), {n: m.value for n, m in self.members.items()}, places)
        name = held_as(term)
        if not isinstance(term, Name) and name not in self.rows:
            self.learn([Constraint.of(comparison(Name(name), Relation.EQ, term))])
        return name, name not in self.rows

    def expression_of(self, term: Term) -> sympy.Expr | None:
        """The term over the parameters, where the trace has met all of its names; None elsewhere."""
        if not names_of(term) <= self.expressions.keys():
            return None
        return to_torch(term, self.expressions)

    def row(self, name: str) -> Row:
        """The row of a name that is met next."""
        return self._rows((*self.rows, name))[-1]

    def meet(self, name: str, value: int, row: Row, parameter: Parameter | None) -> sympy.Expr:
        """Record the name's row and the parameter that it brings; returns the name as an expression."""
        self.rows[name] = row
        self.values[name] = value
        if parameter is not None:
            self.parameters[name] = parameter
        symbols = {n: p.symbol for n, p in self.parameters.items()}
        expr = affine_to_torch(row.affine.constant, row.affine.coefficients, symbols)
        self.expressions[name] = sympy.sympify(expr)
        self._premises = None
        return self.expressions[name]

    def parameter_state(self) -> State:
        """What the declaration says about the parameters, names that are not met projected away."""
        return analyse(self._substituted(self.constraints))

    @property
    def premises(self) -> tuple[Formula, ...]:
        """What every entry into the compiled frame is checked for, as formulas over the parameters.

        These are the constraints whose names the frame has all met, and the parameters' ranges; never a guard of the
        ShapeEnv's own, which would be proved from itself while guards are printed.
        """
        if self._premises is None:
            state = self.parameter_state()
            found = list(self._substituted(self.bound()))
            for name in self.parameters:
                low, high = state.range_of(Name(name))
                if low is not None:
                    found.append(comparison(Name(name), Relation.GE, Int(low)))
                if high is not None:
                    found.append(comparison(Name(name), Relation.LE, Int(high)))
            self._premises = tuple(found)
        return self._premises

    def bound(self) -> list[Constraint]:
        """The constraints whose names the frame has all met."""
        return [c for c in self.constraints if all(name in self.rows for name in c.symbols)]

    def residual(self) -> list[Constraint]:
        """The bound constraints that the lattice and the parameters' ranges, guarded by the ShapeEnv, don't imply."""
        state = self.parameter_state()
        ranges = [
            comparison(Name(name), relation, Int(bound))
            for name in self.parameters
            for relation, bound in zip((Relation.GE, Relation.LE), state.range_of(Name(name)), strict=True)
            if bound is not None
        ]
        box = analyse(ranges)
        formulas = self._substituted(self.bound())
        return [c for c, formula in zip(self.bound(), formulas, strict=True) if box.truth(formula) is not True]

    @property
    def digest(self) -> str:
        """Tells the facts apart in the keys of caches on disk."""
        rows = [f"{n}={r.constant},{r.coefficients},{r.divisor}" for n, r in self.rows.items()]
        text = "\n".join([*sorted(show(c.formula) for c in self.constraints), *rows])
        return hashlib.sha256(text.encode()).hexdigest()[:24]

    def _rows(self, order: Iterable[str]) -> tuple[Row, ...]:
        if self._lattice is None:
            facts = [linear_facts(c.formula) for c in self.constraints]
            equalities = [e for f in facts for e in f.equalities]
            congruences = [c for f in facts for c in f.congruences]
            lattice = Lattice.of((), equalities, congruences)
            assert not isinstance(lattice, Contradiction), "consistent sets have a lattice"
            self._lattice = lattice
        return self._lattice.parametrise(tuple(order))

    def _substituted(self, constraints: Iterable[Constraint]) -> list[Formula]:
        """The constraints over parameters, each called as the name that brings it."""
        constraints = list(constraints)
        rest = dict.fromkeys(name for c in constraints for name in c.symbols if name not in self.rows)
        rows = (*self.rows.values(), *self._rows((*self.rows, *rest))[len(self.rows) :])
        terms = {row.name: affine_to_term(row.affine.constant, row.affine.coefficients) for row in rows}
        return [substitute(c.formula, terms) for c in constraints]


def held_as(term: Term) -> str:
    """The name under which the value of a term is held: a name's own, or the text of an expression."""
    return term.id if isinstance(term, Name) else show(term)


def _remembered() -> tuple[Constraint, ...]:
    """What earlier attempts at the frame that is being compiled have learnt."""
    context = dynamo().CompileContext.try_get()
    return () if context is None else tuple(context.__dict__.get(KEY, ()))


def _remember(constraints: Iterable[Constraint]) -> None:
    context = dynamo().CompileContext.try_get()
    if context is not None:
        context.__dict__[KEY] = tuple(constraints)
