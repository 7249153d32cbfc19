"""Traces that drop what is declared, such as torch.jit.trace: their users hear of it, once a trace."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from dynconstraints.diagnostics.diagnostic import Diagnostic
from dynconstraints.diagnostics.errors import UnsupportedTorchError
from dynconstraints.ir.constraint import Constraint
from dynconstraints.pytorch.declarations.user_location import calling_line
from dynconstraints.pytorch.declarations.warning import warn

_MOST_SHOWN = 3


class Dropping:
    """One such trace: what its user calls it, and what they can do instead."""

    def __init__(self, what: str, fix: str) -> None:
        self._what, self._fix = what, fix
        self._is_told = False

    def tell(self, names: Iterable[str], constraints: Iterable[Constraint]) -> None:
        """Say that these are dropped, unless it was said of others already."""
        if self._is_told:
            return
        self._is_told = True
        listed = ", ".join(dict.fromkeys(names))
        said = Diagnostic(
            "DC703",
            f"{self._what} takes no declaration: what it makes knows nothing of {listed}",
            tuple(constraint.label() for constraint in dict.fromkeys(constraints))[:_MOST_SHOWN],
            help=(self._fix,),
            severity="warning",
        )
        warn(str(UnsupportedTorchError(said)), *calling_line(beyond=("dynconstraints.", "torch.")))


_under_way: ContextVar[Dropping | None] = ContextVar("dynconstraints_dropping", default=None)


def dropping_trace() -> Dropping | None:
    """The trace of the kind that is under way in this thread or task."""
    return _under_way.get()


@contextmanager
def dropping(trace: Dropping) -> Iterator[None]:
    """While open, the trace is under way."""
    token = _under_way.set(trace)
    try:
        yield
    finally:
        _under_way.reset(token)
