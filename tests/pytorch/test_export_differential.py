"""Exported programs of random declarations accept what the evaluator accepts, by this package and by torch's guards."""

from __future__ import annotations

import os
import warnings
from random import Random

import pytest
import random_systems
import torch

from dynconstraints import ConstraintError, DynamicInt, name_dims
from dynconstraints.pytorch.declarations.warning import DeclarationWarning
from dynconstraints.syntax.parser import parse

SEEDS = 400 if os.environ.get("HYPOTHESIS_PROFILE") == "nightly" else 24
LARGEST = 24


class Summed(torch.nn.Module):
    def forward(self, *inputs):
        total = torch.zeros(())
        for value in inputs:
            total = total + (value.sum() if isinstance(value, torch.Tensor) else value)
        return total


class Layout:
    """Where names stand: each alone, as a size or an int, and expressions of them as further sizes."""

    def __init__(self, rng: Random, names):
        self.kinds = {name: rng.choice(("size", "size", "int")) for name in names}
        forms = ["2*{0}", "{0}+3", "{0}+{1}", "{0}*{1}", "3*{0}+{1}"]
        self.terms = [
            rng.choice(forms).format(*(rng.choice(names) for _ in range(2))) for _ in range(rng.choice((0, 1, 2)))
        ]

    def sizes(self, values):
        """What the further sizes are for values of the names."""
        return [eval(term, {}, dict(values)) for term in self.terms]

    def arguments(self, values, more=None):
        """The inputs of a call, as a caller without this package passes them."""
        own = [values[n] if kind == "int" else torch.ones(values[n]) for n, kind in self.kinds.items()]
        return (*own, *(torch.ones(size) for size in (self.sizes(values) if more is None else more)))

    def declared(self, values, constraints):
        """The example, under its declaration."""
        given = []
        for (name, kind), value in zip(self.kinds.items(), self.arguments(values), strict=False):
            if kind == "int":
                given.append(DynamicInt(value, name=name, constraints=constraints))
            else:
                given.append(name_dims(value, {0: name}, constraints=constraints))
        named = zip(self.terms, self.sizes(values), strict=True)
        return (*given, *(name_dims(torch.ones(size), {0: term}) for term, size in named))


def accepted(module, args):
    try:
        return float(module(*args)), None
    except (ConstraintError, AssertionError) as error:
        return None, error


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_program_accepts_what_its_declaration_does(seed):
    """Over the whole language, with sizes of 0 and 1, and further sizes that agree or don't."""
    rng = Random(seed)
    system = random_systems.of_integers(seed)
    constraints = [f"{name} >= 0" for name in system.symbols] + [c.text for c in system]
    layout = Layout(rng, system.symbols)
    points = [{n: rng.randrange(LARGEST) for n in system.symbols} for _ in range(400)]
    holds = [
        all(c.holds(values) for c in map(parse, constraints) if set(c.symbols) <= values.keys()) for values in points
    ]
    legal = [values for values, held in zip(points, holds, strict=True) if held]
    if not legal:
        pytest.skip("nothing small satisfies it")
    example = layout.declared(legal[0], [c for c in constraints if parse(c).symbols])
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeclarationWarning)
        program = torch.export.export(Summed(), example, strict=bool(seed % 2))
    own, guards = program.module(), program.module()
    guards._forward_pre_hooks.clear()
    for values, held in zip(points[:60], holds[:60], strict=True):
        sizes = layout.sizes(values)
        if sizes and rng.random() < 0.3:
            at = rng.randrange(len(sizes))
            sizes[at] += rng.choice((-1, 1, 2))
            held = False
            if sizes[at] < 0:
                continue
        args = layout.arguments(values, sizes)
        for module in (own, guards):
            found, error = accepted(module, args)
            assert (found is not None) == held, (constraints, layout.terms, values, sizes, error)
            assert found is None or found == float(Summed()(*args))
