"""From the guards of a program to constraints that say the same in fewer words.

What follows from all of the guards is looked for in the forms that people declare: multiples, equalities, ranges, then
relations of two names. Where these imply every guard they are what the guards amount to; a guard that they don't imply
is said in other words (`simpler`), or proposed as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations, permutations

from dynconstraints.facts.domains.linear_forms import affine_of
from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.fold import names, names_in_order, walk
from dynconstraints.ir.nodes import Call, Compare, FloorDiv, Formula, Int, Mod, Mul, Name, Relation
from dynconstraints.ir.printer import show
from dynconstraints.pytorch.reports.progress import Progress
from dynconstraints.pytorch.reports.suggesting.implications import Implications
from dynconstraints.pytorch.reports.suggesting.simplify_guards import simpler
from dynconstraints.system import ConstraintSystem

_RELATIONS = ("{a} == {b}", "{a} % {b} == 0", "{a} >= 2*{b}", "{a} > {b}", "{a} >= {b}", "{a} != {b}")
"""What two names may have to do with each other, besides an equation."""


def generalised(
    guards: Sequence[Formula],
    known: ConstraintSystem,
    values: Sequence[Mapping[str, int]],
    asking: Implications | None = None,
    progress: Progress | None = None,
) -> tuple[Constraint, ...]:
    """Constraints that, beside the known ones, imply every guard, none of them needless.

    They hold where the guards hold and nowhere else, except where guards in a roundabout way say nearly the same as
    something simple that holds in all of the calls. ``values`` are the calls' assignments, for which the guards hold:
    equations are guessed from them, before they are proved. Where time is up, guards of no simple form
    stay as they are.
    """
    asking = asking or Implications(values)
    easy = known.extend(Constraint.of(g) for g in guards if len(names(g)) < 2 or _is_linear(g))
    guessed = (*_equations(values), *(Constraint.of(g) for g in guards if _is_equation(g)), *_facts(easy))
    plain = known.extend(Constraint.of(g) for g in guards if _has_plain_divisors(g))
    found = [
        c for c in guessed if not asking.implied(known, c) and (asking.implied(easy, c) or asking.implied(plain, c))
    ]
    left = _left(guards, known.extend(found), asking)
    if left:
        spoken = dict.fromkeys(name for guard in left for name in names_in_order(guard))
        likely = [c for c in _relations(spoken) if all(c.holds(v) for v in values if v.keys() >= set(c.symbols))]
        found += [c for c in likely if asking.implied(plain, c)]
    for guard in sorted(filter(_is_plain, _left(guards, known.extend(found), asking)), key=lambda g: len(show(g))):
        if not asking.implied(known.extend(found), Constraint.of(guard)):
            found.append(Constraint.of(guard))
    left = _left(guards, known.extend(found), asking)
    is_over = progress is not None and progress.is_over("all conditions were put in few words")
    for together in () if is_over else _of_same_names(left):
        found += simpler(together, known.extend(found), values, asking) or ()
    for guard in () if is_over else left:
        if not asking.implied(known.extend(found), Constraint.of(guard)):
            found += simpler([guard], known.extend(found), (), asking) or ()
    for guard in sorted(_left(guards, known.extend(found), asking), key=lambda g: len(show(g))):
        if not asking.implied(known.extend(found), Constraint.of(guard)):
            found.append(Constraint.of(guard))
    return _needed(found, known, asking)


def _of_same_names(guards: Iterable[Formula]) -> list[list[Formula]]:
    """The guards, those together that speak of the same names."""
    groups: dict[frozenset[str], list[Formula]] = {}
    for guard in guards:
        groups.setdefault(names(guard), []).append(guard)
    return list(groups.values())


def needed_by(others: ConstraintSystem, guards: Iterable[Formula], asking: Implications) -> Formula | None:
    """The first of the guards that the others don't imply; None where there is none."""
    return next((g for g in guards if not asking.implied(others, Constraint.of(g))), None)


