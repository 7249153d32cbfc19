"""The checks on declared values, each with its own error: the set, the value, the bindings of a call."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from functools import lru_cache

from dynconstraints.diagnostics.diagnostic import Diagnostic, Label
from dynconstraints.diagnostics.errors import ConflictingBindingError
from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.nodes import Name, Relation, comparison
from dynconstraints.pytorch.declarations.check_constraints import core_of, satisfies
from dynconstraints.pytorch.declarations.declaration import Binding, Declaration, system_of
from dynconstraints.pytorch.declarations.scope import Scope, current_scope
from dynconstraints.pytorch.declarations.user_location import Place
from dynconstraints.pytorch.declarations.violation_error import violation
from dynconstraints.solver.reals.literals import literal
from dynconstraints.system import ConstraintSystem


def constraints_in_force(declarations: Iterable[Declaration], scope: Scope | None = None) -> ConstraintSystem:
    """The constraints of every declaration and of the scope (the current one by default), each once."""
    scope = current_scope() if scope is None else scope
    found = dict.fromkeys(c for declaration in declarations for c in declaration.constraints)
    return system_of(tuple(dict.fromkeys((*found, *scope.constraints)))) if found else scope.system


def check_bindings(
    system: ConstraintSystem,
    bindings: Mapping[str, int],
    places: Mapping[str, Place] | None = None,
    example: Mapping[str, int] | None = None,
) -> None:
    """Raises ConstraintViolationError where the values break the set, or leave no values for its unbound names.

    ``example`` are values of more names: where all together satisfy the set, nothing is searched.
    """
    if example is not None and not system.reals and satisfies({**example, **bindings}, system):
        return
    system, known = _known(system, bindings)
    broken = _broken(system, known)
    if broken:
        found = system.violation(dict(known))
        own = {c: c for c in system.constraints}  # equal systems are judged once, and say it at places of their own
        broken = tuple(own.get(c, c) for c in broken)
        raise violation(broken, dict(known), places or {}, () if found is None else found.diagnostic.help)


def are_allowed(system: ConstraintSystem, bindings: Mapping[str, int]) -> bool:
    """Whether `check_bindings` takes the values; to tell why not, and what would do, costs a thousand times as much."""
    return not _broken(*_known(system, bindings))


def _known(
    system: ConstraintSystem, bindings: Mapping[str, int]
) -> tuple[ConstraintSystem, tuple[tuple[str, int], ...]]:
    """The values of names that the system speaks of, and the system with the kinds of these names."""
    known = tuple((name, bindings[name]) for name in system.symbols if name in bindings)
    if system.reals or any(isinstance(value, float) for _, value in known):
        floats = {name for name, value in known if isinstance(value, float)}
        system = system.typed(floats, (name for name, _ in known if name not in floats))
    return system, known


def merged(declarations: Iterable[Declaration]) -> Declaration:
    """The declarations of one call's values as one. Raises ConflictingBindingError for a name with two values."""
    members: list[Binding] = []
    for member in (m for declaration in declarations for m in declaration.members):
        for other in members:
            if other.name == member.name and differ(other.value, member.value):
                raise conflict(other, member)
        if member not in members:
            members.append(member)
    return Declaration(tuple(members))


def differ(one: float, other: float) -> bool:
    """Whether two values of a name are different ones; zeros of different sign are, as torch can tell them apart, and
    what is no number is the same everywhere."""
    if one != one and other != other:
        return False
    return one != other or math.copysign(1, one) != math.copysign(1, other)


def conflict(first: Binding, second: Binding) -> ConflictingBindingError:
    """The error for a name with two values in one call; it names both places."""
    labels = tuple(_mention(b) for b in (first, second))
    return ConflictingBindingError(
        Diagnostic(
            "DC402",
            f"{first.name} has two values in one call: {first.value} and {second.value}",
            labels,
            help=(f"pass one value for {first.name}, or give one of the two another name",),
        ),
        first.name,
        (first.value, second.value),
    )


def _mention(binding: Binding) -> Label:
    place = binding.place or Place(f"a value named {binding.name}")
    return place.label(place.part or f'"{binding.name}"', f"{binding.name} = {binding.value}")


@lru_cache(maxsize=4096)
def _broken(system: ConstraintSystem, known: tuple[tuple[str, int], ...]) -> tuple[Constraint, ...]:
    """The constraints that the values break, each by itself; else those they break together; () where they may hold."""
    values = dict(known)
    decided = [c for c in system.constraints if all(name in values for name in c.symbols)]
    false = tuple(c for c in decided if not c.holds(values))
    if false or len(decided) == len(system.constraints):
        return false
    facts = tuple(Constraint.of(comparison(Name(n), Relation.EQ, literal(v))) for n, v in known)
    core = core_of(system_of((*system.constraints, *facts), system.reals))
    return tuple(c for c in core if c not in facts)
