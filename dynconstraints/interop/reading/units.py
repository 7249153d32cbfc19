"""Variables of other systems that stand in shapes as multiples alone: ``_h`` in ``32*_h``, which is a size ``h``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from dynconstraints.diagnostics.diagnostic import Label
from dynconstraints.interop.layout import linear
from dynconstraints.interop.reading.reading import placed, shape_of
from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.fold import names, substitute, substitute_term
from dynconstraints.ir.nodes import (
    Compare,
    FloorDiv,
    Formula,
    Int,
    Mod,
    Name,
    Relation,
    Term,
    comparison,
    negated,
    product,
    total,
)
from dynconstraints.signature.shape import Shape


@dataclass(frozen=True)
class Unit:
    """What a Dim is in terms of a variable that is ``factor*dim + offset``: ``_h`` is ``h // 32`` for ``h = 32*_h``."""

    name: str
    factor: int
    offset: int
    label: Label

    @property
    def term(self) -> Term:
        """The Dim, in terms of the variable."""
        multiple = _plus(Name(self.name), -self.offset)
        return FloorDiv(multiple, Int(self.factor)) if self.factor > 1 else multiple

    def of(self, form: Mapping[str, int], dim: str) -> Term | None:
        """A multiple of the Dim with an offset, in terms of the variable; None where that needs a division."""
        times, rest = divmod(form.get(dim, 0), self.factor)
        if rest or set(form) - {dim, ""}:
            return None
        multiple = Name(self.name) if times == 1 else product((Int(times), Name(self.name)))
        return _plus(multiple, form.get("", 0) - times * self.offset)

    def at(self, dim: int) -> int:
        """The variable, where the Dim has a value."""
        return self.factor * dim + self.offset

    @property
    def divisor(self) -> tuple[Constraint, ...]:
        """That the variable is a multiple with that offset."""
        if self.factor == 1:
            return ()
        remainder = Mod(Name(self.name), Int(self.factor))
        return (placed(comparison(remainder, Relation.EQ, Int(self.offset % self.factor)), self.label),)


def renamed(shape: Shape, units: Mapping[str, Unit]) -> Shape:
    """The shape in terms of the variables."""
    if not units:
        return shape
    return shape_of([None if t is None else in_units(t, units) for t in shape.sizes], shape.rest)


def in_units(term: Term, units: Mapping[str, Unit]) -> Term:
    """The term in terms of the variables."""
    form, dims = linear(term), names(term)
    if form is not None and len(dims) == 1:
        (dim,) = dims
        found = units[dim].of(form, dim) if dim in units else None
        if found is not None:
            return found
    return substitute_term(term, {dim: unit.term for dim, unit in units.items()})


def _plus(term: Term, offset: int) -> Term:
    return term if not offset else total((term, negated(Int(-offset)) if offset < 0 else Int(offset)))


def constraint_in_units(constraint: Constraint, units: Mapping[str, Unit]) -> Constraint:
    """The constraint at its place, in terms of the variables."""
    if units.keys().isdisjoint(constraint.symbols):
        return constraint
    match constraint.formula:
        case Compare((Name(id), Int(value)), relations) if id in units:
            formula: Formula = Compare((Name(units[id].name), Int(units[id].at(value))), relations)
        case Compare((Int(value), Name(id)), relations) if id in units:
            formula = Compare((Int(units[id].at(value)), Name(units[id].name)), relations)
        case _:
            formula = substitute(constraint.formula, {name: unit.term for name, unit in units.items()})
    return replace(constraint, formula=formula)
