"""`lint` understands the declarations of torch, vLLM, jaxtyping and JAX, each at its place in the source."""

import json
from textwrap import dedent

import pytest

TORCH = """\
from torch.export import Dim, dims
from torch.fx.experimental.dynamic_spec import STATIC, IntVar, ShapesSpec, ShapeVar, TensorSpec
"""


def said(dync, tmp_path, source, *options):
    (tmp_path / "m.py").write_text(source)
    return dync("lint", "m.py", *options)


def covered(source, label):
    return source.splitlines()[label["line"] - 1][label["column"] - 1 : label["end_column"] - 1]


def codes(dync, tmp_path, source):
    """The findings as (code, line, what the first label covers)."""
    ran = said(dync, tmp_path, source, "--format", "json")
    findings = json.loads(ran.out)["findings"]
    assert ran.code == (1 if findings else 0)
    return [(f["code"], f["labels"][0]["line"], covered(source, f["labels"][0])) for f in findings]


def test_assumptions_of_a_shapes_spec_in_full(dync, tmp_path):
    """A contradiction, which torch takes; what follows; and a name that is no size, which torch refuses later."""
    source = TORCH + dedent(
        """\
        a, b = ShapeVar("a", min=2), ShapeVar("b")
        first = ShapesSpec({"x": TensorSpec([a, STATIC])}, assumptions=[a % 2 == 0, a > 10, a < 5])
        other = ShapesSpec({"x": TensorSpec([a, 2*a])}, assumptions=[a >= 1, a > b])
        """
    )
    ran = said(dync, tmp_path, source)
    assert ran.code == 1
    assert ran.out == dedent(
        """\
        error[DC201]: no values satisfy these 2 constraints together
          --> m.py:4:77
            first = ShapesSpec({"x": TensorSpec([a, STATIC])}, assumptions=[a % 2 == 0, a > 10, a < 5])
                                                                                        ^^^^^^  ^^^^^
          help: leave out or change one of them: without any one of them the others can be satisfied

        warning[DC202]: redundant: a >= 1 follows from the others
          --> m.py:5:62
            a, b = ShapeVar("a", min=2), ShapeVar("b")
                                 ^^^^^    from this
            other = ShapesSpec({"x": TensorSpec([a, 2*a])}, assumptions=[a >= 1, a > b])
                                                                         ^^^^^^    follows
          help: remove it; the set means the same without it

        warning[DC411]: b is no size of any argument
          --> m.py:5:74
            other = ShapesSpec({"x": TensorSpec([a, 2*a])}, assumptions=[a >= 1, a > b])
                                                                                     ^    torch refuses a name that is \
no size of its own when it compiles
          help: give an argument that size, or remove the name

        found 1 error, 2 warnings in 2 lists of constraints in 1 file
        """
    )


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ('a, b = ShapeVar("a", max=3), ShapeVar("a", min=8)\nShapesSpec({"x": TensorSpec([a, b])})', []),
        (
            'a = ShapeVar("a")\nShapesSpec({"x": TensorSpec([a])}, assumptions=[a > 10, a > 10])',
            [("DC202", 4, "a > 10")],
        ),
        ('a = IntVar("a", max=3)\nShapesSpec({"n": a}, assumptions=[a > -9, a < -2])', []),
        (
            'a = ShapeVar("a", max=3)\nShapesSpec({"x": TensorSpec([a])}, assumptions=[a < 0])',
            [("DC201", 4, "a < 0")],
        ),
        ('@dynamic_spec({"x": TensorSpec([ShapeVar("a", min=9, max=8)])})\ndef f(x): ...', [("DC201", 3, "min=9")]),
        ('f = compile(g, shapes_spec={"x": TensorSpec([ShapeVar("a", min=9, max=8)])})', [("DC201", 3, "min=9")]),
    ],
)
def test_specs_of_torch(dync, tmp_path, lines, found):
    """Variables are told apart by what makes them, not by their names; a number may be negative."""
    source = TORCH.replace("import STATIC,", "import STATIC, dynamic_spec,") + lines + "\n"
    assert codes(dync, tmp_path, source) == found


