"""Guards joined into chains: fewer, and true for the same values."""

from __future__ import annotations

from itertools import product

import pytest
import torch
import torch._dynamo as dynamo
from hypothesis import given
from hypothesis import strategies as st

from dynconstraints import DynamicInt, dynamic_int_constraints, name_dims
from dynconstraints.pytorch.guards.merge_guards import join, joined
from dynconstraints.pytorch.install.observe import observe


def texts(*guards: str) -> list[str]:
    return [guard.text for guard in joined(guards)]


@pytest.mark.parametrize(
    ("guards", "expected"),
    [
        (["a == 8*(a // 8)", "1 <= (a // 8) and (a // 8) <= 64"], ["8 <= a == 8*(a // 8) <= 512"]),
        (["a == 8*(a // 8)", "b == 8*(a // 8)"], ["a == b == 8*(a // 8)"]),
        (
            ["größe == 8*(größe // 8)", "größe == (b // 2)", "(b // 2) <= 3"],
            ["größe == 8*(größe // 8)", "größe == b // 2 <= 3"],
        ),
        (["b == a", "2 <= a"], ["2 <= b == a"]),
        (["b == a", "a <= 7"], ["b == a <= 7"]),
        (["b == a", "-3 <= a"], ["-3 <= b == a"]),
        (["b == 2*a*c", "3 <= a", "d == c", "1 <= c"], ["6*(c) <= b == 2*a*c", "1 <= d == c"]),
        # c may be 0, and b then says nothing of a.
        (["b == 2*a*c", "3 <= a"], ["b == 2*a*c", "3 <= a"]),
        (["b == 2*a*c", "3 <= a", "d == c", "0 <= c"], ["b == 2*a*c", "3 <= a", "0 <= d == c"]),
        # Two that are positive by each other alone might both be 0.
        (["b == 2*a*c", "3 <= a", "d == 3*c*a", "1 <= c"], ["b == 2*a*c", "3 <= a", "d == 3*c*a", "1 <= c"]),
        (["b == -2*a", "3 <= a"], ["b == -2*a", "3 <= a"]),
        (["b == 2*a + 1", "3 <= a"], ["b == 2*a + 1", "3 <= a"]),
        (["a != 1", "b == a", "a*b < 7"], ["a != 1", "b == a", "a*b < 7"]),
    ],
)
def test_what_is_joined(guards: list[str], expected: list[str]) -> None:
    """By example."""
    assert texts(*guards) == expected


PARTS = ("a", "b", "c", "a // 8", "b // 4")
TOTALS = ("8*(a // 8)", "4*(b // 4)", "a", "2*a*c", "-2*a", "3*(a // 8)*(b // 4)", "2*a + 1")
GUARDS = st.one_of(
    st.builds("{} == {}".format, st.sampled_from(PARTS), st.sampled_from(TOTALS)),
    st.builds("{1} <= ({0})".format, st.sampled_from(PARTS), st.integers(-1, 2)),
    st.builds("({0}) <= {1}".format, st.sampled_from(PARTS), st.integers(-1, 9)),
    st.builds("{1} <= ({0}) and ({0}) <= {2}".format, st.sampled_from(PARTS), st.integers(-1, 2), st.integers(0, 9)),
    st.builds("{} != {}".format, st.sampled_from(PARTS), st.integers(0, 3)),
)
VALUES = [dict(zip("abc", v, strict=True)) for v in product((-8, -2, -1, 0, 1, 2, 4, 8, 16, 24), repeat=3)]


@given(st.lists(GUARDS, min_size=2, max_size=6))
def test_joined_guards_are_true_for_the_same_values(guards: list[str]) -> None:
    """By Python itself, over a thousand assignments; each guard is in exactly one of the joined ones."""
    found = joined(guards)
    assert sorted(i for guard in found for i in guard.at) == list(range(len(guards)))
    before, after = (
        compile(" and ".join(f"({g})" for g in gs), "", "eval") for gs in (guards, [f.text for f in found])
    )
    for values in VALUES:
        assert eval(before, {}, values) == eval(after, {}, values), (guards, [f.text for f in found], values)


def test_comments_go_along_and_none_asks_for_a_bug_report() -> None:
    """What torch says of a guard stands beside the one that it is in."""
    guards = ["a == 8*(a // 8)", "1 <= (a // 8)", "c != 1"]
    told = [
        f"{guards[0]}  # (unknown source a, please file a bug)",
        f"{guards[1]}  # x.view(n)",
        f"{guards[2]}  # here",
    ]
    join(guards, told)
    assert guards == ["8 <= a == 8*(a // 8)", "c != 1"]
    assert told == ["8 <= a == 8*(a // 8)  # x.view(n)", "c != 1  # here"]


def test_a_declared_size_is_one_guard() -> None:
    """Its multiple, its range and the stride that equals it; each is still checked."""
    dynamo.reset()
    compiled = torch.compile(lambda x: x.transpose(0, 1) * 2, backend="eager", fullgraph=True)
    with observe() as frames, dynamic_int_constraints(["s % 8 == 0", "8 <= s <= 512"]):
        compiled(name_dims(torch.ones(2, 64), {1: "s"}))
        assert frames[0].guards == ("8 <= L['x'].size()[1] == L['x'].stride()[0] == 8*(L['x'].size()[1] // 8) <= 512",)
        for fitting in (torch.ones(2, 8), torch.ones(2, 512)):
            compiled(fitting)
        assert len(frames) == 1
    for other in (torch.ones(2, 12), torch.ones(2, 520), torch.ones(2, 0), torch.ones(2, 128)[:, :64]):
        assert torch.equal(compiled(other), other.transpose(0, 1) * 2)
    assert len(frames) == 1


def test_a_value_for_which_a_guard_cannot_be_computed_fails_it() -> None:
    """n = 0 divides by zero in the guard on x; the call is compiled anew, and eager's error comes of it."""
    dynamo.reset()
    compiled = torch.compile(lambda n, x: x.view(-1, n + 1) * 2, backend="eager", fullgraph=True)
    with dynamic_int_constraints(["n >= 0", "t == (n + 1)*r"]):
        for n in (3, 0, 7):
            x = name_dims(torch.arange(24.0), {0: "t"})
            assert torch.equal(compiled(DynamicInt(n, name="n"), x), x.view(-1, n + 1) * 2)
