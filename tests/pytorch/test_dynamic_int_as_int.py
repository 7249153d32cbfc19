"""A DynamicInt is an int wherever Python, NumPy and torch take one, and survives being stored and sent."""

from __future__ import annotations

import copy
import ctypes
import enum
import io
import json
import math
import operator
import pickle
import statistics
import struct
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
import torch

from dynconstraints import DynamicInt

ANONYMOUS = DynamicInt(13)
NAMED = DynamicInt(13, name="s0", constraints=["s0 % 13 == 0"])
DERIVED = NAMED * 2 - 13
KINDS = pytest.mark.parametrize("n", [ANONYMOUS, NAMED, DERIVED], ids=["anonymous", "named", "derived"])


@KINDS
def test_it_reads_as_digits(n: DynamicInt) -> None:
    """In a file name, a log line, a format; repr tells what it is."""
    assert str(n) == f"{n}" == "%s" % n == "13"  # noqa: UP031  the old way must work too
    assert f"ckpt_{n}.pt" == "ckpt_13.pt"
    assert f"{n:04d} {n:x} {n:>5} {n:,}" == "0013 d    13 13"
    assert "%d" % n == "13"  # noqa: UP031
    assert bin(n) == "0b1101"


def test_repr_tells_name_or_expression() -> None:
    """Anonymous ones read as upstream's."""
    assert repr(ANONYMOUS) == "DynamicInt(13)"
    assert repr(NAMED) == 'DynamicInt(13, name="s0")'
    assert repr(DERIVED) == 'DynamicInt(13, expression="2*s0 - 13")'


@KINDS
def test_it_is_equal_to_and_hashes_as_its_value(n: DynamicInt) -> None:
    """A key, a case, an index, a size."""
    assert n == 13
    assert {13: "x"}[n] == "x"
    assert {n: "x"}[13] == "x"
    assert list(range(20))[n] == 13
    assert "a" * n == "a" * 13
    assert [1] * n == [1] * 13
    assert list(range(n)) == list(range(13))
    assert operator.index(n) == 13
    assert type(int(n)) is int
    match n:
        case 13:
            pass
        case _:
            raise AssertionError("13 does not match")


