"""What `suggest` prints and how it gets there: a declare to paste, reasons, progress, and an end to its time."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from compiled import Compiled, suggest

from dynconstraints import dynamic_int_constraints, name_dims
from dynconstraints.pytorch.reports import progress as progress_module
from dynconstraints.pytorch.reports.progress import Progress, progress
from dynconstraints.pytorch.reports.suggesting.paste_code import declared, path_of

WEIGHT = torch.ones(4, 3, 8, 8)


def pooled(x: torch.Tensor) -> torch.Tensor:
    b, _, h, w = x.shape
    y = F.conv2d(x, WEIGHT, stride=8)
    return y.view(b, 4, -1, 2) if h > w else y.view(b, 4, -1, 2) + 1


def scaled(n: int, x: torch.Tensor) -> torch.Tensor:
    return torch.softmax(x.view(-1, n), -1)


def batched(batch: dict[str, torch.Tensor], pair: tuple[torch.Tensor, int]) -> torch.Tensor:
    return batch["image"].view(batch["image"].shape[0], -1, 4) * pair[1] + pair[0].sum()


def images(*sizes: tuple[int, int]) -> list[tuple[torch.Tensor]]:
    return [(torch.randn(b + 2, 3, h, w),) for b, (h, w) in enumerate(sizes)]


def plain(text: str) -> str:
    text = re.sub(rf"\S*{Path(__file__).name}:\d+", "FILE", text)
    return re.sub(r"(?m)(FILE in \w+:) .*$", r"\1 LINE", text)


def unfolding(x: torch.Tensor) -> torch.Tensor:
    return F.unfold(x.view(1, 1, 1, -1), (1, 57)).sum() + x.view(-1, 32).sum()


EMPTY = "an empty tensor has no graph in common with others"

TEXTS: list[tuple[Callable[..., Any], Callable[[], list[Any]], str]] = [
    (
        scaled,
        lambda: [(16, torch.ones(160)), {"x": torch.ones(72), "n": 24}],
        f"""\
scaled: what its calls could declare
  n is the number n
  x_0 is x.size(0)
  declare: n >= 1
    for FILE in scaled: LINE
    {EMPTY}
  declare: x_0 >= 1
    for FILE in scaled: LINE
    {EMPTY}
  declare: x_0 % n == 0
    for FILE in scaled: LINE
    n = 17, x_0 = 160 fails in eager: RuntimeError: shape '[-1, 17]' is invalid
        for input of size 160
write
  scaled = declare(
      scaled,
      n="n",
      x="x_0",
      constraints=["n >= 1", "x_0 >= 1", "x_0 % n == 0"],
  )
then these calls need 1 graph under eager
proved: they serve every input that these constraints allow""",
    ),
    (
        unfolding,
        lambda: [(torch.ones(n),) for n in (96, 128)],
        """\
unfolding: what its calls could declare
  x_0 is x.size(0)
  declare: x_0 % 32 == 0
    for FILE in unfolding: LINE
    x_0 = 97 fails in eager: RuntimeError: shape '[-1, 32]' is invalid for input
        of size 97
  declare: x_0 >= 64
    for FILE in unfolding: LINE
    which asks x_0 >= 57
    x_0 = 32 fails in eager: RuntimeError: Given input with spatial size (1,
        32), kernel_size=(1, 57), dilation=(1, 1), padding=(0, 0), calculated
        shape of the array of sliding blocks as (1, -24), but its components
        must be at least one.
write
  unfolding = declare(
      unfolding,
      x="x_0",
      constraints=["x_0 % 32 == 0", "x_0 >= 64"],
  )
then these calls need 1 graph under eager
proved: they serve every input that these constraints allow""",
    ),
    (
        pooled,
        lambda: images((64, 32), (80, 48)),
        f"""\
pooled: what its calls could declare
  b is x.size(0)
  h is x.size(2)
  w is x.size(3)
  declare: b >= 1
    for FILE in pooled: LINE
    {EMPTY}
  declare: h >= 1
    for FILE in pooled: LINE
    {EMPTY}
  declare: w >= 8
    for FILE in pooled: LINE
    w = 1 fails in eager: RuntimeError: Calculated padded input size per
        channel: (64 x 1). Kernel size: (8 x 8). Kernel size can't be greater
        than actual input size
write
  pooled = declare(
      pooled,
      x="b 3 h w",
      constraints=["b >= 1", "h >= 1", "w >= 8"],
  )
then these calls need 1 graph under eager
not declared, since it only saves a second graph: b >= 2
    for FILE in pooled: LINE
    it refuses b = 1, h = 64, w = 32, which eager serves
