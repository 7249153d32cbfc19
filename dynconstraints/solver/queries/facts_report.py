"""All that is known of each name: range, congruence, value; and the equations between names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dynconstraints.facts.domains.linear_equalities import Lattice
from dynconstraints.ir.nodes import Formula, Name
from dynconstraints.solver.limits import LEAST_SHARE, RLIMIT
from dynconstraints.solver.partition import Partition
from dynconstraints.solver.portfolio import Portfolio
from dynconstraints.solver.queries.bounds import Congruence, Range, congruence_of, range_of, range_of_real
from dynconstraints.solver.queries.fourier_motzkin import equations
from dynconstraints.solver.reals.reals import Reals


@dataclass(frozen=True)
class Facts:
    """What follows from a set of constraints for its names.

    ``ranges`` and ``congruences`` are by name, each marked tight or merely sound; ``fixed`` are the names with one
    value only;
    ``equalities`` and the ``lattice`` (None where it is empty) are what the linear equations and congruences come to.
    """

    ranges: Mapping[str, Range]
    congruences: Mapping[str, Congruence]
    fixed: Mapping[str, int]
    equalities: tuple[Formula, ...]
    lattice: Lattice | None

    def __iter__(self) -> Iterator[str]:
        return iter(self.ranges)


def summarise(portfolio: Portfolio, parts: Partition, names: tuple[str, ...], limit: int = RLIMIT) -> Facts:
    """The facts of the names, in the order given. The limit is for all of them: each name has its share."""
    share = max(limit // max(len(names), 1), LEAST_SHARE)
    about = {name: parts.about_all(Name(name), limit) for name in names}
    ranges = {name: range_of(some, Name(name), share) for name, some in about.items()}
    congruences = {name: congruence_of(some, Name(name), share) for name, some in about.items()}
    fixed = {
        name: found.lower for name, found in ranges.items() if found.lower is not None and found.lower == found.upper
    }
    lattice = portfolio.facts.lattice
    return Facts(ranges, congruences, fixed, () if lattice is None else equations(lattice, names), lattice)


def summarise_reals(system: Reals, names: tuple[str, ...], limit: int = RLIMIT) -> Facts:
    """As `summarise`, of a set that speaks of floats: ranges alone."""
    ranges = {name: range_of_real(system, Name(name), limit) for name in names}
    fixed = {n: r.lower for n, r in ranges.items() if r.lower is not None and r.lower == r.upper}
    return Facts(ranges, {name: Congruence(1, 0, is_tight=False) for name in names}, fixed, (), None)
