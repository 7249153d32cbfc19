"""Text that is made of declared ints in a trace: put together when it is looked at, which a message never is.

``torch._assert(h % 16 == 0, f"height {h} …")`` makes its message before the call, and nobody reads it where the height
is a multiple. What stands for the text in the trace is therefore a recipe. Whoever looks at it makes the ints constants
of the graph; where the graph ends, be it at its results or at a graph break, the recipe is carried
out in Python, with the ints of each call.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from dynconstraints.pytorch._torch import dynamo, trace

_PLACE = re.compile(r"%(?:(%)|(s)|(0?\d*)[di])")
"""A place in a text that ``%`` fills as a format does: a percent sign, anything's text, or an int of a width."""


def text_of(template: str, args: Sequence[Any], kwargs: Mapping[str, Any] | None = None) -> Any:
    """The variable of ``template.format(*args, **kwargs)``, of which nothing is looked at yet."""
    return trace.lazy_text().Variable(_recipe_class()(template, list(args), dict(kwargs or {})))


def recipe_of(variable: Any) -> Any:
    """The recipe, where the variable is such a text and nobody has looked at it; None elsewhere."""
    seen = trace.unseen_value(variable)
    return seen if isinstance(seen, _recipe_class()) else None


def joined(parts: Iterable[Any]) -> Any:
    """The variable of the texts one after the other; None where one of them is no text that is known to be one."""
    template = ""
    args: list[Any] = []
    for part in parts:
        if recipe_of(part) is not None:
            template, args = template + "{}", [*args, part]
        elif part.is_python_constant() and isinstance(part.as_python_constant(), str):
            template += part.as_python_constant().replace("{", "{{").replace("}", "}}")
        else:
            return None
    return text_of(template, args)


def filled(text: str, values: Any, is_int: Callable[[Any], bool]) -> Any:
    """The variable of ``text % values``; None where a format has no words for it."""
    items = list(values.items) if type(values) is dynamo.dynamo().TupleVariable else [values]
    places = [match for match in _PLACE.finditer(text) if not match[1]]
    if "%" in _PLACE.sub("", text) or len(places) != len(items):
        return None
    if not all(place[2] or is_int(item) for place, item in zip(places, items, strict=True)):
        return None

    def format_of(place: re.Match[str]) -> str:
        return "%" if place[1] else "{!s}" if place[2] else "{:" + place[3] + "d}"

    return text_of(_PLACE.sub(format_of, text.replace("{", "{{").replace("}", "}}")), items)


def constant(tx: Any, variable: Any) -> Any:
    """The variable as a constant: a symbolic int by its value, guarded, also of those in a tuple, and text of such;
    anything else as it is."""
    d = dynamo.dynamo()
    if (recipe := recipe_of(variable)) is not None:
        return d.ConstantVariable.create(recipe.text(tx))
    found = variable.realize()
    if type(found) is d.TupleVariable:
        return d.TupleVariable([constant(tx, item) for item in found.items])
    is_int = isinstance(found, d.SymNodeVariable) and found.python_type() is int
    return d.ConstantVariable.create(found.evaluate_expr(tx.output)) if is_int else found


@cache
def _recipe_class() -> Any:
    """What torch asks for the variable that stands in for one which nobody has looked at."""
    torch_has = trace.lazy_text()

    class Recipe(torch_has.Cache):  # type: ignore[misc, name-defined]  # torch's classes come untyped
        def __init__(self, template: str, args: list[Any], kwargs: dict[str, Any]) -> None:
            super().__init__(self, self)  # what is not looked at is the recipe, and so is where it comes from
            self.template, self.args, self.kwargs = template, args, kwargs

        def realize(self) -> None:
            tx = trace.current_trace()
            if tx is None or trace.is_ending(tx):
                self.vt = torch_has.Formatted(self.template, self.args, self.kwargs)
            else:
                self.vt = dynamo.dynamo().ConstantVariable.create(self.text(tx))

        def text(self, tx: Any) -> str:
            args = [constant(tx, arg).as_python_constant() for arg in self.args]
            kwargs = {name: constant(tx, arg).as_python_constant() for name, arg in self.kwargs.items()}
            return self.template.format(*args, **kwargs)

    return Recipe
