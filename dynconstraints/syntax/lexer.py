"""Text -> tokens, with the terminals of the grammar.

Written for lark's custom lexer interface: one regular expression for all terminals is several times as fast as lark's
own lexer, which keeps line numbers that nothing here needs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from lark.lexer import Lexer

from dynconstraints.diagnostics.source import Span
from dynconstraints.syntax.failure import Failure, Unexpected

# Python's own limit for nested brackets.
MAX_BRACKETS = 200

_CLOSES = {"(": ")", "{": "}"}


class Token:
    """A terminal of the grammar at a place of the text."""

    __slots__ = ("start_pos", "text", "type")

    # lark copies these from the last token to the one that marks the end.
    line = column = end_line = end_column = end_pos = None

    def __init__(self, kind: str, text: str, start: int) -> None:
        self.type = kind
        self.text = text
        self.start_pos = start

    @property
    def span(self) -> Span:
        """Where it stands."""
        return Span(self.start_pos, self.start_pos + len(self.text))


class Tokens(Lexer):
    """The lexer; keywords are the names that the grammar spells out."""

    def __init__(self, conf: Any) -> None:
        words = {t.pattern.value: t.name for t in conf.terminals if t.pattern.type == "str"}
        self._words = {word: name for word, name in words.items() if word.isidentifier()}
        symbols = [t for t in conf.terminals if t.name not in self._words.values()]
        symbols.sort(key=lambda t: (-t.priority, -t.pattern.max_width, t.name))
        alternatives = [f"(?P<{t.name}>{t.pattern.to_regexp()})" for t in symbols]
        self._pattern = re.compile("|".join((*alternatives, "(?P<ILLEGAL>.)")), re.DOTALL)
        self._ignored = frozenset(conf.ignore)

    def lex(self, text: Any) -> Iterator[Token]:  # type: ignore[override]  # lark's documented form for text alone
        """The tokens in order. Raises Unexpected for a character that starts none, Failure for too many brackets."""
        words, ignored = self._words, self._ignored
        opened: list[int] = []
        for match in self._pattern.finditer(text if text.isascii() else _shadow(text)):
            kind = match.lastgroup
            if kind in ignored:
                continue
            start, stop = match.span()
            piece = text[start:stop]
            if kind == "NAME":
                kind = words.get(piece, kind)
            elif piece in "(){}":
                _bracket(text, opened, start)
            elif kind == "ILLEGAL":
                raise Unexpected(start, stop)
            yield Token(kind or "", piece, start)


def _bracket(text: str, opened: list[int], start: int) -> None:
    if text[start] in _CLOSES:
        opened.append(start)
        if len(opened) > MAX_BRACKETS:
            message = f"more than {MAX_BRACKETS} brackets are open at once"
            raise Failure("DC125", message, Span(start, start + 1), advice="split the constraint into several")
    elif opened and _CLOSES[text[opened[-1]]] == text[start]:
        opened.pop()
    else:
        raise Unexpected(start, start + 1)


def _shadow(text: str) -> str:
    """A text of the same length in ASCII: a letter for what may stand in a Python identifier, NUL for all else."""
    return "".join(c if c < "\x80" else "x" if ("x" + c).isidentifier() else "\0" for c in text)
