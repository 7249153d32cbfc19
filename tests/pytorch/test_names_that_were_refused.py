"""Names that a program may give: like those of our own, in other letters, of what is no number; sizes without one."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
import torch
from compiled import Compiled
from torch._subclasses import FakeTensorMode
from torch.fx.experimental.symbolic_shapes import ShapeEnv

from dynconstraints import (
    ConflictingBindingError,
    ConstraintSystem,
    DynamicFloat,
    DynamicInt,
    bind,
    dynamic_int_constraints,
    name_dims,
)
from dynconstraints.diagnostics.errors import DimensionError

MICRO, MU = "\N{MICRO SIGN}", "\N{GREEK SMALL LETTER MU}"
"""Two spellings of one identifier, to Python."""

NAMES = ("_0", "_1", "L", "x", "s0", "u0", "k")


@pytest.mark.parametrize(("first", "second"), itertools.permutations(NAMES, 2))
def test_no_name_is_taken_for_one_of_our_own(first: str, second: str) -> None:
    """In what a parameter is computed of: of a difference that is a multiple, and of a product."""

    def added(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return x.sum() + y.sum()

    compiled = Compiled(added)
    with dynamic_int_constraints([f"({second} - {first}) % 8 == 0"]):
        for n, m in ((5, 13), (6, 6)):
            assert compiled(name_dims(torch.ones(n), {0: first}), name_dims(torch.ones(m), {0: second})) == n + m
    compiled = Compiled(added)
    for n, m in ((5, 15), (6, 12)):
        product = name_dims(torch.ones(m), {0: f"{first}*{second}"})
        assert compiled(name_dims(torch.ones(n), {0: first}), product) == n + m


def test_names_are_read_as_python_reads_them_wherever_they_come_in() -> None:
    """In texts, as arguments, and as keys."""
    system = ConstraintSystem([f"{MICRO} % 4 == 0", f"0 <= {MICRO} <= 40"])
    for name in (MICRO, MU):
        assert system.symbols == (MU,)
        assert system.holds({name: 8})
        assert system.constraints[0].holds({name: 8})
        assert system.compile()({name: 8})
        assert not system.compile()({name: 7})
        assert [violation.values for violation in system.violations({name: 7})] == [{MU: 7}]
        assert system.nearest({name: 7}) == {MU: 8}
        assert system.violation({name: 7}) is not None
        assert system.unbound([name]) == ()
        assert system.project([name]).system == system
        assert DynamicInt(8, name=name, constraints=[f"{MICRO} % 4 == 0"]).name == MU
        assert DynamicFloat(0.5, name=name, constraints=[f"{MICRO} < 1.0"]).name == MU
        assert bind(name, 8, constraints=[f"{MICRO} > 3"]) == 8


def test_two_spellings_are_one_name_in_a_compiled_call() -> None:
    """Of dimensions, in an expression, and of a value named in the trace."""
    compiled = Compiled(lambda x, y: x.sum() + y.sum() + bind(MICRO, x.shape[0], constraints=[f"{MICRO} > 3"]))
    for size in (8, 16):
        x, y = name_dims(torch.ones(size), {0: MICRO}), name_dims(torch.ones(2 * size), {0: f"2*{MU}"})
        assert compiled(x, y) == 4 * size
    assert compiled.graphs == 1


def test_a_named_float_may_be_no_number() -> None:
    """It is one value in all its places, and another than a number."""

    def named(value: float) -> DynamicFloat:
        return DynamicFloat(value, name="a", allow_nonfinite=True)

    compiled = Compiled(lambda x, a, b: x * a + b)
    nan = float("nan")
    for value in (nan, 1.5, nan, float("inf")):
        found, expected = compiled(torch.ones(1), named(value), named(value)), torch.ones(1) * value + value
        assert torch.equal(found, expected) or (found.isnan().all() and expected.isnan().all())
    for pair in ((nan, 1.5), (1.5, nan)):
        with pytest.raises(ConflictingBindingError, match="a has two values in one call"):
            compiled(torch.ones(1), *map(named, pair))


def jagged() -> torch.Tensor:
    return torch.nested.nested_tensor_from_jagged(torch.randn(16, 6), torch.tensor([0, 3, 8, 16]))


def nested() -> torch.Tensor:
    return torch.nested.nested_tensor([torch.ones(2, 3), torch.ones(4, 3)])


def unbacked() -> torch.Tensor:
    with FakeTensorMode(shape_env=ShapeEnv()) as mode:
        return torch.ones(mode.shape_env.create_unbacked_symint(), 3)


WITHOUT_A_SIZE = {
    "ragged": (
        jagged,
        1,
        "dimension 1 is ragged: each component of the tensor has a size of its own there",
        "name the other dimensions, or those of its values, which are one tensor: x.values()",
    ),
    "nested": (
        nested,
        0,
        "a nested tensor with the strided layout has no sizes",
        "make it with layout=torch.jagged, and name the dimensions that are not ragged",
    ),
    "unbacked": (
        unbacked,
        0,
        "the size of dimension 0 is not known before the graph runs",
        'give the number itself a name: bind("n", x.item())',
    ),
    "uninitialised": (
        torch.nn.UninitializedParameter,
        0,
        "the parameter has no sizes before it is initialised",
        "name its dimensions after the first call of its module",
    ),
}


@pytest.mark.parametrize("name", WITHOUT_A_SIZE)
def test_a_dimension_without_one_size_is_refused_in_plain_words(name: str) -> None:
    """Rather than by what torch raises about such a size."""
    make, dimension, message, fix = WITHOUT_A_SIZE[name]
    with pytest.raises(DimensionError) as caught:
        name_dims(make(), {dimension: "j"})
    line = caught.traceback[0].lineno + 1
    text = f'    name_dims(x, {{{dimension}: "j"}})\n                  ^^\n  help: {fix}'
    assert str(caught.value) == f"error[DC404]: {message}\n  --> {__file__}:{line}:15\n{text}"


@pytest.mark.parametrize(
    "make",
    [
        lambda: torch.eye(4).to_sparse(),
        lambda: torch.eye(4).to_sparse_csr(),
        lambda: torch.ones(4, 3).to_mkldnn(),
        lambda: torch.ones(4, 3, device="meta"),
        jagged,
    ],
)
def test_other_layouts_have_sizes_to_name(make: Callable[[], torch.Tensor]) -> None:
    """Those of a nested tensor that are not ragged, too."""
    x = name_dims(make(), {0: "n"})
    assert Compiled(lambda x: x * 2, fullgraph=False)(x).shape[0] == x.shape[0]
