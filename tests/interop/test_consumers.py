"""Each text is taken by the system it is written for, and lets through what is declared."""

from __future__ import annotations

import warnings

import pytest

from dynconstraints import ConstraintSystem, Signature
from dynconstraints.interop.emission import Subject
from dynconstraints.interop.targets import emit

SIGNATURE = Signature.of(
    {"x": "b 3 h w", "mask": "b h w", "y": "2*h"},
    ["h % 32 == 0", "32 <= h <= 2048", "w == 2*h", "1 <= b <= 8", "b*h <= 4096", "b == 1 or b % 2 == 0"],
)
FREE = ["b*h <= 4096", "b == 1 or b % 2 == 0"]


def run(target, subject=SIGNATURE):
    """What the text defines, and the emission."""
    emission, space = emit(target, subject), {}
    exec(emission.text, space)
    return space, emission


def left(emission):
    return [one.constraint.line for one in emission.left]


LEGAL, ILLEGAL = ((2, 3, 64, 128), (2, 64, 128), (128,)), ((3, 3, 64, 128), (3, 64, 128), (128,))


def checks_the_rest(space):
    """The check at the end of the text refuses what the target lets through."""
    assert space["check"](*LEGAL) is None
    with pytest.raises(ValueError, match="constraint violated: b == 1 or b % 2 == 0, where b = 3"):
        space["check"](*ILLEGAL)


def model(torch):
    class Model(torch.nn.Module):
        def forward(self, x, mask, y):
            return (x * mask[:, None]).sum((0, 1, 3)) + y.reshape(2, -1).sum(0)

    return Model()


@pytest.mark.torch
def test_torch_export_takes_the_dims():
    """The program serves other legal sizes, and refuses a size outside of a Dim."""
    torch = pytest.importorskip("torch")
    space, emission = run("export")
    assert left(emission) == ["h % 32 == 0", *FREE]
    inputs = [torch.ones(shape) for shape in LEGAL]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.export.export(model(torch), tuple(inputs), dynamic_shapes=space["dynamic_shapes"]).module()
    other = [torch.ones(shape) for shape in ((1, 3, 96, 192), (1, 96, 192), (192,))]
    torch.testing.assert_close(program(*other), model(torch)(*other))
    for shapes in (
        ((9, 3, 64, 128), (9, 64, 128), (128,)),
        ((2, 3, 64, 192), (2, 64, 192), (128,)),
        ((2, 3, 64, 128), (1, 64, 128), (128,)),
        ((2, 4, 64, 128), (2, 64, 128), (128,)),
        ((2, 3, 64, 128), (2, 64, 128), (64,)),
    ):
        with pytest.raises((RuntimeError, AssertionError)):
            program(*(torch.ones(shape) for shape in shapes))
    checks_the_rest(space)


@pytest.mark.torch
def test_torch_compile_takes_the_shapes_spec():
    """With its assumptions, which the program asserts."""
    torch = pytest.importorskip("torch")
    pytest.importorskip("torch.fx.experimental.dynamic_spec", reason="this torch has no ShapesSpec")
    space, emission = run("shapes-spec")
    assert left(emission) == ["b == 1 or b % 2 == 0"]
    assert len(space["shapes_spec"].assumptions) == 3

    @torch.compile(backend="eager", fullgraph=True, shapes_spec=space["shapes_spec"])
    def compiled(x, mask, y):
        return x.sum() + mask.sum() + y.sum()

    assert compiled(*(torch.ones(shape) for shape in LEGAL)).item() == 2 * 3 * 64 * 128 + 2 * 64 * 128 + 128
    for shapes in (((2, 3, 60, 120), (2, 60, 120), (120,)), ((8, 3, 1024, 2048), (8, 1024, 2048), (2048,))):
        with pytest.raises(RuntimeError):
            compiled(*(torch.ones(shape) for shape in shapes))
    checks_the_rest(space)


