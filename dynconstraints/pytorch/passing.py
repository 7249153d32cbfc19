"""Errors raised while Dynamo traces, on their way to the user untouched."""

from __future__ import annotations

from functools import cache

from dynconstraints.diagnostics.errors import ConstraintError
from dynconstraints.pytorch._compat import dynamo


def passed_through(error: ConstraintError) -> ConstraintError:
    """The same error, as one that Dynamo hands to the user untouched."""
    kind = _pass_through_class(type(error))  # type: ignore[arg-type]  # classes are hashable, whatever their instances
    copy = kind.__new__(kind)
    copy.__dict__.update(error.__dict__, first_useful_frame=None)
    copy.args = error.args
    return copy


@cache
def _pass_through_class(kind: type[ConstraintError]) -> type[ConstraintError]:
    return type(kind.__name__, (kind, dynamo().PassThrough), {"__module__": kind.__module__, "__doc__": kind.__doc__})
