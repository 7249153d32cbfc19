"""ConstraintSystem: the immutable facade over facts, lowering and solver."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar, cast

from dynconstraints.diagnostics.errors import (
    ConstraintViolationError,
    InconsistentConstraintsError,
    SolverLimitError,
)
from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.nodes import Formula, Term, conjunction
from dynconstraints.ir.sorts import has_real, integers_in, reals_in, speaks_of_reals
from dynconstraints.ir.spelling import as_read, by_name
from dynconstraints.solver.limits import RLIMIT
from dynconstraints.solver.reals import Reals, real_below_integers
from dynconstraints.solver.verdict import Satisfiability, Unsat, Verdict
from dynconstraints.syntax.parser import parse
from dynconstraints.syntax.term import parse_term

if TYPE_CHECKING:
    from dynconstraints.solver.bounds import Range
    from dynconstraints.solver.minimize import Dropped
    from dynconstraints.solver.parted import Parted
    from dynconstraints.solver.prepared import Prepared
    from dynconstraints.solver.summary import Facts
    from dynconstraints.solver.violations import Violation

T = TypeVar("T")


class ConstraintSystem:
    """The conjunction of a set of constraints: the set of integer assignments under which all of them hold.

    Takes constraint texts, or :class:`Constraint` objects, or a mix. Immutable, hashable, picklable; equal sets are
    equal and hash equal whatever their order or repetition. Contradictory sets can be made: ``check`` says so.

    Names are integers, but those in ``reals``, which are real numbers (floats); where that is not said, a name is real
    that stands beside a float literal in some constraint, and nowhere below an operation on integers. Values of real
    names are floats, or fractions where no float holds them; they are typed as the integers that all others are.
    Raises ConstraintSyntaxError for a real name below such an operation.
    """

    def __init__(self, constraints: Iterable[str | Constraint] | str = (), reals: Iterable[str] | None = None) -> None:
        if isinstance(constraints, str):
            constraints = (constraints,)
        self.constraints: tuple[Constraint, ...] = tuple(dict.fromkeys(map(_constraint, constraints)))
        formulas = [constraint.formula for constraint in self.constraints]
        self.reals = reals_in(formulas) if reals is None else _reals(reals, self.constraints)
        self._speaks_of_reals = speaks_of_reals(formulas, self.reals)

    @cached_property
    def symbols(self) -> tuple[str, ...]:
        """The names, each once, in the order in which the constraints mention them."""
        return tuple(dict.fromkeys(name for c in self.constraints for name in c.symbols))

    @cached_property
    def _prepared(self) -> Prepared:
        from dynconstraints.solver.prepared import Prepared

        if len(self._parted.parts) == 1:  # what it has found out counts for the whole
            return self._parted.parts[0]
        return Prepared([constraint.formula for constraint in self.constraints])

    @cached_property
    def _rational(self) -> Reals:
        return self._rational_with(frozenset())

    def _rational_with(self, more: frozenset[str]) -> Reals:
        return Reals([constraint.formula for constraint in self.constraints], self.reals | more)

    @cached_property
    def _parted(self) -> Parted:
        from dynconstraints.solver.parted import Parted

        return Parted([constraint.formula for constraint in self.constraints])

    @cached_property
    def _answers(self) -> dict[tuple[object, ...], Any]:
        return {}

    @cached_property
    def _set(self) -> frozenset[Constraint]:
        return frozenset(self.constraints)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ConstraintSystem):
            return NotImplemented
        return self._set == other._set and self.reals == other.reals

    def __hash__(self) -> int:
        return hash(self._set)

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.constraints, self.reals)

    def __iter__(self) -> Iterator[Constraint]:
        return iter(self.constraints)

    def __len__(self) -> int:
        return len(self.constraints)

    def __repr__(self) -> str:
        return f"ConstraintSystem({[c.text for c in self.constraints]!r})"

    def __and__(self, other: ConstraintSystem) -> ConstraintSystem:
        """The conjunction of both."""
        return self.extend(other.constraints) if isinstance(other, ConstraintSystem) else NotImplemented

    def extend(self, constraints: Iterable[str | Constraint] | str) -> ConstraintSystem:
        """This system with more constraints."""
        return (
            self & ConstraintSystem(constraints)
            if isinstance(constraints, str)
            else ConstraintSystem((*self, *constraints))
        )

    def unbound(self, bound: Iterable[str]) -> tuple[str, ...]:
        """The names of the system that are not among ``bound``, in the system's order."""
        given = set(map(as_read, bound))
        return tuple(name for name in self.symbols if name not in given)

    def typed(self, reals: Iterable[str] = (), integers: Iterable[str] = ()) -> ConstraintSystem:
        """This system, with some names known to be real and others known to be integers."""
        known = (self.reals | set(map(as_read, reals))) - set(map(as_read, integers))
        return self if known == self.reals else ConstraintSystem(self.constraints, known)

    def holds(self, assignment: Mapping[str, int]) -> bool:
        """Whether every constraint holds under the assignment. Raises KeyError for a name without a value."""
        return all(constraint.holds(assignment) for constraint in self.constraints)

    def violations(self, assignment: Mapping[str, int]) -> tuple[Violation, ...]:
        """The constraints, of those whose names all have values, that do not hold under the assignment.

        Each comes with the values of its names, and the legal assignment nearest to the given one.
        """
        from dynconstraints.solver.violations import Violation

        assignment = by_name(assignment)
        broken = self._broken(assignment)
        try:
            nearest = self.nearest(assignment) if broken else None
        except (InconsistentConstraintsError, SolverLimitError):
            nearest = None
        return tuple(Violation(c, {name: assignment[name] for name in c.symbols}, nearest) for c in broken)

    def _broken(self, assignment: Mapping[str, int]) -> list[Constraint]:
        """The constraints whose names all have values, and that don't hold."""
        return [c for c in self.constraints if all(n in assignment for n in c.symbols) and not c.holds(assignment)]

    def check(self, limit: int | None = None) -> Satisfiability:
        """Whether any assignment satisfies the set: a model, a minimal core, or what stopped the search."""
        from dynconstraints.solver.check import check, check_reals

        if self._speaks_of_reals:
            return self._answer("check", lambda: check_reals(self._rational, self.constraints, limit), limit)
        return self._answer("check", lambda: check(self._parted, self.constraints, limit), limit)

    def implies(self, query: str | Constraint, limit: int | None = None) -> Verdict:
        """Whether the set settles the query."""
        from dynconstraints.solver.jointly import implies_all, joins_many

        key = "implies", query, limit
        if key not in self._answers:
            formula = _constraint(query).formula
            floats = reals_in((formula,))
            more = floats.difference(self.symbols) if floats else floats
            real = self._speaks_of_reals or speaks_of_reals((formula,), self.reals | more)
            if not real and joins_many(formula):
                self._answers[key] = implies_all(self._parted, formula, limit or RLIMIT)
            else:
                asked = self._rational_with(more) if real else self._parted
                self._answers[key] = asked.implies(formula, limit or RLIMIT)
        return self._answers[key]  # type: ignore[no-any-return]

    def range(self, expression: str | Term, limit: int | None = None) -> Range:
        """The tightest range of the expression that was found, with whether each end is proved to be tight."""
        from dynconstraints.solver.bounds import range_of, range_of_real

        term = term_of(expression)
        if self._speaks_of_reals or has_real(term):
            return self._answer("range", lambda: range_of_real(self._rational, term, limit or RLIMIT), term, limit)
        return self._answer(
            "range", lambda: range_of(self._parted.about_all(term, limit or RLIMIT), term, limit or RLIMIT), term, limit
        )

    def bounds(self, expression: str | Term, limit: int | None = None) -> tuple[int | None, int | None]:
        """The least and the greatest value of the expression, both inclusive, None where it is not bounded."""
        found = self.range(expression, limit)
        return found.lower, found.upper

    def congruence(self, expression: str | Term, limit: int | None = None) -> tuple[int, int]:
        """``(modulus, remainder)``, the largest modulus; (0, c) for the constant c, (1, 0) where nothing is known.

        Of sets that speak of floats nothing is known.
        """
        from dynconstraints.solver.bounds import congruence_of

        term = term_of(expression)
        if self._speaks_of_reals or has_real(term):
            return 1, 0
        found = self._answer(
            "congruence",
            lambda: congruence_of(self._parted.about_all(term, limit or RLIMIT), term, limit or RLIMIT),
            term,
            limit,
        )
        return found.modulus, found.remainder

    def facts(self, limit: int | None = None) -> Facts:
        """Ranges, congruences, values, equations and the lattice of the names; each tight or marked not."""
        from dynconstraints.solver.summary import summarise, summarise_reals

        if self._speaks_of_reals:
            return self._answer("facts", lambda: summarise_reals(self._rational, self.symbols, limit or RLIMIT), limit)
        return self._answer(
            "facts", lambda: summarise(self._prepared, self._parted, self.symbols, limit or RLIMIT), limit
        )

    def cores(self, number: int = 8, limit: int | None = None) -> tuple[tuple[Constraint, ...], ...]:
        """Up to ``number`` different minimal cores; none where the set is satisfiable, or it is not known."""
        from dynconstraints.solver.core import minimal_cores

        return minimal_cores(self.constraints, number, limit or RLIMIT, self.reals)

    def nearest(self, assignment: Mapping[str, int], limit: int | None = None) -> dict[str, int]:
        """The legal assignment nearest to the given one: fewest changed values, then smallest distance.

        It has a value for every name; names without a given value are free. Raises InconsistentConstraintsError where
        nothing satisfies the set, SolverLimitError where a limit is hit.
        """
        from dynconstraints.solver.nearest import nearest, nearest_reals

        assignment = by_name(assignment)
        if self._speaks_of_reals:
            found = nearest_reals(self._rational, assignment, limit or RLIMIT)
        else:
            found = nearest(self._prepared, assignment, limit or RLIMIT)
        if found is None:
            raise self.inconsistency(limit)
        return found

    def sample(self, number: int, seed: int = 0, limit: int | None = None) -> list[dict[str, int]]:
        """``number`` different assignments that satisfy the set, fewer where there are no more; the same for a seed.

        They reach the ends of the names' ranges and each alternative of a disjunction before they are random.
        """
        from dynconstraints.solver.sample import sample

        if self._speaks_of_reals:
            return cast("list[dict[str, int]]", self._rational.samples(number, seed, limit or RLIMIT))
        return sample(self._prepared, number, seed, limit or RLIMIT)

    def enumerate(self, limit: int | None = None) -> Iterator[dict[str, int]]:
        """Every assignment that satisfies the set, in lexicographic order of ``symbols``.

        Raises SolverLimitError where they are more than ``limit``, or infinitely many.
        """
        from dynconstraints.solver.enumerate import assignments, limit_error

        if self._speaks_of_reals:
            raise limit_error("assignments of floats are not listed", "floats")
        for index, assignment in enumerate(assignments(self._prepared, self.symbols)):
            if limit is not None and index >= limit:
                raise limit_error(f"there are more than {limit:,} assignments", "assignments")
            yield assignment

    def count(self, limit: int = 1_000_000) -> int:
        """How many assignments satisfy the set. Raises SolverLimitError where they are more than ``limit``."""
        from dynconstraints.solver.enumerate import count, limit_error

        if self._speaks_of_reals:
            raise limit_error("assignments of floats are not counted", "floats")
        return count(self._prepared, limit)

    def minimize(self, limit: int | None = None) -> Minimized:
        """An equivalent system without the constraints that follow from others, and what each of those follows from."""
        from dynconstraints.solver.minimize import redundancies

        kept, dropped = redundancies(self.constraints, limit or RLIMIT, self.reals)
        return Minimized(ConstraintSystem(kept, self.reals), dropped)

    def project(self, names: Iterable[str], limit: int | None = None) -> Projected:
        """What the set says about those names alone."""
        from dynconstraints.solver.project import project, project_reals

        kept = tuple(dict.fromkeys(map(as_read, names)))
        if self._speaks_of_reals:
            found = project_reals(self._rational, kept, limit or RLIMIT)
        else:
            found = project(self._prepared, kept, limit or RLIMIT)
        written = {constraint.formula: constraint for constraint in self.constraints}
        return Projected(ConstraintSystem(written.get(f) or Constraint.of(f) for f in found.formulas), found.exact)

    def violation(self, assignment: Mapping[str, int], limit: int | None = None) -> ConstraintViolationError | None:
        """The error that says which constraints the assignment breaks, and the nearest legal values; None if none."""
        from dynconstraints.solver.explain import violation

        assignment = by_name(assignment)
        broken = self._broken(assignment)
        if self._speaks_of_reals:
            return violation(self._rational, broken, assignment, limit or RLIMIT) if broken else None
        return violation(self._prepared, broken, assignment, limit or RLIMIT) if broken else None

    def inconsistency(self, limit: int | None = None) -> InconsistentConstraintsError:
        """The error that says which constraints contradict each other, for a set that nothing satisfies."""
        from dynconstraints.solver.explain import inconsistency

        found = self.check(limit)
        return inconsistency(found.core if isinstance(found, Unsat) else self.constraints)

    def to_sympy(self) -> Any:
        """The conjunction as a sympy expression; see `dynconstraints.lowering.to_sympy`."""
        from dynconstraints.lowering.to_sympy import to_sympy

        return to_sympy(self._conjunction, reals=self.reals)

    def to_z3(self) -> Any:
        """The conjunction as a z3 expression, in a context of its own; see `dynconstraints.lowering.to_z3`."""
        from dynconstraints.lowering.to_z3 import expression

        return expression([constraint.formula for constraint in self.constraints], self.reals)

    def to_smtlib(self) -> str:
        """The conjunction as an SMT-LIB script that ends in ``(check-sat)``."""
        from dynconstraints.lowering.to_smtlib import to_smtlib

        return to_smtlib((constraint.formula for constraint in self.constraints), self.reals)

    def compile(self) -> Callable[[Mapping[str, int]], bool]:
        """A fast function from an assignment to whether every constraint holds under it.

        It raises KeyError for a name without a value.
        """
        from dynconstraints.lowering.to_closure import compile_formula

        floats, symbols = self._speaks_of_reals, self.symbols
        compiled = compile_formula(self._conjunction, symbols, floats=floats)
        if not all(map(str.isascii, symbols)):
            return lambda assignment: compiled(*map(by_name(assignment).__getitem__, symbols))
        return lambda assignment: compiled(*(assignment[name] for name in symbols))

    @cached_property
    def _conjunction(self) -> Formula:
        return conjunction(tuple(constraint.formula for constraint in self.constraints))

    def _answer(self, kind: str, work: Callable[[], T], *key: object) -> T:
        """The remembered answer to a question. Threads may work one out twice; they come to the same."""
        if (kind, key) not in self._answers:
            self._answers[kind, key] = work()
        return self._answers[kind, key]  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Minimized:
    """A system that means the same as another and none of whose constraints is known to follow from the others."""

    system: ConstraintSystem
    dropped: tuple[Dropped, ...]

    def __iter__(self) -> Iterator[Constraint]:
        return iter(self.system)


@dataclass(frozen=True)
class Projected:
    """A system over some names of another that holds wherever that does.

    ``exact``: each assignment that satisfies it can be completed to one of the other; if not, some may not be.
    """

    system: ConstraintSystem
    exact: bool

    def __iter__(self) -> Iterator[Constraint]:
        return iter(self.system)


def _reals(given: Iterable[str], constraints: tuple[Constraint, ...]) -> frozenset[str]:
    """The names that are real, of those that the constraints speak of. Raises ConstraintSyntaxError for one divided."""
    reals = frozenset(map(as_read, given))
    for constraint in constraints:
        misplaced = reals & integers_in(constraint.formula)
        if misplaced:
            raise real_below_integers(constraint, min(misplaced))
    return reals


def _constraint(given: str | Constraint) -> Constraint:
    return given if isinstance(given, Constraint) else parse(given)


def term_of(expression: str | Term) -> Term:
    """The term that the text says. Raises ConstraintSyntaxError where it says none."""
    return parse_term(expression) if isinstance(expression, str) else expression
