"""ConstraintSystem: the immutable facade over facts, lowering and solver."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, cast

from dynconstraints.diagnostics.errors import (
    ConstraintSyntaxError,
    ConstraintViolationError,
    InconsistentConstraintsError,
    SolverLimitError,
)
from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.nodes import Formula, Term, conjunction
from dynconstraints.ir.sorts import has_real, integers_in, reals_in, speaks_of_reals
from dynconstraints.ir.spelling import as_read, by_name
from dynconstraints.solver.limits import RLIMIT
from dynconstraints.solver.reals.reals import Reals, real_below_integers
from dynconstraints.solver.verdicts import Satisfiability, Unsat, Verdict
from dynconstraints.syntax.given import constraints_of, limit_of, names_of, one_argument, values_of
from dynconstraints.syntax.parser import parse
from dynconstraints.syntax.term import parse_term

if TYPE_CHECKING:
    from dynconstraints.solver.partition import Partition
    from dynconstraints.solver.portfolio import Portfolio
    from dynconstraints.solver.queries.bounds import Range
    from dynconstraints.solver.queries.facts_report import Facts
    from dynconstraints.solver.queries.redundancy import Dropped
    from dynconstraints.solver.verdicts import Violation

T = TypeVar("T")


class ConstraintSystem:
    """The set of integer assignments under which all of its constraints hold.

    Immutable, hashable and picklable; systems of the same constraints are equal and hash equal, whatever their order or
    repetition. A contradictory system can be made: `check` tells. Questions are answered within a counted limit of the
    solver's steps, so they have the same answer on every machine and in every order of the constraints.

    Names are integers, but those in ``reals``, which are real numbers (floats). Values of real names are floats, or
    fractions where no float holds them; they are typed as the integers that all others are.

    Args:
        constraints: One constraint, or a collection of them: texts or Constraint objects.
        reals: The names that are real. By default those that stand beside a float literal in some constraint, and
            nowhere below an operation on integers.

    Attributes:
        constraints: The constraints, each once, in the order given.
        reals: The names that are real.

    Raises:
        ConstraintSyntaxError: A text is not a constraint, or a real name is below an operation on integers.
        ArgumentError: What is given is no collection of constraints, or there is a second one.

    Example:
        >>> system = ConstraintSystem(["s0 % 32 == 0", "32 <= s0 <= 1024", "s1 == 2*s0"])
        >>> system.symbols
        ('s0', 's1')
        >>> system == ConstraintSystem(["s1 == 2*s0", "32 <= s0 <= 1024", "s0 % 32 == 0"])
        True
    """

    def __init__(
        self,
        constraints: str | Constraint | Iterable[str | Constraint] = (),
        *more: NoReturn,
        reals: str | Iterable[str] | None = None,
    ) -> None:
        one_argument("ConstraintSystem", constraints, more, "; the names of floats are given as reals=[...]")
        self.constraints: tuple[Constraint, ...] = tuple(dict.fromkeys(map(_constraint, constraints_of(constraints))))
        formulas = [constraint.formula for constraint in self.constraints]
        self.reals = reals_in(formulas) if reals is None else _reals(reals, self.constraints)
        self._speaks_of_reals = speaks_of_reals(formulas, self.reals)

    @classmethod
    def from_file(cls, path: str | PathLike[str]) -> ConstraintSystem:
        """The system of a ``.dync`` file: one constraint a line, ``#`` before comments.

        Args:
            path: The file, in UTF-8. One that ends in ``.smt2`` is read as by `from_smtlib`.

        Returns:
            The system.

        Raises:
            ConstraintSyntaxError: The file cannot be read, or a line is not a constraint; the first of these.

        Example:
            >>> import tempfile
            >>> with tempfile.NamedTemporaryFile("w", suffix=".dync") as file:
            ...     file.write("h % 32 == 0  # the strides of the model\\n") and file.flush()
            ...     ConstraintSystem.from_file(file.name)
            ConstraintSystem(['h % 32 == 0'])
        """
        from dynconstraints.syntax.files import parse_file

        listing = parse_file(path)
        if listing.diagnostics:
            raise ConstraintSyntaxError(listing.diagnostics[0])
        return cls(listing.constraints)

    @classmethod
    def from_smtlib(cls, script: str) -> ConstraintSystem:
        """The system of what a script of SMT-LIB asserts, in the logics QF_LIA, QF_NIA and QF_IDL.

        Args:
            script: The text. Its names of the sort Bool become integers that are 0 or 1; a name that constraints can't
                have is spelled with ``_``.

        Returns:
            The system: a constraint for each assertion.

        Raises:
            ConstraintSyntaxError: The script says something that is not about integers, or divides by a term.

        Example:
            >>> ConstraintSystem.from_smtlib("(declare-const n Int) (assert (= (mod n 32) 0)) (assert (< 0 n))")
            ConstraintSystem(['n % 32 == 0', '0 < n'])

        Source:
            C. Barrett, P. Fontaine, C. Tinelli, *The SMT-LIB Standard, Version 2.6*, 2021.
        """
        from dynconstraints.syntax.smtlib import read_smtlib

        return cls(read_smtlib(script))

    @cached_property
    def symbols(self) -> tuple[str, ...]:
        """The names, each once, in the order in which the constraints mention them."""
        return tuple(dict.fromkeys(name for c in self.constraints for name in c.symbols))

    @cached_property
    def _portfolio(self) -> Portfolio:
        from dynconstraints.solver.portfolio import Portfolio

        if len(self._partition.parts) == 1:  # what it has found out counts for the whole
            return self._partition.parts[0]
        return Portfolio([constraint.formula for constraint in self.constraints])

    @cached_property
    def _rational(self) -> Reals:
        return self._rational_with(frozenset())

    def _rational_with(self, more: frozenset[str]) -> Reals:
        return Reals([constraint.formula for constraint in self.constraints], self.reals | more)

    @cached_property
    def _partition(self) -> Partition:
        from dynconstraints.solver.partition import Partition

        return Partition([constraint.formula for constraint in self.constraints])

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
        return _system, (self.constraints, self.reals)

    def __iter__(self) -> Iterator[Constraint]:
        return iter(self.constraints)

    def __len__(self) -> int:
        return len(self.constraints)

    def __repr__(self) -> str:
        return f"ConstraintSystem({[c.text for c in self.constraints]!r})"

    def __and__(self, other: ConstraintSystem) -> ConstraintSystem:
        """The conjunction of both."""
        if not isinstance(other, ConstraintSystem):
            return NotImplemented
        told = reals_in(constraint.formula for constraint in other.constraints)
        return self.extend(other.constraints).typed(other.reals - told, told - other.reals)

    def extend(self, constraints: str | Constraint | Iterable[str | Constraint], *more: NoReturn) -> ConstraintSystem:
        """This system with more constraints.

        Args:
            constraints: One constraint, or a collection of them.

        Returns:
            A new system; this one stays as it is.

        Raises:
            ConstraintSyntaxError: A text is not a constraint.
            ArgumentError: There is more than one argument.

        Example:
            >>> ConstraintSystem(["s0 >= 1"]).extend("s0 <= 8")
            ConstraintSystem(['s0 >= 1', 's0 <= 8'])
        """
        one_argument("extend", constraints, more)
        told = reals_in(constraint.formula for constraint in self.constraints)  # what was said beyond that stays said
        return ConstraintSystem((*self, *constraints_of(constraints))).typed(self.reals - told, told - self.reals)

    def unbound(self, bound: str | Iterable[str]) -> tuple[str, ...]:
        """The names of the system that have no value yet.

        Args:
            bound: The names that have one: a name, a collection, or a mapping from names to values.

        Returns:
            The other names, in the order in which the constraints mention them.

        Raises:
            ArgumentError: Something given is no name.

        Example:
            >>> ConstraintSystem(["s1 == 2*s0"]).unbound({"s0": 64})
            ('s1',)
        """
        given = set(names_of(bound, self.symbols))
        return tuple(name for name in self.symbols if name not in given)

    def typed(self, reals: str | Iterable[str] = (), integers: str | Iterable[str] = ()) -> ConstraintSystem:
        """This system, with some names known to be real and others known to be integers."""
        known = (self.reals | _names(reals)) - _names(integers)
        return self if known == self.reals else ConstraintSystem(self.constraints, reals=known)

    def holds(self, assignment: Mapping[str, int]) -> bool:
        """Whether every constraint holds under the assignment.

        Args:
            assignment: A value for each name; more names do no harm.

        Returns:
            True where each constraint is defined and true; a division by zero is neither.

        Raises:
            KeyError: A name has no value.

        Example:
            >>> ConstraintSystem(["s1 == 2*s0"]).holds({"s0": 32, "s1": 64})
            True
        """
        return all(constraint.holds(assignment) for constraint in self.constraints)

    def violations(self, assignment: Mapping[str, int]) -> tuple[Violation, ...]:
        """The constraints that do not hold under the assignment, of those whose names all have values.

        Args:
            assignment: Values of names; those without one are free.

        Returns:
            A Violation for each, with the constraint, the values of its names, and the legal assignment nearest to the
            given one, which is None where there is none or it was not found.

        Raises:
            ArgumentError: The assignment is no mapping.

        Example:
            >>> (violation,) = ConstraintSystem(["s0 % 32 == 0", "s0 > 0"]).violations({"s0": 65})
            >>> violation.constraint, violation.values, violation.nearest
            (Constraint('s0 % 32 == 0'), {'s0': 65}, {'s0': 64})
        """
        from dynconstraints.solver.verdicts import Violation

        assignment = by_name(values_of(assignment))
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
        """Whether any assignment satisfies the set.

        Args:
            limit: The steps that the solver may take, by default two million, about a second.

        Returns:
            Sat, with a model that has a value for every name; Unsat, with a minimal core, in the order of the set; or
            Unknown, with the limit that stopped the search. None of them has a truth value.

        Raises:
            ArgumentError: The limit is no int.

        Example:
            >>> ConstraintSystem(["a > 3", "b > 0", "a < 2"]).check()
            Unsat(core=(Constraint('a > 3'), Constraint('a < 2')))
        """
        from dynconstraints.solver.queries.unsat_cores import check, check_reals

        limit = limit_of(limit)
        if self._speaks_of_reals:
            return self._answer("check", lambda: check_reals(self._rational, self.constraints, limit), limit)
        return self._answer("check", lambda: check(self._partition, self.constraints, limit), limit)

    def implies(self, query: str | Constraint, limit: int | None = None) -> Verdict:
        """Whether the query holds wherever the set does.

        Args:
            query: One constraint; it may have names that the set does not.
            limit: As for `check`.

        Returns:
            Implied, where it is defined and true under every assignment of the set; Refuted, where under none; Open,
            with an assignment for each of both; or Unknown. A contradictory set implies everything.

        Raises:
            ConstraintSyntaxError: The query is not a constraint.
            ArgumentError: The limit is no int.

        Example:
            >>> system = ConstraintSystem(["s0 % 32 == 0", "32 <= s0 <= 1024"])
            >>> system.implies("s0 % 16 == 0")
            Implied()
            >>> system.implies("s0 % 64 == 0")
            Open(holds_at={'s0': 64}, fails_at={'s0': 32})
        """
        from dynconstraints.solver.partition import implies_all, joins_many

        key = "implies", query if isinstance(query, str) else _constraint(query), limit
        if key not in self._answers:
            formula = _constraint(query).formula
            floats = reals_in((formula,))
            more = floats.difference(self.symbols) if floats else floats
            real = self._speaks_of_reals or speaks_of_reals((formula,), self.reals | more)
            if not real and joins_many(formula):
                self._answers[key] = implies_all(self._partition, formula, _steps(limit))
            else:
                asked = self._rational_with(more) if real else self._partition
                self._answers[key] = asked.implies(formula, _steps(limit))
        return self._answers[key]  # type: ignore[no-any-return]

    def range(self, expression: str | Term, limit: int | None = None) -> Range:
        """The tightest range of the expression that was found.

        Args:
            expression: An expression over names, such as ``s1 + 3``.
            limit: As for `check`.

        Returns:
            A Range: its ends, both inclusive and None where there is none, and for each whether it is proved tight.

        Raises:
            ConstraintSyntaxError: The text is no expression.

        Example:
            >>> found = ConstraintSystem(["s0 % 32 == 0", "30 <= s0 <= 100"]).range("s0 + 1")
            >>> found.lower, found.upper
            (33, 97)
        """
        from dynconstraints.solver.queries.bounds import range_of, range_of_real

        term = term_of(expression)
        if self._speaks_of_reals or has_real(term):
            return self._answer("range", lambda: range_of_real(self._rational, term, _steps(limit)), term, limit)
        return self._answer(
            "range", lambda: range_of(self._partition.about_all(term, _steps(limit)), term, _steps(limit)), term, limit
        )

    def bounds(self, expression: str | Term, limit: int | None = None) -> tuple[int | None, int | None]:
        """The least and the greatest value of the expression.

        Args:
            expression: An expression over names, such as ``s1 + 3``.
            limit: As for `check`.

        Returns:
            Both, inclusive; None where it is not bounded, or no bound was found. Of a contradictory set the least is
            above the greatest.

        Raises:
            ConstraintSyntaxError: The text is no expression.

        Example:
            >>> ConstraintSystem(["s0 % 32 == 0", "30 <= s0"]).bounds("s0 + 3")
            (35, None)
        """
        found = self.range(expression, limit)
        return found.lower, found.upper

    def congruence(self, expression: str | Term, limit: int | None = None) -> tuple[int, int]:
        """What remainders the expression has.

        Args:
            expression: An expression over integers.
            limit: As for `check`.

        Returns:
            ``(modulus, remainder)``, the largest modulus that was found; ``(0, c)`` for the constant c, ``(1, 0)``
            where nothing is known, as of sets that speak of floats.

        Raises:
            ConstraintSyntaxError: The text is no expression.

        Example:
            >>> ConstraintSystem(["s0 % 32 == 5"]).congruence("2*s0")
            (64, 10)

        Source:
            P. Granger, *Static analysis of arithmetical congruences*, 1989.
        """
        from dynconstraints.solver.queries.bounds import congruence_of

        term, limit = term_of(expression), limit_of(limit)
        if self._speaks_of_reals or has_real(term):
            return 1, 0
        found = self._answer(
            "congruence",
            lambda: congruence_of(self._partition.about_all(term, _steps(limit)), term, _steps(limit)),
            term,
            limit,
        )
        return found.modulus, found.remainder

    def facts(self, limit: int | None = None) -> Facts:
        """What follows for the names: ranges, congruences, fixed values, equations, and the lattice that they span.

        Args:
            limit: As for `check`.

        Returns:
            The Facts; each range says of its ends whether they are proved to be tight.

        Example:
            >>> facts = ConstraintSystem(["a + b == 8", "a == 3", "c % 4 == 1"]).facts()
            >>> facts.fixed, facts.congruences["c"].modulus, facts.congruences["c"].remainder
            ({'a': 3, 'b': 5}, 4, 1)

        Source:
            The lattice is in Hermite normal form; for congruences P. Granger, *Static analysis of arithmetical
            congruences*, 1989.
        """
        from dynconstraints.solver.queries.facts_report import summarise, summarise_reals

        if self._speaks_of_reals:
            return self._answer("facts", lambda: summarise_reals(self._rational, self.symbols, _steps(limit)), limit)
        return self._answer(
            "facts", lambda: summarise(self._portfolio, self._partition, self.symbols, _steps(limit)), limit
        )

    def cores(self, number: int = 8, limit: int | None = None) -> tuple[tuple[Constraint, ...], ...]:
        """Different minimal sets of the constraints that nothing satisfies.

        Args:
            number: The most that are looked for.
            limit: As for `check`.

        Returns:
            The cores; none where the set is satisfiable, or it is not known.

        Example:
            >>> ConstraintSystem(["a == 1", "a == 2", "b == 0"]).cores()
            ((Constraint('a == 1'), Constraint('a == 2')),)
        """
        from dynconstraints.solver.queries.unsat_cores import minimal_cores

        limit_of(number)
        return minimal_cores(self.constraints, number, _steps(limit), self.reals)

    def nearest(self, assignment: Mapping[str, int], limit: int | None = None) -> dict[str, int]:
        """The legal assignment nearest to the given one: fewest changed values, then the smallest distance.

        Args:
            assignment: Values of names; those without one are free.
            limit: As for `check`.

        Returns:
            A value for every name of the system, and for those given.

        Raises:
            InconsistentConstraintsError: Nothing satisfies the set.
            SolverLimitError: It was not found within the limit.
            ArgumentError: The assignment is no mapping.

        Example:
            >>> ConstraintSystem(["s0 % 32 == 0", "s1 == 2*s0"]).nearest({"s0": 70})
            {'s0': 64, 's1': 128}
        """
        from dynconstraints.solver.queries.nearest import nearest, nearest_reals

        assignment = by_name(values_of(assignment))
        if self._speaks_of_reals:
            found = nearest_reals(self._rational, assignment, _steps(limit))
        else:
            found = nearest(self._portfolio, assignment, _steps(limit))
        if found is None:
            raise self.inconsistency(limit)
        return found

    def sample(self, number: int, seed: int = 0, limit: int | None = None) -> list[dict[str, int]]:
        """Different assignments that satisfy the set, such as tests want them.

        They reach the ends of the names' ranges and each alternative of a disjunction before they are random.

        Args:
            number: How many.
            seed: Another one gives other assignments; the same one the same.
            limit: As for `check`.

        Returns:
            The assignments; fewer where there are no more, or no more were found.

        Raises:
            ArgumentError: The limit is no int.

        Example:
            >>> ConstraintSystem(["n % 8 == 0", "8 <= n <= 24"]).sample(3)
            [{'n': 8}, {'n': 24}, {'n': 16}]
        """
        from dynconstraints.solver.queries.sample import sample

        if self._speaks_of_reals:
            return cast("list[dict[str, int]]", self._rational.samples(number, seed, _steps(limit)))
        return sample(self._portfolio, number, seed, _steps(limit))

    def enumerate(self, limit: int | None = None) -> Iterator[dict[str, int]]:
        """Every assignment that satisfies the set, in lexicographic order of ``symbols``.

        Args:
            limit: The most assignments that are wanted; None for all.

        Yields:
            One assignment after the other.

        Raises:
            SolverLimitError: They are more than the limit, or infinitely many, or of floats.

        Example:
            >>> list(ConstraintSystem(["a*b == 6", "0 < a < b"]).enumerate())
            [{'a': 1, 'b': 6}, {'a': 2, 'b': 3}]
        """
        from dynconstraints.solver.queries.count import assignments, limit_error

        limit = limit_of(limit)
        if self._speaks_of_reals:
            raise limit_error("assignments of floats are not listed", "floats")
        for index, assignment in enumerate(assignments(self._portfolio, self.symbols)):
            if limit is not None and index >= limit:
                raise limit_error(f"there are more than {limit:,} assignments", "assignments")
            yield assignment

    def count(self, limit: int = 1_000_000) -> int:
        """How many assignments satisfy the set.

        Args:
            limit: The most that are counted.

        Returns:
            Their number.

        Raises:
            SolverLimitError: They are more than the limit, or infinitely many, or of floats.

        Example:
            >>> ConstraintSystem(["s0 % 32 == 0", "32 <= s0 <= 1024"]).count()
            32
        """
        from dynconstraints.solver.queries.count import count, limit_error

        limit_of(limit)
        if self._speaks_of_reals:
            raise limit_error("assignments of floats are not counted", "floats")
        return count(self._portfolio, limit)

    def minimize(self, limit: int | None = None) -> Minimized:
        """An equivalent system without the constraints that follow from others.

        Args:
            limit: As for `check`.

        Returns:
            A Minimized: the system, and for each constraint that was dropped what it follows from.

        Example:
            >>> found = ConstraintSystem(["s0 % 16 == 0", "s0 % 32 == 0"]).minimize()
            >>> found.system
            ConstraintSystem(['s0 % 32 == 0'])
        """
        from dynconstraints.solver.queries.redundancy import redundancies

        kept, dropped = redundancies(self.constraints, _steps(limit), self.reals)
        return Minimized(ConstraintSystem(kept, reals=self.reals), dropped)

    def project(self, names: str | Iterable[str], limit: int | None = None) -> Projected:
        """What the set says about some of its names alone.

        Args:
            names: One name, or a collection of them. Of a name that the set does not mention it says nothing.
            limit: As for `check`.

        Returns:
            A Projected: a system over these names that holds wherever the set does, and whether it is exact.

        Raises:
            ArgumentError: Something given is no name.

        Example:
            >>> found = ConstraintSystem(["s1 == 2*s0", "s0 >= 16"]).project("s1")
            >>> found.system, found.exact
            (ConstraintSystem(['s1 % 2 == 0', 's1 >= 32']), True)

        Source:
            The method of Fourier and Motzkin, which eliminates one variable after the other.
        """
        from dynconstraints.solver.queries.project import project, project_reals

        kept = names_of(names, self.symbols)
        if self._speaks_of_reals:
            found = project_reals(self._rational, kept, _steps(limit))
        else:
            found = project(self._portfolio, kept, _steps(limit))
        written = {constraint.formula: constraint for constraint in self.constraints}
        return Projected(ConstraintSystem(written.get(f) or Constraint.of(f) for f in found.formulas), found.exact)

    def violation(self, assignment: Mapping[str, int], limit: int | None = None) -> ConstraintViolationError | None:
        """The error that an assignment deserves.

        Args:
            assignment: Values of names; those without one are free.
            limit: As for `check`.

        Returns:
            The error that says which constraints it breaks, and the nearest legal values; None where it breaks none.

        Raises:
            ArgumentError: The assignment is no mapping.

        Example:
            >>> print(ConstraintSystem(["s0 % 32 == 0"]).violation({"s0": 65}))
            error[DC301]: constraint violated: s0 % 32 == 0
                s0 % 32 == 0
                ^^^^^^^^^^^^    s0 = 65, and 65 % 32 = 1
              help: the nearest values that satisfy every constraint on s0 are 64 and 96
        """
        from dynconstraints.solver.queries.explain import violation

        assignment = by_name(values_of(assignment))
        broken = self._broken(assignment)
        if self._speaks_of_reals:
            return violation(self._rational, broken, assignment, _steps(limit)) if broken else None
        return violation(self._portfolio, broken, assignment, _steps(limit)) if broken else None

    def inconsistency(self, limit: int | None = None) -> InconsistentConstraintsError:
        """The error that says which constraints contradict each other, for a set that nothing satisfies."""
        from dynconstraints.solver.queries.explain import inconsistency

        found = self.check(limit)
        return inconsistency(found.core if isinstance(found, Unsat) else self.constraints)

    def to_sympy(self) -> Any:
        """The conjunction as an expression of sympy.

        Returns:
            A Boolean of sympy's over integer symbols; real ones for the names in ``reals``.

        Example:
            >>> ConstraintSystem(["s0 >= 1", "s1 == 2*s0"]).to_sympy()
            (s0 >= 1) & Eq(s1, 2*s0)
        """
        from dynconstraints.lowering.to_sympy import to_sympy

        return to_sympy(self._conjunction, reals=self.reals)

    def to_z3(self) -> Any:
        """The conjunction as an expression of Z3's Python API, in a context of its own.

        Returns:
            A ``z3.BoolRef`` over integer constants; real ones for the names in ``reals``.

        Example:
            >>> expression = ConstraintSystem(["s0 >= 1"]).to_z3()
            >>> expression.sort().name()
            'Bool'
        """
        from dynconstraints.lowering.to_z3 import expression

        return expression([constraint.formula for constraint in self.constraints], self.reals)

    def to_smtlib(self) -> str:
        """The conjunction as a script in SMT-LIB 2.6 that ends in ``(check-sat)``.

        Returns:
            The text.

        Example:
            >>> print(ConstraintSystem(["s0 >= 1"]).to_smtlib().splitlines()[-1])
            (check-sat)
        """
        from dynconstraints.lowering.to_smtlib import to_smtlib

        return to_smtlib((constraint.formula for constraint in self.constraints), self.reals)

    def compile(self) -> Callable[[Mapping[str, int]], bool]:
        """A fast function from an assignment to whether every constraint holds under it.

        Returns:
            A function of a mapping from names to values; it raises KeyError for a name without a value.

        Example:
            >>> is_legal = ConstraintSystem(["s0 % 32 == 0"]).compile()
            >>> is_legal({"s0": 64}), is_legal({"s0": 65})
            (True, False)
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


