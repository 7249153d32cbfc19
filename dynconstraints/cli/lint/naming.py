"""Values whose constraints are about other names: where the source is run, DynamicInt and DynamicFloat refuse them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dynconstraints.cli.lint.discover import Group
from dynconstraints.diagnostics.diagnostic import Diagnostic
from dynconstraints.ir.constraint import Constraint


def misnamed(group: Group, constraints: Sequence[Constraint]) -> Iterator[Diagnostic]:
    """A finding where constraints do not tell the name of the value that they are declared with, or never use it."""
    names = tuple(dict.fromkeys(name for constraint in constraints for name in constraint.symbols))
    if not group.binds or not names or group.unread or len(constraints) < len(group.written):
        return  # no value's, or not all of them could be read
    labels = tuple(constraint.label() for constraint in constraints)
    listed = ", ".join(names)
    if not group.is_named and len(names) > 1:
        help_ = f'write name="{names[0]}"'
        message = f"ambiguous name: the constraints mention {', '.join(names[:-1])} and {names[-1]}; pass name=..."
        yield Diagnostic("DC401", message, labels, help=(help_,))
    elif group.declared is not None and group.declared not in names:
        message = f"the constraints of {group.declared} never speak of {group.declared}, only of {listed}"
        help_ = f"write {group.declared}, or give constraints over other names to dynamic_int_constraints([...])"
        yield Diagnostic("DC401", message, labels, help=(help_,))
