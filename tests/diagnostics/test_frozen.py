"""Frozen records behave as frozen dataclasses with slots do."""

from __future__ import annotations

import copy
import pickle
from dataclasses import FrozenInstanceError, dataclass, field

import pytest

from dynconstraints.diagnostics.frozen import Frozen


class Point(Frozen, apart=("note",)):
    """Two coordinates, and what does not count."""

    x: int
    y: int = 0
    note: str | None = None


class Pixel(Point):
    """Fields of its own only, and the same one apart."""

    x: int
    note: str | None = None


class Nothing(Frozen):
    """No fields."""


@dataclass(frozen=True)
class Dataclass:
    """The same as a dataclass."""

    x: int
    y: int = 0
    note: str | None = field(default=None, compare=False, repr=False)


def test_fields_are_given_by_position_or_name_and_may_have_defaults():
    """As the annotations say; a field that is missing or not known is a TypeError that names it."""
    assert (Point(1).y, Point(1, 2).y, Point(y=3, x=1).y) == (0, 2, 3)
    with pytest.raises(TypeError, match="'x'"):
        Point()
    with pytest.raises(TypeError, match="'z'"):
        Point(1, z=2)


def test_equality_hash_and_repr_look_at_all_fields_but_those_apart():
    """And at the class: a record of another class is never equal."""
    assert Point(1, 2, "a") == Point(1, 2, "b") != Point(1, 3, "a")
    assert len({Point(1, 2, "a"), Point(1, 2, "b"), Point(2, 1)}) == 2
    assert Pixel(1) != Point(1)
    assert Pixel(1, "a") == Pixel(1, "b")
    assert Nothing() == Nothing() != Point(0)
    assert repr(Point(1, 2, "a")) == repr(Dataclass(1, 2, "a")).replace("Dataclass", "Point")
    with pytest.raises(TypeError, match="unhashable"):
        hash(Point([]))


def test_nothing_can_be_set_or_deleted_or_added():
    """Neither fields nor other attributes."""
    point = Point(1)
    for name in ("x", "note", "other"):
        with pytest.raises(FrozenInstanceError):
            setattr(point, name, 2)
        with pytest.raises(FrozenInstanceError):
            delattr(point, name)
    assert not hasattr(point, "__dict__")


def test_records_match_by_position_and_can_be_changed_copied_and_pickled():
    """A change makes another record; a copy is equal, fields apart included."""
    match Point(1, 2):
        case Point(x, 2):
            assert x == 1
        case _:
            pytest.fail("does not match")
    assert Point(1, 2, "a").changed(y=5) == Point(1, 5)
    for made in (Point(1, 2, "a"), Nothing()):
        hash(made)
        for same in (copy.copy(made), copy.deepcopy(made), pickle.loads(pickle.dumps(made))):
            assert same == made
            assert getattr(same, "note", None) == getattr(made, "note", None)
