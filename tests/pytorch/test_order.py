"""The order in which a program meets the places of a name has no say in what is declared, nor in what is proved."""

import itertools
import os
import random
from collections.abc import Callable
from typing import Any

import pytest
import torch
from compiled import explain

from dynconstraints import DynamicFloat, DynamicInt, dynamic_int_constraints, name_dims

NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"

Maker = Callable[[tuple[str, ...]], Any]

NAMES: dict[str, Maker] = {
    "tensor": lambda said: name_dims(torch.ones(32), {0: "b"}, constraints=said),
    "matrix": lambda said: name_dims(torch.ones(32, 3), {0: "b"}, constraints=said),
    "square": lambda said: name_dims(torch.ones(32, 32), {0: "b", 1: "b"}, constraints=said),
    "number": lambda said: DynamicInt(32, name="b", constraints=said),
}
"""Values under the name itself."""

EXPRESSIONS: dict[str, Maker] = {
    "twice": lambda said: name_dims(torch.ones(64), {0: "2*b"}, constraints=said),
    "product": lambda said: name_dims(torch.ones(5, 160), {0: "c", 1: "b*c"}, constraints=said),
    "derived": lambda said: DynamicInt(32, name="b", constraints=said) * 3 + 1,
}
"""Values under expressions, from which the name follows where it has not been met: by more guards."""

SAID = ("b % 16 == 0", "16 <= b <= 256")


def used(value: Any) -> Any:
    return (value * 2).sum() if isinstance(value, torch.Tensor) else torch.ones(1).sum() * value


class Holder(torch.nn.Module):
    value: Any


PLACES: dict[str, Callable[[Any], tuple[Any, Callable[[Any], Any]]]] = {
    "argument": lambda value: (value, lambda given: given),
    "list": lambda value: ([value], lambda given: given[0]),
    "dict": lambda value: ({"k": (value,)}, lambda given: given["k"][0]),
    "closure": lambda value: (None, lambda _: value),
    "attribute": lambda value: (None, _attribute(value)),
}
"""How a value comes to the function: what is passed, and how the function reads the value."""


def _attribute(value: Any) -> Callable[[Any], Any]:
    holder = Holder()
    holder.value = value
    return lambda _: holder.value


def found(values: list[Any], places: list[str], order: tuple[int, ...]) -> tuple[Any, ...]:
    """What `explain` tells of a function that uses the values at their places in the order."""
    torch._dynamo.reset()
    given, readers = zip(*(PLACES[place](value) for value, place in zip(values, places, strict=True)), strict=True)

    def function(*args: Any) -> Any:
        total = 0
        for i in order:
            total = used(readers[i](args[i])) + total
        return total

    (graph,) = (report := explain(function, *given)).graphs
    return sorted(graph.declared), graph.lattice, len(graph.guards), report.covers_domain


@pytest.mark.parametrize("seed", range(200 if NIGHTLY else 5))
def test_every_order_of_use_declares_and_guards_the_same(seed: int) -> None:
    """Two or three places of one name, the constraints said at one of them or divided among them."""
    choose = random.Random(seed)
    kinds = choose.choices(list(NAMES), k=choose.choice([2, 2, 3]))
    places = choose.choices(list(PLACES), k=len(kinds))
    said: list[tuple[str, ...]] = [() for _ in kinds]
    for text in SAID:
        at = choose.randrange(len(kinds))
        said[at] = (*said[at], text)
    answers = []
    for order in itertools.permutations(range(len(kinds))):
        values = [NAMES[kind](texts) for kind, texts in zip(kinds, said, strict=True)]
        answers.append(found(values, places, order))
    assert all(answer == answers[0] for answer in answers), (kinds, places, said, answers)
    assert [text for text, _ in answers[0][0]] == sorted(SAID)
    assert answers[0][-1] is True


@pytest.mark.parametrize("seed", range(200 if NIGHTLY else 6))
def test_expressions_lose_no_constraint_either(seed: int) -> None:
    """Where an expression is met first it takes more guards, to the same end."""
    choose = random.Random(seed)
    kinds = [choose.choice(list(EXPRESSIONS)), choose.choice([*NAMES, *EXPRESSIONS])]
    places = choose.choices(list(PLACES), k=2)
    at = choose.randrange(2)
    for order in ((0, 1), (1, 0)):
        values = [{**NAMES, **EXPRESSIONS}[kind](SAID if i == at else ()) for i, kind in enumerate(kinds)]
        declared, _, _, covers = found(values, places, order)
        assert [text for text, _ in declared] == sorted(SAID), (kinds, places, at, order)
        assert covers or "product" in kinds  # of which c may be 0


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("at", range(3))
def test_a_float_keeps_the_constraints_of_all_its_places(order: tuple[int, ...], at: int) -> None:
    """Also those that speak of an integer, met before or after."""
    said: list[tuple[str, ...]] = [("0.0 < a <= 1.0", "a*b <= 64.0") if i == at else () for i in range(2)]
    values = [DynamicFloat(0.5, name="a", constraints=texts) for texts in said]
    number = DynamicInt(32, name="b")
    with dynamic_int_constraints(["a*b <= 64.0"]) if at == 2 else dynamic_int_constraints([]):
        declared, *_ = found([*values, number], ["argument", "list", "argument"], order)
    texts = [text for text, _ in declared]
    assert texts == (["a*b <= 64.0"] if at == 2 else ["0.0 < a <= 1.0", "a*b <= 64.0"])