def test_scopes_of_jax_in_full(dync, tmp_path):
    """Its variables are at least 1, which nobody writes."""
    source = dedent(
        """\
        from jax import export
        scope = export.SymbolicScope(["k >= 1", "batch <= 8", "floordiv(bacth, 2) >= 3"])
        x = export.symbolic_shape("batch, 32*k", scope=scope)
        y = export.symbolic_shape("(n, mod(n, 4))", constraints=["n >= 9", "2*n <= 17"])
        """
    )
    assert said(dync, tmp_path, source).out == dedent(
        """\
        warning[DC202]: redundant: k >= 1 follows from the others
          --> m.py:2:32
            scope = export.SymbolicScope(["k >= 1", "batch <= 8", "floordiv(bacth, 2) >= 3"])
                                           ^^^^^^    follows
          --> a variable of JAX is at least 1
            k >= 1
            ^^^^^^    from this
          help: remove it; the set means the same without it

        warning[DC411]: bacth is no size of any argument
          --> m.py:2:65
            scope = export.SymbolicScope(["k >= 1", "batch <= 8", "floordiv(bacth, 2) >= 3"])
                                                                            ^^^^^    no shape of the scope has it, so \
it limits nothing
          help: did you mean batch?

        error[DC201]: no values satisfy these 2 constraints together
          --> m.py:4:59
            y = export.symbolic_shape("(n, mod(n, 4))", constraints=["n >= 9", "2*n <= 17"])
                                                                      ^^^^^^    ^^^^^^^^^
          help: leave out or change one of them: without any one of them the others can be satisfied

        found 1 error, 2 warnings in 2 lists of constraints in 1 file
        """
    )


EXPORT = "from torch import export\nfrom torch.export import Dim, dims\n"


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ("h = Dim('h', min=8, max=4)\nexport.export(m, (), dynamic_shapes={'x': [h]})", [("DC201", 3, "min=8")]),
        (
            "def f():\n    h = Dim('h', max=16)\n    export.export(m, (), dynamic_shapes={'x': {0: h - 20}})",
            [("DC201", 4, "max=16")],
        ),
        ("a, b = dims('a', 'b', min=4)\nexport.export(m, (), None, dynamic_shapes=({0: a},))", [("DC411", 3, "b")]),
        (
            "dynamic_shapes = {'x': {0: Dim('b', max=8)}, 'y': [Dim('b', min=9), Dim.AUTO]}",
            [("DC201", 3, "max=8")],
        ),
        ("_h = Dim('_h', min=1, max=8)\nh = 32*_h\nexport.export(m, dynamic_shapes={'x': [None, h, 2*h]})", []),
        ("h = Dim('h', min=8, max=8 if big else 4)\nexport.export(m, (), dynamic_shapes={'x': [h]})", []),
        ("N = 2**3\nh = Dim('h', min=N * 2, max=N - 1)\nf(dynamic_shapes={'x': [h]})", [("DC201", 4, "min=N * 2")]),
        ("h = Dim('h')", []),
        (
            "def f():\n    _h = Dim('_h', max=4)\n    h = 2*_h\n    f(dynamic_shapes={'x': [h]})\n"
            "def g():\n    _h = Dim('_h', min=8)\n    h = 2*_h\n    f(dynamic_shapes={'x': [h]})",
            [],
        ),
        ("def f(Dim):\n    h = Dim('h', min=8, max=4)\n    export.export(m, (), dynamic_shapes={'x': [h]})", []),
        ("h = Dim('h', min=8, max=4)  # dync: ignore[DC201]\nexport.export(m, dynamic_shapes={'x': [h]})", []),
    ],
)
def test_dims_of_torch_export(dync, tmp_path, lines, found):
    """Followed through names, in the scope that they are used in; what is computed is left alone."""
    assert codes(dync, tmp_path, EXPORT + lines + "\n") == found


VLLM = """\
from vllm.compilation.decorators import support_torch_compile
import torch
def checks(ids, positions):
    n = ids.size(0)
    torch._check(n == positions.size()[0])
    torch._check({first})
    torch._check(positions.shape[0] <= 4096)
@support_torch_compile(dynamic_arg_dims={dims}, shape_invariants=checks)
class Model:
    def forward(self, ids, positions): ...
"""


