"""Errors raised while Dynamo traces, on their way to the user untouched.

Dynamo hands on what derives from a class of its own, so an error goes through it as an object of a class that is both.
To the user that class is the public one: it prints as that does, whatever Dynamo adds, and where it is pickled, as an
error or as the type of one, the public one arrives.
"""

from __future__ import annotations

import copyreg
from functools import cache
from typing import Any

from dynconstraints.diagnostics.errors import ConstraintError
from dynconstraints.pytorch._torch.dynamo import dynamo


def passed_through(error: ConstraintError) -> ConstraintError:
    """The same error, as one that Dynamo hands to the user untouched."""
    kind = _pass_through_class(type(error))  # type: ignore[arg-type]  # classes are hashable, whatever their instances
    copy = kind.__new__(kind)
    copy.__dict__.update(error.__dict__, first_useful_frame=None, told=error)
    copy.args = error.args
    return copy


class _PassThrough(type):
    """The type of the classes of errors on their way."""


def _public(kind: _PassThrough) -> tuple[Any, ...]:
    return _itself, (kind.__bases__[0],)


def _itself(kind: type) -> type:
    return kind


copyreg.pickle(_PassThrough, _public)


@cache
def _pass_through_class(kind: type[ConstraintError]) -> type[ConstraintError]:
    body = {"__module__": kind.__module__, "__doc__": kind.__doc__, "__str__": _told, "__reduce__": _reduced}
    made: Any = _PassThrough(kind.__name__, (kind, dynamo().PassThrough), body)
    return made  # type: ignore[no-any-return]


def _told(self: Any) -> str:
    return str(self.told)


def _reduced(self: Any) -> tuple[Any, ...]:
    """The public error, with the notes that were added since, and without what Dynamo notes on it for itself."""
    notes = {"__notes__": self.__notes__} if hasattr(self, "__notes__") else {}
    return type(self.told), self.told.args, {**vars(self.told), **notes}
