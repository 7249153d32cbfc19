"""One case of a proof: a conjunction of polynomial equations, inequalities and disequations over the integers.

Equations are solved as they come: for an unknown that occurs alone with coefficient 1 or -1, and linear ones without
such an unknown by Euclid's algorithm on the coefficients (D. Knuth, *The Art of Computer Programming* 2, §4.5.2).
What was solved for occurs nowhere else any more, so a polynomial has one normal form in a case, and two terms that
the equations make equal are the same polynomial.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from enum import Enum
from functools import lru_cache

from dynconstraints.ir.nodes import Function
from dynconstraints.solver.algebra.polynomial import Polynomial, quotient_of
from dynconstraints.solver.algebra.positivity import PositivityProver, tightened
from dynconstraints.solver.algebra.residues import divisors_of
from dynconstraints.solver.limits import ASSUMED_FACTS, BASE_FUEL, CASE_DIVISORS, CASE_VALUES, CONSEQUENCE_TERMS


class Contradiction(Exception):  # noqa: N818  (it is a result, not an error)
    """The case is empty: no integers satisfy it."""


class OutOfFuel(Exception):  # noqa: N818  (it is a limit, not an error)
    """The proof took as much work as it was allowed."""


class Fuel:
    """How much more work a proof may take, in proof attempts weighted by their size: the same on every machine."""

    def __init__(self, units: int) -> None:
        self.units = units

    def burn(self, units: int = 1) -> None:
        """Raises OutOfFuel when nothing is left."""
        self.units -= units
        if self.units < 0:
            raise OutOfFuel


class Sign(Enum):
    """How a polynomial relates to 0."""

    ZERO = "== 0"
    NONNEGATIVE = ">= 0"
    NONZERO = "!= 0"


@lru_cache(maxsize=1024)
def _rule(equation: Polynomial) -> tuple[str, int, Polynomial] | None:
    """``(x, c, rest)`` where the equation says that ``c*x == rest``, and x is not in the rest."""
    found = [m for m in equation.terms if len(m) == 1 and sum(m[0] in other for other in equation.terms) == 1]
    if not found:
        return None
    ((name,), c) = max(((m, equation.terms[m]) for m in found), key=lambda pair: (pair[0][0][0] != "!", pair))
    return name, c, -equation.without(name)


def _rewritten(polynomial: Polynomial, equation: Polynomial) -> Polynomial:
    """The polynomial with ``c*x`` replaced by what the equation says that it is."""
    rule = _rule(equation)
    if rule is None:
        return polynomial
    name, c, rest = rule
    while having := {m: k // c for m, k in polynomial.terms.items() if name in m and k % c == 0}:
        kept = Polynomial({m: k for m, k in polynomial.terms.items() if m not in having})
        cofactor = Polynomial({quotient_of(m, (name,)) or (): k for m, k in having.items()})
        polynomial = kept + cofactor * rest
    return polynomial


@dataclass(eq=False)
class Case:
    """The integers under which all that was assumed holds. Assuming more may raise Contradiction; ``copy`` first to
    branch.

    ``images`` maps each unknown that was solved for to its polynomial in the others; ``choices`` gives some
    unknowns all the values that they may have; one alternative of each of ``splits`` holds. ``powers`` are powers
    of two, and so are the ``power_factors`` of them, and none of ``no_powers``; of those ``halved`` it was asked
    whether they are 1. ``mentions`` counts the literals that a name is in. ``lossy`` says that some of what was
    assumed is not kept. Fresh unknowns are written ``!1``, ``!2``: no name of the language is.
    """

    fuel: Fuel = field(default_factory=lambda: Fuel(BASE_FUEL))
    images: dict[str, Polynomial] = field(default_factory=dict)
    equations: tuple[Polynomial, ...] = ()
    inequalities: tuple[Polynomial, ...] = ()
    distinct: tuple[Polynomial, ...] = ()
    choices: dict[str, tuple[int, ...]] = field(default_factory=dict)
    powers: tuple[Polynomial, ...] = ()
    power_factors: tuple[Polynomial, ...] = ()
    no_powers: tuple[Polynomial, ...] = ()
    halved: tuple[Polynomial, ...] = ()
    divisions: dict[tuple[Polynomial, Polynomial], tuple[Polynomial, Polynomial]] = field(default_factory=dict)
    calls: dict[tuple[Function, tuple[Polynomial, ...]], Polynomial] = field(default_factory=dict)
    splits: tuple[tuple[tuple[tuple[Polynomial, Sign], ...], ...], ...] = ()
    decided: dict[object, bool] = field(default_factory=dict)
    mentions: Mapping[str, int] = field(default_factory=Counter)
    count: int = 0
    lossy: bool = False
    _prover: PositivityProver | None = None

    def copy(self, fuel: Fuel | None = None) -> Case:
        """An independent copy, which burns the same fuel, or that given."""
        return replace(self, fuel=fuel or self.fuel, **{name: getattr(self, name).copy() for name in _COPIED})

    def fresh(self) -> Polynomial:
        """An unknown that occurs nowhere yet."""
        self.count += 1
        return Polynomial.unknown(f"!{self.count}")

    def image(self, polynomial: Polynomial) -> Polynomial:
        """The normal form of the polynomial; one of several where an equation is left that no unknown solves."""
        image = polynomial.substituted(self.images)
        for equation in self.equations:
            image = _rewritten(image, equation)
        return image

    @property
    def prover(self) -> PositivityProver:
        """The inequalities, ready for proofs."""
        if self._prover is None:
            both = [p for equation in self.equations for p in (equation, -equation)]
            self._prover = PositivityProver([*self.inequalities, *both])
        return self._prover

    def proves(self, polynomial: Polynomial) -> bool:
        """Whether it is seen that the polynomial is at least 0 in the case. Raises OutOfFuel."""
        if polynomial.is_constant:
            return polynomial.value >= 0
        self.fuel.burn(1 + len(polynomial.terms) * (1 + len(self.inequalities) + len(self.equations)) // 8)
        return self.prover.proves(polynomial)

    def nonzero(self, polynomial: Polynomial) -> bool:
        """Whether it is seen that the polynomial is other than 0 everywhere in the case."""
        if polynomial.is_constant:
            return polynomial.value != 0
        if self.proves(polynomial - 1) or self.proves(-polynomial - 1):
            return True
        if polynomial in self.distinct or -polynomial in self.distinct:
            return True
        products = [p for p in self.distinct if len(p.terms) == 1]
        named = {name for p in products for name in p.unknowns}
        return len(polynomial.terms) == 1 and polynomial.unknowns <= named

    def values_of(self, name: str, most: int = CASE_VALUES) -> tuple[int, ...] | None:
        """All values that the unknown may have, where constants bound it and they are at most ``most``."""
        if name in self.choices:
            return self.choices[name]
        bounds: dict[int, list[int]] = {1: [], -1: []}
        for p in self.inequalities:
            if p.unknowns == {name} and (c := p.terms.get((name,))) in bounds and p.is_linear:
                bounds[c].append(p.value)
        if not bounds[1] or not bounds[-1] or not 0 < min(bounds[-1]) + min(bounds[1]) < most:
            return None
        excluded = {
            -p.value * c for p in self.distinct if p.unknowns == {name} and (c := p.terms.get((name,))) in bounds
        }
        low, high = -min(bounds[1]), min(bounds[-1])
        return tuple(value for value in range(low, high + 1) if value not in excluded)

    def consequences(self) -> list[Polynomial]:
        """What follows where an inequality ``u*X + Y >= 0`` has ``u > 0``: ``X >= 1`` if ``Y < 0``, ``X >= 0`` if ``Y
        < u``. ``u`` is an unknown or a divisor of the case; an equation is two inequalities.
        """
        divisors = dict.fromkeys(self.image(d) for _, d in self.divisions)
        found: list[Polynomial] = []
        for p in (*self.inequalities, *(p for e in self.equations for p in (e, -e))):
            if p.is_linear or len(p.terms) > CONSEQUENCE_TERMS:
                continue
            for u in dict.fromkeys([*divisors, *map(Polynomial.unknown, sorted(p.unknowns))]):
                if not u.is_constant and self.proves(u - 1):
                    x, y = p.divided(u)
                    if not x.is_constant:
                        found.extend([x - 1] if self.proves(-y - 1) else [x] if self.proves(u - y - 1) else [])
        return [x for x in found if not self.prover.shows(x)]

    def assume(self, polynomial: Polynomial, sign: Sign) -> None:
        """Add ``polynomial == 0``, ``>= 0`` or ``!= 0``. Raises Contradiction where the case is seen to be empty."""
        pending = deque([(polynomial, sign)])
        for _ in range(ASSUMED_FACTS):
            if not pending:
                return
            pending.extend(self._step(*pending.popleft()))
        self.lossy = True

    def _step(self, polynomial: Polynomial, sign: Sign) -> list[tuple[Polynomial, Sign]]:
        """Take one fact in; what has to be looked at again in its light."""
        p = self._without_positive_factors(self.image(polynomial))
        if p.is_constant:
            holds = {Sign.ZERO: p.value == 0, Sign.NONNEGATIVE: p.value >= 0, Sign.NONZERO: p.value != 0}
            if not holds[sign]:
                raise Contradiction
            return []
        match sign:
            case Sign.ZERO:
                return self._equation(p)
            case Sign.NONNEGATIVE:
                return self._inequality(tightened(p))
            case Sign.NONZERO:
                self.distinct = tuple(dict.fromkeys((*self.distinct, p)))
        return []

    def _without_positive_factors(self, p: Polynomial) -> Polynomial:
        """The polynomial without the unknowns that divide it and are known to be positive; the same sign and zeros."""
        if not p or () in p.terms or all(len(m) == 1 for m in p.terms):
            return p
        for name in dict.fromkeys(next(iter(p.terms))):
            while all(name in m for m in p.terms) and self.proves(Polynomial({(name,): 1, (): -1})):
                p = p.over((name,))
        return p

    def _inequality(self, p: Polynomial) -> list[tuple[Polynomial, Sign]]:
        if -p in self.inequalities:
            self.inequalities = tuple(q for q in self.inequalities if q != -p)
            self._prover = None
            return [(p, Sign.ZERO)]
        if p not in self.inequalities:
            self.inequalities = (*self.inequalities, p)
            self._prover = None
        return []

    def _equation(self, p: Polynomial) -> list[tuple[Polynomial, Sign]]:
        common = p.content
        if p.value % common:
            raise Contradiction
        if common > 1:
            p = Polynomial({m: c // common for m, c in p.terms.items()})
        if (solved := self._solution(p)) is not None:
            return self._solve(*solved)
        if len(p.terms) == 1:  # a product that is 0
            zeros = [name for name in sorted(p.unknowns) if not self.nonzero(Polynomial.unknown(name))]
            if not zeros:
                raise Contradiction
            if len(zeros) == 1:
                return self._solve(zeros[0], Polynomial({}))
        if len(p.terms) == 2 and p.value in (1, -1):  # factors of 1
            ones = [Polynomial({(name,): 1, (): -1}) for name in sorted(p.unknowns)]
            if known := [one for one in ones if self.proves(one + 1)]:
                return [*((one, Sign.ZERO) for one in known), (p, Sign.ZERO)]
        if p.is_linear:
            return [*self._solve(*self._euclid(p)), (p, Sign.ZERO)]
        if p in self.equations or -p in self.equations:
            return []
        if len(p.terms) == 2 and p.value:
            self._choose_factors(p)
        self.images = {name: _rewritten(image, p) for name, image in self.images.items()}
        again = self._taken_out(lambda fact: _rewritten(fact, p) != fact)
        self.equations = (*self.equations, p)
        return again

    def _choose_factors(self, p: Polynomial) -> None:
        """Where a product is a constant, each of its factors is one of the constant's divisors."""
        (c,) = (c for m, c in p.terms.items() if m)
        divisors = None if p.value % c else divisors_of(abs(p.value // c), CASE_DIVISORS)
        if divisors is None:
            return
        for name in sorted(p.unknowns):
            signs = (1,) if self.proves(Polynomial.unknown(name)) else (-1, 1)
            self.choices.setdefault(name, tuple(sorted(sign * d for d in divisors for sign in signs)))

    def _solution(self, p: Polynomial) -> tuple[str, Polynomial] | None:
        """The unknown to solve for, and its image: a name rather than a helper, an old helper before a new.

        Of the names that which is mentioned least: one that is defined, rather than one that it is defined by.
        """
        units = [(name, sign) for name, sign in p.units() if name not in self.choices or len(p.unknowns) == 1]
        if not units:
            return None
        name, sign = min(units, key=lambda u: (u[0][0] == "!", self.mentions.get(u[0], 0), len(u[0]), u[0]))
        return name, p.without(name).scaled(-sign)

    def _euclid(self, p: Polynomial) -> tuple[str, Polynomial]:
        """For ``c*x + rest == 0`` with the least ``|c| > 1``: ``x == t - rest // c``, coefficient by coefficient."""
        least = min((m for m in p.terms if m), key=lambda m: (abs(p.terms[m]), m))
        c, name = p.terms[least], least[0]
        return name, self.fresh() - Polynomial({m: d // c for m, d in p.without(name).terms.items()})

    def _solve(self, name: str, image: Polynomial) -> list[tuple[Polynomial, Sign]]:
        if image.is_constant and image.value not in self.choices.get(name, (image.value,)):
            raise Contradiction
        if self.choices.pop(name, None) and not image.is_constant:
            self.lossy = True
        replaced = {name: image}
        self.images = {other: old.substituted(replaced) for other, old in self.images.items()} | replaced
        return self._taken_out(lambda fact: name in fact.unknowns)

    def _taken_out(self, changes: Callable[[Polynomial], bool]) -> list[tuple[Polynomial, Sign]]:
        """Take out the facts that something new changes, to be assumed again in its light."""
        again: list[tuple[Polynomial, Sign]] = []
        kept: dict[Sign, tuple[Polynomial, ...]] = {}
        for sign, facts in self._facts():
            again.extend((p, sign) for p in facts if changes(p))
            kept[sign] = tuple(p for p in facts if not changes(p))
        self.equations, self.inequalities, self.distinct = kept[Sign.ZERO], kept[Sign.NONNEGATIVE], kept[Sign.NONZERO]
        self._prover = None
        return again

    def _facts(self) -> tuple[tuple[Sign, tuple[Polynomial, ...]], ...]:
        return (
            (Sign.ZERO, self.equations),
            (Sign.NONNEGATIVE, self.inequalities),
            (Sign.NONZERO, self.distinct),
        )


_COPIED = tuple(f.name for f in fields(Case) if f.default_factory is dict)
"""What a copy of a case has of its own: what is changed in place."""
