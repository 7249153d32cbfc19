"""What one traced frame knows: the names it has met, the lattice chosen for them, and each name as an expression.

The declared equalities and congruences are solved over the integers (`facts.domains.linear_equalities`), and the
parameters of the solution become the symbols of the ShapeEnv: with ``s0 % 32 == 0`` the symbol is k, and s0 is ``32*k``
wherever it occurs. Names are taken in the order in which the trace meets them, so each brings at most one parameter and
disturbs no earlier one; where constraints that arrive late would, the trace is restarted with what was learnt.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any

import sympy

from dynconstraints.facts.domains.linear_equalities import Contradiction, Lattice, Row, linear_facts
from dynconstraints.facts.product.analysis import State, analyse
from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.evaluate import value_of
from dynconstraints.ir.fold import names as names_of
from dynconstraints.ir.fold import substitute, substitute_term
from dynconstraints.ir.nodes import (
    FloorDiv,
    Formula,
    Int,
    Mul,
    Name,
    Relation,
    Term,
    comparison,
    negated,
    product,
    total,
)
from dynconstraints.ir.printer import show
from dynconstraints.pytorch._torch.dynamo import dynamo
from dynconstraints.pytorch.declarations.check_constraints import check_consistent
from dynconstraints.pytorch.declarations.check_values import check_bindings, conflict, differ
from dynconstraints.pytorch.declarations.declaration import Binding, Declaration, is_real, system_of
from dynconstraints.pytorch.declarations.scope import Scope, current_scope
from dynconstraints.pytorch.frame.call_check import traced_call
from dynconstraints.pytorch.frame.computed_facts import ComputedFacts
from dynconstraints.pytorch.frame.float_facts import Constant, FloatFacts
from dynconstraints.pytorch.frame.restart import KEY, RestartState, TraceInput, leave, restart_state
from dynconstraints.pytorch.frame.sympy_bridge import affine_to_term, affine_to_torch, slot, to_torch
from dynconstraints.system import ConstraintSystem


@dataclass(frozen=True)
class Place:
    """One place of a frame that holds a declared value: the source of the object, and which dimension of it, if any.

    ``constant`` is the value of a float that the frame is compiled for; ``by_signature`` where a signature declares
    it, and not the object itself.
    """

    source: Any
    dimension: int | None
    name: str
    declaration: Declaration | None
    kind: type[int | float] = int
    constant: float | None = None
    by_signature: bool = False


@dataclass(frozen=True)
class Parameter:
    """A symbol of the ShapeEnv, its source and its graph input, under the name that brought it."""

    symbol: sympy.Symbol
    source: Any
    node: Any
    proxy: Any
    hint: int


@dataclass(frozen=True)
class Unknown:
    """The one name of a term that the trace has not met: its value, and how it is computed from the term's value.

    ``quotient`` is over `slot` 0, the term's value, and parameters; ``divisor`` the term's other factors, over names.
    """

    name: str
    value: int
    quotient: Term
    divisor: Term | None = None


_traced: ContextVar[list[FrameFacts]] = ContextVar("dynconstraints_traced")


@contextmanager
def forgetting_traces() -> Iterator[list[FrameFacts]]:
    """While open a frame is traced, in one attempt or several; then their facts let go of what they traced."""
    token = _traced.set([])
    try:
        yield _traced.get()
    finally:
        for facts in _traced.get():
            facts.forget_trace()
        _traced.reset(token)


@dataclass
class FrameFacts:
    """The state of one attempt to trace one frame; it hangs on the attempt's ShapeEnv.

    ``variables`` are those of the trace that stand for DynamicInts, by the sources of these, and ``typed`` the sources
    of which the program asked the type; ``leftovers`` what former calls left (`leftovers`), by their sources, each with
    the call's own. ``settled`` are the names of parameters that are numbers in this graph, since its backend takes them
    for such, and ``in_backend`` says whether that is at work. ``carried`` are the sizes and numbers that have names
    where a break hands them over.
    """

    env: Any
    scope: Scope
    constraints: dict[Constraint, None]
    members: dict[str, Binding] = field(default_factory=dict)
    values: dict[str, int] = field(default_factory=dict)
    rows: dict[str, Row] = field(default_factory=dict)
    parameters: dict[str, Parameter] = field(default_factory=dict)
    expressions: dict[str, sympy.Expr] = field(default_factory=dict)
    held: dict[str, Term] = field(default_factory=dict)
    dimensions: dict[str, sympy.Expr] = field(default_factory=dict)
    offsets: set[str] = field(default_factory=set)
    extremes: dict[sympy.Basic, sympy.Basic] = field(default_factory=dict)
    places: list[Place] = field(default_factory=list)
    passed: dict[str, tuple[Declaration, ...]] = field(default_factory=dict)
    leftovers: dict[str, tuple[Binding, Binding]] = field(default_factory=dict)
    quotients: dict[str, Term] = field(default_factory=dict)
    floats: FloatFacts = field(default_factory=FloatFacts)
    computed: ComputedFacts = field(default_factory=ComputedFacts)
    reals: frozenset[str] = frozenset()
    real_constraints: dict[Constraint, None] = field(default_factory=dict)
    variables: dict[str, Any] = field(default_factory=dict)
    typed: set[str] = field(default_factory=set)
    settled: frozenset[str] = frozenset()
    in_backend: bool = False
    carried: frozenset[sympy.Expr] = frozenset()
    guarded: bool = False
    exported: bool = False
    asked: int = 0
    seconds: float = 0.0
    _example: dict[str, int] = field(default_factory=dict)
    _lattice: Lattice | None = None
    _premises: tuple[Formula, ...] | None = None

    @classmethod
    def start(cls, env: Any) -> tuple[FrameFacts, tuple[TraceInput, ...]]:
        """The facts of a frame at its first declared value, and the values to be met before that one."""
        scope, learnt = current_scope(), restart_state()
        floats = FloatFacts(dict(learnt.constants))
        facts = cls(env, scope, {}, reals=learnt.reals, floats=floats, settled=learnt.settled)
        facts._example.update(traced_call().bindings)
        for constraint in (*scope.constraints, *learnt.constraints):
            facts.kind_of(constraint)[constraint] = None
        env.__dict__[KEY] = facts
        _traced.get([]).append(facts)
        return facts, learnt.early

    @classmethod
    def of_program(
        cls, env: Any, scope: Scope, constraints: Iterable[Constraint], values: Mapping[str, int], reals: frozenset[str]
    ) -> FrameFacts:
        """The facts of a program that is exported: all that is in force is known before the first value is met."""
        facts = cls(env, scope, {}, reals=reals, guarded=True, exported=True)
        facts._example.update(values)
        for constraint in constraints:
            facts.kind_of(constraint)[constraint] = None
        env.__dict__[KEY] = facts
        return facts

    def forget_trace(self) -> None:
        """Let go of the graph: torch's caches keep the ShapeEnv, and with it these facts, when the trace is over."""
        self.parameters.update({name: replace(p, proxy=None) for name, p in self.parameters.items()})
        self.variables.clear()
        self.computed.nodes.clear()
        self.floats.variables.clear()
        self.floats.inputs.update(dict.fromkeys(self.floats.inputs))

    def learn(self, constraints: Iterable[Constraint], values: Mapping[str, int] | None = None) -> None:
        """Take constraints into force. Restarts the trace where they change an expression already handed out.

        ``values`` are names that the constraints bring, as they are in the call that is traced. Raises
        InconsistentConstraintsError where no values satisfy all that is in force.
        """
        constraints = list(constraints)
        self.real_constraints.update(dict.fromkeys(c for c in constraints if is_real(c, self.reals)))
        new = [c for c in constraints if c not in self.constraints and c not in self.real_constraints]
        if not new:
            return
        self.constraints.update(dict.fromkeys(new))
        self._lattice = self._premises = None
        self._example.update(values or {})
        check_consistent(system_of(tuple(self.constraints)), self._example)
        if self._rows(self.rows) != tuple(self.rows.values()):
            raise self.restart("a constraint on an earlier size arrived with a later one")

    def kind_of(self, constraint: Constraint) -> dict[Constraint, None]:
        """Where the constraint belongs: among those on integers, or those that speak of floats."""
        return self.real_constraints if is_real(constraint, self.reals) else self.constraints

    def meet_float(self, name: str) -> None:
        """Take a float's name into the frame. Restarts the trace where it was taken for an integer."""
        if name not in self.reals:
            self.reals |= {name}
            if any(name in c.symbols for c in self.constraints):
                raise self.restart("a constraint turned out to speak of a float")

    def restart(
        self, reason: str, early: tuple[TraceInput, ...] = (), constants: Mapping[str, Constant] | None = None
    ) -> Exception:
        """The end of this attempt, with what it learnt kept for the next."""
        leave(
            RestartState(
                (*self.constraints, *self.real_constraints),
                (*early, *restart_state().early),
                self.reals,
                {**self.floats.constants, **(constants or {})},
                self.settled,
            )
        )
        return dynamo().Restart(restart_reason=reason)  # type: ignore[no-any-return]

    def is_factor_of_held(self, name: str) -> bool:
        """Whether a product that was met before all of its names has the name as a factor; had it been met first,
        the product would fold."""
        return any(name in names_of(term) and isinstance(term, Mul) for term in self.held.values())

    def admit(self, members: Iterable[Binding]) -> None:
        """Take the names behind a value into account: their values, and the constraints that came with them.

        Raises ConflictingBindingError and ConstraintViolationError in the user's terms.
        """
        for member in members:
            known = self.members.setdefault(member.name, member)
            self._example.setdefault(member.name, member.value)
            if differ(known.value, member.value):
                raise conflict(known, member)
            if member.constraints != known.constraints:
                together = tuple(dict.fromkeys((*known.constraints, *member.constraints)))
                self.members[member.name] = replace(known, constraints=together)
        self.learn(c for member in self.members.values() for c in member.constraints)
        places = {m.name: m.place for m in self.members.values() if m.place is not None}
        check_bindings(self.system, {n: m.value for n, m in self.members.items()}, places, self._example)

    @property
    def system(self) -> ConstraintSystem:
        """All that is in force."""
        return self.system_with()

    def system_with(self, *more: Constraint) -> ConstraintSystem:
        """All that is in force, and more."""
        constraints = (*self.constraints, *self.real_constraints, *more)
        return system_of(constraints, self.reals, frozenset(self.rows) - self.reals)

    def hold(self, term: Term) -> str:
        """The name under which a value is held: a name's own, or the text of an expression, then defined by it."""
        name = held_as(term)
        if not isinstance(term, Name) and name not in self.rows:
            self.held[name] = term
            value = value_of(term, self._example) if names_of(term) <= self._example.keys() else None
            equation = Constraint.of(comparison(Name(name), Relation.EQ, term))
            self.learn([equation], {} if value is None else {name: value})
        return name

    def unknown_factor(self, term: Term, value: int) -> Unknown | None:
        """For ``c*u``, u the only name not met and c a product of names that are: how u follows from the value."""
        if not isinstance(term, Mul):
            return None
        unmet = [f for f in term.factors if not names_of(f) <= self.rows.keys()]
        if len(unmet) != 1 or not isinstance(unmet[0], Name):
            return None
        known = [f for f in term.factors if f is not unmet[0]]
        if not all(isinstance(f, Name | Int) for f in known) or not any(isinstance(f, Name) for f in known):
            return None
        scale = math.prod(
            self.values[f.id] if isinstance(f, Name) else f.value for f in known if isinstance(f, Name | Int)
        )
        if not scale or value % scale:
            return None
        others = product(tuple(known))
        divisor = substitute_term(others, {n: self.term_of(n) for n in self.rows})
        return Unknown(unmet[0].id, value // scale, FloorDiv(slot(0), divisor), others)

    def term_of(self, name: str) -> Term:
        """A name that the trace has met, over the parameters."""
        affine = self.rows[name].affine
        return affine_to_term(affine.constant, affine.coefficients)

    def parameter_terms(self) -> dict[str, Term]:
        """Each parameter over the names: of a name that is ``16*k`` it is ``name // 16``."""
        terms: dict[str, Term] = {}
        for name in self.parameters:
            row = self.rows[name]
            earlier = affine_to_term(row.constant, row.coefficients)
            rest = Name(name) if earlier == Int(0) else total((Name(name), negated(substitute_term(earlier, terms))))
            terms[name] = rest if row.divisor == 1 else FloorDiv(rest, Int(row.divisor))
        return terms

    def hint(self, parameter: str) -> int:
        """The value of a parameter in the call that is being traced."""
        return self.parameters[parameter].hint

    def expression_of(self, term: Term) -> sympy.Expr | None:
        """The term over the parameters, where the trace has met all of its names; None elsewhere."""
        if not names_of(term) <= self.expressions.keys():
            return None
        return to_torch(term, self.expressions)

    def at(self, term: Term) -> sympy.Expr | None:
        """The expression of a place that holds the term."""
        found = self.expression_of(term)
        return self.expressions.get(held_as(term)) if found is None else found

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

    def parameter_state(self, *more: Row) -> State:
        """What the declaration says about the parameters, and those of more rows, names that are not met projected
        away."""
        return analyse(self._substituted(self.constraints, *more))

    def ranges(self) -> tuple[Formula, ...]:
        """The parameters' ranges as they stand in the ShapeEnv, which checks them at every entry."""
        found: list[Formula] = []
        for name, parameter in self.parameters.items():
            known = self.env.var_to_range[parameter.symbol]
            for relation, bound in ((Relation.GE, known.lower), (Relation.LE, known.upper)):
                if isinstance(bound, sympy.Integer):
                    found.append(comparison(Name(name), relation, Int(int(bound))))
        return tuple(found)

    @property
    def premises(self) -> tuple[Formula, ...]:
        """What every entry into the compiled frame is checked for, as formulas over the parameters.

        These are the constraints whose names the frame has all met, and the parameters' ranges; never a guard of the
        ShapeEnv's own, which would be proved from itself while guards are printed.
        """
        if self._premises is None:
            self._premises = tuple(self._substituted(self.bound()))
        return (*self._premises, *self.ranges())

    def bound(self) -> list[Constraint]:
        """The constraints whose names the frame has all met."""
        return [c for c in self.constraints if all(name in self.rows for name in c.symbols)]

    def bound_reals(self) -> list[Constraint]:
        """The constraints that speak of floats whose names the frame has all met."""
        known = {*self.rows, *self.floats.values}
        return [c for c in self.real_constraints if known.issuperset(c.symbols)]

    @property
    def real_premises(self) -> tuple[Formula, ...]:
        """The bound constraints that speak of floats, with integers as formulas over the parameters."""
        return tuple(self._substituted(self.bound_reals()))

    def leaves_open(self) -> bool:
        """Whether a constraint relates names that the frame has met to others: some values of the call may do that
        leave none for these."""
        known = {*self.rows, *self.floats.values}
        return any(known & set(c.symbols) and not known.issuperset(c.symbols) for c in self._all())

    def _all(self) -> tuple[Constraint, ...]:
        return (*self.constraints, *self.real_constraints)

    def residual(self) -> list[Constraint]:
        """The bound constraints that the lattice and the parameters' ranges, guarded by the ShapeEnv, don't imply."""
        box = analyse(self.ranges())
        formulas = self._substituted(self.bound())
        left = [c for c, formula in zip(self.bound(), formulas, strict=True) if box.truth(formula) is not True]
        return left + self.bound_reals()

    @property
    def digest(self) -> str:
        """Tells the facts apart in the keys of caches on disk."""
        rows = [f"{n}={r.constant},{r.coefficients},{r.divisor}" for n, r in self.rows.items()]
        constraints = (*self.constraints, *self.real_constraints)
        computed = [f"{n}={e}" for n, e in self.computed.expressions.items()]
        computed += sorted(show(c.formula) for c in self.computed.constraints)
        text = "\n".join([*sorted(show(c.formula) for c in constraints), *sorted(self.reals), *rows, *computed])
        return hashlib.sha256(text.encode()).hexdigest()[:24]

    def _rows(self, order: Iterable[str]) -> tuple[Row, ...]:
        if self._lattice is None:
            facts = [linear_facts(c.formula) for c in self.constraints]
            equalities = [e for f in facts for e in f.equalities]
            congruences = [c for f in facts for c in f.congruences]
            lattice = Lattice.of((), equalities, congruences)
            if isinstance(lattice, Contradiction):
                raise RuntimeError("the constraints were consistent, and their lattice is not")
            self._lattice = lattice
        return self._lattice.parametrise(tuple(order))

    def _substituted(self, constraints: Iterable[Constraint], *more: Row) -> list[Formula]:
        """The constraints over parameters, each called as the name that brings it."""
        constraints = list(constraints)
        met = (*self.rows, *(row.name for row in more))
        known = {*met, *self.floats.values}
        rest = dict.fromkeys(name for c in constraints for name in c.symbols if name not in known)
        rows = (*self.rows.values(), *more, *self._rows((*met, *rest))[len(met) :])
        terms = {row.name: affine_to_term(row.affine.constant, row.affine.coefficients) for row in rows}
        return [substitute(c.formula, terms) for c in constraints]


def held_as(term: Term) -> str:
    """The name under which the value of a term is held: a name's own, or the text of an expression."""
    return term.id if isinstance(term, Name) else show(term)


def is_declared(size: Any) -> bool:
    """Whether a size of the trace is an expression over parameters; a number, or a symbol of torch's own, is not."""
    if isinstance(size, int):
        return False
    facts = size.node.shape_env.__dict__.get(KEY)
    return facts is not None and not size.node.expr.free_symbols.isdisjoint(p.symbol for p in facts.parameters.values())
