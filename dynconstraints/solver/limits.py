"""What may be spent on a question, in counted steps: the same on every machine, under every load.

A limit bounds work that could grow beyond measure. Above it a mechanism gives up, the next of the portfolio is asked,
and after the last the answer is Unknown or an end that isn't tight: never a wrong one. With these values no line of the
corpora loses its answer (`tests/benchmarks/score.py`).
"""

from __future__ import annotations

from dynconstraints.diagnostics.frozen import Frozen


class Limited(Frozen):
    """No answer within the limit that ``reason`` names."""

    reason: str


# z3, the last word

RLIMIT = 2_000_000
"""z3's resource units for one question; about a second. Callers may give another."""

SUBSET_RLIMIT = 500_000
"""z3's resource units for one of many questions about subsets of the same formulas: a quarter of a question's."""

MANY_FORMULAS = 12
"""With more formulas, questions about subsets of them go to one solver of z3 first; of fewer the rest of the portfolio
knows more, in less time than z3 takes to load."""

REJECTED_MODELS = 8
"""How many models of z3 may fail the evaluator, as those of huge powers of two and rounded irrational numbers do."""

# The portfolio

FUEL = 2_000
"""What a refutation by cases may burn for all the ways in which a query can be untrue; then z3 is asked."""

CANDIDATES = 24
"""How many assignments are tried before any proof: they settle most open questions, and each costs one
evaluation of the formulas."""

MOST_LISTED = 512
"""The most combinations of a box of which all are listed, once for all questions about it."""

MOST_NAMES = 48
"""With more names there are no proofs by cases, whose polynomials grow with every name: the domains, z3 and parts of
the formulas decide."""

MOST_CHOICES = 12
"""The most conditionals, minima and maxima of a query that the domains are asked about: they split cases, too, but
decide a condition anew wherever it occurs, so that each doubles the work."""

# Parts of large sets

FEW_NAMES = 8
"""With more names, those that an equation defines are replaced before any proof; fewer cost the proofs nothing, and
equations say more to them than long terms."""

IMAGE_NODES = 400
"""The most nodes of the term that a defined name is replaced by: products of sums may grow with each definition, and a
longer one stays an equation."""

NEAREST_FORMULAS = 24
"""How many formulas next to a query are asked alone, where the set has more than ``MOST_NAMES`` names."""

MOST_JOINED = 64
"""A query that joins more conditions is asked one by one; of fewer the domains take in the whole, and know more of
it."""

# Polynomials and certificates of positivity

MOST_TERMS = 160
"""The most terms of a polynomial: sums and products that have more are left out of the cases. Index expressions have
a few; a product of two at the limit may have thousands."""

CERTIFICATE_DEPTH = 3
"""How many terms of the wrong sign are cancelled in turn by multiples of what is known; each step branches as widely
as there are inequalities left."""

CERTIFICATE_STEPS = 300
"""How many terms all attempts of one proof of positivity may have together; many proofs are tried for each
question, and most fail."""

# Residues

RESIDUE_ASSIGNMENTS = 3_000
"""The most combinations of residues at which a polynomial is evaluated, to list its values modulo a prime power."""

RESIDUE_VALUES = 64
"""The most values modulo a number that are listed: of more nothing follows that a proof would use."""

REFUTED_POINTS = 20_000
"""The most combinations of residues that are tried to refute formulas modulo a constant."""

REFUTED_MODULUS = 20_000
"""The greatest such constant, which is for one name alone."""

REFUTED_POWER = 64
"""The highest power that is evaluated at residues, which are numbers of ten bits."""

# Cases of the tableau

BASE_FUEL = 2_000
"""What a set of formulas may burn while it is taken in, once, before any question; and a case by itself."""

LITERAL_FUEL = 20
"""What each literal of the set adds to that."""

CASE_FUEL = 10
"""What opening a case costs, so that a case split without end ends."""

LINEAR_FUEL = 100
"""What a call of z3 on a case's linear facts costs: as much as ten cases."""

LINEAR_RLIMIT = 200_000
"""z3's resource units for that call, a tenth of a question's: many cases may ask."""

CASE_CANDIDATES = 12
"""How many assignments of an open case are tried: half as many as for the whole, since there are many cases."""

SATURATIONS = 3
"""How often a case takes in what follows from what followed; each time may give it new
products to divide."""

ASSUMED_FACTS = 400
"""How many facts one fact may cause to be taken in again; above it the case knows less."""

CONSEQUENCE_TERMS = 16
"""The most terms of an inequality from which the sign of a factor is sought: each of its unknowns is divided out."""

CASE_VALUES = 16
"""The most values of an unknown that a case lists; a split into them opens as many cases."""

