"""Where a text came from, and which part of it is meant."""

from __future__ import annotations

from dynconstraints.diagnostics.frozen import Frozen


class Span(Frozen):
    """The characters ``start <= i < stop`` of a text, counted from 0 in code points."""

    start: int
    stop: int

    def shifted(self, by: int) -> Span:
        """The same span in a text that has ``by`` more characters in front."""
        return Span(self.start + by, self.stop + by)


class Source(Frozen):
    """A text that a user wrote, with the place it was written at.

    ``origin`` is how the user sees the place that holds the text (``DynamicInt(65, name="s0")``, ``argument 1``);
    ``file`` and ``line`` (from 1) say where that is, where it is known. For a file ``text`` is the whole file.
    """

    text: str
    origin: str | None = None
    file: str | None = None
    line: int = 1
    column: int = 1

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column, both from 1, of a character of the text, as counted in the file."""
        before = self.text.count("\n", 0, offset)
        last = self.text.rfind("\n", 0, offset)
        column = offset - last if before else offset + self.column
        return self.line + before, column
