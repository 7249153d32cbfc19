"""One file looked over: its syntax errors, contradictions, redundancies, and names that look misspelt."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dynconstraints.cli.answers import redundant, undecided
from dynconstraints.cli.inputs import SUFFIX, Found, read
from dynconstraints.cli.lint.discover import MARKS, Group, groups_in, python_text
from dynconstraints.cli.lint.misspelt import misspelt
from dynconstraints.cli.lint.suppress import applied, suppressions_in
from dynconstraints.cli.reading import read_file
from dynconstraints.cli.report import InputError
from dynconstraints.diagnostics.diagnostic import Diagnostic
from dynconstraints.diagnostics.source import Source
from dynconstraints.ir.constraint import Constraint
from dynconstraints.syntax.files import parse_bytes

if TYPE_CHECKING:  # a run for the syntax alone does without the solver
    from dynconstraints.system import ConstraintSystem


@dataclass(frozen=True, slots=True)
class Look:
    """What looking over one file gave; ``groups`` counts the lists of constraints, ``unread`` what was no literal."""

    findings: tuple[Diagnostic, ...] = ()
    groups: int = 0
    unread: int = 0


@dataclass(frozen=True, slots=True)
class _Set:
    """Constraints that hold together, as far as they could be read, and the value that a literal gives to a name."""

    found: tuple[Found, ...]
    declared: str | None = None
    value: int | None = None

    @property
    def constraints(self) -> tuple[Constraint, ...]:
        return tuple(one for one in self.found if isinstance(one, Constraint))


def look_over(path: str, syntax_only: bool, limit: int | None) -> Look:
    """The findings in a ``*.dync`` file or a Python source, those that its comments suppress left out."""
    try:
        data = read_file(path)
        if path.endswith(SUFFIX):
            listing = parse_bytes(data, file=path)
            one = _Set((*listing.constraints, *listing.diagnostics))
            return _look(listing.source, [one], syntax_only, limit)
        if not any(mark in data for mark in MARKS):
            return Look()
        text = python_text(data, path)
        groups = groups_in(text, path)
        look = _look(Source(text, file=path), list(map(_set, groups)), syntax_only, limit)
        return Look(look.findings, look.groups, sum(group.unread for group in groups))
    except InputError as refusal:
        return Look(refusal.findings)


def _set(group: Group) -> _Set:
    found = tuple(read(written.source, written.text, written.offset) for written in group.written)
    return _Set(found, group.declared, group.value)


def _look(source: Source, sets: list[_Set], syntax_only: bool, limit: int | None) -> Look:
    findings = [finding for one in sets for finding in _about(one, syntax_only, limit)]
    constraints = [c for one in sets for c in one.constraints]
    findings += misspelt(constraints, [one.declared for one in sets if one.declared])
    suppressions = suppressions_in(source, python=not (source.file or "").endswith(SUFFIX))
    left = applied(findings, suppressions, complete=not syntax_only)
    return Look(tuple(sorted(left, key=_place)), len(sets))


def _place(finding: Diagnostic) -> tuple[int, int]:
    """Where it comes in its file; a finding about no place in it comes first."""
    label = next(iter(finding.labels), None)
    return (0, 0) if label is None else label.source.position(label.span.start)


def _about(one: _Set, syntax_only: bool, limit: int | None) -> Iterator[Diagnostic]:
    yield from (found for found in one.found if isinstance(found, Diagnostic))
    if not syntax_only and one.constraints:
        yield from _about_meaning(one, limit)


def _about_meaning(one: _Set, limit: int | None) -> Iterator[Diagnostic]:
    from dynconstraints.solver.verdict import Sat, Unknown, Unsat
    from dynconstraints.system import ConstraintSystem

    system = ConstraintSystem(one.constraints)
    match system.check(limit):
        case Unsat():
            yield system.inconsistency(limit).diagnostic
        case Unknown(reason):
            yield undecided(reason, one.constraints)
        case Sat():
            yield from _repeated(one.constraints)
            yield from _violated(one, system, limit)
            for dropped in system.minimize(limit).dropped:
                yield redundant(dropped.constraint, dropped.follows_from)


def _repeated(constraints: Iterable[Constraint]) -> Iterator[Diagnostic]:
    first: dict[Constraint, Constraint] = {}
    for constraint in constraints:
        if first.setdefault(constraint, constraint) is not constraint:
            yield redundant(constraint, (first[constraint],))


def _violated(one: _Set, system: ConstraintSystem, limit: int | None) -> Iterator[Diagnostic]:
    """Of ``DynamicInt(65, name="s0", constraints=[...])``: what 65 breaks."""
    name = one.declared or (system.symbols[0] if len(system.symbols) == 1 else None)
    if name is not None and one.value is not None:
        violation = system.violation({name: one.value}, limit)
        if violation is not None:
            yield violation.diagnostic
