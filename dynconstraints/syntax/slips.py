"""Malformed text -> the named error that says what was probably meant: a table, read where reading stopped.

Each row matches the text at the token that cannot stand where it stands, or from the token before it through it.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from dynconstraints.diagnostics.source import Span
from dynconstraints.syntax.build import form_of
from dynconstraints.syntax.failure import Failure, Fix, Unexpected
from dynconstraints.syntax.lexer import Token

_VALUES = frozenset(("INT", "FLOAT", "NAME", "TRUE", "PYTHON_TRUE", "FALSE", "PYTHON_FALSE", "CLOSE", "CLOSE_SET"))
_SYMBOLS = {
    **dict.fromkeys("≤⩽≦", "<="),
    **dict.fromkeys("≥⩾≧", ">="),
    **dict.fromkeys("≡＝", "=="),
    **dict.fromkeys("×·⋅∗", "*"),
    **dict.fromkeys("÷∕", "//"),
    **dict.fromkeys("−–—", "-"),
    **dict.fromkeys("⇒→⟹", "=>"),
    **dict(zip("≠∧∨¬∈∉²³", ("!=", " and ", " or ", "not ", " in ", " not in ", "**2", "**3"), strict=True)),
    **dict(zip("（），＜＞％＋\u00a0", "(),<>%+ ", strict=True)),
}
_CLOSES = {"(": ")", "{": "}"}


class _Slip(NamedTuple):
    """``pattern`` -> ``write``; ``message`` and ``advice`` may speak of ``{found}`` and ``{write}``."""

    code: str
    pattern: re.Pattern[str]
    write: str | None
    message: str
    advice: str


def _row(code: str, pattern: str, write: str | None, message: str, advice: str = "write `{write}`") -> _Slip:
    return _Slip(code, re.compile(pattern), write, message, advice)


_LONGEST_LIST = 200
_NUMBERS = "write it as `1024`, `1_024` or `0x400`"
_SPELLING = "`{found}` is written `{write}` here"
_THROUGH_THE_TOKEN_BEFORE = (
    _row("DC107", r"===", "==", _SPELLING),
    _row("DC107", r"!==", "!=", _SPELLING),
    _row("DC107", r"<>", "!=", _SPELLING),
    _row("DC107", r"([<>=!])\s+=", r"\1=", "a comparison sign is written without spaces"),
    _row("DC129", r"<=>", None, "there is no sign for equivalence", "write both directions, `(a => b) and (b => a)`"),
    _row("DC129", r"==>|->", "=>", "implication is written `=>`"),
    _row("DC122", r"0[xXbBoO]\w*|\d+_\w*", None, "`{found}` is not an integer", _NUMBERS),
    _row("DC106", r"\d+(?=[^\W\d]|\()", r"\g<0>*", "a product is written with `*`"),
    _row("DC106", r"\)(?=[\w(])", ")*", "a product is written with `*`"),
    _row("DC104", r"//=?/|/\s+/", "//", "the division that rounds down is written `//`"),
)
_AT_THE_TOKEN = (
    _row("DC107", r"=<", "<=", "`{found}` is written `{write}`: at most"),
    _row("DC107", r"=!", "!=", _SPELLING),
    _row("DC102", r"=(?!=)(\s+=)?", "==", "`=` assigns; a comparison is written `==`"),
    _row("DC103", r"&&?|AND\b|And\b", " and ", _SPELLING),
    _row("DC103", r"\|\|?|OR\b|Or\b", " or ", _SPELLING),
    _row("DC103", r"!(?!=)|NOT\b|Not\b|~", "not ", _SPELLING),
    _row("DC103", r"IN\b", " in ", _SPELLING),
    _row("DC107", r"is\s+not\b", " != ", "numbers are compared by value: `{found}` is written `{write}`"),
    _row("DC107", r"is\b", " == ", "numbers are compared by value: `{found}` is written `{write}`"),
    _row("DC104", r"/", "//", "`/` would give a fraction; the division that rounds down is written `//`"),
    _row("DC128", r"\^", "**", "a power is written `**`"),
    _row("DC128", r"<(?=<)|(?<=<)<", None, "there is no shift", "write `a * 2**3` for `a << 3`"),
    _row("DC128", r">(?=>)|(?<=>)>", None, "there is no shift", "write `a // 2**3` for `a >> 3`"),
    _row("DC105", r"mod\b|MOD\b", " % ", "the remainder is written `%`"),
    _row("DC105", r"div\b|DIV\b", " // ", "the division that rounds down is written `//`"),
    _row("DC129", r"implies\b|then\b", " => ", "implication is written `=>`"),
    _row("DC129", r"iff\b", None, "there is no sign for equivalence", "write both directions, `(a => b) and (b => a)`"),
    _row("DC131", r"\.\s*[^\W\d]\w*", None, "a name has no attributes here", "give the size a name of its own"),
    _row("DC131", r"\[", None, "a name has no items here", "give the size a name of its own"),
    _row("DC131", r"[\"'`‘’“”]", None, "names and numbers are written without quotes", "leave the quotes out"),
    _row("DC134", r"#.*", "", "a constraint holds no comment; only files do", "leave it out"),
    _row("DC133", r"\?", None, "a choice is written in Python's way", "the form is `a if condition else b`"),
    _row("DC130", r"range\b", None, "`range(…)` stands only after `in`", "the form is `name in range(…)`"),
    _row("DC130", r"\{", None, "a set stands only after `in`", "the form is `name in {{1, 2}}`"),
)


@dataclass(frozen=True)
class _Place:
    """Where reading stopped: the text, the span of what cannot stand there, and the tokens before it."""

    text: str
    span: Span
    before: Sequence[Token]

    @property
    def found(self) -> str:
        """What cannot stand there; empty at the end of the text."""
        return self.text[self.span.start : self.span.stop]

    @property
    def last(self) -> Token | None:
        """The token before."""
        return self.before[-1] if self.before else None

    @property
    def after_value(self) -> bool:
        """Whether the token before ends a value, so that an operator has to follow."""
        return self.last is not None and self.last.type in _VALUES

    @cached_property
    def opened(self) -> list[Token]:
        """The brackets that are open there."""
        opened: list[Token] = []
        for token in self.before:
            if token.text in _CLOSES:
                opened.append(token)
            elif token.text in _CLOSES.values():
                opened.pop()
        return opened


def explain(text: str, unexpected: Unexpected, before: Sequence[Token]) -> Failure:
    """Why the text is no constraint. ``before`` are the tokens up to the unexpected one."""
    place = _Place(text, Span(unexpected.start, unexpected.stop), before)
    for reading in (_ending, _collection, _bracket, _separator, _slip, _symbol, _character):
        failure = reading(place)
        if failure is not None:
            return failure
    return _misplaced(place)


def _ending(place: _Place) -> Failure | None:
    """The text ends where something has to follow."""
    if place.found:
        return None
    if place.last is None:
        return Failure(
            "DC112", "the constraint is empty", Span(0, len(place.text)), advice="write a condition, as in `s0 > 0`"
        )
    if place.after_value and place.opened:
        return _unclosed(place)
    if place.after_value:  # of all that can follow a value, only `else` must
        return _without_else(place)
    known = f"nothing follows `{place.last.text}`"
    return Failure(
        "DC118", "the constraint ends too early", place.last.span, known=known, advice="write the rest of it"
    )


def _without_else(place: _Place) -> Failure | None:
    """``a if c`` where an ``else`` has to follow, within the brackets that are open."""
    depth = 0
    for token in reversed(place.before):
        depth += (token.text in _CLOSES.values()) - (token.text in _CLOSES)
        if depth < 0 or (depth == 0 and token.type == "ELSE"):
            return None
        if depth == 0 and token.type == "IF":
            return Failure("DC133", "`if` has no `else`", token.span, advice="the form is `a if condition else b`")
    return None


def _unclosed(place: _Place) -> Failure:
    bracket = place.opened[-1]
    sign, stop = _CLOSES[bracket.text], len(place.text[: place.span.start].rstrip())
    fix = Fix(Span(stop, stop), (sign,))
    return Failure("DC113", f"`{bracket.text}` is never closed", bracket.span, advice=f"add `{sign}`", fix=fix)


def _collection(place: _Place) -> Failure | None:
    """What follows ``in``, or stands empty between brackets."""
    match place.last, place.found:
        case Token(type="IN"), found:
            return _after_in(place, {"(": ")", "[": "]"}.get(found))
        case Token(type="OPEN_SET", start_pos=start), "}":
            whole = Span(start, place.span.stop)
            return Failure("DC124", "the set is empty", whole, known="no value is in it", advice="write `false`")
        case Token(type="OPEN"), ")" if len(place.before) > 1 and place.before[-2].type in ("NAME", "RANGE"):
            function = place.before[-2]
            whole = Span(function.start_pos, place.span.stop)
            message = f"`{function.text}` takes arguments, and here are none"
            return Failure("DC116", message, whole, advice=form_of(function.text))
    return None


def _after_in(place: _Place, closing: str | None) -> Failure:
    stop = place.text.find(closing, place.span.stop) if closing else -1
    fix = Fix(Span(place.span.start, stop + 1), ("{", Span(place.span.stop, stop), "}")) if stop > 0 else None
    advice = "the forms are `in {1, 2}` and `in range(1, 3)`"
    return Failure("DC130", "after `in` stands a set or a range", place.span, advice=advice, fix=fix)


def _bracket(place: _Place) -> Failure | None:
    """A closing bracket that closes nothing, or not what is open, or closes it too early."""
    if place.found not in (")", "}", "]"):
        return None
    if not place.opened:
        message = f"`{place.found}` closes nothing"
        return Failure("DC114", message, place.span, advice="leave it out", fix=Fix(place.span, ()))
    if not place.after_value:
        return None
    return _without_else(place) if _CLOSES[place.opened[-1].text] == place.found else _unclosed(place)


def _separator(place: _Place) -> Failure | None:
    """Several constraints in one text."""
    text, span, last = place.text, place.span, place.last
    if last is None or place.opened or not place.after_value:
        return None
    new_line = "\n" in text[last.span.stop : span.start]
    if place.found not in (",", ";") and not new_line:
        return None
    if place.found and not text[span.stop :].strip():
        return Failure("DC117", f"nothing follows the `{place.found}`", span, advice="leave it out", fix=Fix(span, ()))
    parts = [part.strip() for part in re.split("," if place.found == "," else r"[;\n]", text)]
    plain = len(text) <= _LONGEST_LIST and not set(text) & set("({")
    written = f"pass them as a list: {json.dumps([part for part in parts if part], ensure_ascii=False)}"
    message = "one text holds one constraint, and here another one begins"
    return Failure("DC117", message, span, advice=written if plain else "pass a list of constraints")


def _slip(place: _Place) -> Failure | None:
    """A row of the tables."""
    text, start = place.text, place.span.start
    if place.last is not None:
        for slip in _THROUGH_THE_TOKEN_BEFORE:
            match = slip.pattern.match(text, place.last.start_pos)
            if match and match.end() > start - ("(?=" in slip.pattern.pattern):
                return _named(text, slip, match)
    for slip in _AT_THE_TOKEN:
        match = slip.pattern.match(text, start)
        if match:
            return _named(text, slip, match)
    return None


def _named(text: str, slip: _Slip, match: re.Match[str]) -> Failure:
    span, words = Span(*match.span()), {"found": match.group(), "write": (slip.write or "").strip()}
    fix = None if slip.write is None else _spaced(text, span, match.expand(slip.write))
    return Failure(slip.code, slip.message.format(**words), span, advice=slip.advice.format(**words), fix=fix)


def _spaced(text: str, span: Span, write: str) -> Fix:
    """The fix, with one space where it asks for one and the text has none or more."""
    start, stop = span.start, span.stop
    if write.startswith(" "):
        start = len(text[:start].rstrip())
    if write.endswith(" "):
        stop = len(text) - len(text[stop:].lstrip())
    return Fix(Span(start, stop), (write,))


def _symbol(place: _Place) -> Failure | None:
    """A mathematical sign, or one from another keyboard, for what has an ASCII spelling."""
    if place.found not in _SYMBOLS:
        return None
    write = _SYMBOLS[place.found]
    fix = _spaced(place.text, place.span, write)
    if not write.strip():
        return Failure("DC109", "a no-break space stands here", place.span, advice="write a space", fix=fix)
    message = f"`{place.found}` is written `{write.strip()}`"
    return Failure("DC109", message, place.span, advice=f"write `{write.strip()}`", fix=fix)


def _character(place: _Place) -> Failure | None:
    """A character that is part of no token."""
    if len(place.found) != 1 or place.found.isalnum() or place.found in "_+-*%<>(){},":
        return None
    shown = f"`{place.found}`" if place.found.isprintable() else f"U+{ord(place.found):04X}"
    name = "" if place.found.isascii() else unicodedata.name(place.found, "").lower()
    message = f"the character {shown} has no meaning here"
    return Failure("DC119", message, place.span, known=name, advice="leave it out")


def _misplaced(place: _Place) -> Failure:
    """No row fits: say what would."""
    found, last = place.found, place.last
    if place.after_value and last is not None and (found[0].isalnum() or found[0] in "_("):
        message = f"an operator is missing between `{last.text}` and `{found}`"
        advice = "write the operator that was meant, such as `*`, `==` or `and`"
        return Failure("DC132", message, Span(last.start_pos, place.span.stop), advice=advice)
    wanted = "an operator or the end" if place.after_value else "a name or a number"
    where = f"after `{last.text}`" if last is not None else "at the start"
    return Failure("DC101", f"`{found}` cannot stand here", place.span, known=f"{wanted} is expected {where}")
