"""What is written in the form of another system is read back as it was declared, from its text and from its objects."""

from __future__ import annotations

import os
import random
from itertools import product

import pytest

from dynconstraints import ConstraintError, InconsistentConstraintsError, Signature
from dynconstraints.interop.targets import emit
from dynconstraints.ir.evaluate import value_of

TARGETS = {"export": "from_export", "shapes-spec": "from_shapes_spec", "vllm": "from_vllm", "jax": "from_jax"}


def back(target, text):
    return getattr(Signature, TARGETS[target])(text)


@pytest.mark.parametrize(
    ("target", "read"),
    [
        ("export", 'x="b 3 h 2*h", y="_ h", constraints=["b >= 1", "b <= 4", "h <= 512", "h % 32 == 0"]'),
        (
            "shapes-spec",
            'x="b 3 h 2*h", n="n", y="h//2 h", constraints=["b >= 1", "b <= 4", "h <= 512", "n >= 1", '
            '"h % 32 == 0", "n > h"]',
        ),
        ("vllm", 'x="b 3 h 2*h ...", y="h//2 h ...", n="n", constraints=["h % 32 == 0", "h <= 512", "n > h"]'),
        (
            "jax",
            'x="b 3 h 2*h", y="d_5_y h", constraints=["b <= 4", "h <= 512", "b >= 1", "d_5_y >= 1", "h % 32 == 0"]',
        ),
    ],
)
def test_what_a_form_holds_comes_back(target, read):
    """Names, sizes and constraints; a set is left to the check at the end of the text."""
    signature = Signature.of(
        {"x": "b 3 h 2*h", "n": "n", "y": "h//2 h"}, ["h % 32 == 0", "h <= 512", "b in {1, 2, 4}", "n > h"]
    )
    assert repr(back(target, signature.to(target))).replace("'", '"') == f"Signature({read})"


SIZES = ("h", "w", "2*h", "h+1", "3*w+2", "h+w", "4", "h//2", "_")
CONSTRAINTS = (
    "h % {d} == {r}",
    "w % {d} == 0",
    "h >= {r}",
    "h <= {m}",
    "w < {m}",
    "{r} <= w <= {m}",
    "h <= w",
    "w == 2*h",
    "h in {{1, 2, {m}}}",
    "h*w <= {m}",
    "h != 3",
)


def random_signature(seed):
    chosen = random.Random(seed)
    shapes = {
        "x": " ".join(["h", *chosen.choices(SIZES, k=chosen.randint(0, 2))]),
        "y": " ".join(["w", *chosen.choices(SIZES, k=chosen.randint(0, 2))]),
    }
    d = chosen.randint(2, 4)
    filled = [
        text.format(d=d, r=chosen.randint(0, d - 1), m=chosen.randint(6, 9))
        for text in chosen.sample(CONSTRAINTS, chosen.randint(0, 3))
    ]
    return Signature.of(shapes, filled)


SEEDS = 300 if os.environ.get("HYPOTHESIS_PROFILE") == "nightly" else 24
OBJECTS = {"export": "dynamic_shapes", "shapes-spec": "shapes_spec", "jax": "shapes"}
"""The variables that the texts assign."""


def object_of(target, text):
    """What the text defines, by its own system."""
    pytest.importorskip("jax" if target == "jax" else "torch")
    if target == "shapes-spec":
        pytest.importorskip("torch.fx.experimental.dynamic_spec", reason="this torch has no ShapesSpec")
    space = {}
    exec(text, space)
    return space[OBJECTS[target]]


