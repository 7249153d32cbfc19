"""What a set of constraints must be before any value is looked at: about names, and not contradictory."""

from __future__ import annotations

from collections.abc import Mapping

from dynconstraints.diagnostics.diagnostic import Diagnostic, Label
from dynconstraints.diagnostics.errors import (
    ConstraintSyntaxError,
    NamelessConstraintError,
)
from dynconstraints.diagnostics.source import Source, Span
from dynconstraints.ir.constraint import Constraint
from dynconstraints.solver.queries.explain import inconsistency
from dynconstraints.solver.verdicts import Unsat
from dynconstraints.system import ConstraintSystem


def check_names(system: ConstraintSystem) -> None:
    """Raises NamelessConstraintError for a constraint without any name."""
    for constraint in system.constraints:
        if not constraint.symbols:
            raise _nameless(constraint)


def check_consistent(system: ConstraintSystem, example: Mapping[str, int] | None = None) -> None:
    """Raises InconsistentConstraintsError, with a minimal core, where no values at all satisfy the set.

    ``example`` are values that may well satisfy it: where they do nothing is searched.
    """
    if example is not None and satisfies(example, system):
        return
    core = core_of(system)
    if core:
        raise inconsistency(core)


def satisfies(values: Mapping[str, int], system: ConstraintSystem) -> bool:
    """Whether the values satisfy the set, all of its names among theirs."""
    return values.keys() >= set(system.symbols) and system.holds(values)


def check_policy(parameter: str, policy: object, known: tuple[str, ...]) -> None:
    """Raises ConstraintSyntaxError for a policy that is none of the known words."""
    if policy not in known:
        text = f"{parameter}={policy!r}"
        raise ConstraintSyntaxError(
            Diagnostic(
                "DC153",
                f"not a policy: {policy!r}",
                (Label(Source(text), Span(len(parameter) + 1, len(text))),),
                help=("write one of " + ", ".join(map(repr, known)),),
            )
        )


def core_of(system: ConstraintSystem) -> tuple[Constraint, ...]:
    """A minimal set of its constraints that nothing satisfies; () where some values do, or it is not known."""
    verdict = system.check()
    return verdict.core if isinstance(verdict, Unsat) else ()


def _nameless(constraint: Constraint) -> NamelessConstraintError:
    return NamelessConstraintError(
        Diagnostic(
            "DC152",
            f"the constraint has no variables: {constraint}",
            (constraint.label("it is always true or always false"),),
            help=('name the integer and constrain the name: DynamicInt(64, name="s0", constraints=["s0 % 32 == 0"])',),
        )
    )
