"""Signature: the rules of a function's sizes as data, which export, serving and other processes take."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any, Literal

from dynconstraints.diagnostics.source import Source
from dynconstraints.ir.fold import names_in_order, substitute
from dynconstraints.ir.nodes import Name, Term
from dynconstraints.signature.readable import Readable
from dynconstraints.signature.shape import Shape, read_shape
from dynconstraints.signature.written import Written
from dynconstraints.syntax.given import unfit
from dynconstraints.system import ConstraintSystem

OnMissing = Literal["allow", "warn", "error"]
"""What to do where a declared name does not arrive."""

Check = Literal["always", "compiled"]
"""When calls are checked: compiled ones alone, or those in eager, too."""

_VERSION = 1


@dataclass(frozen=True)
class Signature(Readable, Written):
    """The shapes of a function's arguments and results, by path, and the constraints over their names.

    A path is the name of a parameter, and behind dots the keys, indices, fields or attributes that lead to a value:
    ``x``, ``batch.image``, ``pyramid.0``, ``cache.*.key`` for each of several. The path of a lone result is ``""``.

    Attributes:
        arguments: The shape of each path of the arguments.
        returns: The shape of each path of the results.
        system: The constraints over the names.
        on_missing: What is done where a declared name does not arrive: ``"allow"``, ``"warn"`` or ``"error"``.
        check: Which calls are checked: ``"always"``, or ``"compiled"`` ones alone.
        name: The name of the function.
        file: Where it was declared, if that is known; it doesn't count for equality.
        line: The line there.

    Example:
        >>> signature = Signature.of({"x": "b 3 h w"}, ["h % 32 == 0", "w % 32 == 0"])
        >>> signature.names
        ('b', 'h', 'w')
        >>> Signature.from_json(signature.to_json()) == signature
        True
    """

    arguments: Mapping[str, Shape]
    returns: Mapping[str, Shape]
    system: ConstraintSystem
    on_missing: OnMissing = "warn"
    check: Check = "always"
    name: str = ""
    file: str | None = field(default=None, compare=False)
    line: int = field(default=1, compare=False)

    @classmethod
    def of(
        cls,
        arguments: Mapping[str, str],
        constraints: Any = (),
        *,
        returns: Mapping[str, str] | None = None,
        on_missing: OnMissing = "warn",
        check: Check = "always",
        name: str = "",
    ) -> Signature:
        """The signature that texts say.

        Args:
            arguments: The text of each path's shape.
            constraints: One constraint, a collection of them, or a ConstraintSystem.
            returns: The same as ``arguments`` of the results.
            on_missing: What is done where a declared name does not arrive.
            check: Which calls are checked.
            name: The name of the function, for messages.

        Returns:
            The signature.

        Raises:
            ConstraintSyntaxError: A text is no shape, or no constraint.

        Example:
            >>> Signature.of({"x": "b s", "mask": "b s"}, ["s % 8 == 0"]).system
            ConstraintSystem(['s % 8 == 0'])
        """
        system = constraints if isinstance(constraints, ConstraintSystem) else ConstraintSystem(constraints)
        shapes = _shapes(arguments), _shapes(returns or {})
        return cls(*shapes, system, on_missing, check, name)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names that the arguments give values to, in the order of the paths."""
        return tuple(dict.fromkeys(name for shape in self.arguments.values() for name in _in_order(shape)))

    def to_json(self) -> str:
        """The signature as JSON: an object of texts, the same in every release that reads ``version`` 1.

        Returns:
            The text.

        Example:
            >>> Signature.of({"x": "n"}, ["n > 1"], name="f").to_json()
            '{"version": 1, "name": "f", "arguments": {"x": "n"}, "returns": {}, "constraints": ["n > 1"], "reals": [], "on_missing": "warn", "check": "always"}'
        """  # noqa: E501  one line of output
        return json.dumps(
            {
                "version": _VERSION,
                "name": self.name,
                "arguments": {path: shape.text for path, shape in self.arguments.items()},
                "returns": {path: shape.text for path, shape in self.returns.items()},
                "constraints": [constraint.text for constraint in self.system.constraints],
                "reals": sorted(self.system.reals),
                "on_missing": self.on_missing,
                "check": self.check,
            }
        )

    @classmethod
    def from_json(cls, text: str) -> Signature:
        """The signature that `to_json` wrote.

        Args:
            text: The JSON.

        Returns:
            The signature.

        Raises:
            ArgumentError: It is no such text, or of a later version.
            ConstraintSyntaxError: A text in it is no shape, or no constraint.

        Example:
            >>> Signature.from_json('{"version": 1, "arguments": {"x": "n"}, "constraints": ["n > 1"]}').names
            ('n',)
        """
        try:
            read = json.loads(text)
        except (TypeError, ValueError) as error:
            raise unfit(text, f"not the JSON of a signature: {error}", "pass what Signature.to_json() made") from None
        if not isinstance(read, dict) or not isinstance(read.get("arguments"), dict):
            raise unfit(text, "not the JSON of a signature: it has no arguments", "pass what Signature.to_json() made")
        if read.get("version") != _VERSION:
            wrong = f"a signature of version {read.get('version')!r}, where {_VERSION} is known"
            raise unfit(text, wrong, "update dynconstraints where it is read")
        return cls.of(
            read["arguments"],
            ConstraintSystem(read.get("constraints", ())).typed(read.get("reals", ())),
            returns=read.get("returns", {}),
            on_missing=read.get("on_missing", "warn"),
            check=read.get("check", "always"),
            name=read.get("name", ""),
        )

    def placed(self, file: str | None, line: int) -> Signature:
        """The same, declared at another place."""
        return replace(self, file=file, line=line)

    def renamed(self, names: Mapping[str, Term]) -> Signature:
        """The same over other names."""
        constraints = tuple(replace(c, formula=substitute(c.formula, names)) for c in self.system.constraints)
        system = ConstraintSystem(constraints, reals=[str(names.get(n, Name(n))) for n in self.system.reals])
        shapes = {path: shape.renamed(names) for path, shape in self.arguments.items()}
        return replace(self, arguments=shapes, system=system)

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (self.to_json(), self.file, self.line)

    def __copy__(self) -> Signature:
        return self

    def __deepcopy__(self, memo: object) -> Signature:
        return self

    def __hash__(self) -> int:
        return hash((tuple(self.arguments.items()), self.system))

    def __repr__(self) -> str:
        texts = ", ".join(f'{path}="{shape}"' for path, shape in self.arguments.items())
        constraints = [c.text for c in self.system.constraints]
        more = (f"constraints={constraints!r}",) if constraints else ()
        return f"Signature({', '.join((*((texts,) if texts else ()), *more))})"


def _restored(text: str, file: str | None, line: int) -> Signature:
    return Signature.from_json(text).placed(file, line)


def _shapes(texts: Mapping[str, str]) -> Mapping[str, Shape]:
    return MappingProxyType({path: read_shape(Source(text, f'{path}="{text}"')) for path, text in texts.items()})


def _in_order(shape: Shape) -> tuple[str, ...]:
    return tuple(dict.fromkeys(n for term in shape.sizes if term is not None for n in names_in_order(term)))
