"""What a target is said to hold it does hold, what is legal it lets through, and each text says what is left over."""

from __future__ import annotations

import pickle
from itertools import product
from random import Random

import pytest

from dynconstraints import ConstraintSystem, InconsistentConstraintsError, Signature
from dynconstraints.diagnostics.errors import ArgumentError
from dynconstraints.interop.boxes import boxes, split
from dynconstraints.interop.emission import Subject
from dynconstraints.interop.forms import forms_of
from dynconstraints.interop.layout import layout_of
from dynconstraints.interop.targets import SHAPELESS, TARGETS, emit
from dynconstraints.ir.evaluate import value_of

SIGNATURE = Signature.of(
    {"x": "b 3 h w", "mask": "b h w//2", "n": "n"},
    ["h % 32 == 0", "32 <= h <= 256", "w == 2*h", "1 <= b <= 8", "n in {16, 48}", "b == 1 or b % 2 == 0"],
)
WIDTH = 14

PARTS = (
    "{a} % {k} == {r}",
    "{a} == {k}*{b}",
    "{a} == {b} + {r}",
    "{a} <= {b}",
    "{a} in {{{r}, {k}, 9}}",
    "{a} == 1 or {a} % {k} == 0",
    "({a} + {b}) % {k} == 0",
    "{a}*{b} <= 40",
    "{a} // {k} == {b} // 2",
    "{a} > {k} => {b} > {r}",
    "{b} % ({a} - {r}) == 0",
)


def some_signature(seed):
    """Two names below WIDTH, in shapes of each kind, under one to three constraints that something satisfies."""
    rng = Random(seed)
    while True:
        names = ["a", "b"]
        bounds = [f"{rng.choice((0, 0, 1, 2))} <= {name} < {WIDTH - rng.randrange(3)}" for name in names]
        parts = []
        for _ in range(rng.choice((1, 1, 2, 3))):
            rng.shuffle(names)
            text = rng.choice(PARTS)
            parts.append(text.format(a=names[0], b=names[1], k=rng.randrange(2, 5), r=rng.randrange(2)))
        system = ConstraintSystem([*bounds, *parts])
        if system.count() > 0:
            break
    second = rng.choice(("a b", "2*b a", "b+1 3", "a+b b", "a//2 b", "a a", "b 2*a"))
    return Signature.of({"x": rng.choice(("a b", "b 4 a")), "y": second}, system)


def points():
    return ({"a": a, "b": b} for a, b in product(range(WIDTH), repeat=2))


@pytest.mark.parametrize("seed", range(25))
def test_forms_let_all_legal_values_through_and_hold_what_they_say(seed):
    """By trying all values: those that the units give are the ones that `held` allows, and the legal are among them."""
    system = some_signature(seed).system
    for least in (None, 1):
        forms = forms_of(system, ("a", "b"), ("a", "b"), least)
        assert all(ends.lower is not None and ends.upper is not None for ends in forms.units.values())
        ranges = {unit: range(ends.lower, ends.upper + 1) for unit, ends in forms.units.items()}
        assert least is None or all(min(values) >= least for values in ranges.values())
        given = set()
        for chosen in product(*ranges.values()):
            units = dict(zip(ranges, chosen, strict=True)) | {"": 0}
            given.add(tuple(form.factor * units[form.unit] + form.offset for form in forms.names.values()))
        assert {tuple(p.values()) for p in points() if system.holds(p)} <= given
        assert given == {tuple(p.values()) for p in points() if forms.held.holds(p)}


