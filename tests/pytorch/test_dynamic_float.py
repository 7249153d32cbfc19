"""DynamicFloat in eager: a float in all its manners, checked where it is made."""

import copy
import io
import math
import pickle
import statistics

import numpy as np
import pytest
import torch

from dynconstraints import ConstraintError, ConstraintViolationError, DynamicFloat, DynamicInt
from dynconstraints.diagnostics.errors import NotAFloatError

lr = DynamicFloat(0.1, name="lr", constraints=["0.0 < lr <= 1.0"])


def test_it_is_the_float_that_it_holds():
    """Equal, hashed, ordered, formatted as that."""
    assert lr == 0.1
    assert hash(lr) == hash(0.1)
    assert f"{lr} {lr:.2f} {lr!s}" == "0.1 0.10 0.1"
    assert repr(lr) == 'DynamicFloat(0.1, name="lr")'
    assert lr.as_integer_ratio() == (0.1).as_integer_ratio()
    assert type(float(lr)) is float
    assert type(int(lr)) is int
    assert type(round(lr)) is int


@pytest.mark.parametrize(
    "operation",
    [
        lambda a: a + 1,
        lambda a: 1 - a,
        lambda a: a * a,
        lambda a: 3 / a,
        lambda a: a**2,
        lambda a: 2**a,
        lambda a: a // 0.03,
        lambda a: 1 % a,
        lambda a: -a,
        abs,
        lambda a: round(a, 1),
        lambda a: +a,
    ],
)
def test_arithmetic_keeps_the_declaration(operation):
    """The value is that of floats, and what is declared for the names behind it is still in force."""
    result = operation(lr)
    assert isinstance(result, DynamicFloat)
    assert float(result) == operation(0.1)
    assert result.declaration is not None
    assert result.declaration.bindings == {"lr": 0.1}


def test_it_works_with_integers_numpy_and_math():
    """Each gives what it gives for a float."""
    assert (lr * DynamicInt(3, name="n")).declaration.names == ("lr", "n")
    assert type(lr * np.float32(2)) is type(0.1 * np.float32(2))
    assert np.allclose(np.ones(3) * lr, np.full(3, 0.1))
    assert math.sqrt(lr) == math.sqrt(0.1)
    assert torch.equal(torch.ones(3) * lr, torch.ones(3) * 0.1)
    assert torch.equal(torch.full((2,), lr), torch.full((2,), 0.1))
    assert torch.add(torch.ones(1), torch.ones(1), alpha=lr) == torch.add(torch.ones(1), torch.ones(1), alpha=0.1)


def test_statistics_of_it_are_those_of_a_float():
    """They make the answer from a Fraction, as a value of the same class."""
    values = [DynamicFloat(v, name="lr") for v in (0.1, 0.2, 0.4)]
    assert statistics.mean(values) == statistics.mean([0.1, 0.2, 0.4])
    assert statistics.stdev(values) == statistics.stdev([0.1, 0.2, 0.4])


def test_it_travels():
    """By pickle, copies, torch.save and a load of weights only; its constraints are checked where it arrives."""
    arrived = pickle.loads(pickle.dumps(lr))
    assert (arrived, arrived.name, arrived.declaration) == (0.1, "lr", lr.declaration)
    assert copy.deepcopy(lr) is lr
    buffer = io.BytesIO()
    torch.save({"lr": lr}, buffer)
    buffer.seek(0)
    assert torch.load(buffer, weights_only=True)["lr"].name == "lr"


def test_a_value_outside_its_constraints_is_refused():
    """With the interval that it has to be in."""
    with pytest.raises(ConstraintViolationError) as caught:
        DynamicFloat(1.5, name="lr", constraints=["0.0 < lr <= 1.0"])
    assert "lr = 1.5" in str(caught.value)
    assert "lr has to be in (0.0, 1.0]" in str(caught.value)


@pytest.mark.parametrize(
    ("value", "part"),
    [
        ("0.1", "is a str"),
        (None, "is a NoneType"),
        (2**53 + 1, "no float is certain to hold"),
        (math.nan, "not a finite number"),
        (-math.inf, "not a finite number"),
        (torch.tensor(0.1), "is a Tensor"),
    ],
)
def test_what_is_no_finite_float_is_refused(value, part):
    """Nothing is rounded or converted in silence."""
    with pytest.raises(NotAFloatError, match=part):
        DynamicFloat(value, name="lr")


def test_what_is_not_finite_can_be_allowed_but_not_constrained():
    """Constraints speak of numbers."""
    assert math.isnan(DynamicFloat(math.nan, allow_nonfinite=True))
    with pytest.raises(ConstraintViolationError, match="which is no number"):
        DynamicFloat(math.inf, name="p", constraints=["p > 0.0"], allow_nonfinite=True)


@pytest.mark.parametrize("value", [0.0, -0.0, 5e-324, 1e308, 0.1 + 2**-56, True, 3, np.float64(0.25)])
def test_values_are_kept_exactly(value):
    """Signs of zero, denormals and last bits included."""
    made = DynamicFloat(value)
    assert float.hex(made) == float(value).hex()


@pytest.mark.parametrize(
    ("constraints", "code"),
    [(["lr % 2 == 0"], "DC135"), (["lr > 1.0", "lr < 0.5"], "DC201"), (["x > 1.0"], "DC401"), (["lr >"], "DC118")],
)
def test_a_declaration_that_cannot_be_is_refused(constraints, code):
    """Each slip with its own message."""
    with pytest.raises(ConstraintError) as caught:
        DynamicFloat(0.5, name="lr", constraints=constraints)
    assert caught.value.code == code


def test_floats_are_compared_as_the_rationals_they_hold():
    """A tenth is not what 0.1 holds: ``10*p <= 1`` fails for it."""
    with pytest.raises(ConstraintViolationError):
        DynamicFloat(0.1, name="p", constraints=["10*p <= 1"])


def test_integers_may_stand_beside_float_literals():
    """A name that a DynamicInt carries is an integer."""
    DynamicInt(4, name="p", constraints=["0.5*p <= 2.0"])
    with pytest.raises(ConstraintViolationError):
        DynamicInt(5, name="p", constraints=["0.5*p <= 2.0"])
