"""What the guard at the entry of a frame asks, as data: saved with the graph, and made anew where that is loaded."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dynconstraints.diagnostics.errors import ConstraintError
from dynconstraints.facts.domains.linear_forms import affine_of
from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.fold import substitute
from dynconstraints.ir.nodes import Formula, Name, Term
from dynconstraints.ir.printer import show
from dynconstraints.pytorch._torch.shape_env import source_name
from dynconstraints.pytorch.declarations.declaration import Binding, Declaration
from dynconstraints.pytorch.declarations.user_location import Place, located
from dynconstraints.pytorch.frame.frame_facts import FrameFacts
from dynconstraints.pytorch.values.size_equations import Position, declare_sizes


@dataclass(frozen=True)
class GuardedPlace:
    """A place of the frame that holds a declared value: how Python reaches the object, and which dimension is meant.

    ``term`` is what the value is held to. ``constant`` is that of a float that the graph is made for, and ``typed``
    whether the program asks for the type; ``by_signature`` where a signature declares the value.
    """

    access: str
    dimension: int | None
    name: str
    term: Term
    declaration: Declaration | None
    kind: type[int | float] = int
    constant: float | None = None
    by_signature: bool = False
    typed: bool = False


@dataclass(frozen=True)
class Signed:
    """What signatures declare of a frame's inputs: the names and constraints, and how the names follow from objects.

    A slot is a name, the index of the object, its dimension if it is a tensor, and the affine form that the size has of
    the name: ``coefficient*name + constant``.
    """

    slots: tuple[tuple[str, int, int | None, int, int], ...]
    declaration: Declaration

    @classmethod
    def of(cls, places: Sequence[GuardedPlace]) -> Signed | None:
        """That of a frame; None where there is nothing."""
        mine = [(i, place) for i, place in enumerate(places) if place.by_signature]
        members = {m.name: m for _, place in mine for m in (place.declaration.members if place.declaration else ())}
        slots = []
        for i, place in mine:
            affine = affine_of(place.term)
            if affine is not None and len(affine.coefficients) == 1 and affine.coefficients[0][0] in members:
                ((name, coefficient),) = affine.coefficients
                slots.append((name, i, place.dimension, coefficient, affine.constant))
        return cls(tuple(slots), Declaration(tuple(members.values()))) if mine else None

    @property
    def told(self) -> frozenset[str]:
        """The names whose values the objects tell."""
        return frozenset(name for name, *_ in self.slots)

    def values(self, objects: tuple[Any, ...]) -> dict[str, int]:
        """The values of the names that follow from one size or number; the others are left open."""
        found = {}
        for name, i, dimension, coefficient, constant in self.slots:
            size = objects[i] if dimension is None else int(objects[i].shape[dimension])
            found[name] = size if coefficient == 1 and not constant else (size - constant) // coefficient
        return found


@dataclass(frozen=True)
class EntryData:
    """What the guard of one frame asks.

    ``residual`` are formulas over the names of places, each with whether it is about floats; ``passed`` the accesses of
    further arguments, which the program never looks at, each with what it declared when the frame was compiled.
    ``leaves_open`` where the constraints relate names of the frame to others, ``computes`` where the graph asserts
    something of what it computes.
    """

    places: tuple[GuardedPlace, ...]
    passed: tuple[tuple[str, tuple[tuple[tuple[str, ...], tuple[Constraint, ...]], ...]], ...]
    residual: tuple[tuple[Formula, bool], ...]
    text: str
    scope: tuple[Constraint, ...]
    leaves_open: bool
    computes: bool
    signed: Signed | None
    members: tuple[Binding, ...]

    @classmethod
    def of(cls, facts: FrameFacts) -> EntryData:
        """That of a frame whose trace is done."""
        found = {(source_name(p.source), p.dimension): p for p in facts.places}
        places = tuple(
            GuardedPlace(
                access,
                p.dimension,
                p.name,
                facts.held.get(p.name, Name(p.name)),
                p.declaration,
                p.kind,
                p.constant,
                p.by_signature,
                access in facts.typed,
            )
            for (access, _), p in found.items()
            if access not in facts.leftovers
        )
        seen = {place.access for place in places}
        passed = tuple(
            (access, tuple((d.names, d.constraints) for d in declared))
            for access, declared in facts.passed.items()
            if access not in seen
        )
        left = facts.residual()
        return cls(
            places,
            passed,
            tuple((substitute(c.formula, facts.quotients), c in facts.real_constraints) for c in left),
            "; ".join(c.text for c in left) or "integers",
            facts.scope.constraints,
            facts.leaves_open(),
            bool(facts.computed.expressions),
            Signed.of(places),
            tuple(facts.members.values()),
        )

    @property
    def arguments(self) -> str:
        """How Python reaches the objects that the guard is asked about, one after the other."""
        return ", ".join([*(place.access for place in self.places), *(access for access, _ in self.passed)])

    def check(self, variables: Mapping[str, Any]) -> None:
        """Raises the ConstraintError of a call whose sizes break what is declared, given the variables of its frame."""
        terms: dict[Any, Term] = {}
        sizes: dict[Any, int] = {}
        floats: list[Binding] = []
        call = Declaration(self.members)
        for place in self.places:
            value = eval(place.access, {"L": variables})  # noqa: S307  as torch does with the texts of its sources
            if place.kind is float and isinstance(place.term, Name):
                floats.append(Binding(place.term.id, value, call.constraints))
            else:
                at = Position(_path(place.access), place.dimension, show(place.term))
                terms[at] = place.term
                sizes[at] = int(value if place.dimension is None else value.shape[place.dimension])
        said = next(iter(call.places.values()), Place("the declaration that the graph was saved with"))
        constraints = tuple(dict.fromkeys((*call.constraints, *self.scope)))
        try:
            declare_sizes(terms, sizes, floats, constraints, said)
        except ConstraintError as error:
            raise located(error, said) from None


def _path(access: str) -> str:
    """How a user calls what Dynamo reaches by ``L['batch']['image']``."""
    return ".".join(key or attribute for key, attribute in _STEP.findall(access))


_STEP = re.compile(r"\['?(\w+)'?\]|\.(\w+)")
