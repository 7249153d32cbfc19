"""What each mechanism of the reasoner buys: one off at a time, the answers that are still right, and the seconds.

    python tests/benchmarks/ablation.py [--every N] [MECHANISM]...

Asked are the corpora, small systems at random, and sets of more names than proofs by cases take on; of the latter two
every N-th.
Seconds are processor time. Nothing is proved wrong by a mechanism that is off: what counts is what is lost.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from random import Random
from typing import Any, NoReturn
from unittest.mock import patch

sys.path.insert(0, str(Path(__file__).parents[2]))
sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import score
from benchmarks.growing import chain, layers, sparse, star
from benchmarks.small_systems import ask

from dynconstraints import ConstraintSystem, Implied, Open, Sat, Unsat
from dynconstraints.solver.algebra.polynomial import TooLarge

Patches = tuple[tuple[str, Any], ...]
NOTHING = lambda *_, **__: None  # noqa: E731
FALSE = lambda *_, **__: False  # noqa: E731
EMPTY = lambda *_, **__: ()  # noqa: E731


def too_large(*_: object) -> NoReturn:
    """Leave a term out of the cases."""
    raise TooLarge


MECHANISMS: Mapping[str, Patches] = {
    "witnesses": (("solver.portfolio:candidates", EMPTY),),
    "tableau": (("solver.tableau.tableau:Tableau.search", NOTHING),),
    "gcd and lcm": (("solver.tableau.lower_terms:gcd_of", too_large), ("solver.tableau.lower_terms:lcm_of", too_large)),
    "gcd simplified": (("solver.tableau.tableau:simplify", NOTHING),),
    "gcd by residues": (("solver.tableau.gcd:_by_residues", NOTHING),),
    "divisions merged": (("solver.tableau.tableau:merge", NOTHING),),
    "powers of two": (
        ("solver.tableau.powers_of_two:settle", NOTHING),
        ("solver.tableau.powers_of_two:splits", EMPTY),
    ),
    "consequences": (("solver.tableau.branch:Case.consequences", EMPTY),),
    "linear arithmetic": (("solver.tableau.lia_check:contradictory", FALSE),),
    "residues": (("solver.portfolio:contradictory", FALSE),),
    "curves": (("solver.search.unbounded_curves:UnboundedCurves.grow", FALSE),),
    "listed": (("solver.portfolio:Portfolio.listed", None),),
    "definitions": (("solver.portfolio:Portfolio.reduced", None),),
    "exhausted": (("solver.portfolio:Portfolio.exhausted", None),),
    "crowds": (("solver.portfolio:too_few_values", FALSE),),
    "near": (("solver.partition:Partition._near", FALSE),),
    "boxes": (("facts.product.box:Box.implies", FALSE), ("solver.portfolio:Portfolio._corner", None)),
    "transfer": (("facts.domains.transfer:range_of", lambda *_: (None, None)),),
    "substitutions": (("facts.product.analysis:with_definitions", lambda rows, _: rows),),
    "differences": (
        ("facts.product.inequality_search:difference", NOTHING),
        ("facts.product.case_splits:is_consistent", lambda *_: True),
        ("facts.domains.difference_bounds:least_values", NOTHING),
    ),
    "hulls": (("facts.product.case_splits:joined", lambda _, pending, __: pending),),
    "points": (("facts.product.case_splits:points", NOTHING),),
}
"""What is put in the place of what, for each mechanism to be off."""


def without(names: tuple[str, ...]) -> ExitStack:
    """A context in which the mechanisms are off."""
    stack = ExitStack()
    for target, instead in (pair for name in names for pair in MECHANISMS[name]):
        module, _, path = target.partition(":")
        *owners, attribute = path.split(".")
        owner = import_module(f"dynconstraints.{module}")
        for inner in owners:
            owner = getattr(owner, inner)
        stack.enter_context(patch.object(owner, attribute, instead))
    return stack


def of_corpora(_: int) -> Iterator[bool]:
    """Whether each line of the corpora is answered right."""
    for path in sorted(score.CORPUS.glob("*.jsonl")):
        yield from (score.answer(line).grade == "right" for line in score.lines(path))


def of_small_systems(every: int) -> Iterator[bool]:
    """Whether questions about small systems are answered, and not wrong."""
    asked = ask(1, 1200 // every)
    total = sum(asked.asked.values())
    missed = sum(asked.undecided.values()) + len(asked.wrong)
    yield from (i >= missed for i in range(total))


def of_many_names(every: int) -> Iterator[bool]:
    """Whether questions about chains of sixty names and more are answered right."""
    for seed in range(0, 40, every):
        rng = Random(seed)
        names = [f"n{i}" for i in range(rng.randrange(52, 72))]
        steps = [rng.randrange(3) for _ in names]
        links = [f"{a} + {step} <= {b}" for a, b, step in zip(names, names[1:], steps, strict=False)]
        given = ["n0 >= 1", f"{names[-1]} <= 100000", *links, *(f"{n} % 4 == 0" for n in rng.sample(names, 5))]
        given += [f"m{i} == {rng.randrange(2, 5)}*{n}" for i, n in enumerate(rng.sample(names, 6))]
        system = ConstraintSystem(given)
        i, j = sorted(rng.sample(range(len(names)), 2))
        far = sum(steps[i:j])
        for query, kind in (
            (f"{names[i]} + {far} <= {names[j]}", Implied),
            (f"{names[i]} + {far + 400} <= {names[j]}", Open),
            (f"{names[j]} >= {1 + sum(steps[:j])}", Implied),
            ("m0 % 2 == 0 or m0 >= 1", Implied),
            ("m1 > 0 and m2 > 0", Implied),
            (f"{names[i]}*{names[j]} >= 1", Implied),
            (f"{names[i]} % 3 == 1", Open),
        ):
            yield isinstance(system.implies(query), kind)
    for make in (chain, star, sparse):
        system = ConstraintSystem(make(1200 // every))
        yield isinstance(system.check(), Sat)
        yield isinstance(system.implies("x5 + 1 >= x4"), Implied if make is chain else Open)


def of_models(_: int) -> Iterator[bool]:
    """Whether questions about the sizes of models are answered, and about sets with few assignments in a large box."""
    for size in (60, 120):
        system = ConstraintSystem(layers(size))
        yield isinstance(system.implies("h8*w8*4 == h0*w0"), Implied)
        yield system.congruence("h8*w8") == (16, 0)
        yield system.range("b*h8*w8").upper_is_tight
        yield isinstance(system.implies("h8 % 8 == 0"), Open)
    primes = ConstraintSystem(["a*b*c*d*e == 2310", *(f"{name} >= 2" for name in "abcde")])
    yield isinstance(primes.implies("a + b + c + d + e == 28"), Implied)
    divided = ConstraintSystem([f"{2**61 - 1} % x == 0", "x > 1"])
    yield isinstance(divided.implies(f"x == {2**61 - 1}"), Implied)
    apart = [f"p{i} != p{j}" for i in range(9) for j in range(i)]
    yield isinstance(ConstraintSystem([*apart, *(f"0 <= p{i} <= 7" for i in range(9))]).check(), Unsat)


PARTS: tuple[Callable[[int], Iterator[bool]], ...] = (of_corpora, of_small_systems, of_many_names, of_models)


def measured(every: int) -> str:
    """The right answers and seconds of each part."""
    cells = []
    for part in PARTS:
        started = time.process_time()
        right = list(part(every))
        cells.append(f"{sum(right):5} of {len(right):5} {time.process_time() - started:6.1f} s")
    return "  ".join(cells)


def main(arguments: list[str]) -> None:
    every = int(arguments[1]) if arguments[:1] == ["--every"] else 1
    chosen = arguments[2:] if arguments[:1] == ["--every"] else arguments
    print(f"{'off':18}  {'corpora':22}  {'small systems':22}  {'many names':22}  {'models':22}")
    for name in chosen or ("none", *MECHANISMS):
        with without(() if name == "none" else tuple(name.split("+"))):
            print(f"{name:18}  {measured(every)}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
