"""Traces that take no declaration: while one is under way, declared values are what they are without it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_is_suspended: ContextVar[bool] = ContextVar("dynconstraints_suspended", default=False)


def is_suspended() -> bool:
    """Whether such a trace is under way in this thread or task."""
    return _is_suspended.get()


@contextmanager
def suspended() -> Iterator[None]:
    """While open, nothing that is traced has names."""
    token = _is_suspended.set(True)
    try:
        yield
    finally:
        _is_suspended.reset(token)