@pytest.mark.parametrize(
    ("target", "is_object"), [*((one, False) for one in TARGETS), *((one, True) for one in OBJECTS)]
)
def test_any_declaration_comes_back_as_far_as_the_form_holds_it(target, is_object):
    """Legal shapes stay legal, and what breaks a constraint that the form holds is refused."""
    refused = read_back = 0
    for seed in range(SEEDS):
        signature = random_signature(seed)
        try:
            emission = emit(target, signature)
        except ConstraintError:  # nothing satisfies it
            continue
        space: dict = {}
        given = object_of(target, emission.text) if is_object else emission.text
        exec(back(target, given).to_checker(), space)
        held = [one for one in emission.held if set(one.symbols) <= {"h", "w"}]
        read_back += 1
        for h, w in product(range(1, 12), range(1, 12)):
            values = {"h": h, "w": w}
            shapes = [
                tuple(7 if term is None else value_of(term, values) for term in shape.sizes)
                for shape in signature.arguments.values()
            ]
            if any(size < 1 for shape in shapes for size in shape):
                continue
            if all(one.holds(values) for one in held):
                if signature.system.holds(values):
                    assert space["check"](*shapes) is None
            else:
                refused += 1
                with pytest.raises(ValueError, match="constraint violated"):
                    space["check"](*shapes)
    assert read_back > SEEDS // 2
    assert refused > 10 * SEEDS


def test_dims_of_torch_are_read_as_objects():
    """As `dynamic_shapes` takes them, derived ones and hints among them."""
    export = pytest.importorskip("torch.export")
    b, h = export.Dim("b", min=1, max=8), export.Dim("_h", max=16)
    read = Signature.from_export(
        {
            "x": {0: b, 2: 32 * h},
            "y": (2 * b + 1, 3, export.Dim.AUTO),
            "z": None,
            "c": [{0: b}, {1: export.Dim.DYNAMIC}],
        }
    )
    assert repr(read) == (
        "Signature(x=\"b _ 32*_h ...\", y=\"2*b+1 3 _\", c.0=\"b ...\", constraints=['b >= 1', 'b <= 8', '_h <= 16'])"
    )


