"""A model of ONNX that is made of a declared program has its names, and refuses what the declaration does."""

from __future__ import annotations

import json
import re
import warnings
from itertools import islice

import numpy as np
import pytest
import torch

from dynconstraints import ConstraintViolationError, DynamicInt, Signature, declare, dynamic_int_constraints, name_dims
from dynconstraints.diagnostics.errors import ConstraintError
from dynconstraints.interop.onnx import CONSTRAINTS, SIGNATURE, checker_of, signature_of_model

onnx = pytest.importorskip("onnx", reason="onnx is not installed")
runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
pytest.importorskip("onnxscript", reason="onnxscript is not installed")
pytest.importorskip("torch.onnx._internal.exporter", reason="this torch exports by TorchScript alone")


def exported(model, args=(), **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.onnx.export(model, args, dynamo=True, verbose=False, **options)


def dims(values):
    """The shapes as texts."""
    return {value.name: " ".join(map(str, value.shape)) for value in values}


class Windows(torch.nn.Module):
    def forward(self, x):
        b, c, h, w = x.shape
        return x.view(b, c, h // 8, 8, w // 8, 8).permute(0, 2, 4, 1, 3, 5).reshape(-1, c, 64)


class Pool(torch.nn.Module):
    def forward(self, x, mask):
        b, c = x.shape[:2]
        return torch.nn.functional.avg_pool2d(x, 2).reshape(b, c, -1), mask.reshape(b, mask.shape[1] // 16, 16, -1).sum(
            2
        )


class Pairs(torch.nn.Module):
    def forward(self, x, y):
        return x.repeat_interleave(2, 0) * y, y[: x.shape[0]]


class Rows(torch.nn.Module):
    def forward(self, x):
        return x.view(-1, 16).softmax(1)


WINDOWS = (Windows, {"x": "b 3 h w"}, ["h % 8 == 0", "w % 8 == 0", "1 <= b <= 4", "8 <= h <= 64", "8 <= w <= 64"])
POOL = (
    Pool,
    {"x": "b 3 h w", "mask": "b h 2*w"},
    ["h % 32 == 0", "w % 32 == 0", "1 <= b <= 4", "32 <= h <= 128", "32 <= w <= 96"],
)
PAIRS = (Pairs, {"x": "s0 4", "y": "s1 4"}, ["s1 == 2*s0", "1 <= s0 <= 30"])
SET = (Rows, {"x": "n"}, ["n in {16, 48, 80}"])
PROGRAMS = {"windows": WINDOWS, "pool": POOL, "pairs": PAIRS, "set": SET}


def inputs(signature, values):
    sizes = {path: [int(eval(word, {}, values)) for word in shape.text.split()] for path, shape in signature.items()}
    return {path: torch.arange(float(np.prod(s))).reshape(s) / 7 for path, s in sizes.items()}


def prepared(name):
    kind, shapes, constraints = PROGRAMS[name]
    signature = Signature.of(shapes, constraints)
    model = declare(kind().eval(), shapes, constraints=constraints)
    legal = list(islice(signature.system.enumerate(400), 400))
    return model, kind(), signature, legal


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_model_is_equal_to_eager_and_its_check_refuses_what_is_not_declared(name, tmp_path):
    """At sizes over the whole domain, from a file; and each name that a text of a dimension has is right."""
    model, plain, signature, legal = prepared(name)
    example = inputs(signature.arguments, legal[len(legal) // 2])
    exported(model, tuple(example.values())).save(tmp_path / "m.onnx")
    session = runtime.InferenceSession(tmp_path / "m.onnx", providers=["CPUExecutionProvider"])
    check = checker_of(session)
    for values in legal[:: max(1, len(legal) // 20)]:
        given = inputs(signature.arguments, values)
        feed = {path: tensor.numpy() for path, tensor in given.items()}
        check(feed)
        expected = plain(*given.values())
        expected = expected if isinstance(expected, tuple) else (expected,)
        for output, found, wanted in zip(session.get_outputs(), session.run(None, feed), expected, strict=True):
            torch.testing.assert_close(torch.from_numpy(found), wanted)
            told = [eval(str(dim), {}, dict(values)) for dim in output.shape]
            assert told == list(wanted.shape), output.shape
    refused = 0
    for values in ({n: v + d for n, v in legal[len(legal) // 2].items()} for d in range(1, 60)):
        if not signature.system.holds(values):
            refused += 1
            with pytest.raises(ConstraintViolationError, match=r"error\[DC301\]"):
                check({path: np.empty(t.shape, np.float32) for path, t in inputs(signature.arguments, values).items()})
    assert refused >= 20


def test_dimensions_have_the_names_and_derived_sizes_are_expressions():
    """Of inputs, results and what is between; the metadata has the constraints as texts, and the signature."""
    model, _, signature, legal = prepared("pool")
    made = exported(model, tuple(inputs(signature.arguments, legal[-1]).values()))
    assert dims(made.model.graph.inputs) == {"x": "b 3 h w", "mask": "b h 2*w"}
    assert list(dims(made.model.graph.outputs).values()) == ["b 3 h*w//4", "b h//16 2*w"]
    for value in (value for node in made.model.graph for value in node.outputs):
        assert not re.search(r"\bs\d", str(value.shape))
    metadata = made.model.metadata_props
    assert metadata[CONSTRAINTS].splitlines() == signature_texts(signature)
    assert json.loads(metadata[SIGNATURE])["arguments"] == {"x": "b 3 h w", "mask": "b h 2*w"}


def signature_texts(signature):
    return [constraint.line for constraint in signature.system]


def test_inputs_that_are_renamed_are_checked_by_their_new_names():
    """As the user of the model knows them."""
    model = declare(Rows(), x="n", constraints="n % 16 == 0")
    made = exported(model, (torch.ones(64),), input_names=["tokens"])
    assert dims(made.model.graph.inputs) == {"tokens": "n"}
    checker_of(made)({"tokens": np.ones(32)})
    with pytest.raises(ConstraintViolationError, match="n % 16 == 0"):
        checker_of(made.model_proto)({"tokens": np.ones(33)})


def test_named_tensors_and_blocks_are_declarations_too():
    """Without a signature of the module."""
    x = name_dims(torch.ones(64), {0: "n"})
    with dynamic_int_constraints(["n % 16 == 0", "n <= 640"]):
        made = exported(Rows(), (x,))
    assert [c.text for c in signature_of_model(made).system] == ["n % 16 == 0", "n <= 640"]


class Scaled(torch.nn.Module):
    def forward(self, x, n):
        return x[:n] * n


def test_a_declared_int_is_an_input_under_its_declaration():
    """A number that the model is given."""
    model = declare(Scaled(), x="m", n="n", constraints=["2 <= n < m"])
    made = exported(model, (torch.ones(64), DynamicInt(5, name="n")))
    check = checker_of(made)
    check({"x": np.ones(9), "n": np.array(8)})
    with pytest.raises(ConstraintViolationError, match="n < m"):
        check({"x": np.ones(9), "n": np.array(9)})


def test_a_program_from_a_file_gives_the_same_model(tmp_path):
    """What was exported elsewhere carries its declaration."""
    model = declare(Rows(), x="n", constraints="n % 16 == 0")
    torch.export.save(torch.export.export(model, (torch.ones(64),)), tmp_path / "p.pt2")
    made = exported(torch.export.load(tmp_path / "p.pt2"))
    assert (dims(made.model.graph.inputs), list(dims(made.model.graph.outputs).values())) == ({"x": "n"}, ["n//16 16"])


def test_symbols_of_sizes_that_are_not_declared_are_never_taken_for_names():
    """torch calls these s77 and the like, as a user may call a name."""
    model = declare(Pairs(), y="s77 _", constraints="s77 % 2 == 0")
    shapes = {"x": {0: torch.export.Dim.AUTO}, "y": {0: torch.export.Dim.AUTO}}
    made = exported(model, (torch.ones(3, 4), torch.ones(6, 4)), dynamic_shapes=shapes)
    assert dims(made.model.graph.inputs)["y"].split()[0] == "s77"
    with pytest.raises(ConstraintViolationError, match="s77 % 2 == 0"):
        checker_of(made)({"x": np.ones((2, 4)), "y": np.ones((5, 4))})


def test_a_program_that_declares_nothing_gives_the_model_that_it_gave(tmp_path):
    """And has no check."""
    shapes = {"x": {0: torch.export.Dim.DYNAMIC}}
    made = exported(Rows(), (torch.ones(64),), dynamic_shapes=shapes)
    assert not any(key.startswith("dynconstraints") for key in made.model.metadata_props)
    made.save(tmp_path / "m.onnx")
    with pytest.raises(ConstraintError, match="DC161"):
        checker_of(tmp_path / "m.onnx")
