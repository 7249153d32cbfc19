"""One text where several are wanted, and what else is no list of constraints, names or values: read as meant, or told.

Python would take the text for its letters, and a second text for another parameter.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from dynconstraints import ConstraintSyntaxError, ConstraintSystem, Sat, parse
from dynconstraints.diagnostics.errors import ArgumentError

SIZES = ConstraintSystem(["n % 32 == 0", "m == 2*n"])
TALL = ConstraintSystem(["height % 2 == 0"])

FORMS: dict[str, Callable[[str], Any]] = {
    "text": lambda text: text,
    "list": lambda text: [text],
    "tuple": lambda text: (text,),
    "set": lambda text: {text},
    "generator": lambda text: (one for one in [text]),
    "keys": lambda text: {text: None},
}
each_form = pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)


@each_form
def test_one_text_is_one_constraint(form: Callable[[str], Any]) -> None:
    """Alone or in any collection."""
    assert ConstraintSystem(form("a > 1")) == ConstraintSystem([parse("a > 1")]) == ConstraintSystem(parse("a > 1"))
    assert SIZES.extend(form("n > 1")) == ConstraintSystem(["n % 32 == 0", "m == 2*n", "n > 1"])


@each_form
def test_one_text_is_one_name(form: Callable[[str], Any]) -> None:
    """Whatever letters it has: none of them is a name."""
    assert TALL.unbound(form("height")) == ()
    assert TALL.unbound(form("h")) == ("height",)
    projected = TALL.project(form("height"))
    assert (projected.system, projected.exact) == (TALL, True)
    assert [str(c) for c in SIZES.project(form("m"))] == [str(c) for c in SIZES.project(["m"])] != []
    assert len(SIZES.project(form("nm")).system) == len(SIZES.project(["nm"]).system) == 0
    assert ConstraintSystem("10*lr <= 1", reals=form("lr")).reals == {"lr"}
    assert SIZES.typed(form("height")).reals == {"height"}


def test_names_are_spelled_as_the_language_spells_them() -> None:
    """It reads the micro sign as the Greek letter, as Python does."""
    system = ConstraintSystem(["\u00b5 > 3"])
    assert system.symbols == ("\u03bc",)
    assert system.unbound("\u00b5") == ()


SEVERAL = {
    'ConstraintSystem("a > 1", "a < 3")': (
        lambda: ConstraintSystem("a > 1", "a < 3"),
        """\
error[DC155]: ConstraintSystem takes one list of constraints, not 2 arguments
    'a < 3'
    ^^^^^^^
  help: write ConstraintSystem(["a > 1", "a < 3"])""",
    ),
    'ConstraintSystem(["a > 1"], ["a < 3"])': (
        lambda: ConstraintSystem(["a > 1"], ["a < 3"]),
        """\
error[DC155]: ConstraintSystem takes one list of constraints, not 2 arguments
    ['a < 3']
    ^^^^^^^^^
  help: write ConstraintSystem([...]); the names of floats are given as reals=[...]""",
    ),
    'extend("n > 1", "n > 2")': (
        lambda: SIZES.extend("n > 1", "n > 2", "n > 3"),
        """\
error[DC155]: extend takes one list of constraints, not 3 arguments
    'n > 2'
    ^^^^^^^
  help: write extend(["n > 1", "n > 2", "n > 3"])""",
    ),
    'project("n", "m")': (
        lambda: SIZES.project("n", "m"),
        """\
error[DC155]: not a limit: 'm'
    'm'
    ^^^
  help: several constraints, or names, go in one list; a limit is an int, as in limit=1_000_000, or left out""",
    ),
    'project("n, m")': (
        lambda: SIZES.project("n, m"),
        """\
error[DC155]: not a name: 'n, m'
    'n, m'
    ^^^^^^
  help: a name is an identifier such as s0 or batch; several are a list of texts""",
    ),
    "project([1])": (
        lambda: SIZES.project([1]),
        """\
error[DC155]: a name is a text, not int: 1
    1
    ^
  help: a name is an identifier such as s0 or batch; several are a list of texts""",
    ),
    "unbound(5)": (
        lambda: SIZES.unbound(5),
        """\
error[DC155]: names are a text or a list of texts, not int
    5
    ^
  help: write ["s0", "s1"]""",
    ),
    "ConstraintSystem(None)": (
        lambda: ConstraintSystem(None),
        """\
error[DC155]: constraints are a text or a list of texts, not NoneType
    None
    ^^^^
  help: write one as "s0 % 32 == 0", several as ["s0 % 32 == 0", "s0 >= 32"], none as ()""",
    ),
    'nearest("n")': (
        lambda: SIZES.nearest("n"),
        """\
