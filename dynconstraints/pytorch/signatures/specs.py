"""What torch's own `dynamic_spec` says of a function's sizes: the ShapesSpec that the decorator leaves on it.

Its variables are told apart by their identity, not by their names; a second one of a name gets a number here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from dynconstraints.diagnostics.diagnostic import Diagnostic, Label
from dynconstraints.diagnostics.errors import ArgumentError
from dynconstraints.diagnostics.source import Source, Span
from dynconstraints.ir.printer import show
from dynconstraints.pytorch._torch.release import DYNAMIC_SPEC
from dynconstraints.pytorch.signatures.parameters import collecting
from dynconstraints.signature.shape import ANY, Shape, read_shape
from dynconstraints.syntax.parser import parse

_RELATIONS = {
    "Equality": "==",
    "Unequality": "!=",
    "LessThan": "<=",
    "StrictLessThan": "<",
    "GreaterThan": ">=",
    "StrictGreaterThan": ">",
}
_FORMS: dict[str, Callable[[list[str]], str]] = {
    "Add": lambda args: f"({'+'.join(args)})",
    "Mul": lambda args: "*".join(args),
    "Pow": "**".join,
    **dict.fromkeys(("FloorDiv", "CleanDiv"), lambda args: f"({'//'.join(args)})"),
    **dict.fromkeys(("Mod", "PythonMod"), lambda args: f"({'%'.join(args)})"),
    "Min": lambda args: f"min({','.join(args)})",
    "Max": lambda args: f"max({','.join(args)})",
    "Abs": lambda args: f"abs({args[0]})",
    "And": lambda args: f"({' and '.join(args)})",
    "Or": lambda args: f"({' or '.join(args)})",
    "Not": lambda args: f"(not {args[0]})",
}
"""How the language writes what sympy and torch have as functions, by the names of their classes."""


@dataclass(frozen=True)
class Specified:
    """The shapes that a spec tells, by path, and the constraints."""

    arguments: Mapping[str, Shape] = field(default_factory=dict)
    constraints: tuple[str, ...] = ()


def specified(function: Any) -> Specified:
    """What the function's spec says, where it has one. Raises ArgumentError for what the language has no words for."""
    spec = getattr(function, DYNAMIC_SPEC, None)
    params = getattr(spec, "_params", None)
    if params is None:
        return Specified()
    reading = _Reading()
    rest, more = collecting(function.__code__)
    roots = {**params._named_args, rest: params._varargs, more: params._varkw}  # noqa: SLF001  no other way in 2.15
    found = [pair for path, each in roots.items() if path and each is not None for pair in reading.shapes(path, each)]
    shapes = {path: read_shape(Source(text, f"{path}: {text!r}")) for path, text in found if set(text.split()) != {ANY}}
    assumed = [show(parse(reading.text(each.node.expr)).formula) for each in getattr(spec, "_assumptions", ())]
    return Specified(shapes, (*reading.ranges(), *assumed))


class _Reading:
    """The variables of one spec, as they are met, and the names that they get."""

    def __init__(self) -> None:
        self.names: dict[Any, str] = {}
        self.variables: dict[str, Any] = {}

    def shapes(self, path: str, spec: Any) -> Iterator[tuple[str, str]]:
        """The paths at which the spec says something, and the texts of their shapes."""
        kind = type(spec).__name__
        if kind == "TensorSpec":
            yield path, " ".join(self._size(size, f"{path}_{i}") for i, size in enumerate(spec))
        elif kind in ("ObjectSpec", "DictSpec") or issubclass(type(spec), dict):
            for key, each in spec.items():
                yield from self.shapes(f"{path}.{key}", each)
        elif kind == "SeqSpec" or issubclass(type(spec), list | tuple):
            entries = getattr(spec, "_entries", getattr(spec, "_specs", spec))
            for index, each in enumerate(entries):
                yield from self.shapes(f"{path}.{index}", each)
        elif hasattr(spec, "node"):
            yield path, self._size(spec, path)

    def _size(self, size: Any, place: str) -> str:
        if type(size) is int:
            return str(size)
        if not hasattr(size, "node"):
            return ANY
        if hasattr(size, "sympy_sym"):
            self.variables[self._name(size.sympy_sym, place.replace(".", "_"))] = size
        return self.text(size.node.expr)

    def _name(self, symbol: Any, place: str = "size") -> str:
        """What a variable is called: as the user called it, or by the first place where it stands."""
        if symbol not in self.names:
            said = str(symbol).partition("#")[0]
            own = said if said.isidentifier() and said != "anon" else place
            every = [own, *(f"{own}_{number}" for number in range(2, len(self.names) + 3))]
            self.names[symbol] = next(name for name in every if name not in self.names.values())
        return self.names[symbol]

    def ranges(self) -> Iterator[str]:
        """What the variables say of themselves; no size is below 0 anyway."""
        for name, variable in self.variables.items():
            if variable.min:
                yield f"{name} >= {variable.min}"
            if variable.max is not None:
                yield f"{name} <= {variable.max}"

    def text(self, expr: Any) -> str:
        """The expression in the language, without blanks around what it computes."""
        kind = type(expr).__name__
        if expr.is_Symbol:
            return self._name(expr)
        if getattr(expr, "is_Integer", False):
            return str(int(expr))
        args = [self.text(each) for each in expr.args]
        if kind in _RELATIONS:
            return f"{args[0]} {_RELATIONS[kind]} {args[1]}"
        if kind not in _FORMS:
            what = f"torch's dynamic_spec says something that constraints have no words for: {expr}"
            fix = "leave it out of the spec, and declare the rest of what it means by constraints"
            label = Label(Source(str(expr)), Span(0, len(str(expr))))
            raise ArgumentError(Diagnostic("DC406", what, (label,), help=(fix,)))
        return _FORMS[kind](args)
