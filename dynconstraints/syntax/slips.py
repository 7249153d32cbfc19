"""Malformed text -> the named error that says what was probably meant: one table, read at the place where reading stopped.

Each row matches the text at the token that cannot stand where it stands, or from the token before it through it.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from dynconstraints.diagnostics.source import Span
from dynconstraints.syntax.failure import Failure, Mend, Unexpected
from dynconstraints.syntax.lexer import Token

_VALUES = frozenset(("INT", "NAME", "TRUE", "PYTHON_TRUE", "FALSE", "PYTHON_FALSE", "CLOSE", "CLOSE_SET"))
_SYMBOLS = {
    **{"≤": "<=", "⩽": "<=", "≦": "<=", "≥": ">=", "⩾": ">=", "≧": ">=", "≠": "!=", "≡": "==", "＝": "==", "⇔": "=>"},
    **{"×": "*", "·": "*", "⋅": "*", "∗": "*", "÷": "//", "∕": "//", "−": "-", "–": "-", "—": "-", "＋": "+"},
    **{"∧": " and ", "∨": " or ", "¬": "not ", "⇒": "=>", "→": "=>", "⟹": "=>", "∈": " in ", "∉": " not in "},
    **{"（": "(", "）": ")", "，": ",", "＜": "<", "＞": ">", "％": "%", "²": "**2", "³": "**3", "\u00a0": " "},
}


class _Slip(NamedTuple):
    """``pattern`` -> ``write``; ``message`` and ``help`` may speak of ``{found}`` and ``{write}``."""

    code: str
    pattern: str
    write: str | None
    message: str
    help: str = "write `{write}`"


_SPELLING = "`{found}` is written `{write}` here"
_THROUGH_THE_TOKEN_BEFORE = (
    _Slip("DC107", r"===", "==", _SPELLING),
    _Slip("DC107", r"!==", "!=", _SPELLING),
    _Slip("DC107", r"<>", "!=", _SPELLING),
    _Slip("DC107", r"([<>=!])\s+=", r"\1=", "a comparison sign is written without spaces"),
    _Slip("DC129", r"<=>", None, "there is no sign for equivalence", "write `(a => b) and (b => a)`"),
    _Slip("DC129", r"==>|->", "=>", "implication is written `=>`"),
    _Slip("DC122", r"0[xXbBoO]\w*|\d+_\w*", None, "`{found}` is not an integer", "write it as `1024`, `1_024` or `0x400`"),
    _Slip("DC106", r"\d+(?=[^\W\d]|\()", r"\g<0>*", "a product is written with `*`"),
    _Slip("DC106", r"\)(?=[\w(])", ")*", "a product is written with `*`"),
    _Slip("DC104", r"//=?/|/\s+/", "//", "the division that rounds down is written `//`"),
)
_AT_THE_TOKEN = (
    _Slip("DC107", r"=<", "<=", "`{found}` is written `{write}`: at most"),
    _Slip("DC107", r"=!", "!=", _SPELLING),
    _Slip("DC102", r"=(\s+=)?", "==", "`=` assigns; a comparison is written `==`"),
    _Slip("DC103", r"&&?|AND\b|And\b", " and ", _SPELLING),
    _Slip("DC103", r"\|\|?|OR\b|Or\b", " or ", _SPELLING),
    _Slip("DC103", r"!|NOT\b|Not\b|~", "not ", _SPELLING),
    _Slip("DC103", r"IN\b", " in ", _SPELLING),
    _Slip("DC107", r"is\s+not\b", " != ", "numbers are compared by value: `{found}` is written `{write}`"),
    _Slip("DC107", r"is\b", " == ", "numbers are compared by value: `{found}` is written `{write}`"),
    _Slip("DC104", r"/", "//", "`/` would give a fraction; the division that rounds down is written `//`"),
    _Slip("DC128", r"\^", "**", "a power is written `**`"),
    _Slip("DC105", r"mod\b|MOD\b", " % ", "the remainder is written `%`"),
    _Slip("DC105", r"div\b|DIV\b", " // ", "the division that rounds down is written `//`"),
    _Slip("DC129", r"implies\b|then\b", " => ", "implication is written `=>`"),
    _Slip("DC129", r"iff\b", None, "there is no sign for equivalence", "write `(a => b) and (b => a)`"),
    _Slip("DC131", r"\.\s*[^\W\d]\w*", None, "a name has no attributes here", "give the size a name of its own"),
    _Slip("DC131", r"\[", None, "a name has no items here", "give the size a name of its own"),
    _Slip("DC131", r"[\"'`‘’“”]", None, "names and numbers are written without quotes", "leave the quotes out"),
    _Slip("DC134", r"#.*", "", "a constraint holds no comment; only files do", "leave it out"),
    _Slip("DC133", r"\?", None, "a choice is written in Python's way", "write `a if condition else b`"),
    _Slip("DC130", r"range\b", None, "`range(…)` stands only after `in`", "write `name in range(…)`"),
    _Slip("DC130", r"\{", None, "a set stands only after `in`", "write `name in {{1, 2}}`"),
)


def explain(text: str, unexpected: Unexpected, before: Sequence[Token]) -> Failure:
    """Why the text is no constraint. ``before`` are the tokens up to the unexpected one."""
    span = Span(unexpected.start, unexpected.stop)
    opened = _opened(before)
    for reading in (_ending, _collection, _bracket, _separator, _slip, _symbol, _character):
        failure = reading(text, span, before, opened)
        if failure is not None:
            return failure
    return _misplaced(text, span, before)


def _opened(before: Sequence[Token]) -> list[Token]:
    opened: list[Token] = []
    for token in before:
        if token.text in ("(", "{"):
            opened.append(token)
        elif token.text in (")", "}"):
            opened.pop()
    return opened


def _ending(text: str, span: Span, before: Sequence[Token], opened: Sequence[Token]) -> Failure | None:
    """The text ends where something has to follow."""
    if span.start < len(text):
        return None
    if not before:
        return Failure("DC112", "the constraint is empty", Span(0, len(text)), help="write a condition, as in `s0 > 0`")
    last = before[-1]
    if last.type in _VALUES and opened:
        return _unclosed(text, opened[-1], span.start)
    if last.type in _VALUES:  # of all that can follow a value, only `else` must
        start = next((token for token in reversed(before) if token.type == "IF"), last)
        return Failure("DC133", "`if` has no `else`", start.span, help="write `a if condition else b`")
    known = f"nothing follows `{last.text}`"
    return Failure("DC118", "the constraint ends too early", last.span, known=known, help="write what was left out")


def _unclosed(text: str, bracket: Token, at: int) -> Failure:
    sign = ")" if bracket.text == "(" else "}"
    stop = len(text[:at].rstrip())
    mend = Mend(Span(stop, stop), (sign,))
    return Failure("DC113", f"`{bracket.text}` is never closed", bracket.span, help=f"add `{sign}`", mend=mend)


def _collection(text: str, span: Span, before: Sequence[Token], opened: Sequence[Token]) -> Failure | None:
    """What follows ``in``, or stands empty between brackets."""
    found, last = text[span.start : span.stop], before[-1] if before else None
    if last is None or last.type not in ("IN", "OPEN_SET", "OPEN"):
        return None
    if last.type == "IN":
        close = text.find({"(": ")", "[": "]"}.get(found, "\0"), span.stop)
        mend = Mend(Span(span.start, close + 1), ("{", Span(span.stop, close), "}")) if close > 0 else None
        help = "write `in {1, 2}` or `in range(1, 3)`"
        return Failure("DC130", "after `in` stands a set or a range", span, help=help, mend=mend)
    if found == "}":
        known = "no value is in it"
        return Failure("DC124", "the set is empty", Span(last.start_pos, span.stop), known=known, help="write `false`")
    if found == ")" and len(before) > 1 and before[-2].type in ("NAME", "RANGE"):
        function = before[-2]
        whole = Span(function.start_pos, span.stop)
        return Failure("DC116", f"`{function.text}` takes arguments, and here are none", whole)
    return None


def _bracket(text: str, span: Span, before: Sequence[Token], opened: Sequence[Token]) -> Failure | None:
    """A closing bracket that closes nothing, or not what is open."""
    found = text[span.start : span.stop]
    if found not in (")", "}", "]"):
        return None
    if not opened:
        mend = Mend(span, ())
        return Failure("DC114", f"`{found}` closes nothing", span, help="leave it out", mend=mend)
    if before[-1].type in _VALUES and {"(": ")", "{": "}"}[opened[-1].text] != found:
        return _unclosed(text, opened[-1], span.start)
    return None


def _separator(text: str, span: Span, before: Sequence[Token], opened: Sequence[Token]) -> Failure | None:
    """Several constraints in one text."""
    found = text[span.start : span.stop]
    new_line = bool(before) and before[-1].type in _VALUES and "\n" in text[before[-1].span.stop : span.start]
    if opened or not before or not (found in (",", ";") or new_line):
        return None
    if new_line:
        span = Span(before[-1].span.stop, before[-1].span.stop + 1)
    parts = [part.strip() for part in re.split(r"[;\n]" if found != "," else ",", text)]
    plain = len(text) <= 200 and not set(text) & set("({")
    written = f"pass them as a list: {json.dumps([part for part in parts if part], ensure_ascii=False)}"
    message = "one text holds one constraint, and here another one begins"
    return Failure("DC117", message, span, help=written if plain else "pass a list of constraints")


def _slip(text: str, span: Span, before: Sequence[Token], opened: Sequence[Token]) -> Failure | None:
    """A row of the tables."""
    if before:
        for slip in _THROUGH_THE_TOKEN_BEFORE:
            match = re.compile(slip.pattern).match(text, before[-1].start_pos)
            if match and (match.end() > span.start or (match.end() == span.start and "(?=" in slip.pattern)):
                return _named(text, slip, match)
    for slip in _AT_THE_TOKEN:
        match = re.compile(slip.pattern).match(text, span.start)
        if match:
            return _named(text, slip, match)
    return None


def _named(text: str, slip: _Slip, match: re.Match[str]) -> Failure:
    span = Span(*match.span())
    words = {"found": match.group(), "write": (slip.write or "").strip()}
    mend = None
    if slip.write is not None:
        mend = _spaced(text, span, match.expand(slip.write))
    return Failure(slip.code, slip.message.format(**words), span, help=slip.help.format(**words), mend=mend)


def _spaced(text: str, span: Span, write: str) -> Mend:
    """The mend, with one space where it asks for one and the text has none or more."""
    start, stop = span.start, span.stop
    if write.startswith(" "):
        start = len(text[:start].rstrip())
    if write.endswith(" "):
        stop = len(text) - len(text[stop:].lstrip())
    return Mend(Span(start, stop), (write,))


def _symbol(text: str, span: Span, before: Sequence[Token], opened: Sequence[Token]) -> Failure | None:
    """A mathematical sign, or one from another keyboard, for what has an ASCII spelling."""
    found = text[span.start : span.stop]
    if found not in _SYMBOLS:
        return None
    write = _SYMBOLS[found]
    name = unicodedata.name(found, "").lower() if found.isspace() else f"`{found}`"
    message = f"{name} is written `{write.strip()}`" if write.strip() else f"a {name} stands here"
    mend = _spaced(text, span, write)
    return Failure("DC109", message, span, help=f"write `{write.strip()}`", mend=mend)


def _character(text: str, span: Span, before: Sequence[Token], opened: Sequence[Token]) -> Failure | None:
    """A character that is part of no token."""
    character = text[span.start]
    if span.stop - span.start != 1 or character.isalnum() or character in "_+-*%<>(){},":
        return None
    shown = f"`{character}`" if character.isprintable() else f"U+{ord(character):04X}"
    name = unicodedata.name(character, "") if ord(character) > 0x7F else ""
    message = f"the character {shown} has no meaning here"
    return Failure("DC119", message, span, known=name.lower(), help="leave it out")


def _misplaced(text: str, span: Span, before: Sequence[Token]) -> Failure:
    """No row fits: say what would."""
    found = text[span.start : span.stop]
    after_value = bool(before) and before[-1].type in _VALUES
    if after_value and (found[0].isalnum() or found[0] in "_("):
        whole = Span(before[-1].start_pos, span.stop)
        message = f"an operator is missing between `{before[-1].text}` and `{found}`"
        return Failure("DC132", message, whole, help="write the operator that was meant, such as `*`, `==` or `and`")
    wanted = "an operator or the end" if after_value else "a name or a number"
    place = f" after `{before[-1].text}`" if before else " at the start"
    return Failure("DC101", f"`{found}` cannot stand here", span, known=f"{wanted} is expected{place}")
