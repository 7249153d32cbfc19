"""The integer lattice: the solutions of linear equalities and congruences over named integers, exactly."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from dynconstraints.diagnostics.frozen import Frozen
from dynconstraints.facts.domains.linear_forms import Affine, LinearFacts, affine_of, linear_facts

__all__ = ["Affine", "Contradiction", "Lattice", "LinearFacts", "Row", "affine_of", "linear_facts"]


class Contradiction(Frozen):
    """There is no solution: ``fact ≡ 0 (mod modulus)``, with modulus 0 for ``==``, is the first that fails."""

    fact: Affine
    modulus: int


class Row(Frozen):
    """One name in terms of parameters: ``name == constant + Σ coefficient*k[earlier] + divisor*k[name]``.

    ``coefficients`` is over the parameters of names earlier in the order. A divisor of 0 means that the earlier names
    determine this one, and it brings no parameter; otherwise the divisor is positive, the constant and the coefficients
    lie in ``0 <= … < divisor``, and the parameter's value is ``(name - constant - Σ …) // divisor``, without remainder.
    """

    name: str
    constant: int
    coefficients: tuple[tuple[str, int], ...]
    divisor: int

    @property
    def affine(self) -> Affine:
        """The name as an affine form over the parameters, each called as the name that brings it."""
        own = ((self.name, self.divisor),) if self.divisor else ()
        return Affine.of(self.constant, (*self.coefficients, *own))


@dataclass(frozen=True)
class Lattice:
    """The set ``{origin + Σ k_j*basis_j}`` over all integers k_j: not empty, and free in every name it does not hold.

    ``origin`` and the basis vectors give values by name; a name that is missing has 0 there.
    """

    names: tuple[str, ...]
    origin: Mapping[str, int]
    basis: tuple[Mapping[str, int], ...]

    @classmethod
    def of(
        cls,
        names: Iterable[str],
        equalities: Iterable[Affine],
        congruences: Iterable[tuple[Affine, int]],
    ) -> Lattice | Contradiction:
        """The assignments where each equality is 0, and each congruence 0 modulo its modulus (any sign; 0 for ==)."""
        facts = [(a, 0) for a in equalities] + [(a, abs(m)) for a, m in congruences]
        every = dict.fromkeys((*names, *(name for a, _ in facts for name in a.names)))
        space = _Space.free(every)
        # Short facts first: they thin out the space before the long ones mix its directions.
        for affine, modulus in sorted(facts, key=lambda fact: (len(fact[0].coefficients), not fact[1])):
            if not space.impose(affine, modulus):
                return Contradiction(affine, modulus)
        basis = tuple(space.columns[j] for j in sorted(space.columns))
        return cls(tuple(every), {n: v for n, v in space.origin.items() if v}, basis)

    def parametrise(self, order: Sequence[str]) -> tuple[Row, ...]:
        """The names in the order given, in Hermite normal form: each brings at most one parameter, and the rows of a
        prefix of the order are those of the whole. Names that are left out are projected away; unknown ones are free.

        The form is unique: it depends on the solutions and on the order alone.
        Source: H. Cohen, *A Course in Computational Algebraic Number Theory*, 1993, §2.4.
        """
        free = [name for name in order if name not in self._known]
        space = _Space.of(self.origin, (*self.basis, *({name: 1} for name in free)))
        return tuple(space.echelon(order))

    def congruence_of(self, affine: Affine) -> tuple[int, int]:
        """The largest m with ``affine ≡ r (mod m)`` everywhere, and the remainder r; (0, c) for the constant c."""
        value = affine.constant + sum(w * self.origin.get(name, 0) for name, w in affine.coefficients)
        modulus, steps = 0, dict[int, int]()
        for name, weight in affine.coefficients:
            if name not in self._known:
                modulus = math.gcd(modulus, weight)
            for j, step in self._movers.get(name, ()):
                steps[j] = steps.get(j, 0) + weight * step
        modulus = math.gcd(modulus, *steps.values())
        return modulus, value % modulus if modulus else value

    def contains(self, values: Mapping[str, int]) -> bool:
        """Whether the assignment, which has a value for each of the names, is in the set."""
        parameters: dict[str, int] = {}
        for row in self._rows:
            rest = values[row.name] - row.constant - sum(c * parameters[k] for k, c in row.coefficients)
            if rest % row.divisor if row.divisor else rest:
                return False
            parameters[row.name] = rest // row.divisor if row.divisor else 0
        return True

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self.names)

    @cached_property
    def _movers(self) -> Mapping[str, tuple[tuple[int, int], ...]]:
        """For each name, the basis vectors that move it and how far."""
        movers: dict[str, list[tuple[int, int]]] = {}
        for j, column in enumerate(self.basis):
            for name, step in column.items():
                movers.setdefault(name, []).append((j, step))
        return {name: tuple(steps) for name, steps in movers.items()}

    @cached_property
    def _rows(self) -> tuple[Row, ...]:
        return self.parametrise(self.names)


@dataclass(slots=True)
class _Space:
    """An affine lattice while it is worked on: sparse columns, and for each name the columns that move it."""

    origin: dict[str, int]
    columns: dict[int, dict[str, int]]
    movers: dict[str, set[int]]

    @classmethod
    def of(cls, origin: Mapping[str, int], basis: Iterable[Mapping[str, int]]) -> _Space:
        space = cls(dict(origin), {}, {})
        for j, column in enumerate(basis):
            space.columns[j] = dict(column)
            for name in column:
                space.movers.setdefault(name, set()).add(j)
        return space

    @classmethod
    def free(cls, names: Iterable[str]) -> _Space:
        return cls.of({}, ({name: 1} for name in names))

    def impose(self, affine: Affine, modulus: int) -> bool:
        """Keep the points where the form is 0 (mod modulus); False where none is left."""
        value = affine.constant + sum(c * self.origin.get(name, 0) for name, c in affine.coefficients)
        steps: dict[int, int] = {}
        for name, coefficient in affine.coefficients:
            for j in self.movers.get(name, ()):
                steps[j] = steps.get(j, 0) + coefficient * self.columns[j][name]
        steps = {j: s % modulus if modulus else s for j, s in steps.items()}
        pivot = self.gather({j: s for j, s in steps.items() if s}, modulus)
        if pivot is None:
            return (value % modulus if modulus else value) == 0
        j, step = pivot
        divisor = math.gcd(step, modulus)
        if value % divisor:
            return False
        period = modulus // divisor
        times = -value // divisor * (pow(step // divisor, -1, period) if period else (1 if step > 0 else -1))
        self._shift(self.origin, j, times % period if period else times)
        self._scale(j, period)
        return True

    def gather(self, steps: dict[int, int], modulus: int = 0) -> tuple[int, int] | None:
        """Change the basis so that one column alone has a step, the gcd of all; Euclid's algorithm on columns."""
        while len(steps) > 1:
            pivot = min(steps, key=lambda j: (abs(steps[j]), len(self.columns[j]), j))
            left = {pivot: steps[pivot]}
            for j, step in steps.items():
                if j != pivot:
                    times = step // steps[pivot]
                    self._subtract(j, pivot, times)
                    if rest := step - times * steps[pivot]:
                        left[j] = rest % modulus if modulus else rest
            steps = left
        return next(iter(steps.items()), None)

    def echelon(self, order: Iterable[str]) -> Iterator[Row]:
        """The rows of the Hermite normal form, one a name, as the columns are brought into it."""
        owner: dict[int, str] = {}
        for name in order:
            pivot = self.gather({j: self.columns[j][name] for j in self.movers.get(name, ()) if j not in owner})
            divisor = 0
            if pivot is not None:
                j, step = pivot
                if step < 0:
                    self._negate(j)
                divisor = abs(step)
                for k in [k for k in self.movers[name] if k in owner]:
                    self._subtract(k, j, self.columns[k][name] // divisor)
                self._shift(self.origin, j, -(self.origin.get(name, 0) // divisor))
            earlier = sorted((owner[k], self.columns[k][name]) for k in self.movers.get(name, ()) if k in owner)
            if pivot is not None:
                owner[pivot[0]] = name
            yield Row(name, self.origin.get(name, 0), tuple(earlier), divisor)

    def _shift(self, point: dict[str, int], j: int, times: int) -> None:
        if times:
            for name, step in self.columns[j].items():
                point[name] = point.get(name, 0) + times * step

    def _subtract(self, j: int, pivot: int, times: int) -> None:
        if not times:
            return
        column = self.columns[j]
        for name, step in self.columns[pivot].items():
            old = column.get(name, 0)
            new = old - times * step
            if new:
                column[name] = new
                if not old:
                    self.movers[name].add(j)
            else:
                column.pop(name, None)
                self.movers[name].discard(j)

    def _negate(self, j: int) -> None:
        self.columns[j] = {name: -step for name, step in self.columns[j].items()}

    def _scale(self, j: int, factor: int) -> None:
        """Multiply a column; by 0 it goes."""
        if factor:
            self.columns[j] = {name: factor * step for name, step in self.columns[j].items()}
            return
        for name in self.columns.pop(j):
            self.movers[name].discard(j)
