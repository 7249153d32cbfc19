"""What is wrong with constraints that hold together: those of one call, and those of the blocks around it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from dynconstraints.cli.answers import redundant, undecided, violated_together
from dynconstraints.cli.inputs import Found
from dynconstraints.cli.lint.discover import Value
from dynconstraints.cli.lint.misspelt import Dimension
from dynconstraints.diagnostics.diagnostic import Diagnostic, Label
from dynconstraints.diagnostics.errors import ConstraintError, InconsistentConstraintsError, SolverLimitError
from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.nodes import Int, Name, Relation, comparison

if TYPE_CHECKING:  # a run for the syntax alone does without the solver
    from dynconstraints.system import ConstraintSystem

_BLOCKS_ADD = "blocks inside one another add up: what holds around a block holds in it, too"
_VALUES_ADD = "a value that is used in a block is held to the constraints of the block, too"


@dataclass(frozen=True)
class Declared:
    """The constraints of one call, as far as they could be read.

    ``name`` is the name of the value that they are declared with and ``value`` that value, where both are known;
    ``is_real`` says whether it is a float, and is None where they are declared with no value. ``dimensions`` are what
    names those of a tensor, ``mentioned`` the names in constraints that are computed.
    """

    found: tuple[Found, ...]
    name: str | None = None
    is_real: bool | None = None
    value: Value | None = None
    dimensions: tuple[Dimension, ...] = ()
    mentioned: frozenset[str] = frozenset()

    @cached_property
    def constraints(self) -> tuple[Constraint, ...]:
        """Those that could be read."""
        return tuple(one for one in self.found if isinstance(one, Constraint))

    @cached_property
    def system(self) -> ConstraintSystem:
        """Their conjunction. Raises ConstraintSyntaxError for a float in an operation on integers."""
        return self.beside(())

    def beside(self, others: Iterable[Constraint]) -> ConstraintSystem:
        """The conjunction of others and these. Raises as ``system`` does."""
        from dynconstraints.system import ConstraintSystem

        system = ConstraintSystem((*others, *self.constraints))
        if self.is_real is None or self.name not in system.symbols:
            return system
        return system.typed(reals=(self.name,)) if self.is_real else system.typed(integers=(self.name,))


def wrong_alone(one: Declared, limit: int | None) -> Iterator[Diagnostic]:
    """What is wrong among the constraints of one call."""
    from dynconstraints.solver.verdicts import Sat, Unknown, Unsat

    try:
        system = one.system
    except ConstraintError as error:
        yield error.diagnostic
        return
    match system.check(limit):
        case Unsat():
            yield system.inconsistency(limit).diagnostic
        case Unknown(reason):
            yield undecided(reason, one.constraints)
        case Sat():
            yield from repeated(one.constraints)
            yield from _violated(one, system, limit)
            for dropped in system.minimize(limit).dropped:
                yield redundant(dropped.constraint, dropped.follows_from)


def wrong_inside(one: Declared, around: Sequence[Declared], limit: int | None) -> Iterator[Diagnostic]:
    """What is wrong with the constraints of a call only because of the blocks around it, which hold as well.

    The constraints of a value are never redundant on their account: it may be used outside of them, too.
    """
    from dynconstraints.solver.verdicts import Sat, Unknown, Unsat
    from dynconstraints.system import ConstraintSystem

    outer = tuple(dict.fromkeys(constraint for other in around for constraint in other.constraints))
    try:
        alone, together = one.system, one.beside(outer)
    except ConstraintError as error:
        yield error.diagnostic
        return
    if not all(isinstance(system.check(limit), Sat) for system in (alone, ConstraintSystem(outer))):
        return  # that is told of where it is declared
    note = _BLOCKS_ADD if one.is_real is None else _VALUES_ADD
    match together.check(limit):
        case Unsat():
            yield _noted(together.inconsistency(limit).diagnostic, note)
        case Unknown(reason):
            yield undecided(reason, together)
        case Sat():
            if one.is_real is None:
                yield from (_noted(finding, note) for finding in _redundant_inside(alone, outer, together, limit))
            elif one.value and not any(_violated(one, alone, limit)):
                at = Label(one.value.label.source, one.value.label.span, f"{one.name} = {one.value.number}")
                yield from (_noted(finding, note, at) for finding in _violated(one, together, limit))


def _redundant_inside(
    alone: ConstraintSystem, outer: tuple[Constraint, ...], together: ConstraintSystem, limit: int | None
) -> Iterator[Diagnostic]:
    from dynconstraints.solver.limits import RLIMIT
    from dynconstraints.solver.queries.redundancy import redundancies

    kept = alone.minimize(limit).system.constraints
    for dropped in redundancies(kept, limit or RLIMIT, together.reals, given=outer)[1]:
        yield redundant(dropped.constraint, dropped.follows_from)


def repeated(constraints: Iterable[Constraint]) -> Iterator[Diagnostic]:
    """Constraints that come a second time."""
    first: dict[Constraint, Constraint] = {}
    for constraint in constraints:
        if first.setdefault(constraint, constraint) is not constraint:
            yield redundant(constraint, (first[constraint],))


def _violated(one: Declared, system: ConstraintSystem, limit: int | None) -> Iterator[Diagnostic]:
    """Of ``DynamicInt(65, name="s0", constraints=[...])``: what 65 breaks, by itself or for any values of others."""
    if one.value is None or one.name is None or one.name not in system.symbols:
        return
    values = {one.name: one.value.number}
    violation = system.violation(values, limit)
    if violation is not None:
        yield violation.diagnostic
    elif len(system.symbols) > 1 and not one.is_real:
        yield from _violated_together(system, values, limit)


def _violated_together(system: ConstraintSystem, values: dict[str, int], limit: int | None) -> Iterator[Diagnostic]:
    from dynconstraints.solver.verdicts import Unsat

    given = [Constraint.of(comparison(Name(name), Relation.EQ, Int(value))) for name, value in values.items()]
    verdict = system.extend(given).check(limit)
    if isinstance(verdict, Unsat):
        try:
            near: dict[str, int] | None = system.nearest(values, limit)
        except (InconsistentConstraintsError, SolverLimitError):
            near = None
        yield violated_together((one for one in verdict.core if one not in given), values, near)


def _noted(finding: Diagnostic, note: str, *first: Label) -> Diagnostic:
    return finding.changed(labels=(*first, *finding.labels), notes=(*finding.notes, note))
