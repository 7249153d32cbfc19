"""A Signature checks calls without torch, as the evaluator says, in the user's words."""

from __future__ import annotations

import random
import subprocess
import sys
from itertools import product

import pytest

from dynconstraints import ConstraintError, ConstraintViolationError, Signature
from dynconstraints.diagnostics.errors import DimensionError
from dynconstraints.interop.call_check import CallCheck
from dynconstraints.interop.onnx import checker_of, metadata_of
from dynconstraints.ir.evaluate import value_of


class Array:
    def __init__(self, *shape):
        self.shape = shape


def check(signature, **arguments):
    CallCheck(signature, "the model").check({path.replace("__", "."): value for path, value in arguments.items()})


SIGNATURE = Signature.of({"x": "b 3 h w", "mask": "... h 2*w", "n": "n"}, ["h % 32 == 0", "n <= b"])


def test_what_is_declared_passes():
    """Arrays, shapes, and numbers; an argument that is not given is nobody's."""
    check(SIGNATURE, x=Array(2, 3, 64, 5), mask=(64, 10), n=2)
    check(SIGNATURE, x=(2, 3, 64, 5), mask=Array(1, 1, 64, 10), n=1)
    check(SIGNATURE, mask=(64, 10))


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        (
            {"x": (2, 3, 65, 5), "mask": (65, 10), "n": 1},
            ConstraintViolationError,
            "error[DC301]: constraint violated: h % 32 == 0\n"
            "  --> the model\n"
            "    h % 32 == 0\n"
            "    ^^^^^^^^^^^    h = 65, and 65 % 32 = 1\n"
            "  help: the nearest values that satisfy every constraint: h = 64, mask.shape[0] = 64",
        ),
        (
            {"x": (2, 3, 64, 5), "mask": (64, 11), "n": 1},
            ConstraintViolationError,
            "error[DC301]: constraint violated: mask.shape[1] == 2*w\n"
            "  --> the model\n"
            "    mask.shape[1] == 2*w\n"
            "    ^^^^^^^^^^^^^^^^^^^^    mask.shape[1] = 11, w = 5, and 2*5 = 10\n"
            "  help: the nearest values that satisfy every constraint: mask.shape[1] = 10",
        ),
        (
            {"x": (2, 3, 64), "n": 1},
            DimensionError,
            "error[DC408]: x has 3 dimensions, and 4 are declared\n"
            "  --> the model\n"
            '    x="b 3 h w"\n'
            "    ^^^^^^^^^^^    the dimensions of x are 2 3 64\n"
            "  help: pass an array of this rank",
        ),
    ],
)
def test_what_is_not_is_refused_by_name(arguments, error, text):
    """The constraint, the values, and legal ones nearby."""
    with pytest.raises(error) as caught:
        check(SIGNATURE, **arguments)
    assert str(caught.value) == text


def test_a_constraint_over_a_name_that_no_size_tells_is_refused_where_nothing_goes_with_the_sizes():
    """Of the others nothing is known."""
    signature = Signature.of({"x": "h + w".replace(" ", "")}, ["h % 2 == 0", "w % 2 == 0"])
    check(signature, x=(6,))
    with pytest.raises(ConstraintViolationError, match=r"no values of the other names go with x.shape\[0\] = 7"):
        check(signature, x=(7,))


SIZES = ("h", "w", "2*h", "3*w+1", "h+w", "h*w", "h//2", "max(h,3)", "_", "4")
CONSTRAINTS = ("h % 3 == 0", "h <= w", "h*w <= 30", "h in {1, 2, 6}", "w != 4", "h % 2 == 0 or w > 5", "w == 2*h")


@pytest.mark.parametrize("seed", range(40))
def test_it_refuses_what_no_values_of_the_names_explain(seed):
    """Against brute force over the names, at sizes that are legal, and at others near them."""
    chosen = random.Random(seed)
    shapes = {name: " ".join(chosen.choices(SIZES, k=chosen.randint(1, 3))) for name in ("x", "y")}
    signature = Signature.of(shapes, chosen.sample(CONSTRAINTS, chosen.randint(0, 2)))
    terms = [term for shape in signature.arguments.values() for term in shape.sizes]
    legal = set()
    for h, w in product(range(-28, 28), repeat=2):
        values = {"h": h, "w": w}
        if signature.system.holds(values):
            legal.add(tuple(None if term is None else value_of(term, values) for term in terms))
    few = [one for one in legal if all(size is None or 0 <= size <= 8 for size in one)]
    tried = [tuple(chosen.randint(0, 9) for _ in terms) for _ in range(25)] + chosen.sample(few, min(len(few), 25))
    for given in tried:
        given = tuple(chosen.randint(0, 9) if size is None else size for size in given)
        first = len(signature.arguments["x"].sizes)
        fits = any(all(a is None or a == b for a, b in zip(one, given, strict=True)) for one in legal)
        if fits:
            check(signature, x=given[:first], y=given[first:])
        else:
            with pytest.raises(ConstraintError, match=r"DC301"):
                check(signature, x=given[:first], y=given[first:])


def test_a_model_without_a_declaration_has_no_check():
    """Which is said, and what to do."""

    class Model:
        metadata_props = ()

    with pytest.raises(ConstraintError, match=r"DC161.*its metadata has no declaration"):
        checker_of(Model())
    with pytest.raises(ConstraintError, match=r"DC161.*int is no model"):
        checker_of(7)


def test_the_check_needs_no_torch():
    """Nor onnx, where a session is at hand."""
    program = f"""
import sys
from dynconstraints.interop.onnx import checker_of
class Session:
    def get_modelmeta(self):
        return type("Meta", (), {{"custom_metadata_map": {metadata_of(SIGNATURE)!r}}})
check = checker_of(Session())
check({{"x": (2, 3, 64, 5)}})
try:
    check({{"x": (2, 3, 65, 5)}})
except ValueError as error:
    print(str(error).splitlines()[0])
print("torch" in sys.modules, "onnx" in sys.modules)
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines() == ["error[DC301]: constraint violated: h % 32 == 0", "False False"]
