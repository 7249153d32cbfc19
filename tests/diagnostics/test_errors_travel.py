"""Whatever carries an error elsewhere, by pickle, by its arguments or by its text alone, the text arrives."""

from __future__ import annotations

import builtins
import copy
import pickle
import sys
import textwrap
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from importlib import import_module
from multiprocessing import get_context
from multiprocessing.pool import ExceptionWithTraceback

import pytest

import dynconstraints
from dynconstraints import ConstraintError, ConstraintSystem, ConstraintViolationError, parse
from dynconstraints.diagnostics import errors
from dynconstraints.diagnostics.diagnostic import Diagnostic, Label
from dynconstraints.diagnostics.source import Source, Span

SAID = Diagnostic("DC301", "constraint violated: n % 8 == 0", (Label(Source("n % 8 == 0"), Span(0, 1), "n = 17"),))
TEXT = """\
error[DC301]: constraint violated: n % 8 == 0
    n % 8 == 0
    ^    n = 17"""
DATA = {
    errors.InconsistentConstraintsError: {"core": (parse("a > 1"), parse("a < 1"))},
    errors.ConstraintViolationError: {"constraint": parse("n % 8 == 0"), "values": {"n": 17}},
    errors.IntegerRangeError: {"constraint": None, "values": {"n": 2**70}},
    errors.UnboundNameError: {"name": "n"},
    errors.ConflictingBindingError: {"name": "n", "values": (3, 4)},
    errors.SolverLimitError: {"limit": "rlimit"},
}


def tree(kind: type[ConstraintError]) -> Iterator[type[ConstraintError]]:
    """The class and all that derive from it, but those that the tests of others have made on their way."""
    yield kind
    for below in kind.__subclasses__():
        if getattr(import_module(below.__module__), below.__qualname__, None) is below:
            yield from tree(below)


CLASSES = list(dict.fromkeys(tree(ConstraintError)))
each_class = pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)


def made(kind: type[ConstraintError]) -> ConstraintError:
    return kind(SAID, **DATA.get(kind, {}))


def arrives(error: BaseException, kind: type[ConstraintError], *, with_data: bool = True) -> None:
    """The same class, text, code, and data; and every attribute can be read."""
    assert type(error) is kind
    assert isinstance(error, ConstraintError)
    assert TEXT in str(error)
    assert TEXT in "".join(traceback.format_exception_only(error))
    assert error.code == "DC301"
    for name, value in DATA.get(kind, {}).items():
        assert (getattr(error, name) == value) if with_data else hasattr(error, name)


def test_every_class_of_the_package_is_in_the_tree() -> None:
    """No error of ours is defined beside them."""
    defined = {kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, ConstraintError)}
    assert defined == {*CLASSES}
    public = {getattr(dynconstraints, name) for name in dynconstraints.__all__ if name.endswith("Error")}
    assert public < {*CLASSES}


@each_class
def test_the_text_is_the_first_argument(kind: type[ConstraintError]) -> None:
    """As of Python's own errors: who logs `args`, or `repr`, has it."""
    assert made(kind).args[0] == str(made(kind)) == TEXT
    assert "constraint violated" in repr(made(kind))


@each_class
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickles_and_copies_are_the_error(kind: type[ConstraintError], protocol: int) -> None:
    """With its diagnostic, its data, what users set on it, and notes."""
    error = made(kind)
    error.sample = 3  # type: ignore[attr-defined]
    error.__notes__ = ["in epoch 2"]
    for same in (pickle.loads(pickle.dumps(error, protocol)), copy.copy(error), copy.deepcopy(error)):
        arrives(same, kind)
        assert same.diagnostic == error.diagnostic
        assert (same.sample, same.__notes__) == (3, ["in epoch 2"])


CARRIERS: dict[str, tuple[Callable[[ConstraintError], BaseException], bool]] = {
    "by its text": (lambda error: type(error)(str(error)), False),
    "in a longer text": (lambda error: type(error)(f"Caught it in worker 0.\nOriginal: {error}\n"), False),
    "as an argument": (lambda error: type(error)(error), False),
    "by its arguments": (lambda error: type(error)(*error.args), True),
    "a line added": (lambda error: type(error)(f"{error}\nin epoch 2", *error.args[1:]), True),
}