@pytest.mark.parametrize("seed", range(25))
def test_boxes_let_all_legal_shapes_through_and_hold_what_they_say(seed):
    """Legal sizes are in a box; shapes in a box satisfy what is said to be held; the best ones are legal."""
    signature = some_signature(seed)
    layout = layout_of("it", signature.arguments)
    subject = Subject(signature.system, signature.arguments)
    found = boxes(subject, layout, "it")
    held, left = split(subject, layout, found, "for a reason")
    sizes = list(layout)
    for point in points():
        if signature.system.holds(point):
            shape = [value_of(slot.term, point) for slot in sizes]
            boxed = [zip(shape, box.values(), strict=True) for box in found]
            assert any(all(r.least <= size <= r.greatest for size, r in pairs) for pairs in boxed), (point, found)
    for box in found:
        best = [ends.usual for ends in box.values()]
        values = {name: best[sizes.index(slot)] for name, slot in layout.homes.items()}
        assert signature.system.holds(values)
        assert best == [value_of(slot.term, values) for slot in sizes]
        for shape in product(*({r.least, r.usual, r.greatest} for r in box.values())):
            values = dict(zip((slot.place for slot in sizes), shape, strict=True))
            values |= {name: values[slot.place] for name, slot in layout.homes.items()}
            assert all(constraint.holds(values) for constraint in held)
    assert {*held, *(one.constraint for one in left)} == {*signature.system, *(r for _, r in layout.relations)}


@pytest.mark.parametrize("seed", range(15))
@pytest.mark.parametrize("target", TARGETS)
def test_nothing_is_dropped(target, seed):
    """Each constraint is held or left over; the check refuses what breaks one that is left over, and no legal shape."""
    signature = some_signature(seed)
    emission = emit(target, signature)
    lines = {c.line for c in emission.held} | {one.constraint.line for one in emission.left}
    assert {c.line for c in signature.system} <= lines
    assert all(one.constraint.line in emission.text and one.reason for one in emission.left)
    if not emission.checker or target == "iree":
        return
    space, layout = {}, layout_of(target, signature.arguments)
    exec(emission.checker, space)
    for point in points():
        shapes = [[value_of(slot.term, point) for slot in slots] for slots in layout.slots.values()]
        broken = [one.constraint for one in emission.left if one.constraint in signature.system.constraints]
        is_refused = any(not constraint.holds(point) for constraint in broken)
        if is_refused or signature.system.holds(point):
            names = space["check"].__code__.co_varnames[: space["check"].__code__.co_argcount]
            given = [point[name] for name in names] if target == "annotated" else shapes
            assert refuses(space["check"], *given) is is_refused


def refuses(check, *values):
    try:
        check(*values)
    except ValueError:
        return True
    return False


@pytest.mark.parametrize("target", TARGETS)
def test_a_signature_has_a_method_for_each_target(target):
    """Of its name; a signature that went through a pickle has the same text."""
    text = getattr(SIGNATURE, f"to_{target.replace('-', '_')}")()
    assert text == SIGNATURE.to(target) == emit(target, SIGNATURE).text
    assert pickle.loads(pickle.dumps(SIGNATURE)).to(target) == text


def test_python_checks_shapes():
    """Ranks, fixed sizes, sizes of one name, sizes computed from others, and arguments that are numbers."""
    space = {}
    exec(SIGNATURE.to_checker(), space)
    legal = {"x_shape": (2, 3, 64, 128), "mask_shape": (2, 64, 64), "n": 16}
    assert space["check"](**legal) is None
    for change, said in (
        ({"x_shape": (2, 3, 64)}, 'x has another number of dimensions than "b 3 h w": 3'),
        ({"x_shape": (2, 4, 64, 128)}, "constraint violated: x.shape[1] == 3, where x.shape[1] = 4"),
        ({"mask_shape": (1, 64, 64)}, "constraint violated: mask.shape[0] == b, where mask.shape[0] = 1, b = 2"),
        (
            {"mask_shape": (2, 64, 63)},
            "constraint violated: mask.shape[2] == w // 2, where mask.shape[2] = 63, w = 128",
        ),
        ({"n": 17}, "constraint violated: n in {16, 48}, where n = 17"),
    ):
        with pytest.raises(ValueError) as refusal:  # noqa: PT011  # the text is compared
            space["check"](**{**legal, **change})
        assert str(refusal.value) == said


