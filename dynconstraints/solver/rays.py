"""Directions without end: where a linear case has an assignment, it has all those further along such a direction.

What moves along ``v`` keeps ``p >= 0`` for a linear ``p`` whose part without the constant is not negative at ``v``, and
``p != 0`` but for one step. The directions are the recession cone of a polyhedron (A. Schrijver, *Theory of Linear and
Integer Programming*, 1986, §8.2); a rational one has a multiple that is integral. z3 finds them, by linear arithmetic.
"""

from __future__ import annotations

from fractions import Fraction
from threading import Lock
from typing import Any

from dynconstraints.solver.case import Case
from dynconstraints.solver.polynomial import Polynomial

_RLIMIT = 200_000


class Rays:
    """The directions of a case. What is asked is remembered by directions only, so that answers don't depend on order.

    A case in which something is not linear, or not known to be kept, has none.
    """

    def __init__(self, case: Case) -> None:
        facts = (*case.inequalities, *case.distinct)
        self._is_linear = not case.lossy and not case.equations and all(p.is_linear for p in facts)
        self._case = case
        self._found: list[dict[str, Fraction]] = []
        self._is_roomy: bool | None = None
        self._solver: Any = None
        self._one_at_a_time = Lock()

    def grows(self, polynomial: Polynomial) -> bool:
        """Whether it is proved that the polynomial has no highest value, if the case has any assignment."""
        if not self._is_linear or not polynomial.is_linear or polynomial.is_constant:
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

    def _leaves_bounds(self) -> bool:
        import z3  # it takes a while to load

        solver = _solver(z3)
        solver.add(*(_sum(z3, solver.ctx, p) >= 1 for p in self._case.inequalities))
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


def _along(polynomial: Polynomial, ray: dict[str, Fraction]) -> Fraction:
    """How much the polynomial grows in one step along the ray."""
    return sum((c * ray[m[0]] for m, c in polynomial.terms.items() if m and m[0] in ray), Fraction())


def _sum(z3: Any, context: Any, polynomial: Polynomial) -> Any:
    return z3.Sum([z3.RealVal(0, context), *(c * z3.Real(m[0], context) for m, c in polynomial.terms.items() if m)])