@each_class
@pytest.mark.parametrize("carrier", CARRIERS)
def test_an_error_made_anew_says_the_same(kind: type[ConstraintError], carrier: str) -> None:
    """The code is read from the text."""
    carry, with_data = CARRIERS[carrier]
    arrives(carry(made(kind)), kind, with_data=with_data)


@each_class
def test_a_line_added_in_place_is_said(kind: type[ConstraintError]) -> None:
    """The idiom of adding to the first argument, as torch's pipes of data do; what was said first stays."""
    error = made(kind)
    error.args = (f"{error.args[0]}\nThis exception is thrown by a pipe", *error.args[1:])
    arrives(error, kind)
    arrives(pickle.loads(pickle.dumps(error)), kind)
    assert str(error).endswith("thrown by a pipe")


@each_class
def test_an_error_that_was_never_initialised_has_its_text(kind: type[ConstraintError]) -> None:
    """As some copiers make objects."""
    error = kind.__new__(kind, *made(kind).args)
    assert (str(error), error.code) == (TEXT, "DC301")


@each_class
def test_a_cause_keeps_it(kind: type[ConstraintError]) -> None:
    """`raise from`."""
    with pytest.raises(RuntimeError) as caught:
        raise RuntimeError("the step failed") from made(kind)
    assert TEXT in "".join(traceback.format_exception(caught.value))


@pytest.mark.skipif(sys.version_info < (3, 11), reason="groups of exceptions came with Python 3.11")
@each_class
def test_a_group_keeps_it(kind: type[ConstraintError]) -> None:
    """Split, pickled, and printed with a margin."""
    group = builtins.ExceptionGroup("several", [made(kind), KeyError("other")])
    matching, rest = pickle.loads(pickle.dumps(group)).split(kind)
    arrives(matching.exceptions[0], kind)
    assert [type(error) for error in rest.exceptions] == [KeyError]
    assert textwrap.indent(TEXT, "    | ")[len("    | ") :] in "".join(traceback.format_exception(group))


@each_class
def test_multiprocessing_pools_rebuild_it(kind: type[ConstraintError]) -> None:
    """As its workers send it: with the traceback as the text of its cause."""
    error = pickle.loads(pickle.dumps(ExceptionWithTraceback(made(kind), None)))
    arrives(error, kind)


def violate(size: int) -> None:
    error = ConstraintSystem(["n % 8 == 0"]).violation({"n": size})
    assert error is not None
    raise error


def test_a_pool_of_processes_and_one_of_threads_raise_it_whole() -> None:
    """A fresh process, which has nothing of this one."""
    for pool in (ProcessPoolExecutor(1, mp_context=get_context("spawn")), ThreadPoolExecutor(1)):
        with pool, pytest.raises(ConstraintViolationError) as caught:
            pool.submit(violate, 17).result()
        assert str(caught.value).startswith("error[DC301]: constraint violated: n % 8 == 0\n")
        assert caught.value.values == {"n": 17}
        assert caught.value.constraint == parse("n % 8 == 0")


def test_a_text_that_tells_no_code_is_an_error_all_the_same() -> None:
    """Without a code, and with all of the text."""
    error = ConstraintError("something else")
    assert (str(error), error.code, error.span) == ("something else", "", None)
    assert error.diagnostic == Diagnostic("", "something else")
    assert str(ConstraintError.__new__(ConstraintError)) == ""


@each_class
def test_a_class_can_be_raised_as_it_is(kind: type[ConstraintError]) -> None:
    """As the stand-ins of tests do, and `throw` of generators."""
    with pytest.raises(kind) as caught:
        raise kind
    assert (str(caught.value), caught.value.code) == ("", "")
    for name in DATA.get(kind, {}):
        getattr(caught.value, name)
