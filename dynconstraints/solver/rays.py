"""Directions without end: where a linear case has an assignment, it has all those further along such a direction.

What moves along ``v`` keeps ``p >= 0`` for a linear ``p`` whose part without the constant is not negative at ``v``, and
``p != 0`` but for one step. The directions are the recession cone of a polyhedron (A. Schrijver, *Theory of Linear and
Integer Programming*, 1986, §8.2); a rational one has a multiple that is integral. Those along which the slacks of the
cone grow by themselves are tried first, and settle most questions; z3 settles the others, by linear arithmetic.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import cached_property
from threading import Lock
from typing import Any, TypeAlias

from dynconstraints.solver.case import Case
from dynconstraints.solver.polynomial import Polynomial, TooLarge

_RLIMIT = 200_000

Ray: TypeAlias = "Mapping[str, Fraction | int]"
"""How far each unknown moves in one step; those left out stay."""


class Rays:
    """The directions of a case. What is asked is remembered by directions only, so that answers don't depend on order.

    A case in which something is not linear, or not known to be kept, has none.
    """

    def __init__(self, case: Case) -> None:
        facts = (*case.inequalities, *case.distinct)
        self._is_linear = not case.lossy and not case.equations and all(p.is_linear for p in facts)
        self._case = case
        self._bounded = frozenset(name for p in facts for name in p.unknowns)
        self._found: list[Ray] = []
        self._is_roomy: bool | None = None
        self._solver: Any = None
        self._one_at_a_time = Lock()

    def grows(self, polynomial: Polynomial) -> bool:
        """Whether it is proved that the polynomial has no highest value, if the case has any assignment."""
        if not self._is_linear or not polynomial.is_linear or polynomial.is_constant:
            return False
        if not polynomial.unknowns <= self._bounded | self._case.choices.keys():
            return True
        growing = [ray for ray in self._generators or () if _along(polynomial, ray) > 0]
        if any(map(self._is_direction, growing)):
            return True
        if self._generators is not None and not growing:
            return False
        with self._one_at_a_time:
            return any(_along(polynomial, ray) > 0 for ray in self._found) or self._searched(polynomial)

    @property
    def is_roomy(self) -> bool:
        """Whether it is proved that the assignments fill balls of any size: some direction leaves all bounds behind."""
        with self._one_at_a_time:
            if self._is_roomy is None:
                self._is_roomy = self._is_linear and not self._case.choices and self._leaves_bounds()
            return self._is_roomy

    @cached_property
    def _generators(self) -> tuple[Ray, ...] | None:
        """Rays whose sums, with factors of at least 0, include all directions; None where they are not known.

        One for each slack of the cone, as it grows by itself, and two for each unknown that was not solved for.
        """
        try:
            cone = self._case.cone
            images = {name: cone.image(Polynomial.unknown(name)) for name in sorted(self._bounded)}
        except TooLarge:
            return None
        moving = {unknown for image in images.values() for unknown in image.unknowns}
        return tuple(
            {name: sign * image.terms.get((unknown,), 0) for name, image in images.items()}
            for unknown in sorted(moving)
            for sign in ((1,) if unknown in cone.slacks else (1, -1))
        )

    def _is_direction(self, ray: Ray) -> bool:
        return not any(ray.get(name) for name in self._case.choices) and all(
            _along(p, ray) >= 0 for p in self._case.inequalities
        )

    def _leaves_bounds(self) -> bool:
        bounds, rays = self._case.inequalities, self._generators
        if rays is not None:
            gains = [[_along(p, ray) for ray in rays] for p in bounds]
            if all(sum(gain) > 0 for gain in gains):
                return True
            if any(max(gain, default=0) <= 0 for gain in gains):
                return False
        import z3  # it takes a while to load

        solver = _solver(z3)
        solver.add(*(_sum(z3, solver.ctx, p) >= 1 for p in bounds))
        return bool(solver.check() == z3.sat)

    def _searched(self, polynomial: Polynomial) -> bool:
        import z3  # it takes a while to load

        if self._solver is None:
            self._solver = self._directions(z3)
        context = self._solver.ctx
        self._solver.push()
        self._solver.add(_sum(z3, context, polynomial) >= 1)
        found = bool(self._solver.check() == z3.sat)
        if found:
            model = self._solver.model()
            self._found.append({v.name(): model[v].as_fraction() for v in model.decls()})
        self._solver.pop()
        return found

    def _directions(self, z3: Any) -> Any:
        solver = _solver(z3)
        solver.add(*(_sum(z3, solver.ctx, p) >= 0 for p in self._case.inequalities))
        solver.add(*(z3.Real(name, solver.ctx) == 0 for name in self._case.choices))
        return solver


def _solver(z3: Any) -> Any:
    solver = z3.SolverFor("QF_LRA", ctx=z3.Context())
    solver.set("rlimit", _RLIMIT)
    return solver


def _along(polynomial: Polynomial, ray: Ray) -> Fraction | int:
    """How much the polynomial grows in one step along the ray."""
    return sum(c * ray[m[0]] for m, c in polynomial.terms.items() if m and m[0] in ray)


def _sum(z3: Any, context: Any, polynomial: Polynomial) -> Any:
    return z3.Sum([z3.RealVal(0, context), *(c * z3.Real(m[0], context) for m, c in polynomial.terms.items() if m)])