@pytest.mark.parametrize(
    ("dims", "first", "found"),
    [
        ("{'ids': 0, 'positions': {0: 'p'}}", "n > 4096", [("DC201", 5, "n == positions.size()[0]")]),
        ("{'ids': {0: 'n'}, 'positions': {0: 'n'}}", "n > 4096", [("DC201", 6, "n > 4096")]),
        ("{'ids': 0, 'position': 0}", "n > 1", [("DC406", 8, "'position'")]),
        ("{'ids': [0], 'positions': -1}", "n > 1", []),
    ],
)
def test_the_decorator_of_vllm(dync, tmp_path, dims, first, found):
    """Dimensions of one name are one size."""
    assert codes(dync, tmp_path, VLLM.format(dims=dims, first=first)) == found


@pytest.mark.parametrize(
    ("annotations", "found"),
    [
        ('x: Float[Tensor, "b 3 h w"], y: Float[Tensor, "*_ n-1"]', [("DC411", 4, "n-1")]),
        ('x: Float[Tensor, "b n"], y: Float[Tensor, "b n-1"] | None', []),
        ('x: Float[Tensor, "#b ... rows=4"], n: int, y: Float[Tensor, "{n} b"]', []),
        ('x: Axes, y: jaxtyping.Float[Tensor, "m+1"]', [("DC411", 4, "m+1")]),
    ],
)
def test_annotations_of_jaxtyping(dync, tmp_path, annotations, found):
    """A name in an expression has to be a size of its own."""
    head = 'import jaxtyping\nfrom jaxtyping import Float\nAxes = Float[Tensor, "b h"]\n'
    assert codes(dync, tmp_path, f"{head}def f({annotations}) -> None: ...\n") == found


def test_without_the_solver_the_names_are_told(dync, tmp_path):
    """Under --syntax-only."""
    source = TORCH + 'a, b = ShapeVar("a", max=3), IntVar("b")\n'
    source += 'spec = ShapesSpec({"x": TensorSpec([a])}, assumptions=[a > 4, b > 3])\n'
    ran = said(dync, tmp_path, source, "--syntax-only")
    assert [line for line in ran.out.splitlines() if "[DC" in line] == ["warning[DC411]: b is no size of any argument"]


CIRCLES = """\
from torch.export import Dim
from jax.export import symbolic_shape
import torch.fx.experimental.dynamic_spec as ds
a = b + 1
b = a + 1
e = [e]
h = 2*h
dynamic_shapes = {{"x": [a, h, {deep}], "y": e, **dynamic_shapes}}
y = symbolic_shape("((b,, c,", constraints=["", "a=", "≤", *e])
s = ds.ShapesSpec(ds.ParamsSpec({{**e, 1: 2, "*args": [ds.TensorSpec([Dim()])]}}), assumptions=e)
f(dynamic_shapes={{"x": {{0: Dim("a", min="x"), 1: Dim(*e), 2: 10**100 * Dim("q", max=10**99)}}}})
support_torch_compile(dynamic_arg_dims={{"x": {{"a": 0}}, 0: 1, **e}}, shape_invariants=lambda: 0)
"""


def test_any_source_is_looked_over(dync, tmp_path):
    """Circles of names, computed parts, and expressions nested deep."""
    assert codes(dync, tmp_path, CIRCLES.format(deep="h + " * 500 + "1")) == []


def test_places_in_sarif(dync, tmp_path):
    """As of any other finding."""
    source = EXPORT + "export.export(m, dynamic_shapes={'x': [Dim('h', min=8, max=4)]})\n"
    run = json.loads(said(dync, tmp_path, source, "--format", "sarif").out)["runs"][0]
    (result,) = run["results"]
    regions = [one["physicalLocation"]["region"] for one in result["relatedLocations"]]
    assert [(r["startLine"], r["snippet"]["text"]) for r in regions] == [(3, "min=8"), (3, "max=4")]
