"""The record of a tensor's named dimensions, and what a pickle, a checkpoint or a queue holds of it.

That is plain data, so that a file can be read where this package isn't, and by ``torch.load(weights_only=True)``. What
reads it takes nothing on trust: texts are parsed and constraints are checked again.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from types import MappingProxyType
from typing import Any

from dynconstraints.diagnostics.errors import ConstraintError
from dynconstraints.ir.fold import names as names_of
from dynconstraints.ir.nodes import Term
from dynconstraints.ir.printer import show
from dynconstraints.pytorch.declarations.declaration import Binding, Declaration, system_of
from dynconstraints.pytorch.declarations.user_location import Place, located
from dynconstraints.pytorch.values.size_equations import declare_sizes, term_of

_FORM = 1
"""Of the plain data: a later one, which says more, gets another number."""

_NO_NUMBER = -1
"""In the place of a size that is none, such as that of a ragged dimension."""

Plain = tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class NamedDims:
    """The named dimensions of a tensor: the term that each is equal to, the sizes when named, and what that declares.

    ``implied`` where the user named the sizes and not the tensor: a name is gone with the size then.
    """

    dims: Mapping[int, Term]
    sizes: tuple[int, ...]
    declaration: Declaration
    place: Place
    implied: bool = False

    @cached_property
    def of_copies(self) -> NamedDims:
        """The record of a tensor with the same sizes that was made from this one."""
        return self if self.implied else replace(self, implied=True)

    @cached_property
    def plain(self) -> Plain:
        """The record as texts and numbers, by what each is; without names that end with a call of this process."""
        members = [b for b in self.declaration.members if b.during is None]
        known = {b.name for b in members}
        dims = tuple((int(d), show(term)) for d, term in self.dims.items() if names_of(term) <= known)
        return (
            ("form", _FORM),
            ("dims", dims),
            ("sizes", tuple(size if type(size) is int else _NO_NUMBER for size in self.sizes)),
            (
                "names",
                tuple((b.name, int(b.value), tuple(c.text for c in b.constraints), _plain(b.place)) for b in members),
            ),
            ("place", _plain(self.place)),
            ("implied", self.implied),
        )

    def __copy__(self) -> NamedDims:
        return self

    def __deepcopy__(self, memo: object) -> NamedDims:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return OrderedDict, (self.plain,)


def restored(plain: object) -> NamedDims | None:
    """The record that was pickled; None for what says nothing, as files of the first release do.

    Raises ValueError for what no record was ever pickled as, and the ConstraintError of names that can't be so.
    """
    if not isinstance(plain, Mapping) or not plain:
        return None
    if plain.get("form") != _FORM:
        raise ValueError("the names of this tensor were pickled by a later dynconstraints, or are damaged")
    try:
        return _checked(tuple(plain.items()))
    except ConstraintError:
        raise
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"damaged pickle of a tensor's names: {dict(plain)}") from error


@lru_cache(maxsize=4096)
def _checked(plain: Plain) -> NamedDims | None:
    said = dict(plain)
    if not said["dims"]:
        return None
    place = Place(*said["place"])
    try:
        terms = {dimension: term_of(text, place) for dimension, text in said["dims"]}
        given = [Binding(n, value, _constraints(texts), p and Place(*p)) for n, value, texts, p in said["names"]]
        declaration = declare_sizes(terms, dict(enumerate(said["sizes"])), given, (), place)
    except ConstraintError as error:
        raise located(error, place) from None
    return NamedDims(MappingProxyType(terms), said["sizes"], declaration, place, said["implied"])


@lru_cache(maxsize=1024)
def _constraints(texts: tuple[str, ...]) -> Any:
    """One object for the same texts, by which the entry of a compiled frame knows them again."""
    return system_of(texts).constraints


def _plain(place: Place | None) -> tuple[str, str | None, int, str] | None:
    return None if place is None else (place.origin, place.file, place.line, place.part)