def test_any_number_of_leading_sizes():
    """The later ones are counted from the end."""
    signature = Signature.of({"x": "b ... h 2*h 3", "y": "... b"}, ["h % 8 == 0"])
    space = {}
    exec(signature.to_checker(), space)
    for lead in ((), (5,), (1, 7)):
        assert space["check"]((2, *lead, 8, 16, 3), (*lead, 2)) is None
        assert refuses(space["check"], (2, *lead, 8, 17, 3), (*lead, 2))
        assert refuses(space["check"], (2, *lead, 8, 16, 3), (*lead, 1))
    assert refuses(space["check"], (8, 16, 3), (2,))
    assert "// Arguments: h, x.shape[-2], x.shape[-1], y.shape[-1], b." in signature.to_cpp()


def test_names_that_differ_in_case_have_types_of_their_own():
    """Each its own name."""
    space = {}
    exec(Signature.of({"x": "h H"}, ["h <= 3", "H <= 4"]).to_annotated(), space)
    assert space["h"].__metadata__ != space["H"].__metadata__


def test_a_size_that_is_called_as_its_argument():
    """The shape and the size are two."""
    space = {}
    exec(Signature.of({"x": "x 2*x", "y": "y"}, ["x > 1"]).to_checker(), space)
    assert space["check"]((2, 4), 5) is None
    assert refuses(space["check"], (2, 5), 5)


@pytest.mark.parametrize(
    ("target", "shapes", "texts", "said"),
    [
        (
            "tensorrt",
            {},
            ["n > 1"],
            'error[DC157]: TensorRT needs the shapes of the arguments\n  help: give them, as in --shape x="b 3 h w"',
        ),
        (
            "tensorrt",
            {"x": "n 3"},
            ["n > 1"],
            "error[DC157]: n has no upper bound, and TensorRT needs one\n  help: add one, such as n <= 4096",
        ),
        (
            "executorch",
            {"x": "2*n"},
            ["n > 1"],
            "error[DC157]: 2*n has no upper bound, and ExecuTorch needs one\n  help: add one, such as 2*n <= 4096",
        ),
        (
            "coreml",
            {"x": "n _ 3"},
            ["n > 1"],
            "error[DC157]: Core ML needs every size of x, and _ leaves some open\n"
            '    x="n _ 3"\n         ^\n  help: name each size',
        ),
        (
            "export",
            {"x": "... n"},
            ["n > 1"],
            "error[DC157]: torch.export needs every size of x, and ... leaves some open\n"
            '    x="... n"\n       ^^^\n  help: write one size for each dimension',
        ),
        (
            "vllm",
            {"batch.x": "n"},
            ["n > 1"],
            "error[DC157]: vLLM takes arguments of forward by name, and batch.x is inside of one\n  help: leave it out",
        ),
        (
            "export",
            {"cache.*.key": "n"},
            ["n > 1"],
            "error[DC157]: torch.export takes one path at a time, and cache.*.key names several\n"
            "  help: write one for each",
        ),
        (
            "nonsense",
            {},
            ["n > 1"],
            "error[DC155]: there is no target 'nonsense'\n    'nonsense'\n    ^^^^^^^^^^\n  help: the targets are "
            + ", ".join(TARGETS),
        ),
    ],
)
def test_what_a_target_cannot_take_is_said(target, shapes, texts, said):
    """What is missing, where, and what to do."""
    with pytest.raises(ArgumentError) as refusal:
        emit(target, Signature.of(shapes, texts))
    assert str(refusal.value) == said


def test_contradictory_constraints_are_refused():
    """By every target that works with what follows from them."""
    for target in (*SHAPELESS[2:], "openvino"):
        with pytest.raises(InconsistentConstraintsError):
            emit(target, Signature.of({"x": "n"}, ["n > 3", "n < 2"]))


def test_a_name_without_a_size_is_said_to_be_unchecked():
    """It is in the text, and not in the check."""
    emission = emit("openvino", Signature.of({"x": "n"}, ["1 <= n <= 8", "k > n", "n != 5"]))
    assert [(one.constraint.line, one.reason) for one in emission.left] == [
        ("k > n", "not checked: no argument has k for a size"),
        ("n != 5", "a Dimension is a range by itself"),
    ]
    assert "k" not in emission.checker.split("def check")[1].replace("check", "")