CASE_DIVISORS = 24
"""The most divisors of a constant that a factor of it is split into, each with both signs."""

CASE_DEGREE = 16
"""The highest power of a term that is multiplied out; a case says nothing of higher ones."""

# Divisions, greatest common divisors, powers of two

DIVIDED_VALUES = 16
"""The most remainders of a division by a constant that a case is split into."""

GCD_RESIDUES = 32
"""The greatest literal c for which ``gcd(p, c)`` is found by the residues of p modulo c."""

GCD_ROUNDS = 64
"""The most steps of Euclid's algorithm on polynomials, whose degrees needn't fall as numbers do."""

GCD_PAIRS = 6
"""Of how many greatest common divisors in a case each is compared with each: a quadratic number of divisions."""

MOST_POWERS = 12
"""How many powers of two of a case are compared with each other: a quadratic number of proofs."""

POWER_BITS = 128
"""The exponent up to which the lower bound of a power of two is rounded up; no size has more bits."""

HALVED_POWERS = 3
"""Of how many powers of two it is asked whether they are 1: each doubles the cases."""

# Curves along which a term grows

CURVE_PARAMETERS = 12
"""With more parameters than this not each of them is moved by itself, and pairs aren't."""

MOST_CURVES = 48
"""The most curves of a turn; they are evaluated together, as columns."""

CURVE_TURNS = 6
"""How many plain assignments the curves start from: near 0, at ends of ranges, apart from each other."""

CURVE_MODELS = 2
"""How many models they start from after those: for constraints that exclude all plain ones."""

# Queries

RANGE_QUESTIONS = 90
"""How many questions a range's end may take: 64 halve a gap of 64 bits, and some more may be wasted on a bad guess."""

GALLOP = (1, 2**8, 2**16, 2**32, 2**64)
"""How far ahead of what is attained an end is sought where none is known; beyond 64 bits no size lies."""

LEAST_SHARE = 10_000
"""What a question about one of many names may spend at least, in z3's units; the domains' answer stands where it is
not enough."""

MOST_COUNTED = 1_000_000
"""The most values that an enumeration tries before it says that they are too many."""

MOST_FACTORED = 2**80
"""The greatest number whose divisors are sought: products of sizes have fewer bits, and primality is decided."""

RHO_STEPS = 50_000
"""How many steps are made from each start to find a factor: those of factors of up to 32 bits, about 30 ms."""

LISTED_FACTORS = 4_096
"""The most divisors that are listed."""

EXHAUSTED = 5_000
"""How many values are tried, before z3 is asked, to go through all assignments: equations and divisors may leave few in
a box that has many."""

EXHAUSTIVE_NAMES = 24
"""With more names that is not tried."""

TRIES_FOR_SAMPLE = 20
"""How many candidates are drawn for each sample that is asked for."""

PROJECTED_ALTERNATIVES = 64
"""The most combinations of values that a projection lists as a disjunction: of more no reader makes sense."""

PROJECTED_ASSIGNMENTS = 20_000
"""The most assignments that are gone through for that list."""

PROJECTED_TRIES = 50_000
"""The most values that are tried for it."""

MOST_SIFTED = 48
"""The most formulas of a projection that are asked, one by one, whether they follow from the others."""

ELIMINATED_INEQUALITIES = 200
"""The most inequalities between two eliminations: each can square their number. Above it the projection is only
sound."""

FEW_TO_CHANGE = 5
"""With more given values, the nearest assignment is sought by z3's optimiser: sets of names to change are too many."""

RANKED_NAMES = 24
"""With more given values, of assignments at the same distance any is the nearest: a weight for each name would double
with each."""

CHANGED_SUBSETS = 2_000
"""The most sets of names that are tried as those to change, in the search for the nearest assignment; two questions
and more for each."""

CHANGED_AFTER_ALL = 100
"""As many where z3's optimiser gave up before: few names can be the ones to change then."""

EXPLAINED_CONDITIONS = 64
"""The most conditions of a contradictory set among which a zero divisor is sought: an analysis for each."""

SHOWN_PARTS = 3
"""How many sub-terms of a broken constraint are worked out in its message: more hide the one that matters."""

# Reals

HALVINGS = 12
"""How often the gap between an attained value and a bound is halved; three digits are enough for a reader."""

SIMPLE_DENOMINATOR = 64
"""The greatest denominator of a bound that is tried in place of what the halvings come to: users write such."""

MOST_ROUNDED = 81
"""The most floats next to a model of fractions that are tried: three for each of four names."""

IRRATIONAL_DIGITS = 30
"""The digits to which an irrational number of z3's is rounded: more than a float's seventeen."""

SAMPLED_DISTANCE = 1024
"""How far from its one end, or from 0, samples go where an end is missing."""
