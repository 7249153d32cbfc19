"""The languages that constraints can be written out in; the forms of other systems are `dynconstraints.interop`'s."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any

from dynconstraints.ir.nodes import conjunction
from dynconstraints.system import ConstraintSystem


def to_smtlib(system: ConstraintSystem) -> str:
    """A script that ends in ``(check-sat)``."""
    return system.to_smtlib().rstrip("\n")


def to_sympy(system: ConstraintSystem) -> str:
    """A Python source that builds the conjunction, named ``constraints``, of sympy's nodes."""
    from dynconstraints.lowering.sympy_source import sympy_source

    return sympy_source(_conjunction(system), system.reals)


def to_holds(system: ConstraintSystem) -> str:
    """The source of a function ``holds`` of the names, in their order in the constraints."""
    from dynconstraints.lowering.to_closure import python_source

    return python_source(_conjunction(system), system.symbols, floats=bool(system.reals))


def to_json(system: ConstraintSystem) -> str:
    """The syntax trees: each node an object, its class as ``node`` and its fields by name."""
    import json

    trees = [{"text": constraint.text, "formula": _tree(constraint.formula)} for constraint in system]
    return json.dumps({"symbols": list(system.symbols), "constraints": trees}, indent=2, ensure_ascii=False)


TRANSLATIONS: dict[str, Callable[[ConstraintSystem], str]] = {
    "smtlib": to_smtlib,
    "sympy": to_sympy,
    "python": to_holds,
    "json": to_json,
}


def _conjunction(system: ConstraintSystem) -> Any:
    return conjunction(tuple(constraint.formula for constraint in system))


def _tree(value: Any) -> Any:
    match value:
        case tuple():
            return [_tree(item) for item in value]
        case Enum():
            return value.value
        case int() | float() | str():
            return value
    parts = {name: _tree(getattr(value, name)) for name in value.__match_args__ if name != "span"}
    return {"node": type(value).__name__, **parts}
