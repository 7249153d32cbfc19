"""The driver takes the steps of lark's own: the same nodes with the same spans, and the same token in the way."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from lark.exceptions import UnexpectedToken

from dynconstraints.syntax.failure import Failure, Unexpected
from dynconstraints.syntax.reader import _driver, _parser

CORPUS = Path(__file__).parents[1] / "corpus"
TEXTS = sorted(
    {
        text
        for name in ("facts.jsonl", "hard.jsonl")
        for line in map(json.loads, (CORPUS / name).read_text().splitlines())
        for text in (*line["given"], line.get("query", "a > 0"))
    }
)
BROKEN = ["", "a", "a >", "a > > b", "a > 0)", "(a > 0", "a > 0 b", "a in 3", "and a", "f(,)", "a ** ** 2 > 1", "a > $"]


def with_spans(node: object) -> object:
    """The node as data, spans included."""
    fields = getattr(node, "__match_args__", None)
    if fields is None:
        return [with_spans(item) for item in node] if isinstance(node, tuple) else node
    return [type(node).__name__, *(with_spans(getattr(node, field)) for field in fields)]


def reading(read: Callable[[str], object], text: str) -> object:
    """The node, or where it is that it does not go on, or what is wrong with a part."""
    try:
        return with_spans(read(text))
    except UnexpectedToken as error:
        if error.token.type == "$END":
            return len(text), len(text)
        return error.token.span.start, error.token.span.stop
    except Unexpected as error:
        return error.start, error.stop
    except Failure as failure:
        return failure.code, failure.span


def by_lark(text: str) -> object:
    return reading(_parser().parse, text)


def by_driver(text: str) -> object:
    return reading(_driver().parse, text)


def test_every_text_of_the_corpora_reads_as_with_lark() -> None:
    """Each twice: steps that are remembered are the same steps."""
    for text in TEXTS * 2:
        assert by_driver(text) == by_lark(text)


@pytest.mark.parametrize("text", [*BROKEN, *(text[:-1] for text in TEXTS[::7]), *(text[1:] for text in TEXTS[::7])])
def test_what_does_not_read_stops_at_the_same_token(text: str) -> None:
    """Cut at either end, or broken otherwise."""
    assert by_driver(text) == by_lark(text)
