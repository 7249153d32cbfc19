"""One file looked over: its syntax errors, contradictions, redundancies, and names that look misspelt."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dynconstraints.cli.inputs import read
from dynconstraints.cli.lint.callees import MARKS
from dynconstraints.cli.lint.declared import Declared, wrong_alone, wrong_inside
from dynconstraints.cli.lint.discover import Group, Written, declarations_in, python_text
from dynconstraints.cli.lint.misspelt import Dimension, misspelt
from dynconstraints.cli.lint.naming import misnamed
from dynconstraints.cli.lint.others import MARKS as OTHERS
from dynconstraints.cli.lint.others import declared_elsewhere, loose_name, wrong_elsewhere
from dynconstraints.cli.lint.suppress import applied, suppressions_in
from dynconstraints.cli.reading import read_file
from dynconstraints.cli.report import InputError
from dynconstraints.diagnostics.diagnostic import Diagnostic
from dynconstraints.diagnostics.errors import ConstraintSyntaxError
from dynconstraints.diagnostics.source import Source
from dynconstraints.ir.constraint import Constraint
from dynconstraints.syntax.files import parse_bytes
from dynconstraints.syntax.parser import parse_term_in


@dataclass(frozen=True, slots=True)
class Look:
    """What looking over one file gave; ``groups`` counts the lists of constraints, ``unread`` what was no literal."""

    findings: tuple[Diagnostic, ...] = ()
    groups: int = 0
    unread: int = 0


def look_over(path: str, syntax_only: bool, limit: int | None) -> Look:
    """The findings in a ``*.dync`` file or a Python source, those that its comments suppress left out."""
    try:
        data = read_file(path)
        if path.endswith(".dync"):
            listing = parse_bytes(data, file=path)
            one = Declared((*listing.constraints, *listing.diagnostics))
            return _look(listing.source, [one], [], syntax_only, limit)
        if not any(mark in data for mark in (*MARKS, *OTHERS)):
            return Look()
        text = python_text(data, path)
        written = declarations_in(text, path)
        declared = list(map(_declared, written.groups))
        others, unused = declared_elsewhere(text, path) if any(mark in data for mark in OTHERS) else ([], [])
        odd = [finding for one in others for finding in wrong_elsewhere(one, syntax_only, limit)]
        odd += map(loose_name, unused)
        look = _look(Source(text, file=path), declared, written.nested, syntax_only, limit, odd)
        lists = [group for group in written.groups if group.gives_constraints]
        unread = sum(group.unread for group in lists) + sum(len(one.unread) for one in others)
        return Look(look.findings, len(lists) + len(others), unread)
    except InputError as refusal:
        return Look(refusal.findings)


def _declared(group: Group) -> Declared:
    found = tuple(read(written.source, written.text, written.offset) for written in group.written)
    constraints = [one for one in found if isinstance(one, Constraint)]
    name, names = group.declared, {name for constraint in constraints for name in constraint.symbols}
    if name is None and group.binds and len(names) == 1:
        (name,) = names  # as where it is run: without a name of its own it has the only one that there is
    dimensions = tuple(map(_dimension, group.dimensions))
    return Declared(
        (*found, *misnamed(group, constraints), *(one for one in dimensions if isinstance(one, Diagnostic))),
        name,
        group.is_real,
        group.value,
        tuple(one for one in dimensions if isinstance(one, Dimension)),
        group.mentioned,
    )


def _dimension(written: Written) -> Dimension | Diagnostic:
    try:
        term = parse_term_in(written.source, written.text, written.offset)
    except ConstraintSyntaxError as error:
        return error.diagnostic
    return Dimension(term, written.source, written.offset)


def _look(
    source: Source,
    declared: Sequence[Declared],
    nested: Iterable[tuple[int, tuple[int, ...]]],
    syntax_only: bool,
    limit: int | None,
    others: Iterable[Diagnostic] = (),
) -> Look:
    constraints = [c for one in declared for c in one.constraints]
    findings = [found for one in declared for found in one.found if isinstance(found, Diagnostic)]
    findings += others
    if not syntax_only:
        findings += (finding for one in declared if one.constraints for finding in wrong_alone(one, limit))
        for inner, around in nested:
            findings += wrong_inside(declared[inner], [declared[one] for one in around], limit)
    dimensions = [dimension for one in declared for dimension in one.dimensions]
    known = {name for one in declared for name in (one.name, *one.mentioned) if name}
    findings += misspelt(constraints, dimensions, known)
    suppressions = suppressions_in(source, python=not (source.file or "").endswith(".dync"))
    left = applied(dict.fromkeys(findings), suppressions, complete=not syntax_only)
    return Look(tuple(sorted(left, key=_place)), len(declared))


def _place(finding: Diagnostic) -> tuple[int, int]:
    """Where it comes in its file; a finding about no place in it comes first."""
    label = next(iter(finding.labels), None)
    return (0, 0) if label is None else label.source.position(label.span.start)
