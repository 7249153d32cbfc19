"""What an exported program carries of its declaration, as JSON in its metadata, and the check of a call by it.

torch keeps the metadata in files, and hands it on to what is made of the program.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import torch

from dynconstraints.diagnostics.errors import ConstraintError
from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.nodes import Term
from dynconstraints.ir.printer import show
from dynconstraints.pytorch.declarations.declaration import Binding, Declaration, system_of
from dynconstraints.pytorch.declarations.user_location import Place as Said
from dynconstraints.pytorch.declarations.user_location import located
from dynconstraints.pytorch.declarations.violation_error import violation
from dynconstraints.pytorch.exporting.places import Place
from dynconstraints.pytorch.values.size_equations import Position, declare_sizes, term_of
from dynconstraints.syntax.given import unfit
from dynconstraints.syntax.parser import parse
from dynconstraints.system import ConstraintSystem

METADATA = "dynconstraints"
"""The key in what a program's metadata has for others than torch."""

_VERSION = 1
_PROGRAM = Said("the declaration that the program was exported with")
_MOST_CALLS = 4096


@dataclass(frozen=True)
class Input:
    """One of the flat inputs: its number, how users call it, and what guards of the program say for it."""

    leaf: int
    path: str
    access: str


@dataclass(frozen=True)
class Contract:
    """The declared inputs of a program, the constraints, and the conditions that the program adds.

    ``floats`` are declared and constants of the program.
    """

    inputs: Mapping[int, Input]
    places: tuple[Place, ...]
    constraints: tuple[Constraint, ...]
    floats: Mapping[str, float]
    narrowed: tuple[Constraint, ...] = ()
    _accepted: set[tuple[Any, ...]] = field(default_factory=set, compare=False, repr=False)

    @cached_property
    def system(self) -> ConstraintSystem:
        """The constraints, and the conditions that the program adds."""
        return system_of((*self.constraints, *self.narrowed), frozenset(self.floats))

    def to_json(self) -> dict[str, Any]:
        """The contract as what JSON has."""
        return {
            "version": _VERSION,
            "inputs": [[i.leaf, i.path, i.access] for i in self.inputs.values()],
            "places": [[p.leaf, p.dimension, show(p.term)] for p in self.places],
            "constraints": [_plain(c) for c in self.constraints],
            "narrowed": [_plain(c) for c in self.narrowed],
            "floats": {name: value.hex() for name, value in self.floats.items()},
        }

    @classmethod
    def from_json(cls, plain: Any) -> Contract:
        """The contract that `to_json` wrote. Raises ArgumentError for what it did not write, or a later release."""
        if isinstance(plain, Mapping) and plain.get("version", _VERSION) != _VERSION:
            wrong = f"the program has a contract of version {plain['version']!r}, where {_VERSION} is known"
            raise unfit(METADATA, wrong, "update dynconstraints where the program is loaded")
        try:
            return cls._read(plain)
        except (AttributeError, KeyError, TypeError, ValueError):
            wrong = "the contract of the program is damaged"
            raise unfit(METADATA, wrong, "export the program anew, or take what is there out of its metadata") from None

    @classmethod
    def _read(cls, plain: Mapping[str, Any]) -> Contract:
        inputs = [Input(leaf, path, access) for leaf, path, access in plain["inputs"]]
        return cls(
            {i.leaf: i for i in inputs},
            tuple(Place(leaf, dimension, term_of(text, _PROGRAM)) for leaf, dimension, text in plain["places"]),
            tuple(map(_constraint, plain["constraints"])),
            {name: float.fromhex(value) for name, value in plain["floats"].items()},
            tuple(map(_constraint, plain["narrowed"])),
        )

    def narrowed_by(self, more: tuple[Constraint, ...]) -> Contract:
        """The same with more conditions of the program."""
        return replace(self, narrowed=tuple(dict.fromkeys((*self.narrowed, *more))), _accepted=set())

    def check(self, leaves: Sequence[Any]) -> None:
        """Raises the ConstraintError of a call with these flat inputs. One that is traced is nobody's.

        Inputs of another form than declared are left to torch.
        """
        sizes = self._sizes(leaves)
        if sizes is not None and sizes not in self._accepted:
            self._declared(sizes)
            if len(self._accepted) >= _MOST_CALLS:
                self._accepted.clear()
            self._accepted.add(sizes)

    def declared_by(self, leaves: Sequence[Any]) -> Declaration | None:
        """What a call with these flat inputs declares; None for one of another form. Raises as `check`."""
        sizes = self._sizes(leaves)
        return None if sizes is None else self._declared(sizes)

    def _declared(self, sizes: tuple[Any, ...]) -> Declaration:
        terms: dict[Any, Term] = {}
        known: dict[Any, int] = {}
        floats: list[Binding] = []
        for place, size in zip(self.places, sizes, strict=True):
            path = self.inputs[place.leaf].path
            if isinstance(size, float):
                floats.append(Binding(show(place.term), size, self.constraints))  # type: ignore[arg-type]
            else:
                at = Position(path, place.dimension, show(place.term))
                terms[at], known[at] = place.term, size
        said = self._said
        try:
            call = declare_sizes(terms, known, floats, self.constraints, said)
        except ConstraintError as error:
            raise located(error, said) from None
        broken = tuple(
            c for c in self.narrowed if call.bindings.keys() >= set(c.symbols) and not c.holds(call.bindings)
        )
        if broken:
            raise violation(broken, dict(call.bindings), call.places)
        return call

    @cached_property
    def _said(self) -> Said:
        """Where the first of the constraints was said."""
        sources = [c.source for c in self.constraints if c.source.origin is not None]
        return Said(sources[0].origin or "", sources[0].file, sources[0].line) if sources else _PROGRAM

    def _sizes(self, leaves: Sequence[Any]) -> tuple[Any, ...] | None:
        found = []
        for place in self.places:
            value = leaves[place.leaf] if place.leaf < len(leaves) else None
            if place.dimension is not None:
                if not isinstance(value, torch.Tensor) or place.dimension >= value.dim():
                    return None
                value = value.shape[place.dimension]
                if type(value) is not int:
                    return None
            elif not isinstance(value, int | float):
                return None
            found.append(float(value) if isinstance(value, float) else int(value))
        return tuple(found)


def carried(owner: Any) -> Contract | None:
    """What a graph module, or a module made of a program, carries in its metadata. Raises as `Contract.from_json`."""
    meta = getattr(owner, "meta", None)
    found = meta.get("custom", {}).get(METADATA) if isinstance(meta, dict) else None
    return None if found is None else Contract.from_json(found)


def carry(owner: Any, contract: Contract) -> None:
    """Have a graph module carry it."""
    owner.meta["custom"] = {**owner.meta.get("custom", {}), METADATA: contract.to_json()}


def _plain(constraint: Constraint) -> list[Any]:
    source = constraint.source
    return [constraint.text, source.origin, source.file, source.line]


def _constraint(plain: Sequence[Any]) -> Constraint:
    text, origin, file, line = plain
    said = parse(text)
    return said if origin is None and file is None else Said(origin or "", file, line).constraint(said)
