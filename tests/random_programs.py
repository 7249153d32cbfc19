"""Programs by chance: small functions of named ints and tensors, defined for every size, with what is declared of them.

A program is Python source, so a failure prints as a case to freeze. Each line is defined for all sizes, by branches on
them where an operation is not: those branches are what a declaration settles, or what has to be guarded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
import torch.nn.functional as F
from hypothesis import strategies as st

from dynconstraints import ConstraintSystem, DynamicInt, name_dims
from dynconstraints.solver.verdicts import Sat

LARGEST = 12
"""The largest value of a name."""


@dataclass(frozen=True)
class Program:
    """A function of ints and tensors, each int and each dimension an expression over the names.

    ``in_scope`` says where the constraints are declared: around the call, or with the values that have the names.
    """

    constraints: tuple[str, ...]
    ints: tuple[str, ...]
    tensors: tuple[tuple[str, ...], ...]
    lines: tuple[str, ...]
    in_scope: bool = True

    @property
    def source(self) -> str:
        parameters = [f"i{k}" for k in range(len(self.ints))] + [f"t{k}" for k in range(len(self.tensors))]
        return "\n    ".join([f"def program({', '.join(parameters)}):", *self.lines])

    @property
    def function(self) -> Callable[..., Any]:
        """The function, anew: Dynamo keeps what it compiles with the code."""
        space: dict[str, Any] = {"torch": torch, "F": F}
        exec(self.source, space)
        return space["program"]  # type: ignore[no-any-return]

    @cached_property
    def system(self) -> ConstraintSystem:
        """What is declared."""
        return ConstraintSystem(self.constraints)

    def sizes(self, values: dict[str, int]) -> list[list[int]]:
        """The tensors' sizes."""
        return [[eval(text, {}, values) for text in dims] for dims in self.tensors]

    def plain(self, values: dict[str, int], seed: int = 0) -> list[Any]:
        """The arguments, without any names; the same ones for a seed."""
        made = torch.Generator().manual_seed(seed)
        tensors = [torch.randn(s, generator=made, dtype=torch.float64) for s in self.sizes(values)]
        return [*(eval(text, {}, values) for text in self.ints), *(t.requires_grad_() for t in tensors)]

    def declared(self, values: dict[str, int], seed: int = 0) -> list[Any]:
        """The arguments under their names, with the constraints where the program has them at its values."""
        own = () if self.in_scope else self.constraints
        texts = [text for text in self.ints if not text.isidentifier()]
        bases = {n: _int(n, v, own) for n, v in values.items() if n in self.ints or any(n in t for t in texts)}
        given = [eval(text, {}, bases) for text in self.ints]
        for dims, tensor in zip(self.tensors, self.plain(values, seed)[len(self.ints) :], strict=True):
            mine = tuple(c for c in own if any(c_name in dims for c_name in ConstraintSystem([c]).symbols))
            names = {i: text for i, text in enumerate(dims) if not text.isdigit()}
            given.append(name_dims(tensor, names, constraints=mine) if names else tensor)
        return given


def _int(name: str, value: int, constraints: Sequence[str]) -> DynamicInt:
    return DynamicInt(value, name=name, constraints=[c for c in constraints if name in ConstraintSystem([c]).symbols])


def _bound(name: str) -> st.SearchStrategy[str]:
    low = st.sampled_from((0, 1, 1, 2, 3))
    return st.builds(lambda a, b: f"{a} <= {name} <= {b}", low, st.integers(6, LARGEST))