@pytest.mark.parametrize(
    "slot", ["__hash__", "__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "__index__", "__bool__"]
)
def test_comparisons_cost_what_they_cost_for_ints(slot: str) -> None:
    """They are int's own slots."""
    assert getattr(DynamicInt, slot) is getattr(int, slot)


@KINDS
def test_mended_operations_keep_the_type(n: DynamicInt) -> None:
    """What upstream's DynamicInt answers with a plain int."""
    for result, value in [
        (~n, -14),
        (round(n), 13),
        (round(n, -1), 10),
        (divmod(n, 4)[0], 3),
        (divmod(n, 4)[1], 1),
        (divmod(100, n)[0], 7),
        (divmod(100, n)[1], 9),
        (pow(n, 2, 5), 4),
        (pow(n, -1, 5), 2),
        (pow(n, 200, 5), 1),
        (n.numerator, 13),
        (n.conjugate(), 13),
        (math.floor(n), 13),
        (math.ceil(n), 13),
        (math.trunc(n), 13),
        (1 + n, 14),
        (100 // n, 7),
    ]:
        assert isinstance(result, DynamicInt)
        assert result == value
    with pytest.raises(ValueError, match="pow"):
        pow(n, 2, 0)


@KINDS
def test_what_python_answers_without_asking_is_right(n: DynamicInt) -> None:
    """A bool on the left, a three-argument power of an int, and C functions never ask a subclass."""
    assert (True + n, pow(2, n, 5), math.gcd(n, 26), math.isqrt(n), math.lcm(n, 2)) == (14, 2, 13, 3, 26)


@KINDS
@pytest.mark.parametrize("operation", ["add", "sub", "mul", "floordiv", "mod", "truediv", "pow"])
def test_other_types_of_number_decide_the_result(n: DynamicInt, operation: str) -> None:
    """As with a plain 13: float, complex, NumPy, Fraction and tensors on either side."""
    apply = getattr(operator, operation)
    numbers = [2.5, np.int8(2), np.int64(2), np.float32(2.5), Fraction(5, 2), torch.tensor(2), torch.tensor(2.5)]
    for other in (*numbers, np.array([2, 3], np.int8), np.array([2.5], np.float32)):
        result, expected = apply(n, other), apply(13, other)
        assert isinstance(result, type(expected))
        assert getattr(result, "dtype", None) == getattr(expected, "dtype", None)
        assert np.array_equal(result, expected)
        # On the left NumPy asks nobody, and takes a subclass of int for an int64.
        result, expected = (
            apply(other, n),
            apply(other, np.int64(13) if isinstance(other, np.generic | np.ndarray) else 13),
        )
        assert isinstance(result, type(expected))
        assert np.array_equal(result, expected)
    with pytest.raises(TypeError, match="unsupported operand"):
        apply(n, {})


@KINDS
def test_statistics_of_it_are_those_of_an_int(n: DynamicInt) -> None:
    """They make the answer from a Fraction, as a value of the same class where it is whole."""
    assert (statistics.mean([n, n]), statistics.median([n, n + 2]), statistics.mean([n, n + 1])) == (13, 14, 13.5)
    with pytest.raises(TypeError, match="is a Fraction"):
        DynamicInt(Fraction(5, 2))  # type: ignore[arg-type]  # what a user may try


@KINDS
def test_divmod_with_other_types_of_number(n: DynamicInt) -> None:
    """As with a plain 13."""
    for other in (2.5, np.int8(2), np.float32(2.5), Fraction(5, 2)):
        assert divmod(n, other) == divmod(13, other)
        assert divmod(other, n) == divmod(other, 13)
        assert all(isinstance(*pair) for pair in zip(divmod(n, other), map(type, divmod(13, other)), strict=True))


@KINDS
def test_numpy_functions_and_assignments_take_it(n: DynamicInt) -> None:
    """Its functions get the int; an array that is changed in place keeps its type."""
    x = np.ones(2, np.int8)
    assert np.add(x, n).tolist() == [14, 14]
    x += n
    assert x.dtype == np.int8
    assert x.tolist() == [14, 14]
    assert (x > n).all()
    assert (n < x).all()


@KINDS
def test_division_and_negative_powers_give_floats(n: DynamicInt) -> None:
    """True division is float's."""
    for result in (n / 2, 26 / n, n**-1, 2**-n, n**0.5):
        assert type(result) is float


@pytest.mark.parametrize("value", [np.int64(3), np.uint8(3), True + 2, np.int32(3)])
def test_integers_of_any_kind_are_values(value: int) -> None:
    """A NumPy integer, an int, a bool, an enumeration's member, another DynamicInt."""
    assert int(DynamicInt(value)) == 3
    assert int(DynamicInt(value, name="n")) == 3


def test_bools_enums_and_dynamic_ints_are_values() -> None:
    """True is 1, as upstream has it; a declared int keeps its declaration."""

    class Size(enum.IntEnum):
        SMALL = 2

    assert DynamicInt(True) == 1
    assert repr(DynamicInt(True)) == "DynamicInt(1)"
    assert DynamicInt(Size.SMALL) == 2
    assert (NAMED + Size.SMALL).expression == (NAMED + 2).expression
    assert DynamicInt(NAMED).name == "s0"
    assert DynamicInt(NAMED, name="t").name == "t"


@KINDS
def test_it_is_stored_and_sent(n: DynamicInt) -> None:
    """Pickled by every protocol, copied, saved by torch and loaded with weights_only: the declaration comes along."""
    buffer = io.BytesIO()
    torch.save({"n": n, "x": torch.ones(2)}, buffer)
    buffer.seek(0)
    copies = [pickle.loads(pickle.dumps(n, protocol)) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)]
    for twin in (*copies, copy.copy(n), copy.deepcopy([n])[0], torch.load(buffer, weights_only=True)["n"]):
        assert type(twin) is DynamicInt
        assert twin == n
        assert repr(twin) == repr(n)
        assert twin.expression == n.expression
        if n.declaration is not None:
            assert twin.declaration.constraints == n.declaration.constraints
            assert dict(twin.declaration.bindings) == dict(n.declaration.bindings)


def test_attributes_of_ones_own_are_stored_too() -> None:
    """As upstream's DynamicInt, it can carry some."""
    n = DynamicInt(13, name="n")
    n.note = "from the loader"  # type: ignore[attr-defined]
    assert pickle.loads(pickle.dumps(n)).note == "from the loader"


def test_a_damaged_pickle_is_refused() -> None:
    """An expression that is not the value would be believed by everything after."""
    from dynconstraints.pytorch.values.dynamic_int import restored

    with pytest.raises(ValueError, match=r"damaged pickle of a DynamicInt: 2\*n is not 7"):
        restored(7, "2*n", (("n", 3, ()),))


@KINDS
def test_json_struct_ctypes_and_numpy_take_it(n: DynamicInt) -> None:
    """As the int it is."""
    assert json.dumps({"n": n}) == '{"n": 13}'
    assert struct.pack("<q", n) == struct.pack("<q", 13)
    assert ctypes.c_int(n).value == 13
    assert np.zeros((n, 2)).shape == (13, 2)
    assert np.array([n]).dtype == np.int64


@KINDS
def test_torch_takes_it_for_sizes_scalars_and_indices(n: DynamicInt) -> None:
    """As the int it is."""
    x = torch.arange(30)
    assert x[n] == 13
    assert x[:n].shape == (13,)
    assert torch.zeros(n, 2).shape == (13, 2)
    assert torch.ones(n).view(-1, n).shape == (1, 13)
    assert torch.full((2,), n).tolist() == [13, 13]
    assert (x * n)[1] == 13
    assert torch.ones(2).expand(n, 2).shape == (13, 2)


@KINDS
def test_a_jit_function_takes_it(n: DynamicInt) -> None:
    """TorchScript sees an int."""

    def double(k: int) -> int:
        return 2 * k

    assert torch.jit.script(double)(n) == 26


def test_another_process_reads_a_checkpoint_of_declared_ints(tmp_path: object) -> None:
    """Saved here, loaded with weights_only where the package is imported."""
    torch.save({"n": DERIVED}, f"{tmp_path}/x.pt")
    code = (
        "import sys, torch; from dynconstraints import DynamicInt; DynamicInt(1);"
        "print(repr(torch.load(sys.argv[1], weights_only=True)['n']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, f"{tmp_path}/x.pt"], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout == 'DynamicInt(13, expression="2*s0 - 13")\n'
