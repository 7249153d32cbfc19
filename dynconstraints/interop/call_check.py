"""A call checked by a Signature without torch: the sizes of arguments by path, or anything that has them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from dynconstraints.diagnostics.diagnostic import Diagnostic, Label
from dynconstraints.diagnostics.errors import (
    ConstraintViolationError,
    DimensionError,
    InconsistentConstraintsError,
    SolverLimitError,
)
from dynconstraints.diagnostics.source import Source, Span
from dynconstraints.interop.layout import Slot, linear
from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.nodes import Int, Name, Relation, comparison
from dynconstraints.signature.shape import Shape
from dynconstraints.signature.signature import Signature
from dynconstraints.system import ConstraintSystem

_MOST_CALLS = 4096


@dataclass(frozen=True)
class CallCheck:
    """The check of calls by one signature; ``origin`` is where messages say that its texts are from."""

    signature: Signature
    origin: str
    _accepted: set[tuple[Any, ...]] = field(default_factory=set, compare=False, repr=False)

    def check(self, arguments: Mapping[str, Any]) -> None:
        """Raises the ConstraintError of sizes that break the signature. Arguments that are not given count for none."""
        sizes = {path: _sizes(arguments[path]) for path in self.signature.arguments if path in arguments}
        key = tuple(sizes.items())
        if key in self._accepted:
            return
        found = {slot: value for path, given in sizes.items() for slot, value in self._slots(path, given)}
        self._check(found)
        if len(self._accepted) >= _MOST_CALLS:
            self._accepted.clear()
        self._accepted.add(key)

    def _slots(self, path: str, given: tuple[int, ...] | int) -> Iterator[tuple[Slot, int]]:
        """The declared sizes of an argument, with what they are. Raises DimensionError for another number of them."""
        shape = self.signature.arguments[path]
        if isinstance(given, int) and shape.number is not None:
            yield Slot(path, None, shape.number), given
            return
        dims = shape.dims(0 if isinstance(given, int) else len(given))
        if dims is None or isinstance(given, int):
            raise self._another_rank(path, shape, given)
        yield from ((Slot(path, index, term), given[index]) for index, term in dims.items())

    def _check(self, found: Mapping[Slot, int]) -> None:
        values, others = _solved(found)
        relations = [self._placed(slot.relation) for slot in others]
        values |= {slot.place: found[slot] for slot in others}
        system = ConstraintSystem([*relations, *self._constraints], reals=self.signature.system.reals)
        broken = system.violation(values)
        if broken is not None:
            raise broken
        if system.unbound(values):
            self._check_open(system, values)

    def _check_open(self, system: ConstraintSystem, values: Mapping[str, int]) -> None:
        """Raises where no values of the names that no size tells go with the others."""
        from dynconstraints.solver.verdicts import Unsat

        known = [Constraint.of(comparison(Name(name), Relation.EQ, Int(value))) for name, value in values.items()]
        verdict = system.extend(known).check()
        if not isinstance(verdict, Unsat):
            return
        core = [one for one in verdict.core if one not in known]
        named = dict.fromkeys(name for one in core for name in one.symbols if name in values)
        told = ", ".join(f"{name} = {values[name]}" for name in named)
        try:
            near = system.nearest(values)
        except (InconsistentConstraintsError, SolverLimitError):
            near = {}
        advice = (f"the nearest legal values: {', '.join(f'{n} = {v}' for n, v in near.items())}",) if near else ()
        said = f"constraints violated together: no values of the other names go with {told}"
        diagnostic = Diagnostic("DC301", said, tuple(one.label() for one in core), help=advice)
        raise ConstraintViolationError(diagnostic, core[0] if core else None, {n: values[n] for n in named})

    @cached_property
    def _constraints(self) -> tuple[Constraint, ...]:
        return tuple(map(self._placed, self.signature.system.constraints))

    def _placed(self, constraint: Constraint) -> Constraint:
        return replace(constraint, source=Source(constraint.text, self.origin), offset=0)

    def _another_rank(self, path: str, shape: Shape, given: tuple[int, ...] | int) -> DimensionError:
        rank = 0 if isinstance(given, int) else len(given)
        least = "at least " if shape.rest is not None else ""
        counted = f"{least}{len(shape.sizes)}"
        verb = "is" if counted == "1" else "are"
        text = f'{path}="{shape}"'
        sizes = " ".join(map(str, given)) if isinstance(given, tuple) and given else "none"
        label = Label(Source(text, self.origin), Span(0, len(text)), f"the dimensions of {path} are {sizes}")
        message = f"{path} has {rank} dimension{'' if rank == 1 else 's'}, and {counted} {verb} declared"
        return DimensionError(Diagnostic("DC408", message, (label,), help=("pass an array of this rank",)))


def _sizes(value: Any) -> tuple[int, ...] | int:
    """The sizes of an array, or the number that it is; a list or tuple of numbers is a shape itself."""
    shape = value if isinstance(value, tuple | list) else getattr(value, "shape", None)
    if callable(shape):
        shape = shape()
    if shape is None:
        return int(value)
    if not shape and not isinstance(value, tuple | list):
        return int(value.numpy() if hasattr(value, "numpy") else value)
    return tuple(int(size) for size in shape)


def _solved(found: Mapping[Slot, int]) -> tuple[dict[str, int], list[Slot]]:
    """The values of names that sizes tell, and the sizes that have to agree with these."""
    values: dict[str, int] = {}
    others: list[Slot] = []
    for slot, value in found.items():
        if isinstance(slot.term, Name) and slot.term.id not in values:
            values[slot.term.id] = value
        else:
            others.append(slot)
    while True:
        told = next((known for slot in others if (known := _tells(slot, found[slot], values))), None)
        if told is None:
            return values, others
        values[told[0]] = told[1]


def _tells(slot: Slot, value: int, values: Mapping[str, int]) -> tuple[str, int] | None:
    """The only unknown name of a size that is linear, and what it is, rounded down."""
    form = None if slot.term is None else linear(slot.term)
    unknown = [name for name in form or () if name and name not in values]
    if form is None or len(unknown) != 1:
        return None
    rest = value - sum(factor * (values[name] if name else 1) for name, factor in form.items() if name != unknown[0])
    return unknown[0], rest // form[unknown[0]]
