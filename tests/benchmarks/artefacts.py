"""What is made of a declared program, compiled here or loaded in another process: equal to eager, or refused by name.

Run as ``python tests/benchmarks/artefacts.py [--write] [NAME ...]``: for each program, compile, aot_compile, export and
AOTInductor are called with valid and invalid sizes; ``--write`` puts the table into docs/artefacts.md.
"""

from __future__ import annotations

import argparse
import itertools
import random
import re
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "artefacts.md"
MOST = 20
"""Valid sizes, and invalid ones, of a program; fewer where its domain has fewer."""


class Called(torch.nn.Module):
    """A function of tensors as a module."""

    def __init__(self, function: Callable[..., torch.Tensor]) -> None:
        super().__init__()
        self.function = function


class OfImage(Called):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.function(x)


class OfHeads(Called):
    def forward(self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        return self.function(q, k, v)


class OfNumber(Called):
    def forward(self, n: int, x: torch.Tensor) -> torch.Tensor:
        return self.function(n, x)


class Related(torch.nn.Module):
    """Two sequences, one twice as long: each position of one beside two of the other."""

    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return (y.view(x.shape[0], 2, 8) * x[:, None]).sum(1).softmax(-1)


class Chosen(torch.nn.Module):
    """A reduction over blocks of 16."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (x.view(x.shape[0] // 16, 16, -1) * 2 + 1).mean(1)


class Llama(torch.nn.Module):
    """A layer of LLaMA with a static cache: what comes in is kept there, and attended to."""

    def __init__(self, size: int = 32, heads: int = 4, longest: int = 64) -> None:
        super().__init__()
        self.heads, self.longest = heads, longest
        self.qkv, self.out = torch.nn.Linear(size, 3 * size), torch.nn.Linear(size, size)
        self.norm = torch.nn.RMSNorm(size)
        self.register_buffer("keys", torch.zeros(1, heads, longest, size // heads))
        self.register_buffer("values", torch.zeros(1, heads, longest, size // heads))
        turns = torch.arange(longest)[:, None] / 10000 ** (torch.arange(0, size // heads, 2) / (size // heads))
        self.register_buffer("cos", turns.cos().repeat(1, 2))
        self.register_buffer("sin", turns.sin().repeat(1, 2))

    def turned(self, x: torch.Tensor) -> torch.Tensor:
        s = x.shape[2]
        half = x.shape[3] // 2
        return x * self.cos[:s] + torch.cat((-x[..., half:], x[..., :half]), -1) * self.sin[:s]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        b, s, c = x.shape
        q, k, v = self.qkv(self.norm(x)).view(b, s, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        self.keys[:, :, :s] = self.turned(k)
        self.values[:, :, :s] = v
        seen = torch.arange(self.longest) <= torch.arange(s)[:, None]
        y = F.scaled_dot_product_attention(self.turned(q), self.keys, self.values, seen)
        return x + self.out(y.transpose(1, 2).reshape(b, s, c))


@dataclass(frozen=True)
class Artefact:
    """A program: its module, what is declared, a range for each name to try, and the arguments for values of them."""

    name: str
    make: Callable[[], torch.nn.Module]
    shapes: Mapping[str, str]
    constraints: tuple[str, ...]
    tried: Mapping[str, Sequence[int]]
    arguments: Callable[..., tuple[Any, ...]]

    def declared(self) -> Any:
        """The module under its declaration, the same in each process."""
        from dynconstraints import declare

        torch.manual_seed(0)
        return declare(self.make().eval().requires_grad_(False), dict(self.shapes), constraints=list(self.constraints))

    def cases(self, is_valid: bool) -> list[dict[str, int]]:
        """Values of the names that satisfy the constraints, or don't, spread over what is tried."""
        from dynconstraints import ConstraintSystem

        system = ConstraintSystem(self.constraints)
        grid = [dict(zip(self.tried, values, strict=True)) for values in itertools.product(*self.tried.values())]
        found = [values for values in grid if all(c.holds(values) for c in system.constraints) == is_valid]
        random.Random(0).shuffle(found)
        return found[:MOST]


def _image(channels: int) -> Callable[[int, int], tuple[torch.Tensor]]:
    return lambda h, w: (torch.randn(2, channels, h, w),)


def artefacts() -> tuple[Artefact, ...]:
    """The eight programs."""
    from programs import UNet, WindowAttention, grouped_attention, halves, patchify

    def sides(step: int) -> dict[str, range]:
        return {"h": range(step // 2, 8 * step, step // 2), "w": range(step // 2, 8 * step, step // 2)}

    return (
        Artefact(
            "window partition",
            WindowAttention,
            {"x": "2 h w 32"},
            ("h % 7 == 0", "w % 7 == 0", "7 <= h <= 448", "7 <= w <= 448"),
            {"h": [7, 14, 21, 35, 10, 8, 1], "w": [7, 14, 28, 35, 49, 9, 3]},
            lambda h, w: (torch.randn(2, h, w, 32),),
        ),
        Artefact(
            "U-Net",
            UNet,
            {"x": "2 3 h w"},
            ("h % 16 == 0", "w % 16 == 0", "h >= 16", "w >= 16"),
            sides(16),
            _image(3),
        ),
        Artefact(
            "grouped-query attention",
            lambda: OfHeads(grouped_attention),
            {"q": "2 hq s 16", "k": "2 kv s 16", "v": "2 kv s 16"},
            ("hq == 4*kv", "s % 64 == 0", "kv >= 1", "s >= 64"),
            {"hq": [4, 8, 12, 6], "kv": [1, 2, 3], "s": [64, 128, 192, 256, 320, 384, 448, 100]},
            lambda hq, kv, s: (torch.randn(2, hq, s, 16), torch.randn(2, kv, s, 16), torch.randn(2, kv, s, 16)),
        ),
        Artefact(
            "patchify",
            lambda: OfImage(patchify),
            {"x": "2 3 h w"},
            ("h % 4 == 0", "w % 4 == 0", "h >= 4", "w >= 4"),
            sides(4),
            _image(3),
        ),
        Artefact(
            "LLaMA, static cache",
            Llama,
            {"x": "1 s 32"},
            ("1 <= s <= 64",),
            {"s": [*range(1, 65), *range(65, 90)]},
            lambda s: (torch.randn(1, s, 32),),
        ),
        Artefact(
            "int argument",
            lambda: OfNumber(halves),
            {"n": "n", "x": "rows*n"},
            ("n % 16 == 0", "n >= 16", "rows >= 1"),
            {"n": range(8, 264, 8), "rows": [1, 3]},
            lambda n, rows: (n, torch.randn(rows * n)),
        ),
        Artefact(
            "relation",
            Related,
            {"x": "s0 8", "y": "s1 8"},
            ("s1 == 2*s0",),
            {"s0": range(25), "s1": range(0, 50, 2)},
            lambda s0, s1: (torch.randn(s0, 8), torch.randn(s1, 8)),
        ),
        Artefact(
            "set",
            Chosen,
            {"x": "n 8"},
            ("n in {16, 48, 80}",),
            {"n": [*range(8, 168, 8), 1, 0, 47]},
            lambda n: (torch.randn(n, 8),),
        ),
    )


KINDS = ("compile", "aot_compile", "export", "AOTInductor")
SUFFIXES = {"aot_compile": "bin", "export": "pt2", "AOTInductor": "aoti.pt2"}


def make(kind: str, module: Any, example: tuple[Any, ...], path: Path) -> None:
    """Make the file of an artefact."""
    if kind == "aot_compile":
        torch._dynamo.reset()
        with torch.no_grad():  # as it is called: torch guards the mode
            ahead = torch.compile(module.forward, fullgraph=True).aot_compile((example, {}))
        ahead.save_compiled_function(str(path))
    elif kind == "export":
        torch.export.save(torch.export.export(module, example), path)
    else:
        torch._inductor.aoti_compile_and_package(torch.export.export(module, example), package_path=str(path))


def loaded(kind: str, path: Path, artefact: Artefact) -> Callable[..., Any]:
    """The artefact of the file; what is compiled of a method takes the module, whose weights it has not."""
    if kind == "aot_compile":
        function = torch.compiler.load_compiled_function(path.open("rb"))
        return partial(function, artefact.declared())
    if kind == "export":
        return torch.export.load(path).module()  # type: ignore[no-any-return]
    return torch._inductor.aoti_load_package(str(path))  # type: ignore[no-any-return]


def outcomes(call: Callable[..., Any], cases: Sequence[tuple[tuple[Any, ...], Any]]) -> Iterator[str]:
    """Of each call, "equal" where it gives what eager gives, and else what it raised or how it differs."""
    for args, expected in cases:
        try:
            with torch.no_grad():
                found = call(*args)
        except Exception as error:
            yield str(error)
            continue
        if expected is None:
            yield "ran"
            continue
        try:
            torch.testing.assert_close(found, expected)
            yield "equal"
        except AssertionError as error:
            yield f"differs: {error}"


def tried(artefact: Artefact, kinds: Sequence[str], directory: Path) -> dict[str, list[str]]:
    """The outcomes of each kind, the valid calls first."""
    module = artefact.declared()
    valid, invalid = artefact.cases(True), artefact.cases(False)
    cases = []
    for values in (*valid, *invalid):
        args = artefact.arguments(**values)
        with torch.no_grad():
            cases.append((args, module(*args) if values in valid else None))
    torch.save(cases, directory / "cases.pt")
    example = cases[valid.index(max(valid, key=lambda values: sum(values.values())))][0]
    found = {}
    for kind in kinds:
        if kind == "compile":
            torch._dynamo.reset()
            found[kind] = list(outcomes(torch.compile(module, fullgraph=True), cases))
            continue
        path = directory / f"artefact.{SUFFIXES[kind]}"
        make(kind, artefact.declared(), example, path)
        command = [sys.executable, __file__, "--load", kind, str(path), artefact.name]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
        found[kind] = torch.load(directory / "outcomes.pt")
    return found


def load(kind: str, path: Path, name: str) -> None:
    """What the other process does: the outcomes of the artefact in the file."""
    import dynconstraints.pytorch  # noqa: F401  refusals are in its words then

    (artefact,) = (a for a in artefacts() if a.name == name)
    cases = torch.load(path.parent / "cases.pt")
    torch.save(list(outcomes(loaded(kind, path, artefact), cases)), path.parent / "outcomes.pt")


def by_name(artefact: Artefact, text: str) -> bool:
    """Whether an error says which constraint is broken, or which name has a wrong value."""
    names = "|".join(artefact.tried)
    return text.startswith("error[DC3") and re.search(rf"\b({names})\b", text) is not None


def row(artefact: Artefact, kinds: Sequence[str] = KINDS) -> tuple[str, ...]:
    """A row of the table: how many calls are equal to eager, and how many others are refused by name."""
    with tempfile.TemporaryDirectory() as directory, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = tried(artefact, kinds, Path(directory))
    number = len(artefact.cases(True))
    cells = []
    for kind in kinds:
        equal = sum(outcome == "equal" for outcome in found[kind][:number])
        refused = sum(by_name(artefact, outcome) for outcome in found[kind][number:])
        cells.append(f"{equal} of {number} equal, {refused} of {len(found[kind]) - number} refused")
        for outcome in found[kind][:number]:
            if outcome != "equal":
                print(artefact.name, kind, outcome, file=sys.stderr)
        for outcome in found[kind][number:]:
            if not by_name(artefact, outcome):
                print(artefact.name, kind, "not refused by name:", outcome[:300], file=sys.stderr)
    declared = ", ".join(f"`{c}`" for c in artefact.constraints)
    return artefact.name, declared, *cells


def page(rows: Sequence[tuple[str, ...]]) -> str:
    """The page of the docs."""
    from tables import Table

    columns = ("program", "declared", "compile", *(f"{kind}, loaded" for kind in KINDS[1:]))
    note = (
        "Calls that are equal to eager at valid sizes, and calls at others that are refused by name. Where fewer are "
        "equal, the others are refused, too: the one graph of the file has guards of torch's besides the declaration, "
        "mostly where a size comes to 1 on the way."
    )
    table = Table("artefacts", "Artefacts", note, columns, tuple(rows))
    return (
        "# A declaration in what is made of a program\n\n"
        "Each program is declared once, compiled, and saved three ways; another process loads what was saved.\n"
        "`python tests/benchmarks/artefacts.py --write` makes this table. "
        f"{table.text(f'torch {torch.__version__}.')}\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--load", nargs=3)
    given = parser.parse_args()
    if given.load:
        kind, path, name = given.load
        load(kind, Path(path), name)
        return
    chosen = [a for a in artefacts() if not given.names or a.name in given.names]
    rows = []
    for artefact in chosen:
        rows.append(row(artefact))
        print(" | ".join(rows[-1]), flush=True)
    if given.write:
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(page(rows), encoding="utf-8")


if __name__ == "__main__":
    main()
