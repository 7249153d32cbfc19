"""What stops the reading of a text, before it becomes a diagnostic."""

from __future__ import annotations

from dataclasses import dataclass

from dynconstraints.diagnostics.source import Span


@dataclass(frozen=True)
class Fix:
    """A repair of the text: put the ``pieces`` where ``span`` is; a piece that is a span is what the text has there."""

    span: Span
    pieces: tuple[str | Span, ...]

    def applied(self, text: str) -> str:
        """The text repaired."""
        said = (piece if isinstance(piece, str) else text[piece.start : piece.stop] for piece in self.pieces)
        return "".join((text[: self.span.start], *said, text[self.span.stop :]))


class Failure(Exception):  # noqa: N818  # internal: what users see is ConstraintSyntaxError
    """The text is not a constraint: what is wrong, where, what is known there, and how to repair it.

    ``advice`` is said when there is no fix, or when the mended text is still no constraint.
    """

    def __init__(
        self,
        code: str,
        message: str,
        span: Span,
        *,
        known: str = "",
        advice: str = "",
        fix: Fix | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.span = span
        self.known = known
        self.advice = advice
        self.fix = fix


class Unexpected(Exception):  # noqa: N818  # as above
    """A character or a token that cannot stand where it stands: the raw finding, which `slips` turns into a Failure.

    ``start`` and ``stop`` delimit it; both are the text's length where the text ends too early.
    """

    def __init__(self, start: int, stop: int) -> None:
        super().__init__(start)
        self.start = start
        self.stop = stop
