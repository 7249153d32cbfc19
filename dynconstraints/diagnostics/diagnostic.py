"""One finding as data: what every renderer, text or JSON or SARIF, starts from."""

from __future__ import annotations

from typing import Literal

from dynconstraints.diagnostics.frozen import Frozen
from dynconstraints.diagnostics.source import Source, Span

Severity = Literal["error", "warning", "note"]


class Label(Frozen):
    """A span of a source, and what is known there."""

    source: Source
    span: Span
    text: str = ""


class Diagnostic(Frozen):
    """What is wrong (``message``), where and what is known there (``labels``), and what to do (``help``).

    The first label is the primary place. ``code`` is stable (``DC301``).
    """

    code: str
    message: str
    labels: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()
    help: tuple[str, ...] = ()
    severity: Severity = "error"