def constraints_over(names: Sequence[str]) -> st.SearchStrategy[tuple[str, ...]]:
    """Satisfiable constraints: a range for each name, and congruences, relations, sets, alternatives and products."""
    name, small = st.sampled_from(names), st.integers(2, 4)
    templates = [
        st.builds(lambda n, k: f"{n} % {k} == 0", name, small),
        st.builds(lambda n, k: f"{n} % {k} == 1", name, small),
        st.builds(lambda n, k: f"{n} != {k}", name, small),
        st.builds(lambda n, k: f"{n} in {{{k}, {2 * k}, {k + 5}}}", name, small),
        st.builds(lambda n, k: f"{n} == 1 or {n} % {k} == 0", name, small),
        st.builds(lambda n: f"is_power_of_two({n})", name),
    ]
    if len(names) > 1:
        pair = st.permutations(names).map(lambda p: (p[0], p[1]))
        templates += [
            st.builds(lambda p, k: f"{p[0]} == {k}*{p[1]}", pair, small),
            st.builds(lambda p, k: f"{p[0]} == {p[1]} + {k}", pair, small),
            st.builds(lambda p: f"{p[0]} <= {p[1]}", pair),
            st.builds(lambda p: f"{p[0]} != {p[1]}", pair),
            st.builds(lambda p, k: f"({p[0]} + {p[1]}) % {k} == 0", pair, small),
            st.builds(lambda p, k: f"{p[0]}*{p[1]} % {k} == 0", pair, small),
            st.builds(lambda p, k: f"{p[0]} // {k} == {p[1]}", pair, small),
            st.builds(lambda p, k: f"max({p[0]}, {p[1]}) >= {k + 2}", pair, small),
            st.builds(lambda p, k: f"{p[0]} > {k} => {p[1]} > {k}", pair, small),
        ]
    free = st.lists(st.one_of(templates), min_size=0, max_size=3, unique=True)
    ranges = st.tuples(*(_bound(n) for n in names))
    every = st.builds(lambda r, f: (*r, *f), ranges, free)
    return every.filter(lambda texts: isinstance(ConstraintSystem(texts).check(), Sat))


@st.composite
def programs(draw: st.DrawFn, most_lines: int = 6) -> Program:
    """A program over one to three names."""
    names = ("a", "b", "c")[: draw(st.integers(1, 3))]
    constraints = draw(constraints_over(names))
    name = st.sampled_from(names)
    argument = st.one_of(
        name, st.builds("{}*{}".format, st.integers(2, 3), name), st.builds("{} // 2 + 1".format, name)
    )
    dimension = st.one_of(
        name,
        name,
        st.sampled_from(("2", "3")),
        st.builds("{}*{}".format, st.integers(2, 3), name),
        st.builds("{} + {}".format, name, st.integers(1, 2)),
        st.builds("{}*{}".format, name, name),
    )
    ints = tuple(draw(st.lists(argument, max_size=2)))
    tensors = tuple(draw(st.lists(st.lists(dimension, min_size=1, max_size=3).map(tuple), min_size=1, max_size=2)))
    # A name that is nowhere by itself may not follow from what is passed; then nothing is bound to violate.
    missing = [n for n in names if n not in ints and not any(n in dims for dims in tensors)]
    ints += tuple(missing)
    lines, rank = ["x = t0"], len(tensors[0])
    for _ in range(draw(st.integers(1, most_lines))):
        text, rank = draw(_step(rank, len(ints), [len(dims) for dims in tensors]))
        lines.append(text)
    result = draw(_number(rank, len(ints)))
    return Program(constraints, ints, tensors, (*lines, f"return x, {result}"), draw(st.booleans()))


def _number(rank: int, ints: int) -> st.SearchStrategy[str]:
    """An expression for an int: of the arguments, of the sizes of x, of constants."""
    leaves = [f"i{k}" for k in range(ints)] * 2 + [f"x.shape[{d}]" for d in range(rank)] + ["2"]
    leaf = st.sampled_from(leaves)
    operations = ["{} + {}", "{} - {}", "{} * 2 + {}", "{} // 2 + {}", "{} % 3 + {}", "min({}, {})", "max({}, {})"]
    return st.one_of(leaf, st.builds(lambda t, a, b: t.format(a, b), st.sampled_from(operations), leaf, leaf))


def _condition(rank: int, ints: int) -> st.SearchStrategy[str]:
    number = _number(rank, ints)
    tests = ["({}) % 2 == 0", "({}) % 4 == 1", "({}) > 4", "({}) == 6", "({}) != 1", "({}) // 3 * 3 == {}"]
    alone = st.builds(lambda t, n: t.replace("{}", n), st.sampled_from(tests), number)
    return st.one_of(alone, st.builds("{} {} {}".format, number, st.sampled_from(("==", "<", "<=", "!=")), number))


