"""A constraint: a formula together with the text that the user wrote and where."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from dynconstraints.diagnostics.diagnostic import Label
from dynconstraints.diagnostics.source import Source, Span
from dynconstraints.ir.evaluate import holds
from dynconstraints.ir.fold import names_in_order
from dynconstraints.ir.nodes import Formula
from dynconstraints.ir.printer import show
from dynconstraints.ir.spelling import by_name

_LINE_END = re.compile(r"\s*\\?\r?\n\s*")


@dataclass(frozen=True, repr=False)
class Constraint:
    """One boolean expression over named integers: the set of assignments under which it holds.

    Made by `parse`. Two constraints are equal when their formulas are; texts and places don't count.

    Attributes:
        formula: The expression, as frozen nodes; spans in it count from the start of the text.
        text: What the user wrote.
        source: The text, or the whole file, that it is a part of.
        offset: Where in ``source`` it starts, in code points.

    Example:
        >>> parse("a<b") == parse("a < b"), str(parse("a<b"))
        (True, 'a<b')
    """

    formula: Formula
    text: str = field(compare=False)
    source: Source = field(compare=False)
    offset: int = field(default=0, compare=False)

    @classmethod
    def of(cls, formula: Formula, origin: str | None = None) -> Constraint:
        """A constraint made from a formula; its text is printed from it."""
        text = show(formula)
        return cls(formula, text, Source(text, origin))

    @cached_property
    def symbols(self) -> tuple[str, ...]:
        """The names it speaks of, each once, in the order of the text."""
        return names_in_order(self.formula)

    @property
    def line(self) -> str:
        """The text on one line, where it was written on several."""
        return _LINE_END.sub(" ", self.text) if "\n" in self.text else self.text

    def holds(self, assignment: Mapping[str, int]) -> bool:
        """Whether it is true, and defined, under the assignment.

        Args:
            assignment: A value for each name; more names do no harm.

        Returns:
            True where it is; a division by zero is not defined.

        Raises:
            KeyError: A name has no value.

        Example:
            >>> parse("s0 % 32 == 0").holds({"s0": 64})
            True
        """
        return holds(self.formula, by_name(assignment))

    def label(self, text: str = "", span: Span | None = None) -> Label:
        """A label on the constraint, or on the part of it that ``span`` covers, for a diagnostic."""
        part = Span(0, len(self.text)) if span is None else span
        return Label(self.source, part.shifted(self.offset), text)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Constraint({self.text!r})"
