"""The docstrings of the public callables: one form, and examples that run and say what they show."""

from __future__ import annotations

import doctest
import inspect
import re
from typing import Any

import pytest

import dynconstraints

SECTIONS = ("Args", "Attributes", "Returns", "Yields", "Raises", "Example", "Source")
_TITLE = re.compile(r"^([A-Z]\w+):$", re.MULTILINE)


def callables() -> dict[str, Any]:
    """The public functions and classes, and the public methods of `ConstraintSystem` and `Constraint`."""
    found = {name: getattr(dynconstraints, name) for name in dynconstraints.__all__}
    plain = {name: one for name, one in found.items() if not name.endswith("Error") and not hasattr(one, "__bool__")}
    for kind in (dynconstraints.ConstraintSystem, dynconstraints.Constraint):
        for name, method in vars(kind).items():
            if not name.startswith("_") and inspect.isfunction(method) and f"{kind.__name__}.{name}" not in _INSIDE:
                plain[f"{kind.__name__}.{name}"] = method
    return plain


_INSIDE = {"ConstraintSystem.typed", "ConstraintSystem.inconsistency", "Constraint.label"}
"""What users have no need of."""

CALLABLES = callables()
each = pytest.mark.parametrize("name", CALLABLES)


@each
def test_a_docstring_has_the_one_form(name: str) -> None:
    """Meaning first, then sections in one order; every parameter is told of, and an example is there."""
    one, text = CALLABLES[name], inspect.getdoc(CALLABLES[name]) or ""
    first = text.split("\n")[0]
    assert first.endswith(".")
    titles = _TITLE.findall(text)
    assert titles == sorted(titles, key=SECTIONS.index)
    assert "Example" in titles
    parameters = [
        p.name
        for p in inspect.signature(one).parameters.values()
        if p.name not in ("self", "cls", "more") and "NoReturn" not in str(p.annotation)
    ]
    told = re.findall(r"^    \*{0,2}(\w+): ", _section(text, "Args") + _section(text, "Attributes"), re.MULTILINE)
    assert [p for p in parameters if p not in told] == []
    if not inspect.isclass(one):
        assert {"Returns", "Yields"} & set(titles)


def _section(text: str, title: str) -> str:
    match = re.search(rf"^{title}:\n((?:    .*\n|\n)*)", text + "\n", re.MULTILINE)
    return match[1] if match else ""


@each
def test_an_example_says_what_it_shows(name: str) -> None:
    """Run with the public names, and torch where it is needed."""
    names = {public: getattr(dynconstraints, public) for public in dynconstraints.__all__}
    found = doctest.DocTestFinder(recurse=False).find(CALLABLES[name], name, globs=names)
    assert sum(len(test.examples) for test in found) > 0
    runner = doctest.DocTestRunner(verbose=False, optionflags=doctest.NORMALIZE_WHITESPACE)
    said: list[str] = []
    for test in found:
        runner.run(test, out=said.append, clear_globs=False)  # Dynamo takes its own out of them later
    assert not said, "".join(said)