error[DC155]: values are a mapping from names to numbers, not str
    'n'
    ^^^
  help: write {"s0": 64}""",
    ),
}


@pytest.mark.parametrize("call", SEVERAL)
def test_what_may_mean_something_else_is_refused(call: str) -> None:
    """A TypeError, as Python's own, which says what to write."""
    act, text = SEVERAL[call]
    with pytest.raises(ArgumentError) as caught:
        act()
    assert str(caught.value) == text
    assert isinstance(caught.value, TypeError)


LIMITED: list[Callable[[ConstraintSystem, Any], object]] = [
    lambda s, limit: s.check(limit),
    lambda s, limit: s.implies("n > 1", limit),
    lambda s, limit: s.range("n", limit),
    lambda s, limit: s.bounds("n", limit),
    lambda s, limit: s.congruence("n", limit),
    lambda s, limit: s.facts(limit),
    lambda s, limit: s.cores(2, limit),
    lambda s, limit: s.nearest({"n": 3}, limit),
    lambda s, limit: s.sample(2, 0, limit),
    lambda s, limit: list(s.enumerate(limit)),
    lambda s, limit: s.count(limit),
    lambda s, limit: s.minimize(limit),
    lambda s, limit: s.project("n", limit),
    lambda s, limit: s.violation({"n": 3}, limit),
]


@pytest.mark.parametrize("ask", LIMITED)
@pytest.mark.parametrize("texts", [["n % 32 == 0", "32 <= n <= 64"], ["0.5 <= n <= 0.75"]], ids=["ints", "floats"])
def test_a_second_text_is_never_dropped_as_a_limit(
    ask: Callable[[ConstraintSystem, Any], object], texts: list[str]
) -> None:
    """In the place of a limit it is refused, by every question; numbers are taken there as before."""
    with pytest.raises(ArgumentError, match=r"not a limit: 'm > 1'"):
        ask(ConstraintSystem(texts), "m > 1")


@pytest.mark.parametrize("given", [5, None, 2.5, b"a > 1", object()])
def test_what_is_no_collection_is_told(given: Any) -> None:
    """Wherever constraints are taken."""
    with pytest.raises(ArgumentError):
        SIZES.cores("n")
    for name_taker in (SIZES.project, SIZES.unbound, SIZES.typed, lambda given: ConstraintSystem("a > 1", reals=given)):
        if given is not None and not isinstance(given, bytes):
            with pytest.raises(ArgumentError, match="names are a text or a list of texts"):
                name_taker(given)
    for take in (ConstraintSystem, SIZES.extend):
        with pytest.raises(ArgumentError, match="constraints are a text or a list of texts"):
            take(given)


@pytest.mark.parametrize("given", [[["a > 1"]], [5], [None], [b"a > 1"], [True], [("a > 1", "b > 1")]])
def test_what_is_no_text_in_a_collection_is_told(given: Iterable[Any]) -> None:
    """As a constraint that is no text."""
    for take in (ConstraintSystem, SIZES.extend):
        with pytest.raises(ConstraintSyntaxError, match=r"DC127.*a constraint is a text, not"):
            take(given)


@pytest.mark.parametrize("query", [["n > 1", "m > 1"], ("n > 1",), {"n > 1"}])
def test_several_queries_are_not_one(query: Any) -> None:
    """`implies` asks about one constraint, `bounds` about one expression."""
    for ask in (SIZES.implies, SIZES.bounds, SIZES.range, SIZES.congruence, parse):
        with pytest.raises(ConstraintSyntaxError, match="one is wanted here: join them with `and`"):
            ask(query)
    with pytest.raises(TypeError, match="positional"):
        parse("a > 1", "a < 3")  # the second would be where the first is from


def test_reals_are_named() -> None:
    """The names of floats stay said through extension, conjunction and pickles."""
    system = ConstraintSystem("10*lr <= 1", reals="lr")
    for more in (
        system.extend("lr >= 0"),
        system & ConstraintSystem(["lr >= 0"]),
        ConstraintSystem(["lr >= 0"]) & system,
        pickle.loads(pickle.dumps(system)).extend(["lr >= 0"]),
    ):
        assert more.reals == {"lr"}
        assert isinstance(more.extend("lr > 0").check(), Sat)
    assert ConstraintSystem(["x < 2.5"]).extend("x % 2 == 0").reals == frozenset()  # inferred of all together, as ever
