"""Proofs of inequalities from what is known: by the range of the polynomial, or a path of differences.

What is found is a proof, and finding none means nothing.
"""

from __future__ import annotations

from dynconstraints.facts.domains.difference_bounds import least_bound
from dynconstraints.facts.product import atom_polynomials as poly
from dynconstraints.facts.product.atom_polynomials import Polynomial
from dynconstraints.facts.product.store import ConstraintStore, difference


def at_least(known: ConstraintStore, p: Polynomial) -> bool:
    """Whether ``p >= 0`` is proved."""
    low, _ = known.range_of(p)
    if low is not None and low >= 0:
        return True
    _, p = poly.primitive(p)
    edge = difference(p)
    if edge is None or edge[0] not in known.edges:
        return False
    bound = least_bound(known.edges, edge[0], edge[1])
    return bound is not None and bound <= edge[2]
