"""dynamic_shapes beside a declaration: what agrees is taken in, what contradicts is an error that shows both."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch.export import AdditionalInputs, Dim, ShapesCollection, export

from dynconstraints import ConstraintError, DynamicInt, name_dims
from dynconstraints.diagnostics.errors import ArgumentError
from dynconstraints.pytorch.exporting.contract import carried

HERE = Path(__file__)


class Total(torch.nn.Module):
    def forward(self, x, y):
        return x.sum(0) + y.sum(0)


class Repeated(torch.nn.Module):
    def forward(self, x, n):
        return x.repeat(n, 1)


def named(size, name, constraints=()):
    return name_dims(torch.randn(size, 4), {0: name}, constraints=constraints)


def exported(x, y, shapes, strict=False):
    return export(Total(), (x, y), dynamic_shapes=shapes, strict=strict)


def serves(program, *sizes):
    try:
        program.module()(*(torch.randn(size, 4) for size in sizes))
    except (ConstraintError, AssertionError):
        return False
    return True


A, B = Dim("A"), Dim("B", min=2, max=100)
STRICT = pytest.mark.parametrize("strict", [False, True], ids=["non_strict", "strict"])


@STRICT
@pytest.mark.parametrize(
    ("shapes", "served", "refused"),
    [
        ({"x": {0: Dim.AUTO}, "y": None}, [(12, 3)], [(13, 3), (12, 4)]),
        ({"x": None, "y": {0: Dim.DYNAMIC}}, [(12, 3), (0, 7)], [(13, 3)]),
        ({"x": {0: Dim("A", max=64)}, "y": {0: B}}, [(64, 100), (4, 2)], [(68, 3), (12, 101)]),
        (({0: Dim("A", min=8)}, {0: Dim.AUTO(max=50)}), [(8, 50)], [(4, 3), (8, 51)]),
        ([{0: Dim.DYNAMIC(max=80)}, None], [(80, 3)], [(84, 3)]),
        ({"y": None, "x": (Dim.AUTO, 4)}, [(12, 3)], [(13, 3)]),
    ],
)
def test_what_agrees_is_taken_in(shapes, served, refused, strict):
    """Bounds on sides where none is declared count, too; other inputs are as dynamic_shapes say."""
    program = exported(named(8, "a", ["a % 4 == 0"]), torch.randn(3, 4), shapes, strict)
    assert all(serves(program, *sizes) for sizes in served)
    assert not any(serves(program, *sizes) for sizes in refused)


@STRICT
@pytest.mark.parametrize(
    ("shapes", "example", "served", "refused"),
    [
        ({"x": {0: A}, "y": {0: A}}, 8, (12, 12), (12, 8)),
        ({"x": {0: A}, "y": {0: 2 * A}}, 16, (12, 24), (12, 12)),
        ({"x": {0: 2 * A}, "y": {0: A}}, 4, (12, 6), (12, 12)),
        ({"x": {0: A}, "y": {0: 3 * A + 1}}, 25, (4, 13), (4, 12)),
        ({"x": {0: 4 * A}, "y": {0: A + 1}}, 3, (12, 4), (12, 3)),
    ],
)
def test_a_dim_of_a_declared_size_names_others(shapes, example, served, refused, strict):
    """Dims that are derived from it are expressions of the same symbol."""
    program = exported(named(8, "a", ["a % 4 == 0"]), torch.randn(example, 4), shapes, strict)
    assert serves(program, *served)
    assert not serves(program, *refused)
    assert len(program.range_constraints) == 1


def test_objects_that_dynamic_shapes_are_made_of():
    """A collection by tensors, and further examples, whose equal sizes say nothing."""
    x, y = named(8, "a", ["a % 4 == 0"]), torch.randn(3, 4)
    shapes = ShapesCollection()
    shapes[x] = {0: Dim.DYNAMIC}
    assert serves(exported(x, y, shapes), 12, 3)
    inputs = AdditionalInputs()
    inputs.add((torch.randn(8, 4), torch.randn(5, 4)))
    program = exported(x, y, inputs)
    assert serves(program, 12, 7)
    assert not serves(program, 13, 7)


def test_an_int_beside_shapes():
    """DYNAMIC agrees; a number is a contradiction."""
    x, n = torch.randn(2, 4), DynamicInt(3, name="n", constraints=["n >= 0"])
    program = export(Repeated(), (x, n), dynamic_shapes={"x": {0: Dim.DYNAMIC}, "n": Dim.DYNAMIC})
    assert program.module()(torch.randn(5, 4), 2).shape == (10, 4)
    with pytest.raises(ArgumentError, match="make n static, and it is declared as n, which has more"):
        export(Repeated(), (x, n), dynamic_shapes={"x": None, "n": 3})
    assert carried(export(Repeated(), (x, n), dynamic_shapes={"x": None, "n": None}).graph_module) is not None


LIMITED = ["a % 4 == 0", "a <= 400"]


@pytest.mark.parametrize(
    ("given", "constraints", "said"),
    [
        ({0: Dim.STATIC}, LIMITED, "static, and it is declared as a, which has more than one value"),
        ((None, None), LIMITED, "static, and it is declared as a, which has more than one value"),
        ({0: 8}, LIMITED, "static, and it is declared as a, which has more than one value"),
        ({0: Dim("A", max=100)}, LIMITED, "at most 100, and it is declared as a, which has greater values"),
        ({0: Dim.AUTO(max=100)}, LIMITED, "at most 100, and it is declared as a, which has greater values"),
        ({0: Dim("A", min=16)}, ["a % 4 == 0", "a >= 8"], "at least 16, and it is declared as a, which has smaller"),
        ({0: Dim("A", min=500)}, LIMITED, "at least 500, and it is declared as a, which has no such value"),
        ({0: 8 * A}, LIMITED, "8*A, and it is declared as a, which has values of another form"),
    ],
)
def test_a_contradiction(given, constraints, said):
    """With one size."""
    with pytest.raises(ArgumentError) as error:
        exported(named(8, "a", constraints), torch.randn(3, 4), {"x": given, "y": None})
    assert f"error[DC704]: dynamic_shapes make dimension 0 of x {said}" in str(error.value)


def test_a_contradiction_about_two_sizes():
    """That they are equal does not follow."""
    with pytest.raises(ArgumentError, match="make dimension 0 of y A where dimension 0 of x is A, and it is declared"):
        exported(named(8, "a"), named(8, "b"), {"x": {0: A}, "y": {0: A}})
    assert serves(exported(named(8, "a"), named(8, "b", ["a == b"]), {"x": {0: A}, "y": {0: A}}), 3, 3)


def test_values_of_one_size_may_be_said_to_be_static():
    """There is nothing to contradict."""
    for given in ({0: 8}, {0: Dim.STATIC}, (None, None)):
        assert serves(exported(named(8, "a", ["a == 8"]), torch.randn(3, 4), {"x": given, "y": None}), 8, 3)
    with pytest.raises(ArgumentError, match="make dimension 0 of x 9, and it is declared as a, which is 8"):
        exported(named(8, "a", ["a == 8"]), torch.randn(3, 4), {"x": {0: 9}, "y": None})


def test_the_whole_text():
    """Both are shown."""
    with pytest.raises(ArgumentError) as error:
        exported(named(8, "a", LIMITED), torch.randn(3, 4), {"x": {0: Dim("A", max=100)}, "y": None})
    line = next(i for i, t in enumerate(HERE.read_text().splitlines(), 1) if "return name_dims" in t)
    assert str(error.value).replace(str(HERE), "here") == (
        "error[DC704]: dynamic_shapes make dimension 0 of x at most 100, and it is declared as a, which has greater "
        "values\n"
        f'  --> name_dims(x, {{0: "a"}})  at here:{line}\n'
        "    a % 4 == 0\n"
        "    ^^^^^^^^^^\n"
        f'  --> name_dims(x, {{0: "a"}})  at here:{line}\n'
        "    a <= 400\n"
        "    ^^^^^^^^\n"
        "  note: in dynamic_shapes dimension 0 of x is Dim('A', min=0, max=100)\n"
        "  help: leave it out of dynamic_shapes, since the declaration makes it dynamic; or declare what is meant"
    )


def test_shapes_of_another_kind():
    """They are not compared, and not ignored either."""

    class ShapesSpec:
        pass

    with pytest.raises(ArgumentError) as error:
        exported(named(8, "a"), torch.randn(3, 4), ShapesSpec())
    assert str(error.value) == (
        "error[DC704]: dynamic_shapes is a ShapesSpec, which is not compared with a declaration\n"
        "    dynamic_shapes=ShapesSpec(...)\n"
        "                   ^^^^^^^^^^\n"
        "  help: say it in one of the two: leave dynamic_shapes out, since the declaration makes sizes dynamic"
    )
