"""What a declared value carries: the values of its names, the constraints that came with them, and where from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from types import MappingProxyType

from dynconstraints.diagnostics.errors import ConstraintError
from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.sorts import has_real
from dynconstraints.pytorch.declarations.user_location import Place, calling_place, located
from dynconstraints.syntax.given import constraints_of
from dynconstraints.system import ConstraintSystem


class Passing:
    """A call of a compiled function: what it names itself, for its own later frames, has the name until it ends."""

    __slots__ = ("ended",)

    def __init__(self) -> None:
        self.ended = False

    def __call__(self) -> None:
        """The call ends."""
        self.ended = True


@dataclass(frozen=True, slots=True)
class Binding:
    """A name, its value, and the constraints declared with it; neither place nor duration count for equality.

    The value of a declared float is that float; it is typed as the int that every other value is. ``during`` is the
    call that the name was given in; None for what a user named, which lasts.
    """

    name: str
    value: int
    constraints: tuple[Constraint, ...] = ()
    place: Place | None = field(default=None, compare=False)
    during: Passing | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Declaration:
    """All that is declared about a value, or about the values of a call: the bindings of the names it depends on."""

    members: tuple[Binding, ...]

    @cached_property
    def constraints(self) -> tuple[Constraint, ...]:
        """The constraints that came with any of the names, each once, in the order of the bindings."""
        return tuple(dict.fromkeys(c for member in self.members for c in member.constraints))

    @cached_property
    def calls(self) -> tuple[Passing, ...]:
        """The calls that gave any of the names; none where users gave them all."""
        return tuple(member.during for member in self.members if member.during is not None)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names, in the order of the bindings."""
        return tuple(member.name for member in self.members)

    @cached_property
    def system(self) -> ConstraintSystem:
        """The conjunction of the constraints."""
        return system_of(self.constraints)

    @cached_property
    def bindings(self) -> Mapping[str, int]:
        """The value of each name."""
        return MappingProxyType({member.name: member.value for member in self.members})

    @property
    def places(self) -> Mapping[str, Place]:
        """Where each name got its value, for the names of which that is known."""
        return {member.name: member.place for member in self.members if member.place is not None}

    @property
    def where(self) -> str | None:
        """File and line of the first name's declaration (``train.py:14``), where known."""
        return next((place.where for place in self.places.values()), None)


def system_of(
    constraints: tuple[str | Constraint, ...],
    reals: frozenset[str] = frozenset(),
    integers: frozenset[str] = frozenset(),
) -> ConstraintSystem:
    """The system of the constraints; one object for equal ones, so what it has found out is found out once.

    ``reals`` are names known to be floats, ``integers`` those known not to be; of others their constraints tell
    (`ConstraintSystem`). Equal constraints that were said at other places are others: an error tells its own place.
    """
    places = tuple([None if type(c) is str else (c.source.origin, c.source.file, c.source.line) for c in constraints])  # type: ignore[union-attr]
    return _system_of(constraints, places, reals, integers)


@lru_cache(maxsize=1024)
def _system_of(
    constraints: tuple[str | Constraint, ...], _places: object, reals: frozenset[str], integers: frozenset[str]
) -> ConstraintSystem:
    return ConstraintSystem(constraints).typed(reals, integers)


def is_real(constraint: Constraint, reals: frozenset[str]) -> bool:
    """Whether the constraint speaks of floats: it has a float literal, or a name that is known to be one."""
    return any(name in reals for name in constraint.symbols) or has_real(constraint.formula)


def as_tuple(constraints: str | Constraint | Iterable[str | Constraint]) -> tuple[str | Constraint, ...]:
    """The constraints as a tuple; a lone one counts as a list of one. Raises as `constraints_of`, and says where."""
    try:
        return constraints_of(constraints)
    except ConstraintError as error:
        raise located(error, calling_place("constraints=...")) from None
