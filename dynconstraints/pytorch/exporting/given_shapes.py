"""dynamic_shapes that are given beside a declaration: compared with it, and completed by what it says.

The declaration is the contract. Where dynamic_shapes exclude sizes that it allows, or make them static, the two
contradict each other. Bounds on a side where it has none are taken in; an equality of Dims, which it does not tell, is
a contradiction between declared sizes, and names others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from dynconstraints.diagnostics.diagnostic import Diagnostic
from dynconstraints.diagnostics.errors import ArgumentError
from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.fold import names as names_of
from dynconstraints.ir.nodes import Compare, FloorDiv, Int, Mod, Name, Relation, Term, comparison, product, total
from dynconstraints.ir.printer import show
from dynconstraints.pytorch._torch import exporting as upstream
from dynconstraints.pytorch.declarations.declaration import system_of
from dynconstraints.pytorch.declarations.user_location import Place as Said
from dynconstraints.pytorch.declarations.user_location import calling_place
from dynconstraints.pytorch.exporting.example import Example
from dynconstraints.pytorch.exporting.places import Place
from dynconstraints.solver.verdicts import Implied, Unsat
from dynconstraints.system import ConstraintSystem


@dataclass(frozen=True)
class _Linear:
    """A named Dim as ``factor*root + offset`` of the Dim that it is derived from."""

    root: str
    factor: int
    offset: int
    dim: Any


def agreed(
    example: Example, module: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], given: Any
) -> tuple[Example, Any]:
    """The example with what dynamic_shapes add to it, and the dynamic_shapes for torch.

    Raises ArgumentError where they contradict the declaration.
    """
    if not (given is None or isinstance(given, tuple | list | dict) or upstream.is_collected(given)):
        raise _unknown(given)
    shapes = upstream.plain_shapes(module, args, kwargs, given)
    entries: dict[tuple[int, int | None], Any] = {}

    def note(leaf: int, entry: Any) -> None:
        said = {(leaf, d): e for d, e in _by_dimension(entry)}
        entries.update({at: e for at, e in said.items() if e is not None or not upstream.is_inferred(given)})

    order = upstream.leaf_order(module, args, kwargs)
    upstream.mapped_shapes(lambda n, _, entry: note(order[n], entry), module, args, kwargs, shapes)
    agreement = _Agreement(example, entries)
    agreement.compare()
    found = replace(example, places=agreement.places, added=agreement.added)
    declared = {(p.leaf, p.dimension) for p in found.places}

    def entry_of(leaf: int, value: Any, entry: Any) -> Any:
        if (leaf, None) in declared:
            return None if isinstance(value, float) else upstream.AUTO
        mine = {d for index, d in declared if index == leaf}
        if not mine:
            return entry
        others = {d: e for d, e in _by_dimension(entry) if d not in mine and e is not None}
        return {**others, **dict.fromkeys(mine, upstream.AUTO)}

    return found, upstream.mapped_shapes(
        lambda n, value, entry: entry_of(order[n], value, entry), module, args, kwargs, shapes
    )


def _by_dimension(entry: Any) -> Iterator[tuple[int | None, Any]]:
    """What is said of each dimension. None for a whole input says nothing: torch wants an entry for each."""
    if isinstance(entry, Mapping):
        yield from entry.items()
    elif isinstance(entry, tuple | list):
        yield from enumerate(entry)
    elif entry is not None:
        yield None, entry


class _Agreement:
    """The comparison of a declaration with dynamic_shapes, size by size."""

    def __init__(self, example: Example, entries: Mapping[tuple[int, int | None], Any]) -> None:
        self.example, self.entries = example, entries
        self.places, self.added = example.places, example.added
        self.system = system_of(example.constraints, frozenset(example.floats))
        self.kinds = upstream.dim_kinds()
        self.said = calling_place("torch.export.export(..., dynamic_shapes=...)")

    def compare(self) -> None:
        """Raises ArgumentError for a contradiction; takes in what else is said."""
        declared: dict[tuple[int, int | None], Place] = {}
        for place in self.places:
            declared.setdefault((place.leaf, place.dimension), place)
        known: dict[str, tuple[Place, _Linear]] = {}
        for at, place in declared.items():
            if at in self.entries:
                self._compare(place, self.entries[at], known)
        for at, entry in self.entries.items():
            dim = self._linear(entry)
            if dim is not None and dim.root in known and at not in declared and at[1] is not None:
                place, other = known[dim.root]
                offset = _shifted(place.term, -other.offset)
                root = offset if other.factor == 1 else FloorDiv(offset, Int(other.factor))
                self.places = (*self.places, Place(at[0], at[1], _shifted(_scaled(root, dim.factor), dim.offset)))

    def _compare(self, place: Place, entry: Any, known: dict[str, tuple[Place, _Linear]]) -> None:
        kinds = self.kinds
        if entry is None or isinstance(entry, int):
            self._static(place, entry)
        elif isinstance(entry, kinds.Hint):
            if entry.type is kinds.HintType.STATIC:
                self._static(place, entry)
            self._bound(place, entry, entry.min, entry.max)
        elif isinstance(entry, kinds.Dim):
            dim = self._linear(entry)
            assert dim is not None  # noqa: S101  it is a Dim
            self._bound(place, entry, entry.min, entry.max)
            self._related(place, dim, known)

    def _static(self, place: Place, entry: Any) -> None:
        value = self._value(place)
        if not self._implies(comparison(place.term, Relation.EQ, Int(value))):
            raise self._contradiction(place, entry, "static", "which has more than one value")
        if isinstance(entry, int) and entry != value:
            raise self._contradiction(place, entry, f"{entry}", f"which is {value}")

    def _bound(self, place: Place, entry: Any, low: Any, high: Any) -> None:
        """Bounds that leave out declared sizes; on a side where the declaration has none they are taken in."""
        for bound, relation in ((low, Relation.GE), (high, Relation.LE)):
            if not isinstance(bound, int) or (relation is Relation.GE and bound <= 0):
                continue
            formula = comparison(place.term, relation, Int(bound))
            if self._implies(formula):
                continue
            if self._bounds(place.term)[relation is Relation.LE] is not None:
                word, others = ("least", "smaller") if relation is Relation.GE else ("most", "greater")
                raise self._contradiction(place, entry, f"at {word} {bound}", f"which has {others} values")
            self.added = (*self.added, self.said.constraint(Constraint.of(formula)))
            self.system = system_of((*self.system.constraints, self.added[-1]), frozenset(self.example.floats))
            if isinstance(self.system.check(), Unsat):
                word = "least" if relation is Relation.GE else "most"
                raise self._contradiction(place, entry, f"at {word} {bound}", "which has no such value")

    def _related(self, place: Place, dim: _Linear, known: dict[str, tuple[Place, _Linear]]) -> None:
        """Dims of one root, and one that is derived from a root that stands nowhere."""
        rest = _shifted(place.term, -dim.offset)
        if dim.factor > 1 and not self._implies(comparison(Mod(rest, Int(dim.factor)), Relation.EQ, Int(0))):
            raise self._contradiction(place, dim.dim, dim.dim.__name__, "which has values of another form")
        other_place, other = known.setdefault(dim.root, (place, dim))
        left, right = _scaled(rest, other.factor), _scaled(_shifted(other_place.term, -other.offset), dim.factor)
        if place is not other_place and not self._implies(comparison(left, Relation.EQ, right)):
            one = f"{dim.dim.__name__} where {self._spoken(other_place)} is {other.dim.__name__}"
            raise self._contradiction(place, dim.dim, one, f"which does not follow from {show(other_place.term)}")

    def _linear(self, entry: Any) -> _Linear | None:
        if isinstance(entry, self.kinds.Derived):
            offset = int(entry.fn(0))
            return _Linear(entry.root.__name__, int(entry.fn(1)) - offset, offset, entry)
        return _Linear(entry.__name__, 1, 0, entry) if isinstance(entry, self.kinds.Dim) else None

    def _implies(self, formula: Compare | Any) -> bool:
        return isinstance(self.system.implies(Constraint.of(formula)), Implied)

    def _bounds(self, term: Term) -> tuple[int | None, int | None]:
        """The declared bounds; that sizes are not negative is none."""
        held = "size"
        while held in self.system.symbols or held in names_of(term):
            held += "_"
        system: ConstraintSystem = self.system.extend([Constraint.of(comparison(Name(held), Relation.EQ, term))])
        low, high = system.bounds(held)
        return (None if low is None or low <= 0 else int(low)), (None if high is None else int(high))

    def _value(self, place: Place) -> int:
        value = self.example.leaves[place.leaf].value
        return int(value if place.dimension is None else value.shape[place.dimension])

    def _spoken(self, place: Place) -> str:
        path = self.example.leaves[place.leaf].path
        return path if place.dimension is None else f"dimension {place.dimension} of {path}"

    def _contradiction(self, place: Place, entry: Any, given: str, declared: str) -> ArgumentError:
        used = names_of(place.term)
        said = next((self.example.call.places[n] for n in self.example.call.places if n in used), None)
        term = show(place.term)
        mine = [c.label() for c in self.example.constraints if not used.isdisjoint(c.symbols)]
        labels = mine[:3] or ([] if said is None else [said.label(f'"{term}"')])
        what = self._spoken(place)
        return ArgumentError(
            Diagnostic(
                "DC704",
                f"dynamic_shapes make {what} {given}, and it is declared as {term}, {declared}",
                tuple(labels),
                (f"in dynamic_shapes {what} is {entry!r}",),
                ("leave it out of dynamic_shapes, since the declaration makes it dynamic; or declare what is meant",),
            )
        )


def _scaled(term: Term, factor: int) -> Term:
    return term if factor == 1 else product((Int(factor), term))


def _shifted(term: Term, offset: int) -> Term:
    return total((term, Int(offset))) if offset else term


def _unknown(given: Any) -> ArgumentError:
    kind = type(given).__name__
    said = Said(f"dynamic_shapes={kind}(...)")
    return ArgumentError(
        Diagnostic(
            "DC704",
            f"dynamic_shapes is a {kind}, which is not compared with a declaration",
            (said.label(kind),),
            help=("say it in one of the two: leave dynamic_shapes out, since the declaration makes sizes dynamic",),
        )
    )
