"""A decorated forward, as transformers has it: the report speaks of the call once, and of no keyword that it adds."""

from __future__ import annotations

import functools

import pytest
import torch
from declared import RULES, SIZES, halves
from torch._dynamo.testing import CompileCounterWithBackend

from dynconstraints import ConflictingBindingError, ConstraintError, ConstraintViolationError, declare, explain


@pytest.fixture(autouse=True)
def _fresh():
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


def adding(function):
    """Sets a keyword of its own, as decorators do that read a config."""

    @functools.wraps(function)
    def adding_flag(self, *args, **kwargs):
        kwargs["flag"] = kwargs.get("flag", self.flag)
        return function(self, *args, **kwargs)

    return adding_flag


def passing(function):
    @functools.wraps(function)
    def passing_all(*args, **kwargs):
        return function(*args, **kwargs)

    return passing_all


def doubling(function):
    """Passes on something else than what it got: twice the columns, or what is no multiple."""

    @functools.wraps(function)
    def doubling_columns(self, x, y, flag=True):
        return function(self, torch.cat([x, x], 1)[:, : x.shape[1] * 2 - self.less], torch.cat([y, y], 1), flag)

    return doubling_columns


def net(*decorators):
    class Decorated(torch.nn.Module):
        flag, less = True, 0

        def forward(self, x, y, flag=False):
            return halves(x) * flag, y + 1

    for decorator in decorators:
        Decorated.forward = decorator(Decorated.forward)
    return declare(Decorated(), x="b h", y="b h", constraints=RULES)


@pytest.mark.parametrize("decorators", [(adding,), (passing, adding), (adding, passing, adding)])
@pytest.mark.parametrize("compiled", [False, True])
def test_a_call_that_decorators_pass_on_is_told_once_and_proved(decorators, compiled):
    """The keyword that one adds is in a dict that no other call has; the sizes have the names of the call alone."""
    model = net(*decorators)
    target = torch.compile(model, backend="eager") if compiled else model
    report = explain(target, torch.ones(2, 64), y=torch.ones(2, 64), **({} if compiled else {"backend": "eager"}))
    assert report.covers_domain is True
    assert [str(line).strip() for line in str(report).splitlines() if "Decorated." in line] == []
    assert str(report).count("declared: h % 32 == 0") == 1
    counter = CompileCounterWithBackend("eager")
    called = torch.compile(model, backend=counter)
    for b, h in SIZES:
        torch.testing.assert_close(
            called(torch.ones(b, h), y=torch.ones(b, h)), model(torch.ones(b, h), torch.ones(b, h))
        )
    assert counter.frame_count == 1
    with pytest.raises(ConstraintViolationError, match="h % 32 == 0"):
        called(torch.ones(2, 33), y=torch.ones(2, 33))
    with pytest.raises(ConflictingBindingError):
        called(torch.ones(2, 64), y=torch.ones(2, 96))


@pytest.mark.parametrize("less", [0, 1, 32])
def test_what_a_decorator_passes_on_changed_is_a_call_of_its_own(less):
    """Its sizes are others, and are checked: by their own multiple, and against each other."""
    model = net(doubling)
    model.less = less
    compiled = torch.compile(model, backend="eager")
    given = torch.ones(2, 64), torch.ones(2, 64)
    if not less:
        torch.testing.assert_close(compiled(*given), model(*given))
        return
    with pytest.raises(ConstraintError, match=r"Decorated\.h"):
        compiled(*given)


class Keeping(torch.nn.Module):
    """Keeps what it is given: the next call looks at what this one changed."""

    def __init__(self):
        super().__init__()
        self.kept = {"calls": 0}

    def forward(self, x, **kwargs):
        self.kept["calls"] += 1
        return halves(x) * self.kept["calls"]


def test_a_dict_that_lasts_is_still_no_part_of_a_proof():
    """Though one that ``**kwargs`` stands for would be."""
    model = declare(Keeping(), x="b h", constraints=RULES)
    report = explain(model, torch.ones(2, 64), backend="eager", more=1)
    assert report.covers_domain is None
    assert "the program changes self.kept" in " ".join(str(report).split())


def test_keywords_that_hold_sizes_across_a_break_are_still_looked_at():
    """In the rest of the function a keyword that was added is whatever it was made of."""

    @declare(x="b h", constraints=RULES)
    def broken(x, **kwargs):
        kwargs["rows"] = x.shape[0]
        torch._dynamo.graph_break()
        return x * 2 if kwargs["rows"] % 2 else x * 3

    report = explain(torch.compile(broken, backend="eager"), torch.ones(2, 64))
    assert report.covers_domain is not True
