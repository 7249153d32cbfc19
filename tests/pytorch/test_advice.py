"""What reports advise: both choices, what eager makes of them, the size without a name, the user's own whole lines."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from compiled import Compiled, explain, explain_calls

from dynconstraints import DynamicInt, SpecializationError, dynamic_int_constraints, name_dims
from dynconstraints.pytorch.reports.rendering.guard_text import shown_guards

LINEAR = torch.nn.Linear(64, 8)
SQUARES = ["b >= 2", "h % 32 == 0", "h >= 64"]


def rows(x: torch.Tensor) -> torch.Tensor:
    return x.view(x.shape[0] // 32, 32).sum(1)


def masked(x: torch.Tensor, m: torch.Tensor) -> torch.Tensor:
    return (x * m).sum() * x.shape[0]


def halved(x: torch.Tensor, pair: list[torch.Tensor]) -> torch.Tensor:
    return x + torch.cat(pair, 1)


def counted(x: torch.Tensor, n: int) -> torch.Tensor:
    return x.view(x.shape[0], x.shape[1]) + torch.ones(n, x.shape[1])


def projected(x: torch.Tensor) -> torch.Tensor:
    return LINEAR(x)


def looped(x: torch.Tensor) -> torch.Tensor:
    for _ in range(x.shape[0]):
        x = x + 1
    return x


def branched(x: torch.Tensor) -> torch.Tensor:
    return x * 2 if x.shape[0] <= 128 else x


def square(b: int = 2, h: int = 64) -> torch.Tensor:
    return name_dims(torch.randn(b, h), {0: "b", 1: "h"})


def line(size: int) -> torch.Tensor:
    return name_dims(torch.randn(size), {0: "h"})


FORGOTTEN = [
    "it forces b to one value",
    "m.size(0) is 2 here, too, and has no name: name it b",
    "it forces h to one value",
    "m.size(1) is 64 here, too, and has no name: name it h",
    "not the whole domain: under eager b = 3, h = 64 compiles anew",
]

ADVICE: list[tuple[Callable[..., Any], list[str], Callable[[], tuple[Any, ...]], list[str]]] = [
    (
        rows,
        ["h % 16 == 0", "h >= 64"],
        lambda: (line(64),),
        [
            "beyond the declaration: h % 32 == 0",
            "fails for h = 80 in eager, too: RuntimeError: shape '[2, 32]' is invalid for input of size 80",
            "declare h % 32 == 0",
            "not the whole domain: h = 80 is declared, and fails in eager, too",
        ],
    ),
    (masked, SQUARES, lambda: (square(), torch.ones(2, 64)), ["beyond the declaration: b == 2", *FORGOTTEN[:2],
     "beyond the declaration: h == 64", *FORGOTTEN[2:]]),
    (
        halved,
        SQUARES,
        lambda: (square(), [torch.ones(2, 32), torch.ones(2, 32)]),
        [
            "beyond the declaration: b == 2",
            "it forces b to one value",
            "pair[0].size(0) is 2 here, too, and has no name: name it b",
            "pair[1].size(0) is 2 here, too, and has no name: name it b",
            "beyond the declaration: h == 64",
            "it forces h to one value",
            "pair[0].size(1) is 32 = h // 2 here, too, and has no name: name it h // 2",
            "pair[1].size(1) is 32 = h // 2 here, too, and has no name: name it h // 2",
            FORGOTTEN[-1],
        ],
    ),
    (
        counted,
        ["5 <= b <= 9", "h >= 2"],
        lambda: (square(5), 5),
        [
            "beyond the declaration: b == 5",
            "it forces b to one value",
            "n is 5 here, too, and has no name: name it b",
            "not the whole domain: under eager b = 6, h = 64 compiles anew",
        ],
    ),
    (
        projected,
        SQUARES,
        lambda: (square(),),
        [
            "beyond the declaration: h == 64",
            "it forces h to one value",
            "fails for b = 2, h = 96 in eager, too: "
            "RuntimeError: mat1 and mat2 shapes cannot be multiplied (2x96 and 64x8)",
            "declare h == 64",
            "not the whole domain: b = 2, h = 96 is declared, and fails in eager, too",
        ],
    ),
    (
        looped,
        ["3 <= h <= 9"],
        lambda: (line(4),),
        [
            "beyond the declaration: h == 4",
            "it forces h to one value",
            "compiles anew for h = 3",
            "either have a graph for each h, or declare h == 4",
            "not the whole domain: under eager h = 3 compiles anew",
        ],
    ),
    (
        branched,
        ["h % 32 == 0", "96 <= h <= 1024"],
        lambda: (line(128),),
        [
            "beyond the declaration: h <= 128",
            "compiles anew for h = 160",
            "either have another graph for h >= 160, or declare h <= 128",
            "not the whole domain: under eager h = 160 compiles anew",
        ],
    ),
    (
        branched,
        ["h % 32 == 0", "32 <= h <= 192"],
        lambda: (line(128),),
        [
            "beyond the declaration: h <= 128",
            "compiles anew for h = 160",
            "either declare h <= 128, or have another graph for h >= 160",
            "not the whole domain: under eager h = 160 compiles anew",
        ],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("program", "declared", "call", "expected"), ADVICE, ids=[a[0].__name__ for a in ADVICE])
def test_the_advice_is_what_a_person_would_give(
    program: Callable[..., Any], declared: list[str], call: Callable[[], tuple[Any, ...]], expected: list[str]
) -> None:
    """Never a narrower declaration where a name is missing, nor one choice where there are two."""
    with dynamic_int_constraints(declared):
        text = str(explain(program, *call()))
    text = re.sub(r"\n {8}(?=\S)", " ", text)
    kept = [told for told in map(str.strip, text.splitlines()) if not _is_about_the_graph(told)]
    assert kept == expected


def _is_about_the_graph(told: str) -> bool:
    starts = ("declared:", "lattice:", "guard:", "oracle:", "graph 1", "b is", "h is", "/", "32)")
    return told.startswith(starts) or " graph under " in told or Path(__file__).name in told


def test_the_size_without_a_name_is_the_cure() -> None:
    """Named as the report says, the program is one graph."""
    with dynamic_int_constraints(SQUARES):
        mask = name_dims(torch.ones(2, 64), {0: "b", 1: "h"})
        assert explain(masked, square(), mask).covers_domain is True


def test_a_block_that_asks_for_an_error_names_it_too() -> None:
    """In full; a weight of that size is none, and there the constant is what can be declared."""
    compiled = torch.compile(masked, backend="eager")
    with dynamic_int_constraints(SQUARES, on_specialize="error"), pytest.raises(SpecializationError) as caught:
        compiled(square(), torch.ones(2, 64))
    code = "return (x * m).sum() * x.shape[0]"
    assert str(caught.value).splitlines() == [
        "error[DC501]: the program forces b to one value: b == 2",
        f"  --> masked  at {__file__}:{masked.__code__.co_firstlineno + 1}",
        f"    {code}",
        f"    {'^' * len(code)}",
        "  help: m.size(0) is 2, too, and has no name: if that is one size, name it b",
    ]
    compiled = torch.compile(projected, backend="eager")
    with dynamic_int_constraints(SQUARES, on_specialize="error"), pytest.raises(SpecializationError) as caught:
        compiled(square())
    assert str(caught.value).endswith("help: declare it (h == 64), or change the line that needs it as a constant")


def test_a_block_says_guards_as_a_person_would() -> None:
    """Not b*h == 32*b*(h // 32)."""
    compiled = torch.compile(lambda x: x.view(x.shape[0], x.shape[1] // 32, 32), backend="eager")
    with (
        dynamic_int_constraints(["b >= 2", "h % 16 == 0", "h >= 64"], on_new_guard="error"),
        pytest.raises(SpecializationError, match="serves only a part of the declaration: h % 32 == 0"),
    ):
        compiled(square())


def test_the_users_line_comes_first_and_torchs_beneath() -> None:
    """The innermost outside of installed packages, whole where nobody's terminal is, with the line inside of torch."""
    with dynamic_int_constraints(SQUARES):
        report = explain(projected, square())
    (remaining,) = report.graphs[0].remaining
    assert remaining.line == f"return LINEAR(x)  # {__file__}:{projected.__code__.co_firstlineno + 1} in projected"
    assert remaining.torch_line is not None
    assert re.search(r"F\.linear\(.*\)  # \S+/nn/modules/linear\.py:\d+ in forward$", remaining.torch_line)
    own, torchs = (told for told in str(report).splitlines() if re.search(r"\.py:\d+ in \w+: ", told))
    assert own == f"    {__file__}:{projected.__code__.co_firstlineno + 1} in projected: return LINEAR(x)"
    assert re.fullmatch(r" {6}\S+/nn/modules/linear\.py:\d+ in forward: return F\.linear\(.*\)", torchs)


def broken(x: torch.Tensor) -> torch.Tensor:
    y = x * 2
    print("here")
    return y + 1 if x.shape[0] > 4 else y


def test_the_line_that_broke_the_graph_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """With what it called, in the text and as data."""
    with dynamic_int_constraints(["h >= 2"]):
        report = explain(broken, line(8))
    assert capsys.readouterr().out == "here\n"
    place = f"{__file__}:{broken.__code__.co_firstlineno + 2} in broken"
    assert f'  graph break: print(...)\n    {place}: print("here")\n' in str(report)
    assert report.as_data()["graphs"][0]["graph_break"] == {"text": "print(...)", "line": f'print("here")  # {place}'}
    assert report.as_data()["graphs"][1]["graph_break"] is None


def test_no_lattice_reads_as_a_product() -> None:
    """The parameter of a size that is held as an expression has a number."""
    x = name_dims(torch.randn(64), {0: "4*h"}, constraints=["h % 2 == 0", "h >= 2"])
    lattice = explain(lambda x: x.view(-1, 8) * 2, x).graphs[0].lattice
    assert lattice[0] == "4*h = 8*k_1"
    assert not any(re.search(r"k_\d+\*h", told) for told in lattice)


def test_a_call_that_eager_serves_differently_is_no_failure() -> None:
    """Of a name that stands on something else than an argument nothing is known; nor where the call itself fails."""

    def training(x: torch.Tensor) -> torch.Tensor:
        y = (x.detach().requires_grad_() * 2).view(-1, 32)
        y.sum().backward()
        return y

    with dynamic_int_constraints(["h % 16 == 0", "h >= 64"]):
        report = explain(training, line(64))
        assert report.fails_in_eager is None
        assert [r.fails_in_eager for g in report.graphs for r in g.remaining] in ([None], [])
        held = line(64)
        report = explain(lambda x: x.sum() + held.view(held.shape[0] // 32, 32).sum(), torch.ones(3))
    assert [r.fails_in_eager for g in report.graphs for r in g.remaining] == [None]


def test_calls_may_be_mappings() -> None:
    """The arguments by their names, beside tuples."""
    with dynamic_int_constraints(SQUARES):
        report = explain_calls(masked, [{"m": square(), "x": square()}, (square(4), square(4))])
        keyword = explain(masked, x=square(), m=torch.ones(2, 64))
    assert len(report.graphs) == 1
    assert report.covers_domain is True
    assert [f.where for r in keyword.graphs[0].remaining for f in r.forgotten] == ["m.size(0)", "m.size(1)"]


def test_the_users_compiled_function_is_not_compiled_by_a_trial() -> None:
    """A function that calls a compiled one is tried in eager."""
    inner = Compiled(rows)
    with dynamic_int_constraints(["h % 16 == 0", "h >= 64"]):
        explain(inner.function, line(64))
    assert inner.graphs == 0


def test_guards_are_shown_in_factors() -> None:
    """None names a term twice where a product doesn't, and none says what another does."""
    product = "1 + (w // 4)*(h // 4) + w // 4 + h // 4"
    assert shown_guards([f"({product}) != 1", f"1 < {product}", "n == 2*m", "int(L['n']) % 4 == 0"]) == [
        "1 < ((w // 4) + 1)*((h // 4) + 1)",
        "n == 2*m",
        "int(L['n']) % 4 == 0",
    ]


def test_both_choices_of_a_page_are_those_of_the_text() -> None:
    """The page says what the text says."""
    with dynamic_int_constraints(["h % 32 == 0", "96 <= h <= 1024"]):
        page = explain(branched, line(128)).to_html()
    assert "either have another graph for h &gt;= 160, or declare h &lt;= 128" in page


def test_padding_is_said_by_what_it_rounds_up_to() -> None:
    """A branch on the number of tiles that an image is padded to."""

    def tiles(x: torch.Tensor) -> torch.Tensor:
        x = F.pad(x, (0, (16 - x.shape[1] % 16) % 16, 0, (16 - x.shape[0] % 16) % 16))
        count = (x.shape[0] // 16) * (x.shape[1] // 16)
        return x.view(-1) * 2 if 1 + count == 197 else x.view(-1)

    x = name_dims(torch.ones(100, 128), {0: "h", 1: "w"}, constraints=["h >= 16", "w >= 17"])
    remaining = explain(tiles, x).graphs[0].remaining
    assert [r.condition for r in remaining] == ["ceildiv(h, 16)*ceildiv(w, 16) != 196"]
    assert [r.otherwise for r in remaining] == ["ceildiv(h, 16)*ceildiv(w, 16) == 196"]


def test_a_number_that_is_declared_is_changed_with_the_others() -> None:
    """With the tensors whose sizes are expressions of it."""
    n = DynamicInt(64, name="n", constraints=["n % 16 == 0", "n >= 32"])
    report = explain(lambda x, k: x.view(k // 32, 64) * 2, name_dims(torch.ones(128), {0: "2*n"}), n)
    assert all(r.fails_in_eager is not None for r in report.graphs[0].remaining)