not declared, since it only saves a second graph: w >= 24
    for FILE in pooled: LINE
    it refuses b = 2, h = 64, w = 16, which eager serves
not declared, since it only saves a second graph: h > w
    for FILE in pooled: LINE
    it refuses b = 2, h = 32, w = 32, which eager serves
not declared, since it only saves a second graph: h // 8 % 2 == 0
    for FILE in pooled: LINE
    it refuses b = 2, h = 63, w = 32, which eager serves""",
    ),
]


@pytest.mark.parametrize(("program", "calls", "expected"), TEXTS, ids=[t[0].__name__ for t in TEXTS])
def test_a_suggestion_reads_so(program: Callable[..., Any], calls: Callable[[], list[Any]], expected: str) -> None:
    """The names, what to declare and why, the lines to paste, what these come to, and what is left out and why."""
    assert plain(str(suggest(program, calls()))) == expected


def test_the_declaration_is_a_call_that_says_all_of_it() -> None:
    """Read as Python: a text for each parameter, by its path where it is inside of one, and the constraints."""
    calls = [
        ({"image": torch.ones(2, 8)}, (torch.ones(3), 2)),
        ({"image": torch.ones(3, 12)}, (torch.ones(5), 3)),
    ]
    found = suggest(batched, calls)
    assert (
        found.declaration
        == """\
batched = declare(
    batched,
    **{
        "batch.image": "batch_image_0 batch_image_1",
        "pair.0": "pair_0_0",
        "pair.1": "pair_1",
    },
    constraints=[
        "batch_image_0 >= 1",
        "batch_image_1 % 4 == 0",
        "batch_image_1 >= 4",
        "pair_0_0 >= 1",
    ],
)"""
    )
    shapes, constraints = read(found.declaration)
    assert shapes == dict(found.shapes)
    assert tuple(constraints) == found.constraints


def read(code: str) -> tuple[dict[str, str], list[str]]:
    """The texts and the constraints of a call of declare."""
    (assigned,) = ast.parse(code).body
    assert isinstance(assigned, ast.Assign)
    call = assigned.value
    assert isinstance(call, ast.Call)
    shapes: dict[str, str] = {}
    constraints: list[str] = []
    for keyword in call.keywords:
        value = ast.literal_eval(keyword.value)
        if keyword.arg == "constraints":
            constraints = value
        else:
            shapes |= value if keyword.arg is None else {keyword.arg: value}
    return shapes, constraints


class Scaled(torch.nn.Module):
    def forward(self, x: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        (b, _, h, w) = x.shape
        y = F.pixel_unshuffle(x, 4) if mask is None else F.pixel_unshuffle(x * mask, 4)
        return y.view(b, 48, h // 4, w // 4).sum(1)


def test_what_is_declared_by_it_is_one_graph() -> None:
    """Its texts as names of the tensors' dimensions, its numbers as they are: the calls, and others, need one graph."""
    model = Scaled()
    calls = [{"x": torch.randn(b, 3, h, w), "mask": torch.ones(1, 1, h, w)} for b, h, w in ((2, 8, 12), (3, 16, 8))]
    found = suggest(model, calls)
    assert found.declaration.startswith('model = declare(\n    model,\n    x="b 3 h w",\n    mask="_ 1 h w",\n')
    shapes, constraints = read(found.declaration)
    compiled = Compiled(model)
    with dynamic_int_constraints(constraints):
        for b, h, w in ((2, 8, 12), (3, 16, 8), (5, 20, 24)):
            given = {"x": torch.randn(b, 3, h, w), "mask": torch.ones(1, 1, h, w)}
            for name, tensor in given.items():
                sizes = shapes[name].split()
                assert all(int(text) == size for text, size in zip(sizes, tensor.shape, strict=True) if text.isdigit())
                name_dims(tensor, {d: text for d, text in enumerate(sizes) if text.isidentifier() and text != "_"})
            compiled(**given)
    assert compiled.graphs == 1


def test_names_that_are_there_are_in_the_declaration() -> None:
    """As expressions without blanks; nothing that the user named gets another name."""
    calls = [
        (name_dims(torch.ones(2 * n, n + 1, 8), {0: "2*n", 1: "n + 1"}), torch.ones(m)) for n, m in ((4, 5), (6, 7))
    ]
    found = suggest(lambda x, y: x.sum() + y * 2, calls)
    assert found.shapes == {"y": "y_0"}
    mixed = [(name_dims(torch.ones(2 * n, m), {0: "2*n"}),) for n, m in ((4, 5), (6, 7))]
    assert suggest(lambda x: x * 2, mixed).shapes == {"x": "2*n x_1"}


PATHS = {"x": "x", 'batch["x"]': "batch.x", "rows[0]": "rows.0", 'c["a"][1]["b"]': "c.a.1.b", "d['q\"t']": 'd.q"t'}