def test_a_shapes_spec_of_torch_is_read_as_an_object():
    """With what torch makes of its assumptions; two variables of one name have to be told apart by their owner."""
    spec = pytest.importorskip("torch.fx.experimental.dynamic_spec", reason="this torch has no ShapesSpec")
    a, n = spec.ShapeVar("a", min=2), spec.IntVar("n", max=99)
    given = {"x": spec.TensorSpec([a, 2 * a + 1, a // 2, None, 4]), "n": n, "p": spec.SeqSpec([spec.TensorSpec([a])])}
    whole = spec.ShapesSpec(given, assumptions=[a > 10, a % 8 == 0, n * a <= 700, (a - 3) * 2 != n])
    assert repr(Signature.from_shapes_spec(whole)) == (
        "Signature(x=\"a 2*a+1 a//2 _ 4\", n=\"n\", p.0=\"a\", constraints=['a >= 2', 'n <= 99', 'a > 10', "
        "'a % 8 == 0', 'a*n <= 700', 'n != 2*a - 6'])"
    )
    twice = spec.ShapesSpec({"x": spec.TensorSpec([spec.ShapeVar("a"), spec.ShapeVar("a")])})
    with pytest.raises(ConstraintError, match="two variables are called a"):
        Signature.from_shapes_spec(twice)


def test_symbolic_shapes_of_jax_are_read_as_objects():
    """Their scope tells the constraints."""
    export = pytest.importorskip("jax.export", reason="JAX is not installed")
    scope = export.SymbolicScope(["k <= 9", "b >= 4"])
    shapes = {
        "x": export.symbolic_shape("b, 32*k, k^2 + 1", scope=scope),
        "y": export.symbolic_shape("floordiv(b, 2), max(k, 3)", scope=scope),
    }
    assert repr(Signature.from_jax(shapes)) == (
        "Signature(x=\"b 32*k k**2+1\", y=\"b//2 max(k,3)\", constraints=['k <= 9', 'b >= 4', 'k >= 1'])"
    )


def test_annotations_of_jaxtyping_are_read_as_objects():
    """Also where a size is the value of a parameter."""
    jaxtyping = pytest.importorskip("jaxtyping", reason="jaxtyping is not installed")
    array = type("Array", (), {"shape": (), "dtype": "float32"})

    def function(x, n: int, mask=None): ...

    function.__annotations__["x"] = jaxtyping.Float[array, "*batch 3 h w"]
    function.__annotations__["mask"] = jaxtyping.Bool[array, "#h _ w-1"] | None
    function.__annotations__["return"] = jaxtyping.Float[array, "{n} h"]
    read = Signature.from_jaxtyping(function)
    assert repr(read) == 'Signature(x="... 3 h w", mask="_ _ w-1", n="n")'
    assert {path: shape.text for path, shape in read.returns.items()} == {"": "n h"}


def test_a_function_of_shape_invariants_is_read_by_its_source():
    """vLLM's decorator takes it beside the dimensions."""
    read = Signature.from_vllm({"ids": 0, "positions": {-1: "n"}}, invariants)
    assert repr(read) == 'Signature(ids="n ...", positions="... n", constraints=[\'n < 4096\'])'


def invariants(ids, positions):
    """Checks of vLLM's kind."""
    torch = None
    n = positions.size()[-1]
    torch._check(ids.shape[0] == n)
    torch._check(n < 4096, lambda: "too long")


ORDERS = "import torch\nfrom torch.fx.experimental.dynamic_spec import ShapesSpec, ShapeVar, TensorSpec\n"


def test_a_contradiction_is_an_error_with_its_smallest_core():
    """torch takes all of these without a word."""
    text = (
        ORDERS + 'a = ShapeVar("a", min=1)\n'
        'spec = ShapesSpec({"x": TensorSpec([a])}, assumptions=[a % 2 == 0, a > 10, a < 5])\n'
    )
    with pytest.raises(InconsistentConstraintsError) as caught:
        Signature.from_shapes_spec(text)
    assert str(caught.value) == (
        "error[DC201]: no values satisfy these 2 constraints together\n"
        '    spec = ShapesSpec({"x": TensorSpec([a])}, assumptions=[a % 2 == 0, a > 10, a < 5])\n'
        "                                                                       ^^^^^^  ^^^^^\n"
        "  help: leave out or change one of them: without any one of them the others can be satisfied"
    )


@pytest.mark.parametrize(
    ("read", "given", "said"),
    [
        (
            "from_export",
            "dynamic_shapes = {'x': [h]}\nh = size()\nfrom torch.export import Dim\ny = Dim.AUTO",
            "the text has no declaration",
        ),
        ("from_export", "from torch.export import Dim\ndynamic_shapes = {'x': [Dim('h'), size()]}", "these parts are"),
        ("from_export", "from torch.export import Dim\ndynamic_shapes = ([Dim('h')],)", "which parameter"),
        ("from_export", "dynamic_shapes = (", "the text is not Python"),
        ("from_export", 7, "int is not a dict from the names of parameters to Dims"),
        ("from_shapes_spec", 7, "int is not a ShapesSpec"),
        ("from_jax", 7, "int is not a dict from the names of parameters to symbolic shapes"),
        ("from_jax", {"x": "b, max(h"}, "these parts are of no form that is known"),
        ("from_jaxtyping", 7, "int is not a function"),
        ("from_vllm", {"x": object()}, "object is not such a declaration"),
        ("from_vllm", "dynamic_arg_dims = {'x': 0}\ndynamic_arg_dims = {'y': 0}", "the text has 2 declarations"),
    ],
)
def test_what_cannot_be_read_is_refused(read, given, said):
    """Rather than a part of it taken for the whole."""
    with pytest.raises(ConstraintError, match=f"DC161.*{said}"):
        getattr(Signature, read)(given)


def test_an_error_shows_the_parts_that_are_not_known():
    """In full."""
    text = "from torch.export import Dim\ndynamic_shapes = {'x': {0: Dim.AUTO(min=4), 1: Dim('h') + size()}}"
    with pytest.raises(ConstraintError) as caught:
        Signature.from_export(text)
    assert str(caught.value) == (
        "error[DC161]: torch.export cannot be read: these parts are of no form that is known\n"
        "    dynamic_shapes = {'x': {0: Dim.AUTO(min=4), 1: Dim('h') + size()}}\n"
        "                               ^^^^^^^^^^^^^^^                ^^^^^^\n"
        "  help: write them out"
    )