@st.composite
def _step(draw: st.DrawFn, rank: int, ints: int, others: list[int]) -> tuple[str, int]:
    """A line that makes x of x, and the rank that it then has."""
    d = draw(st.integers(0, rank - 1))
    n, m, k = draw(_number(rank, ints)), draw(_number(rank, ints)), draw(st.integers(2, 4))
    condition = draw(_condition(rank, ints))
    size = f"x.shape[{d}]"
    last = "x.shape[-1]"
    kept = [
        f"x = x.narrow({d}, 0, {size} // {k})",
        f"x = x.narrow({d}, {size} % {k}, {size} - {size} % {k})",
        f"x = x[{':, ' * d}{n}:]",
        f"x = x[{':, ' * d}:{n}]",
        f"x = x[{':, ' * d}{k - 2}::{k}]",
        f"x = torch.cat([x, x], {d})",
        f"x = torch.cat([x, x.flip({d}) * 2], {d})",
        f"x = torch.cat([x.narrow({d}, {size} // 2, {size} - {size} // 2), x.narrow({d}, 0, {size} // 2)], {d})",
        f"x = F.pad(x, (0, -{last} % {k}))",
        f"x = F.pad(x, (1, {k}))",
        f"x = F.pad(x, (abs({n}) % 3, 0))",
        f"x = x.transpose({d}, {draw(st.integers(0, rank - 1))})",
        f"x = torch.softmax(x, {d})",
        f"x = x.cumsum({d})",
        f"x = torch.relu(x) * ({n})",
        f"x = x.roll({n}, {d})",
        f"x = x + torch.arange({last}, dtype=x.dtype)",
        f"x = x * torch.ones({last}, dtype=x.dtype) / (x.numel() + 1)",
        f"x = x * x.new_ones(abs({n}) + 1).sum()",
        f"x = x * 2 if {condition} else x - 1",
        f"x = torch.sin(x) if {condition} else x.contiguous()",
        f"x = x.chunk({k}, {d})[0]",
        f"x = x.index_select({d}, torch.arange(0, {size}, {k}))",
        f"x = x.reshape({size}, -1).sum(1, keepdim=True).reshape({', '.join(['-1'] + ['1'] * (rank - 1))})"
        if d == 0
        else f"x = x - x.mean({d}, keepdim=True)",
        f"x = torch.where(torch.arange({last}) < {n}, x, x * 0.5)",
        f"x = x.repeat({', '.join(['1'] * d + ['2'] + ['1'] * (rank - 1 - d))})",
    ]
    steps = [(text, rank) for text in kept]
    for i, other in enumerate(others):
        if other == rank:
            same = " and ".join(f"x.shape[{e}] == t{i}.shape[{e}]" for e in range(rank) if e != d) or "True"
            steps += [
                (f"x = x + t{i} if x.shape == t{i}.shape else x", rank),
                (f"x = torch.cat([x, t{i}], {d}) if {same} else x", rank),
                (f"x = x * t{i}.sum({d}, keepdim=True) if {same} else x * 3", rank),
            ]
        if other == 1:
            steps.append((f"x = x @ t{i}.diag() if {last} == t{i}.shape[0] else x", rank))
            steps.append((f"x = torch.outer(x.flatten()[:5], t{i})", 2))
    if rank < 4:
        steps += [
            (f"x = x.unflatten({d}, ({size} // {k}, {k})) if {size} % {k} == 0 else x.unsqueeze({d})", rank + 1),
            (f"x = x.unflatten({d}, ({k}, -1)) if {size} % {k} == 0 and {size} else x.unsqueeze({d})", rank + 1),
            (f"x = x.unfold({d}, {k}, {draw(st.integers(1, 3))}) if {size} >= {k} else x.unsqueeze(-1)", rank + 1),
            (f"x = x.unsqueeze({d}).expand({'-1, ' * d}abs({n}) % 4 + 1{', -1' * (rank - d)})", rank + 1),
            (f"x = torch.stack([x, x.flip({d})], {d})", rank + 1),
        ]
    if rank == 2:
        steps += [("x = x @ x.mT", 2), (f"x = x @ x.new_ones({last}, abs({n}) % 5)", 2)]
    if rank > 1:
        over = f"{size} > 0"
        steps += [
            (f"x = x.sum({d})", rank - 1),
            (f"x = x.mean({d})", rank - 1),
            (f"x = x.amax({d}) if {over} else x.sum({d})", rank - 1),
            (f"x = x.select({d}, {size} // 2) if {over} else x.sum({d})", rank - 1),
        ]
        if d < rank - 1:
            steps.append((f"x = x.flatten({d}, {d + 1})", rank - 1))
            steps.append(("x = x.contiguous().view(-1)", 1))
            steps.append((f"x = x.diagonal(0, {d}, {d + 1})", rank - 1))
    divides = f"({n}) > 0 and x.numel() % ({n}) == 0"
    steps.append((f"x = x.reshape({n}, -1) if {divides} else x.reshape(1, -1)", 2))
    steps.append((f"x = x.contiguous().view(-1, {n}).mul(2) if {divides} else x.reshape(-1, 1)", 2))
    steps.append((f"x = x.reshape(-1)[: ({m}) * {k}]", 1))
    return draw(st.sampled_from(steps))