@pytest.mark.parametrize("argument", PATHS)
def test_paths_are_those_of_declare(argument: str) -> None:
    """Keys and indices with dots."""
    assert path_of(argument) == PATHS[argument]


def test_a_long_constraint_is_divided_into_strings_there_too() -> None:
    """No line of the declaration is too long, and Python reads what was meant."""
    long = " + ".join(f"(x_{i} + (16 + -1*(x_{i} % 16)) % 16) // 16" for i in range(4)) + " != 197"
    code = declared("f", {"x": "x_0 x_1"}, ("x_0 >= 1", long))
    assert read(code) == ({"x": "x_0 x_1"}, ["x_0 >= 1", long])
    assert max(map(len, code.splitlines())) <= 78
    assert declared("f", {"x": "x_0"}, ()) == 'f = declare(f, x="x_0")'


def test_time_that_is_up_leaves_what_was_found() -> None:
    """Said in the text, with each proposal that was not tried; nothing is compiled for it any more."""
    found = suggest(pooled, images((64, 32), (80, 48)), time_limit=0)
    assert found.stopped == "all of it was tried in eager"
    assert found.report.graphs == ()
    assert found.savings == ()
    assert found.shapes == {"x": "b _ h w"}
    text = plain(str(found))
    assert text.endswith("\ntime was up before all of it was tried in eager")
    assert "then these calls need" not in text
    assert "the program asks it; the time was up before it was tried in eager" in text
    assert "proved" not in text
    compiled = Compiled(pooled)
    with dynamic_int_constraints(found.constraints):
        for (x,) in images((64, 32), (80, 48)):
            call = found.named(x)
            compiled(*call.args, **call.kwargs)
    assert compiled.graphs == 1


def test_time_that_suffices_is_not_spoken_of() -> None:
    """As without a limit."""
    calls = [(16, torch.ones(160)), (24, torch.ones(72))]
    assert str(suggest(scaled, calls, time_limit=600)) == str(suggest(scaled, calls))


class Clock:
    """A clock that is a number of seconds further each time it is read."""

    def __init__(self, step: float) -> None:
        self.now, self.step = 0.0, step

    def __call__(self) -> float:
        self.now += self.step
        return self.now


def test_progress_is_told_where_somebody_waits(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """At a terminal on one line, which is empty in the end; elsewhere a line every ten seconds; nothing when fast."""
    monkeypatch.setattr(progress_module.time, "monotonic", Clock(3.0))
    with progress("suggest f") as shown:
        for stage in "abcdefgh":
            shown.stage(stage)
    lines = capsys.readouterr().err.splitlines()
    assert 1 <= len(lines) <= 8
    assert all(re.fullmatch(r"suggest f: [a-h] … \d+ s", told) for told in lines)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with progress("suggest f") as shown:
        shown.stage("tracing")
    told = capsys.readouterr().err
    assert told.startswith("\r\x1b[2Ksuggest f: tracing … ")
    assert told.endswith("\r\x1b[2K")
    monkeypatch.setattr(progress_module.time, "monotonic", Clock(0.0))
    with progress("suggest f") as shown:
        shown.stage("tracing")
    assert capsys.readouterr() == ("", "")


def test_suggest_tells_its_stages(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """What it does, by the function's name, and nothing on standard output."""
    monkeypatch.setattr(progress_module.time, "monotonic", Clock(100.0))
    suggest(scaled, [(16, torch.ones(160)), (24, torch.ones(72))])
    out, err = capsys.readouterr()
    assert out == ""
    told = [re.sub(r" … \d+ s$", "", each) for each in err.splitlines()]
    assert told[0] == "suggest scaled: tracing call 1 of 2"
    assert "suggest scaled: compiling 2 calls under the proposal" in told
    assert any(each.startswith("suggest scaled: trying what fails x_0 % n == 0 in eager") for each in told)


def test_a_search_without_an_end_has_none() -> None:
    """Without a limit time is never up."""
    work = Progress("f")
    work.started -= 10_000
    assert not work.is_over("anything")
    assert work.stopped_at is None


def test_each_assignment_is_run_once() -> None:
    """However many conditions it is of interest for."""
    run: list[tuple[int, ...]] = []

    def counted(x: torch.Tensor) -> torch.Tensor:
        if not torch.compiler.is_compiling():
            run.append(tuple(x.shape))
        return x.view(-1, 4, 2) * 2

    suggest(counted, [(torch.ones(16, 3),), (torch.ones(24, 5),)])
    assert len(run) <= len(set(run)) + 4  # the calls themselves are run by what is compiled, and by `is_fixed`
