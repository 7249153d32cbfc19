"""Text -> shape: the sizes of a tensor, such as ``"b 3 h w"``, or the one of a number, such as ``"n"``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from dynconstraints.diagnostics.diagnostic import Diagnostic, Label
from dynconstraints.diagnostics.errors import ArgumentError, ConstraintError, ConstraintSyntaxError
from dynconstraints.diagnostics.source import Source, Span
from dynconstraints.ir.fold import names, substitute_term
from dynconstraints.ir.nodes import Int, Term
from dynconstraints.syntax.parser import parse_term_in

ANY, REST = "_", "..."
"""A size that is not declared, and any number of them."""


@dataclass(frozen=True)
class Shape:
    """The sizes of a tensor in order: an expression, None for one that is not declared.

    ``rest`` is the index at which any number of undeclared sizes may stand, None where there are none such.
    """

    text: str
    sizes: tuple[Term | None, ...]
    rest: int | None = None

    def dims(self, rank: int) -> Mapping[int, Term] | None:
        """The declared sizes of a tensor with so many dimensions, by index; None where it cannot have so many."""
        spare = rank - len(self.sizes)
        if spare < 0 or (spare and self.rest is None):
            return None
        first = len(self.sizes) if self.rest is None else self.rest
        return {i if i < first else i + spare: term for i, term in enumerate(self.sizes) if term is not None}

    @property
    def number(self) -> Term | None:
        """What an int or a float of this text is; None where the text is that of a tensor alone."""
        return self.sizes[0] if len(self.sizes) == 1 and self.rest is None else None

    @cached_property
    def names(self) -> frozenset[str]:
        """The names in the sizes."""
        return frozenset(name for term in self.sizes if term is not None for name in names(term))

    def renamed(self, names: Mapping[str, Term]) -> Shape:
        """The same over other names."""
        return replace(self, sizes=tuple(None if t is None else substitute_term(t, names) for t in self.sizes))

    def __str__(self) -> str:
        return self.text


def is_number(path: str, shape: Shape) -> bool:
    """Whether the argument is an int or a float rather than a tensor: its text is its own name."""
    return shape.number is not None and shape.text.strip() == path.rpartition(".")[2]


def read_shape(source: Source) -> Shape:
    """The shape that a text says. Raises ConstraintSyntaxError, with labels in the text."""
    if not isinstance(source.text, str):
        raise _no_text(source.text)
    sizes: list[Term | None] = []
    rest: int | None = None
    for start, word in _words(source.text):
        if word == REST and rest is None:
            rest = len(sizes)
        elif word in _OPERATORS:
            raise _bad(source, start, word, "an expression is written without blanks")
        elif word == REST or word.startswith("*"):
            what = "the second ... of a shape" if word == REST else "any number of sizes is written ..., without a name"
            raise _bad(source, start, word, what)
        else:
            sizes.append(None if word == ANY else _size(source, start, word))
    return Shape(source.text, tuple(sizes), rest)


_OPERATORS = frozenset(("*", "+", "-", "/", "//", "%", "**"))


def _words(text: str) -> list[tuple[int, str]]:
    found, at = [], 0
    for word in text.split():
        at = text.index(word, at)
        found.append((at, word))
        at += len(word)
    return found


def _size(source: Source, start: int, word: str) -> Term:
    try:
        term = parse_term_in(source, word, start)
    except ConstraintError:
        if not _is_whole(word):
            raise _bad(source, start, word, "an expression is written without blanks") from None
        if any(sign in word for sign in "<>=!"):
            raise _bad(source, start, word, "this is true or false; constraints go into constraints=[...]") from None
        raise
    if isinstance(term, Int) and term.value < 0:
        raise _bad(source, start, word, "no size is negative")
    return term


def _is_whole(word: str) -> bool:
    """Whether each bracket is closed: of a text with a blank inside only a part is at hand."""
    return word.count("(") == word.count(")") and word[-1] not in "+-*/%,"


_FORM = 'write sizes with blanks between them, such as "b 3 h w", expressions without: "b 2*h h//16"'


def _bad(source: Source, start: int, word: str, what: str) -> ConstraintSyntaxError:
    label = Label(source, Span(start, start + len(word)), what)
    return ConstraintSyntaxError(Diagnostic("DC156", f"not a size: {word}", (label,), help=(_FORM,)))


def _no_text(given: object) -> ArgumentError:
    shown = repr(given)
    what = f"a shape is a text, not {type(given).__name__}"
    return ArgumentError(Diagnostic("DC156", what, (Label(Source(shown), Span(0, len(shown))),), help=(_FORM,)))