@pytest.mark.torch
def test_torch_check_takes_the_invariants_of_vllm():
    """Of vLLM, whose wheel is of another size, what its decorator is given: names by dimension, and a function."""
    torch = pytest.importorskip("torch")
    space, emission = run("vllm")
    assert left(emission) == ["b == 1 or b % 2 == 0"]
    assert space["dynamic_arg_dims"] == {
        "x": {0: "b", 2: "h", 3: "w"},
        "mask": {0: "b", 1: "h", 2: "w"},
        "y": {0: "y_0"},
    }
    space["shape_invariants"](*(torch.ones(shape) for shape in LEGAL))
    for shapes in (((2, 3, 60, 120), (2, 60, 120), (120,)), ((2, 3, 64, 128), (1, 64, 128), (128,))):
        with pytest.raises(RuntimeError):
            space["shape_invariants"](*(torch.ones(shape) for shape in shapes))
    checks_the_rest(space)


def test_jax_takes_the_symbolic_shapes():
    """A function of such arguments is exported, and called with legal sizes."""
    jax = pytest.importorskip("jax", reason="JAX is not installed")
    from jax import export
    from jax import numpy as jnp

    space, emission = run("jax")
    assert left(emission) == FREE
    specs = [jax.ShapeDtypeStruct(space["shapes"][path], jnp.float32) for path in SIGNATURE.arguments]
    exported = export.export(jax.jit(lambda x, mask, y: x.sum() + mask.sum() + y.sum()))(*specs)
    assert exported.call(*(jnp.ones(shape) for shape in LEGAL)) == 2 * 3 * 64 * 128 + 2 * 64 * 128 + 128
    for shapes in (((9, 3, 64, 128), (9, 64, 128), (128,)), ((2, 3, 60, 120), (2, 60, 120), (120,))):
        with pytest.raises(ValueError, match=r"[Ss]hape|[Dd]imension"):
            exported.call(*(jnp.ones(shape) for shape in shapes))
    checks_the_rest(space)


def test_jax_takes_a_size_that_can_be_zero():
    """Its variables are at least 1."""
    jax = pytest.importorskip("jax", reason="JAX is not installed")
    from jax import export
    from jax import numpy as jnp

    space, emission = run("jax", Signature.of({"x": "n"}, ["n <= 3"]))
    assert not emission.left
    exported = export.export(jax.jit(lambda x: x * 2))(jax.ShapeDtypeStruct(space["shapes"]["x"], jnp.float32))
    assert [exported.call(jnp.ones(n)).shape for n in range(4)] == [(0,), (1,), (2,), (3,)]


def test_openvino_takes_the_partial_shapes():
    """A dimension is a range."""
    ov = pytest.importorskip("openvino", reason="OpenVINO is not installed")
    space, emission = run("openvino")
    assert "h % 32 == 0" in left(emission)
    x = space["shapes"]["x"]
    assert isinstance(x, ov.PartialShape)
    assert (str(x), str(space["shapes"]["y"])) == ("[1..8,3,32..2048,64..4096]", "[64..4096]")
    checks_the_rest(space)


def test_core_ml_takes_the_input_types():
    """Ranges where they are all, each shape where they are few and ranges are not enough."""
    ct = pytest.importorskip("coremltools", reason="coremltools is not installed")
    space, emission = run("coreml")
    ranges = space["inputs"][0].shape.shape
    assert [(r.lower_bound, r.upper_bound) for r in (ranges[0], ranges[2])] == [(1, 8), (32, 2048)]
    assert ranges[1] == 3
    checks_the_rest(space)
    few, emission = run("coreml", Signature.of({"x": "n 2*n", "y": "n"}, ["n in {16, 48, 80}"]))
    assert not emission.left
    assert isinstance(few["inputs"][0].shape, ct.EnumeratedShapes)
    assert [list(shape.shape) for shape in few["inputs"][0].shape.shapes] == [[16, 32], [48, 96], [80, 160]]
    assert [list(shape.shape) for shape in few["inputs"][1].shape.shapes] == [[16], [48], [80]]


def test_iree_takes_the_assumptions():
    """Its compiler reads them."""
    tools = pytest.importorskip("iree.compiler.tools", reason="the compiler of IREE is not installed")
    emission = emit("iree", SIGNATURE)
    assert left(emission) == ["w == 2*h", *FREE]
    compiled = tools.compile_str(emission.text, target_backends=["vmvx"], extra_args=["--compile-to=input"])
    assert b"umin = 32, umax = 2048, udiv = 32" in compiled


