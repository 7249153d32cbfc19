"""The exception tree: each error carries a :class:`Diagnostic` and its data, and prints as the diagnostic does.

Codes: DC1xx the text, DC2xx contradictory sets, DC3xx values, DC4xx names and bindings, DC5xx specialisation and
guards, DC6xx limits, DC7xx the torch at hand.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

from dynconstraints.diagnostics.diagnostic import Diagnostic
from dynconstraints.diagnostics.render import render

if TYPE_CHECKING:  # the layers above define these; errors only carry them
    from dynconstraints.diagnostics.source import Span

Said: TypeAlias = "Diagnostic | str | BaseException"
"""What an error is made of: the finding, or the text of one that is carried elsewhere, or an error with that text."""

_TITLE = re.compile(r"\b(?:error|warning|note)\[(DC\d{3})\]: ")


class ConstraintError(ValueError):
    """Any error of this library that a user's input can cause. ``str()`` is the rendered diagnostic, in plain text.

    The text is the first of ``args``, as it is of Python's own errors, and is enough to make one of each class: whoever
    carries an error to another thread, process or machine by its text, as the workers of a ``DataLoader`` do, or adds a
    line to it, passes the text on. Such an error has the code that the text tells.
    """

    def __init__(self, diagnostic: Said = "", *data: object) -> None:
        super().__init__(render(diagnostic) if isinstance(diagnostic, Diagnostic) else str(diagnostic), *data)
        if isinstance(diagnostic, Diagnostic):
            self.diagnostic = diagnostic

    @cached_property
    def diagnostic(self) -> Diagnostic:
        """The finding as data; of an error made from a text its code, where it tells one, and all of the text."""
        titles = _TITLE.findall(str(self))
        return Diagnostic(titles[-1] if titles else "", str(self))

    def retold(self, diagnostic: Diagnostic) -> None:
        """Say this instead, of the same error."""
        self.diagnostic = diagnostic
        self.args = (render(diagnostic), *self.args[1:])

    @property
    def code(self) -> str:
        """The stable code, such as ``DC301``."""
        return self.diagnostic.code

    @property
    def span(self) -> Span | None:
        """The primary place in its source, where there is one."""
        return self.diagnostic.labels[0].span if self.diagnostic.labels else None

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class ConstraintSyntaxError(ConstraintError):
    """A text is not a constraint."""


class NamelessConstraintError(ConstraintSyntaxError):
    """A constraint on values has no variables: it is always true or always false."""


class NotAnIntegerError(ConstraintError, TypeError):
    """A value that is no integer is given where a declared integer is wanted; a ``TypeError`` as well."""


class NotAFloatError(ConstraintError, TypeError):
    """A value that no finite float holds is given where a declared float is wanted; a ``TypeError`` as well."""


class ArgumentError(ConstraintError, TypeError):
    """An argument has not the form that is wanted, as a text where values are; a ``TypeError`` as well."""


class InconsistentConstraintsError(ConstraintError):
    """No values satisfy the constraints; ``core`` is a minimal set of them that nothing satisfies."""

    def __init__(self, diagnostic: Said = "", core: tuple[object, ...] = ()) -> None:
        super().__init__(diagnostic, core)
        self.core = core


class ConstraintViolationError(ConstraintError):
    """A value breaks a constraint; ``constraint`` is that constraint and ``values`` the assignment that breaks it."""

    def __init__(
        self, diagnostic: Said = "", constraint: object = None, values: Mapping[str, int] | None = None
    ) -> None:
        self.constraint = constraint
        self.values = dict(values or {})
        super().__init__(diagnostic, constraint, self.values)


class IntegerRangeError(ConstraintViolationError):
    """A value is beyond the 64 bits that a declared integer may have."""


class UnboundNameError(ConstraintError):
    """A name has no value where one is needed; ``name`` is that name."""

    def __init__(self, diagnostic: Said = "", name: str = "") -> None:
        super().__init__(diagnostic, name)
        self.name = name


class ConflictingBindingError(ConstraintError):
    """One name has two values in one call; ``name`` and ``values`` say which."""

    def __init__(self, diagnostic: Said = "", name: str = "", values: tuple[int, ...] = ()) -> None:
        super().__init__(diagnostic, name, values)
        self.name = name
        self.values = values


class DimensionError(ConstraintError):
    """A dimension that is to be named isn't there, or what is to have dimensions has none."""


class SpecializationError(ConstraintError):
    """A program forces a declared name to one value, or adds a guard that the declaration does not imply."""


class SolverLimitError(ConstraintError):
    """A question was not decided within its limit; ``limit`` names it."""

    def __init__(self, diagnostic: Said = "", limit: str = "") -> None:
        super().__init__(diagnostic, limit)
        self.limit = limit


class UnsupportedTorchError(ConstraintError):
    """The installed torch cannot carry the declarations."""
