"""The integers of a system as linear forms of few units: ``h`` is ``32*_h``, and ``s1`` is ``2*s0``, no unit itself.

Everything here follows from the system, so a form shuts out no assignment that satisfies it; ``held`` is what it does
shut out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from dynconstraints.interop.layout import linear
from dynconstraints.ir.nodes import Term
from dynconstraints.system import ConstraintSystem

_MOST_COMPARED = 48
"""Of more names no pairs are looked at for equations."""


class Form(NamedTuple):
    """``factor*unit + offset``; without a unit the constant ``offset``."""

    unit: str
    factor: int
    offset: int

    def __str__(self) -> str:
        return shown({self.unit: self.factor, "": self.offset})


class Ends(NamedTuple):
    """An inclusive range; None for no end."""

    lower: int | None
    upper: int | None


@dataclass(frozen=True)
class Forms:
    """The form of each name, the range of each unit, and a system of what both say about the names.

    ``undivided`` is that system without the divisors.
    """

    names: Mapping[str, Form]
    units: Mapping[str, Ends]
    held: ConstraintSystem
    undivided: ConstraintSystem

    def of(self, term: Term) -> dict[str, int] | None:
        """The term over units, the constant under ``""``; None where it is not linear, or has another name."""
        form = linear(term)
        if form is None or not set(form) - {""} <= set(self.names):
            return None
        total: dict[str, int] = {"": 0}
        for name, factor in form.items():
            own = self.names[name] if name else Form("", 0, 1)
            total[""] += factor * own.offset
            if own.unit:
                total[own.unit] = total.get(own.unit, 0) + factor * own.factor
        return {unit: factor for unit, factor in total.items() if factor}


def forms_of(
    system: ConstraintSystem,
    names: Iterable[str],
    sizes: Iterable[str] = (),
    least: int | None = None,
    limit: int | None = None,
) -> Forms:
    """The forms of the names, which are integers; those in ``sizes`` are never negative.

    ``least``: no unit has smaller values; one that would is shifted.
    """
    names = tuple(names)
    sizes = frozenset(sizes)
    ends = {name: _ends(system, name, name in sizes, limit) for name in names}
    equal = _equations(system, [name for name in names if ends[name].lower != ends[name].upper], limit)
    forms: dict[str, Form] = {}
    units: dict[str, Ends] = {}
    divisors: list[str] = []
    held = [f"{name} >= 0" for name in names if name in sizes]
    for name in (name for name in names if name not in equal):
        modulus, rest = system.congruence(name, limit)
        own = ends[name]
        if own.lower is not None and own.lower == own.upper:
            forms[name] = Form("", 0, own.lower)
            held.append(f"{name} == {own.lower}")
            continue
        modulus = max(modulus, 1)
        low = None if own.lower is None else -((rest - own.lower) // modulus)
        high = None if own.upper is None else (own.upper - rest) // modulus
        shift = 0 if least is None or low is None or low >= least else least - low
        unit = name if modulus == 1 and not shift else _fresh(name, {*names, *units})
        low, high = (None if end is None else end + shift for end in (low, high))
        units[unit], forms[name] = Ends(low, high), Form(unit, modulus, rest - modulus * shift)
        divisors += [f"{name} % {modulus} == {rest}"] * (modulus > 1)
        held += [f"{name} >= {own.lower}"] * (own.lower is not None) + [f"{name} <= {own.upper}"] * (high is not None)
    for name, (root, factor, offset) in equal.items():
        own_form = forms[root]
        forms[name] = Form(own_form.unit, factor * own_form.factor, factor * own_form.offset + offset)
        held.append(f"{name} == {factor}*{root} + {offset}")
    systems = ConstraintSystem([*held, *divisors]), ConstraintSystem(held)
    return Forms({name: forms[name] for name in names}, units, *systems)


def shown(form: Mapping[str, int]) -> str:
    """A sum of multiples of units as text, which Python and most others read: ``32*_h + 5``."""
    text = ""
    for unit, factor in sorted(form.items(), key=lambda part: part[0] == ""):
        if factor:
            size = abs(factor)
            part = str(size) if not unit else unit if size == 1 else f"{size}*{unit}"
            sign = ("-" if factor < 0 else "") if not text else " - " if factor < 0 else " + "
            text += sign + part
    return text or "0"


def _ends(system: ConstraintSystem, name: str, is_size: bool, limit: int | None) -> Ends:
    lower, upper = system.bounds(name, limit)
    return Ends(max(lower or 0, 0) if is_size else lower, upper)


def _equations(system: ConstraintSystem, names: list[str], limit: int | None) -> dict[str, tuple[str, int, int]]:
    """The names that are ``factor*root + offset`` of another, which is no such name itself; each proved."""
    from dynconstraints.solver.verdicts import Implied

    if not 1 < len(names) <= _MOST_COMPARED:
        return {}
    points = system.sample(6, limit=limit)
    found: dict[str, dict[str, tuple[int, int]]] = {}
    for index, name in enumerate(names):
        for other in names:
            guess = None if name == other else _guess(points, other, name)
            if guess is None or (guess[0] == 1 and names.index(other) > index):
                continue
            if isinstance(system.implies(f"{name} == {guess[0]}*{other} + {guess[1]}", limit), Implied):
                found.setdefault(name, {})[other] = guess
    roots = {name: next((r for r in others if r not in found), None) for name, others in found.items()}
    return {name: (root, *found[name][root]) for name, root in roots.items() if root is not None}


def _guess(points: list[dict[str, int]], root: str, name: str) -> tuple[int, int] | None:
    """The line through the points, where all are on one that rises by whole numbers."""
    first = points[0] if points else {}
    other = next((p for p in points if p[root] != first[root]), None)
    if other is None or (other[name] - first[name]) % (other[root] - first[root]):
        return None
    factor = (other[name] - first[name]) // (other[root] - first[root])
    offset = first[name] - factor * first[root]
    fits = factor > 0 and all(p[name] == factor * p[root] + offset for p in points)
    return (factor, offset) if fits else None


def _fresh(name: str, taken: Iterable[str]) -> str:
    unit = f"_{name}"
    while unit in taken:
        unit = f"_{unit}"
    return unit
