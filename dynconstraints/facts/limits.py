"""What the domains may spend, in counted steps: the same on every machine, under every load.

Each limit bounds work that could grow beyond measure; above it less is known, and what is known stays sound. With
these values no line of the corpora loses its answer (`tests/benchmarks/score.py`).
"""

from __future__ import annotations

# The analysis as a whole

ANALYSES = 3
"""How often the analysis starts again with disjunctions settled, so that their equalities join the lattice. Each pass
costs as much as the first; of a longer chain of disjunctions that settle one another the last ones stay open."""

MOST_ALTERNATIVES = 256
"""The most alternatives of a disjunction that are assumed one by one. Of more values of one term their ends and their
common modulus are taken, and of other disjunctions nothing."""

MOST_POINTS = 1024
"""How many assignments of a term's names are tried one by one, as columns. Above it the ends of the term's range are
the domains', which may not be attained."""

# The normal form

PRODUCT_TERMS = 48
"""The most terms of a product that is multiplied out; a larger one is an atom of which only the range is known."""

PRODUCT_DEGREE = 16
"""The highest power of a sum that is multiplied out: of higher ones only the range is known, too."""

# Definitions put in the place of names

MOST_DEFINITIONS = 64
"""The most nonlinear definitions that are taken: each is put into all the others, which is quadratic. Names above it
stay, and the equalities that define them are relations like others."""

DEFINITION_TERMS = 16
"""The most terms that a definition may have once others are put into it; more would make each later product of it
exceed ``PRODUCT_TERMS``."""

DEFINITION_DEGREE = 6
"""The highest degree that a definition may reach so; sizes are products of few dimensions."""

# Propagation in the store

NARROWINGS = 24
"""How often one monomial's range may shrink before it is left as it is. Without it ``x < y`` and ``y < x`` over a
billion values would count down one by one."""

END_BITS = 1024
"""How long an end may get when it shrinks again: ``x*x >= 4*x`` would square it each time. Far above any size."""

REMEMBERED_RANGES = 20_000
"""How many polynomials' ranges are kept before all are forgotten: it bounds memory, and costs time alone."""

SPLITS = 3
"""How many indicators and maxima of a polynomial are tried both ways: twice the work for each. Of nested ``min`` and
``max`` beyond it the range of each is taken by itself."""

CORRELATED_TERMS = 24
"""The most terms of a polynomial whose atoms are looked at together; of a longer one the sum of the ranges stands."""

# Assignments that are likely to satisfy the constraints

SAMPLES = 24
"""How many assignments are drawn at once: ends, values near 0, then at random."""

PLAIN_SAMPLES = 4
"""How many of them are plain, and enough for the question whether anything at all satisfies the constraints."""

ENOUGH_SAMPLES = 4
"""With so many found, none are sought name by name, which takes a propagation for each name."""

WALKS = 6
"""How many assignments are sought name by name, where too few were drawn; each may lead nowhere."""

WALKED_PARAMETERS = 24
"""With more parameters than this there is one walk, and it takes no step back, for which it would copy the
store at each parameter."""

SAMPLED_DISTANCE = 100
"""How far from its one end, or from 0, a value is drawn where an end is missing."""
