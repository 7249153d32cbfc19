"""A violation in another process, or while torch carries it about, says what it says in the program itself."""

from __future__ import annotations

import pickle
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest
import torch
from torch._utils import ExceptionWrapper
from torch.utils.data import DataLoader, IterDataPipe
from torch.utils.data.datapipes.iter import IterableWrapper

from dynconstraints import ConstraintViolationError, bind, name_dims
from dynconstraints.diagnostics import errors
from dynconstraints.diagnostics.diagnostic import Diagnostic
from dynconstraints.pytorch.declarations.warning import DeclarationWarning
from dynconstraints.pytorch.frame.dynamo_errors import passed_through

CLASSES = [
    kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.ConstraintError)
]
SAID = Diagnostic("DC301", "constraint violated: n % 8 == 0")


def collate(_: object) -> torch.Tensor:
    return name_dims(torch.randn(17, 6), {0: "n"}, constraints=["n % 8 == 0"])


def in_a_trace(size: int) -> torch.Tensor:
    def step(x: torch.Tensor) -> torch.Tensor:
        return x + bind("n", x.shape[0], constraints=["n % 8 == 0"])

    return torch.compile(step, backend="eager")(torch.ones(size))


def compiling(_: object) -> torch.Tensor:
    return in_a_trace(9)


@pytest.mark.parametrize(("work", "size"), [(collate, 17), (compiling, 9)])
def test_a_worker_of_a_data_loader_passes_the_text_on(work: object, size: int) -> None:
    """Eager, and from a trace, where the error goes through Dynamo first."""
    with pytest.raises(ConstraintViolationError) as caught:
        list(DataLoader([0, 1], batch_size=2, collate_fn=work, num_workers=1))
    assert type(caught.value) is ConstraintViolationError
    assert caught.value.code == "DC301"
    assert "DataLoader worker process 0" in str(caught.value)
    assert "error[DC301]: constraint violated: n % 8 == 0\n" in str(caught.value)
    assert f"n = {size}, and {size} % 8 = 1" in str(caught.value)


class Pipe(IterDataPipe):
    def __iter__(self) -> object:
        yield collate(0)


@pytest.mark.parametrize("pipe", [Pipe(), IterableWrapper([1]).map(collate)], ids=["own", "map"])
def test_a_pipe_of_data_adds_its_line_to_the_text(pipe: IterDataPipe) -> None:
    """It edits the arguments of the error."""
    with pytest.raises(ConstraintViolationError) as caught:
        list(pipe)
    assert str(caught.value).startswith("error[DC301]: constraint violated: n % 8 == 0\n")
    assert "This exception is thrown by __iter__ of " in str(caught.value)
    assert caught.value.values == {"n": 17}


@pytest.mark.parametrize("kind", [*CLASSES, DeclarationWarning], ids=lambda kind: kind.__name__)
def test_what_torch_raises_anew_by_text_arrives(kind: type[Exception]) -> None:
    """The wrapper that workers of data loaders and of replicas send."""
    error = kind(SAID) if issubclass(kind, errors.ConstraintError) else kind("warning[DC502]: a guard")
    try:
        raise error
    except Exception:
        wrapped = ExceptionWrapper(sys.exc_info(), where="in worker 0")
    with pytest.raises(kind) as caught:
        pickle.loads(pickle.dumps(wrapped)).reraise()
    assert type(caught.value) is kind
    assert str(error) in str(caught.value)
    assert str(caught.value).startswith(f"Caught {kind.__name__} in worker 0.\n")


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_an_error_on_its_way_through_dynamo_is_the_public_one_elsewhere(kind: type[errors.ConstraintError]) -> None:
    """Its pickle, and its class; Dynamo's additions to it stay behind, notes of the user's don't."""
    passing = passed_through(kind(SAID))
    assert isinstance(passing, kind)
    passing.args = (f"{passing.args[0]}\n\nfrom user code:\n ...", *passing.args[1:])
    passing.real_stack = object()  # type: ignore[attr-defined]
    passing.__notes__ = ["in epoch 2"]
    there = pickle.loads(pickle.dumps(passing))
    assert type(there) is pickle.loads(pickle.dumps(type(passing))) is kind
    assert str(there) == str(passing) == "error[DC301]: constraint violated: n % 8 == 0"
    assert there.__notes__ == ["in epoch 2"]
    assert not hasattr(there, "real_stack")


def test_a_violation_in_a_trace_leaves_a_process_of_its_own() -> None:
    """With its data."""
    with ProcessPoolExecutor(1, mp_context=get_context("fork")) as pool, pytest.raises(ConstraintViolationError) as got:
        pool.submit(in_a_trace, 9).result()
    assert type(got.value) is ConstraintViolationError
    assert "n = 9, and 9 % 8 = 1" in str(got.value)
    assert got.value.values == {"n": 9}
