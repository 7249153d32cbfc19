"""suggest: what a program's guards amount to, in the language; declared, it gives one graph for more than was tried."""

from __future__ import annotations

import ast
import os
import random
import sys
import textwrap
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from compiled import Compiled, suggest

import dynconstraints
from dynconstraints import ConflictingBindingError, DynamicInt, dynamic_int_constraints, name_dims
from dynconstraints.pytorch.reports.suggesting.paste_code import pasted
from dynconstraints.pytorch.reports.suggesting.size_names import Size
from dynconstraints.pytorch.values.named_dims import named_dims
from dynconstraints.solver.search import z3_query
from dynconstraints.solver.tableau.tableau import Tableau
from dynconstraints.syntax.parser import parse

X = torch.ones(3)


def joined(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return torch.cat([x, y]).view(4, 8) * 2


def stacked(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return torch.cat([x, y]).view(32, -1) * 2


def squared(x: torch.Tensor) -> torch.Tensor:
    return x @ x


def tiles(batch: dict[str, Any]) -> torch.Tensor:
    return batch["x"].view(-1, 4, 4) + batch["k"]


def rows(n: int, x: torch.Tensor) -> torch.Tensor:
    return torch.softmax(x.view(-1, n), -1)


def pair(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return x + y[: x.shape[0]] + y[x.shape[0] :]


def cubes(*sides: int, x: torch.Tensor = X) -> torch.Tensor:
    return x * sides[0] if sides[0] % 16 == 0 else x


def of_sizes(*sizes: Any) -> tuple[torch.Tensor, ...]:
    return tuple(torch.randn(size) for size in sizes)


CASES = [
    (joined, [of_sizes(12, 20), of_sizes(10, 22)], {"y_0 == 32 - x_0", "x_0 >= 1", "x_0 <= 31"}, [of_sizes(30, 2)]),
    (
        stacked,
        [of_sizes(12, 20), of_sizes(10, 22)],
        {"(x_0 + y_0) % 32 == 0", "x_0 >= 1", "y_0 >= 1"},
        [of_sizes(30, 2), of_sizes(40, 24)],
    ),
    (
        squared,
        [of_sizes((6, 6)), of_sizes((10, 10))],
        {"x_0 >= 1"},
        [of_sizes((3, 3)), of_sizes((40, 40))],
    ),
    (
        tiles,
        [({"x": torch.ones(64), "k": 3},), ({"x": torch.ones(96), "k": 5},)],
        {"batch_x_0 % 16 == 0", "batch_x_0 >= 16"},
        [({"x": torch.ones(160), "k": 7},)],
    ),
    (
        rows,
        [(4, torch.ones(64)), (8, torch.ones(72))],
        {"n >= 1", "x_0 % n == 0", "x_0 >= 1"},
        [(16, torch.ones(80))],
    ),
    (pair, [of_sizes(4, 8), of_sizes(6, 12)], {"y_0 == 2*x_0", "x_0 >= 1"}, [of_sizes(9, 18)]),
    (cubes, [(48,), (32,)], set(), [(80,), (0,), (-16,)]),
]


@pytest.mark.parametrize(("program", "calls", "constraints", "others"), CASES, ids=[c[0].__name__ for c in CASES])
def test_a_proposal_is_what_the_guards_amount_to_and_gives_one_graph(
    program: Callable[..., Any], calls: list[Any], constraints: set[str], others: list[Any]
) -> None:
    """Two calls are enough to propose it; under it one graph serves them and sizes that were not tried."""
    found = suggest(program, calls)
    assert set(found.constraints) == constraints
    assert not found.splits
    assert len(found.report.graphs) == 1
    assert "then these calls need 1 graph under eager\n" in str(found)
    assert ("\nproved" in str(found)) == (found.report.covers_domain is True)
    compiled = Compiled(program)
    with dynamic_int_constraints(found.constraints):
        for call in (*calls, *others):
            expected = program(*call)
            named = found.named(*call)
            torch.testing.assert_close(compiled(*named.args, **named.kwargs), expected)
    assert compiled.graphs == 1


def test_a_long_constraint_is_divided_into_strings_that_python_joins() -> None:
    """Never within a string."""
    long = " + ".join(f"(x_{i} + (16 + -1*(x_{i} % 16)) % 16) // 16" for i in range(4)) + " != 197"
    code = pasted("f", (Size("x", 0, "x_0"),), ("x_0 >= 1", long), frozenset())
    block = ast.parse(code).body[1]
    assert isinstance(block, ast.With)
    call = block.items[0].context_expr
    assert isinstance(call, ast.Call)
    assert ast.literal_eval(call.args[0]) == ["x_0 >= 1", long]
    assert max(map(len, code.splitlines())) <= 78


def test_what_only_saves_a_graph_is_told_and_not_declared() -> None:
    """Eager takes the other branch: the condition isn't among the lines."""
    branching = suggest(lambda x: x * 2 if x.shape[0] > 100 else x, [of_sizes(128), of_sizes(256)])
    assert branching.constraints == ("x_0 >= 1",)
    assert [s.constraint for s in branching.savings] == ["x_0 >= 101"]
    units = suggest(lambda x: x.view(-1, 4).t().reshape(-1), [of_sizes(16), of_sizes(24)])
    assert set(units.constraints) == {"x_0 % 4 == 0", "x_0 >= 4"}


def test_the_way_of_the_function_is_the_way_of_the_proposal() -> None:
    """A mask is captured under fullgraph=True: one graph, where a break makes several."""

    def masked(x: torch.Tensor, e: torch.Tensor) -> torch.Tensor:
        e = e[:, e[0] != e[1]]
        return x.new_zeros(x.shape[0], x.shape[1]).index_add(0, e[1], x[e[0]])

    calls = [(torch.randn(n, 4), torch.randint(0, n, (2, e))) for n, e in ((20, 64), (33, 100))]
    found = dynconstraints.suggest(torch.compile(masked, backend="aot_eager", fullgraph=True), calls)
    assert "then these calls need 1 graph under aot_eager with fullgraph=True" in str(found)


PIECES = (
    "x.view(-1, 4) * 2",
    "x.view(k, -1).sum(0)",
    "F.pad(x, (0, -x.shape[0] % 8)).view(-1, 8)",
    "x * 2 if (x.shape[0] + 15) // 16 * ((k + 31) // 16) * ((x.shape[0] * k + 15) // 16) != 7 else x",
    "torch.cat([x, y]) + k",
    "x + y * k",
    "x[: y.shape[0] // 2] * pair[1]",
    "rows['a'] * x.sum() + k",
)


@pytest.mark.parametrize("seed", range(80 if os.environ.get("HYPOTHESIS_PROFILE") == "nightly" else 4))
def test_what_is_printed_is_pasted_and_does_what_it_says(seed: int) -> None:
    """The lines out of the text, with the call in place of the dots: the calls are accepted, in as many graphs."""
    choose = random.Random(seed)
    first, second = choose.sample(PIECES, 2)
    program = eval(f"lambda x, y, k, pair, rows: (({first}).sum(), ({second}).sum())", {"F": F, "torch": torch})
    calls = [
        (torch.ones(24 * n), torch.ones(24 * n), n, (torch.ones(2), n + 3), {"a": torch.ones(n, 3)})
        for n in choose.sample(range(2, 9), 2)
    ]
    found = suggest(program, calls)
    text, code = str(found), found.code
    assert textwrap.dedent(text.split("\nwrite\n")[1].split("\nthen these calls need ")[0]) == found.declaration
    compiled = Compiled(program)
    for call in calls:
        names = dict(zip(("x", "y", "k", "pair", "rows"), call, strict=True))
        called = code.replace("function(...)", "function(x, y, k, pair, rows)")
        tools = {"name_dims": name_dims, "DynamicInt": DynamicInt, "dynamic_int_constraints": dynamic_int_constraints}
        exec(called, tools | {"function": compiled} | names)
    assert compiled.graphs == len(found.report.graphs)
    known = {size.name for size in found.sizes}
    assert all(set(parse(c).symbols) <= known for c in found.constraints)


def test_sizes_that_have_to_be_equal_get_one_name() -> None:
    """Of two arguments, or of one; a call that is no such call is told so."""
    found = suggest(lambda x, y: (x + y).view(-1, 4), [of_sizes(16, 16), of_sizes(24, 24)])
    assert [(size.where, size.name) for size in found.sizes] == [("x.size(0)", "x_0"), ("y.size(0)", "x_0")]
    assert not [c for c in found.constraints if "==" in c and "%" not in c]
    assert found.report.covers_domain is True
    call = found.named(*of_sizes(16, 24))
    compiled = Compiled(lambda x, y: x.sum() + y.sum())
    with pytest.raises(ConflictingBindingError):
        compiled(*call.args)


def test_the_lines_to_paste_do_what_they_say() -> None:
    """The text is run as it stands, with the call in place of the dots."""
    found = suggest(rows, [(4, torch.ones(64)), (8, torch.ones(72))])
    compiled = Compiled(rows)
    for n, size in ((4, 64), (8, 72), (20, 100)):
        code = found.code.replace("(...)", "(n, x)")
        exec(
            code,
            {"name_dims": name_dims, "DynamicInt": DynamicInt, "n": n, "x": torch.ones(size), "rows": compiled}
            | {"dynamic_int_constraints": dynamic_int_constraints},
        )
    assert compiled.graphs == 1
    assert found.code.splitlines()[:2] == ['n = DynamicInt(n, name="n")', 'name_dims(x, {0: "x_0"})']


def test_each_constraint_has_the_line_that_first_needs_it() -> None:
    """In the user's file."""
    found = suggest(rows, [(4, torch.ones(64)), (8, torch.ones(72))])
    assert all("x.view(-1, n)" in (p.line or "") for p in found.proposed)


def test_what_differs_between_the_calls_is_told_and_not_proposed() -> None:
    """n % 64 == 0 is true of the one, false of the other; a loop needs its count as a constant."""
    found = suggest(lambda n, x: x + 1 if n % 64 == 0 else x - 1, [(64, X), (96, X)])
    assert found.constraints == ()
    assert [s.condition for s in found.splits] == ["n % 64 == 0"]

    def loop(n: int, x: torch.Tensor) -> torch.Tensor:
        for _ in range(n):
            x = x[::2]
        return x

    found = suggest(loop, [(2, torch.ones(64)), (3, torch.ones(72))])
    assert [(s.condition, s.specialises) for s in found.splits] == [("n == 2", "n")]
    assert [size.name for size in found.sizes] == ["x_0"]
    assert "n is needed as a constant" in str(found)
    assert "proved" not in str(found)


def test_the_call_with_fewest_exceptions_is_the_one_to_go_by() -> None:
    """The first call is the special one: its guard holds for it alone."""
    found = suggest(lambda x: x.view(-1, 4) * 2, [of_sizes(4), of_sizes(24), of_sizes(40)])
    assert set(found.constraints) == {"x_0 % 4 == 0"} | {c for c in found.constraints if c.startswith("x_0 >=")}


def test_one_call_proposes_for_every_size_that_can_change() -> None:
    """Sizes that the program needs as constants stay out: here the 4 that meet the weight."""
    weight = torch.ones(5, 4)
    found = suggest(lambda x: torch.nn.functional.linear(x, weight), [of_sizes((6, 4))])
    assert [size.where for size in found.sizes] == ["x.size(0)"]
    assert found.constraints == ("x_0 >= 1",)
    assert found.report.covers_domain is True


def test_names_are_fresh_and_no_words_of_the_language() -> None:
    """``max`` is a function there; ``n`` is taken by what is declared already."""
    found = suggest(lambda max, n: max * n, [(2, 3), (4, 5)])  # noqa: A006  the point
    assert [(size.where, size.name) for size in found.sizes] == [("max", "max_"), ("n", "n")]
    declared = [(DynamicInt(v, name="n", constraints=["n > 0"]), v, X) for v in (3, 4)]
    found = suggest(lambda m, n, x: x * m * n, declared)
    assert [(size.where, size.name) for size in found.sizes] == [("n", "n_")]


def test_the_users_tensors_stay_without_names() -> None:
    """suggest names copies; naming for real is the user's."""
    calls = [of_sizes((6, 6)), of_sizes((10, 10))]
    suggest(squared, calls)
    assert all(named_dims(x) is None for call in calls for x in call)


def test_nothing_that_differs_is_nothing_to_propose() -> None:
    """The same sizes twice; and no call at all is an error."""
    found = suggest(squared, [of_sizes((6, 6)), of_sizes((6, 6))])
    assert str(found) == "squared: no size that could be declared differs from call to call"
    with pytest.raises(ValueError, match="there is no call"):
        suggest(squared, [])


def test_no_line_is_wider_than_80_columns_at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Long lines of the user's are cut there, and whole in a file or a pipe."""
    found = suggest(joined, [of_sizes(12, 20), of_sizes(10, 22)])
    whole = f"{__file__}:{joined.__code__.co_firstlineno + 1} in joined: return torch.cat([x, y]).view(4, 8) * 2"
    assert whole in str(found)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert max(map(len, str(found).splitlines())) <= 80


def detail(image: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    coarse = F.interpolate(F.avg_pool2d(image, 4), scale_factor=4.0)
    return torch.where(mask[:, None], image - coarse, 0.0)


def tokens(x: torch.Tensor) -> torch.Tensor:
    b, c, h, w = x.shape
    return x.reshape(b, c, h * w).view(b, c, -1, 16)


def heads(x: torch.Tensor) -> torch.Tensor:
    batch, length, width = x.size()
    return x.view(batch, length, 4, width // 4).transpose(1, 2)


def frames(x: torch.Tensor) -> torch.Tensor:
    y = F.conv1d(x, torch.ones(2, 1, 4), stride=4)
    return y.view(y.shape[0], 2, -1, 2)


def beside(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return torch.cat([x, y], 1).view(x.shape[0], -1, 4)


def halves(x: torch.Tensor) -> torch.Tensor:
    one, other = x.split(x.shape[1] // 2, 1)
    return one * other


def of_a_module(size: int) -> torch.nn.Module:
    class Model(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            rows = x.shape[-2]
            return x.view(rows // size, -1)

    return Model()


PROPOSED = [
    (
        detail,
        [((2, 3, 64, 96), (2, 64, 96)), ((3, 3, 128, 64), (3, 128, 64))],
        "image_0 >= 1; image_2 % 4 == 0; image_2 >= 4; image_3 % 4 == 0; image_3 >= 4",
    ),
    (tokens, [((2, 3, 32, 48),), ((3, 3, 64, 32),)], "b >= 1; h >= 1; w >= 1; h*w % 16 == 0"),
    (heads, [((2, 10, 32),), ((3, 12, 64),)], "batch >= 1; length >= 1; width % 4 == 0; width >= 4"),
    (frames, [((2, 1, 64),), ((3, 1, 80),)], "x_0 >= 1; x_2 // 4 % 2 == 0; x_2 >= 8"),
    (beside, [((2, 12), (2, 4)), ((3, 20), (3, 8))], "x_0 >= 1; x_1 >= 1; y_1 >= 1; (x_1 + y_1) % 4 == 0"),
    (halves, [((2, 12),), ((3, 20),)], "x_0 >= 1; x_1 % 2 == 0; x_1 >= 2"),
    (of_a_module(4), [((8, 6),), ((12, 9),)], "rows >= 4; x_1 >= 1"),
]


@pytest.mark.parametrize(
    ("program", "sizes", "text"), PROPOSED, ids=[getattr(p, "__name__", "module") for p, *_ in PROPOSED]
)
def test_what_is_proposed_is_what_a_person_would_write(
    program: Callable[..., Any], sizes: list[tuple[tuple[int, ...], ...]], text: str
) -> None:
    """In the names that the program itself has for its sizes, where it has any; and one graph serves all of it."""
    calls = [of_sizes(*each) for each in sizes]
    if program is detail:
        calls = [(image, mask > 0) for image, mask in calls]
    found = suggest(program, calls)
    assert "; ".join(found.constraints) == text
    assert found.report.covers_domain is True or found.savings
    assert len(found.report.graphs) == 1


def windows(x: torch.Tensor) -> torch.Tensor:
    b, h, w, c = x.shape
    y = x.view(b, h // 7, 7, w // 7, 7, c).permute(0, 1, 3, 2, 4, 5).reshape(-1, 49, c).softmax(1)
    return y.view(b, h // 7, w // 7, 7, 7, c).permute(0, 1, 3, 2, 4, 5).reshape(b, h, w, c) + x


def pyramid(x: torch.Tensor) -> torch.Tensor:
    levels = [F.conv2d(x, torch.ones(4, 3, 3, 3), None, 2, 1)]
    for _ in range(2):
        levels.append(F.conv2d(levels[-1], torch.ones(4, 4, 3, 3), None, 2, 1))
    merged = F.interpolate(levels[1], size=levels[0].shape[-2:]) + levels[0]
    return torch.cat([level.flatten(2) for level in (merged, *levels[1:])], 2).topk(3, -1).values


@pytest.mark.parametrize(
    ("program", "calls", "constraints", "most"),
    [
        (windows, [(2, 14, 21, 4), (3, 28, 14, 4)], {"h % 7 == 0", "h >= 7", "w % 7 == 0", "w >= 7", "b >= 1"}, 400),
        (pyramid, [(2, 3, 64, 48), (3, 3, 32, 80)], {"x_0 >= 1", "x_2 >= 1", "x_3 >= 1"}, 110),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_few_questions_need_the_solver_to_search(
    program: Callable[..., Any],
    calls: list[Any],
    constraints: set[str],
    most: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What takes long: whether guards follow from each other is seen at assignments near the calls, or not asked."""
    searches: list[object] = []
    for owner, name in ((Tableau, "search"), (z3_query, "solve")):
        original = getattr(owner, name)
        monkeypatch.setattr(owner, name, lambda *a, known=original, **k: (searches.append(a), known(*a, **k))[1])
    found = suggest(program, [of_sizes(size) for size in calls])
    assert set(found.constraints) == constraints
    assert 0 < len(searches) <= most