def _system(constraints: tuple[Constraint, ...], reals: frozenset[str]) -> ConstraintSystem:
    """The system that was pickled as its constraints and the names that are real."""
    return ConstraintSystem(constraints, reals=reals)


def _names(given: str | Iterable[str]) -> frozenset[str]:
    """The names given, one or several; those of terms that stand for names, such as ``2*s0``, among them."""
    listed = given if isinstance(given, Iterable) and not isinstance(given, str) else names_of(given)
    return frozenset(map(as_read, listed))


def _steps(limit: int | None) -> int:
    """What the solver may spend."""
    return limit_of(limit) or RLIMIT


def _reals(given: str | Iterable[str], constraints: tuple[Constraint, ...]) -> frozenset[str]:
    """The names that are real, of those that the constraints speak of. Raises ConstraintSyntaxError for one divided."""
    reals = _names(given)
    for constraint in constraints:
        misplaced = reals & integers_in(constraint.formula)
        if misplaced:
            raise real_below_integers(constraint, min(misplaced))
    return reals


def _constraint(given: str | Constraint) -> Constraint:
    return given if isinstance(given, Constraint) else parse(given)


def term_of(expression: str | Term) -> Term:
    """The term that the text says. Raises ConstraintSyntaxError where it says none."""
    return expression if isinstance(expression, Term) else parse_term(expression)