def test_hypothesis_draws_legal_values_only_and_all_of_them():
    """Few ones by listing them, many by drawing units."""
    from hypothesis import given, settings

    systems = [
        ["n in {16, 48, 80}"],
        ["h % 32 == 0", "32 <= h <= 8192", "w == 2*h", "0 < b", "b*h < 100000", "b == 1 or b % 2 == 0"],
        ["0.0 < p <= 1.0", "n % 7 == 3", "n >= 0", "p != 0.5"],
        ["a % 5 == 2", "b == 3*a + 1"],
    ]
    for texts in systems:
        system = ConstraintSystem(texts)
        space, emission = run("hypothesis", Subject(system))
        assert not emission.left

        seen = []

        @settings(max_examples=60)
        @given(space["sizes"])
        def drawn(sizes):
            seen.append(sizes)  # noqa: B023  # called at once

        drawn()
        assert all(set(sizes) == set(system.symbols) and system.holds(sizes) for sizes in seen)
        assert len({tuple(sizes.values()) for sizes in seen}) >= min(3, len(seen))


def test_annotated_types_reach_pydantic_and_hypothesis():
    """Which refuse and draw by them; Hypothesis leaves out a MultipleOf, and says so."""
    pytest.importorskip("annotated_types", reason="annotated-types is not installed")
    from hypothesis import find
    from hypothesis import strategies as st

    space, emission = run("annotated", Subject(ConstraintSystem(["h % 32 == 0", "32 <= h <= 96", "0.0 < p <= 1.0"])))
    assert not emission.left
    assert find(st.from_type(space["P"]), lambda p: p > 0.5) == 1.0
    pydantic = pytest.importorskip("pydantic", reason="pydantic is not installed")
    types = [pydantic.TypeAdapter(space[name]) for name in ("H", "P")]
    assert [types[0].validate_python(64), types[1].validate_python(1.0)] == [64, 1.0]
    for kind, value in ((types[0], 65), (types[0], 128), (types[1], 0.0), (types[1], 1.5)):
        with pytest.raises(pydantic.ValidationError):
            kind.validate_python(value)


class Builder:
    """What TensorRT's IBuilder and IBuilderConfig are asked for, with its rule: least <= best <= greatest."""

    def __init__(self):
        self.profiles = []

    def create_optimization_profile(self):
        return Profile()

    def add_optimization_profile(self, profile):
        self.profiles.append(profile.shapes)
        return len(self.profiles) - 1


class Profile:
    def __init__(self):
        self.shapes = {}

    def set_shape(self, input, min, opt, max):  # noqa: A002  # its names
        assert len(min) == len(opt) == len(max)
        assert all(a <= b <= c for a, b, c in zip(min, opt, max, strict=True))
        self.shapes[input] = (min, opt, max)


def test_tensorrt_has_a_profile_an_alternative():
    """Each best shape is legal, each legal shape in a profile; ONNX Runtime has the same as texts."""
    space, _ = run("tensorrt")
    builder = Builder()
    space["add_profiles"](builder, builder)
    first, second = builder.profiles
    assert first["x"][0][0] == first["x"][2][0] == 1
    assert (second["x"][0][0], second["x"][2][0]) == (2, 8)
    for profile in builder.profiles:
        assert space["check"](*(profile[path][1] for path in SIGNATURE.arguments)) is None
    checks_the_rest(space)
    options = run("onnxruntime")[0]["provider_options"]
    expected = [f"{p}:{'x'.join(map(str, t[1]))}" for profile in builder.profiles for p, t in profile.items()]
    assert options["trt_profile_opt_shapes"] == ",".join(expected)
    assert set(options) == {f"trt_profile_{kind}_shapes" for kind in ("min", "opt", "max")}


def test_executorch_has_bounds_and_steps():
    """The rows let through what is legal, and the bounds are the greatest sizes."""
    space, emission = run("executorch")
    assert space["upper_bounds"] == {"x": [8, 3, 2048, 4096], "mask": [8, 2048, 4096], "y": [4096]}
    assert space["rows"]["x"] == [[1, 8, 1], [3, 3, 1], [32, 2048, 32], [64, 4096, 64]]
    assert space["accepts"](dict(zip(SIGNATURE.arguments, LEGAL, strict=True)))
    assert not space["accepts"](dict(zip(SIGNATURE.arguments, ((2, 3, 60, 128), *LEGAL[1:]), strict=True)))
    assert "h % 32 == 0" not in left(emission)
    checks_the_rest(space)
