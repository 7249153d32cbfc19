"""Systems of the whole language at random, over integers and over floats, each satisfied by something or not."""

from __future__ import annotations

from random import Random

from benchmarks.small_language import some_formula

from dynconstraints import ConstraintSystem

NAMES = ("a", "b", "c")


def of_integers(seed: int) -> ConstraintSystem:
    """One to three constraints over up to three integers."""
    rng = Random(seed)
    names = NAMES[: rng.choice((1, 2, 3))]
    return ConstraintSystem(
        some_formula(rng, names, rng.choice((1, 1, 2, 3))).text for _ in range(rng.choice((1, 1, 2, 3)))
    )


def of_reals(seed: int) -> ConstraintSystem:
    """One to three constraints over two floats and an integer."""
    rng = Random(seed)
    return ConstraintSystem([_formula(rng, 2) for _ in range(rng.choice((1, 2, 3)))], reals=("p", "q"))


_LITERALS = ("0.5", "0.1", "0.0", "3", "-2", "1e-3", "1.0", "1e9", "1e-30")


def _term(rng: Random, depth: int) -> str:
    def part() -> str:
        return _term(rng, depth - 1)

    if depth == 0 or rng.random() < 0.3:
        return rng.choice(("p", "q", "n", "p", "q", rng.choice(_LITERALS)))
    match rng.randrange(9):
        case 0 | 1:
            return f"({part()} {rng.choice('+-')} {part()})"
        case 2 | 3:
            return f"({part()}*{part()})"
        case 4:
            return f"{rng.choice(('min', 'max'))}({part()}, {part()})"
        case 5:
            return f"abs({part()})"
        case 6:
            return f"({part()})**{rng.randrange(4)}"
        case 7:
            return rng.choice((f"(n // {rng.choice((-3, 0, 2))})", "gcd(n, 12)", f"(n % (n - {rng.randrange(4)}))"))
        case _:
            return f"({part()} if {_formula(rng, 0)} else -{part()})"


def _formula(rng: Random, depth: int) -> str:
    def part() -> str:
        return _formula(rng, depth - 1)

    match rng.randrange(9 if depth else 5):
        case 0 | 1 | 2:
            return f"({_term(rng, 2)} {rng.choice(('<', '<=', '>', '>=', '==', '!='))} {_term(rng, 2)})"
        case 3:
            return f"({_term(rng, 1)} in {{{_term(rng, 1)}, {_term(rng, 1)}}})"
        case 4:
            return rng.choice(("is_power_of_two(n)", "(n in range(0, 20, 3))", "(0.25 <= p < 1.5)", "divides(n, 12)"))
        case 5:
            return f"(not {part()})"
        case 6:
            return f"({part()} and {part()})"
        case 7:
            return f"({part()} or {part()})"
        case _:
            return f"({part()} => {part()})"
