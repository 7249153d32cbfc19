"""The legal assignment nearest to a given one, by z3's optimiser: where many names may have to change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import z3

from dynconstraints.ir.fold import conjuncts, names
from dynconstraints.ir.nodes import Compare, Formula, Int, Mod, Name, Relation
from dynconstraints.ir.printer import in_order
from dynconstraints.lowering.to_z3 import Encoder
from dynconstraints.solver.limits import RANKED_NAMES, Limited
from dynconstraints.solver.search.z3_query import Model, confirmed, read_model


def nearest_by_z3(formulas: Sequence[Formula], given: Mapping[str, int], limit: int) -> Model | Limited | None:
    """The assignment that changes the fewest of the given values; of those, one at the smallest sum of distances.

    Of several, the one whose changed names come first in the alphabet, then that with the lower values, as long as no
    more than `RANKED_NAMES` are given. None if there is none.
    """
    encoder = Encoder(z3.Context())
    wanted = in_order(formulas)
    symbols = sorted(frozenset(given).union(*(names(formula) for formula in wanted)))
    values = {name: encoder.name(name) for name in symbols}
    optimiser = z3.Optimize(ctx=encoder.context)
    optimiser.set("priority", "lex")
    optimiser.set("rlimit", limit)
    for place, part in enumerate(part for formula in wanted for part in conjuncts(formula)):
        match part:
            case Compare((Mod(Name(name), Int(m)), Int(rest)), (Relation.EQ,)) if 0 <= rest < m:  # far easier for it
                optimiser.add(values[name] == m * z3.Int(f"k!{place}", encoder.context) + rest)
            case _:
                optimiser.add(encoder.true(part))
    optimiser.add(*encoder.sides)
    ordered = sorted(given)
    for name in ordered:
        optimiser.add_soft(values[name] == given[name], 1, "changed")
    apart = [z3.If(values[n] >= given[n], values[n] - given[n], given[n] - values[n]) for n in ordered]
    optimiser.minimize(z3.Sum(apart))
    if len(ordered) <= RANKED_NAMES:
        for place, name in enumerate(ordered):
            optimiser.add_soft(values[name] != given[name], 2 ** (len(ordered) - place), "first")
        optimiser.minimize(z3.Sum([values[name] for name in ordered]))
    answer = optimiser.check()
    if answer == z3.unsat:
        return None
    if answer != z3.sat:
        return Limited("z3's optimiser gave up")
    model = read_model(optimiser.model(), encoder, symbols)
    return model if confirmed(model, wanted) else Limited("a model of z3's optimiser was wrong")