def _equations(values: Sequence[Mapping[str, int]]) -> Iterator[Constraint]:
    """What holds between two names in all of the assignments: equal, a multiple, a fixed sum or difference."""
    texts = []
    for a, b in combinations(dict.fromkeys(name for known in values for name in known), 2):
        pairs = [(known[a], known[b]) for known in values if a in known and b in known]
        sums, differences = {x + y for x, y in pairs}, {x - y for x, y in pairs}
        if differences == {0}:
            texts.append(f"{a} == {b}")
            continue
        for one, other, both in ((a, b, pairs), (b, a, [(y, x) for x, y in pairs])):
            ratios = {x // y if y and x % y == 0 else None for x, y in both}
            texts += [f"{one} == {ratio}*{other}" for ratio in ratios if ratio is not None and len(ratios) == 1]
        texts += [f"{b} == {total} - {a}" for total in sums if len(sums) == 1]
        texts += [f"{a} == {b} + {d}" if d > 0 else f"{b} == {a} + {-d}" for d in differences if len(differences) == 1]
    return iter(ConstraintSystem(texts))


def _is_equation(formula: Formula) -> bool:
    """Whether it says that two sums of multiples of names are equal."""
    match formula:
        case Compare(terms, (Relation.EQ,)):
            return all(affine_of(term) is not None for term in terms)
    return False


def _is_linear(formula: Formula) -> bool:
    """Whether it has no product of names, and divides by numbers only."""
    return all(
        len([f for f in node.factors if names(f)]) < 2 if isinstance(node, Mul) else not names(node.divisor)
        for node in walk(formula)
        if isinstance(node, Mul | FloorDiv | Mod)
    )


def _is_plain(formula: Formula) -> bool:
    """Whether it is as a person would write it: a remainder by a number at most, of a product or a sum."""
    nodes = list(walk(formula))
    quotients = [node for node in nodes if isinstance(node, FloorDiv | Call)]
    return not quotients and all(isinstance(node.divisor, Int) for node in nodes if isinstance(node, Mod))


def _has_plain_divisors(formula: Formula) -> bool:
    """Whether it divides by numbers and names only; of the others the solver makes little, and slowly."""
    divisors = [node.divisor for node in walk(formula) if isinstance(node, FloorDiv | Mod)]
    return all(isinstance(d, Int | Name) for d in divisors)


def _facts(system: ConstraintSystem) -> Iterator[Constraint]:
    """Multiples, equations and ranges, in this order: of what says the same the first is kept."""
    facts = system.facts()
    texts = [f"{n} % {c.modulus} == {c.remainder}" for n, c in facts.congruences.items() if c.modulus > 1]
    texts += map(show, facts.equalities)
    for name, found in facts.ranges.items():
        if found.lower is not None and found.lower == found.upper:
            texts.append(f"{name} == {found.lower}")
        else:
            texts += [f"{name} >= {found.lower}"] * (found.lower is not None)
            texts += [f"{name} <= {found.upper}"] * (found.upper is not None)
    return iter(ConstraintSystem(texts))


def _relations(names: Iterable[str]) -> Iterator[Constraint]:
    pairs = list(permutations(names, 2))
    return iter(ConstraintSystem(form.format(a=a, b=b) for form in _RELATIONS for a, b in pairs))


def _left(guards: Iterable[Formula], system: ConstraintSystem, asking: Implications) -> list[Formula]:
    return [guard for guard in dict.fromkeys(guards) if not asking.implied(system, Constraint.of(guard))]


def _needed(found: Sequence[Constraint], known: ConstraintSystem, asking: Implications) -> tuple[Constraint, ...]:
    """The constraints without those that follow from others; of two that say the same the earlier stays."""
    kept = list(dict.fromkeys(found))
    for constraint in reversed(kept[:]):
        others = [c for c in kept if c is not constraint]
        if asking.implied(known.extend(others), constraint):
            kept = others
    return tuple(kept)
