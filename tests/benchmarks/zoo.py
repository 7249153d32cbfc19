"""Models as libraries ship them, declared from outside: `tox -e zoo`, or

    python tests/benchmarks/zoo.py [--write] [NAME…]

Random weights, nothing is downloaded. Each model is compiled at one size and called at ten, the ends of its domain
among them; values are compared with eager, and what `explain` says of the graph with what a sweep of its own finds.
``--write`` puts the table into docs/zoo.md, of named models or libraries their rows; what isn't installed is left out,
and named.
"""

from __future__ import annotations

import datetime
import sys
import time
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import torch
import torch._dynamo as dynamo
from run import machine, versions
from sweeps import forked
from tables import Table, written
from warming import warm_up
from zoo_others import OTHERS
from zoo_transformers import TRANSFORMERS

from dynconstraints import declare, explain
from dynconstraints.pytorch.install.observe import observe

if TYPE_CHECKING:
    from zoo_specimens import Sizes, Specimen

ZOO = (*TRANSFORMERS, *OTHERS)
DOCUMENT = Path(__file__).parents[2] / "docs" / "zoo.md"
PACKAGES = ("dynconstraints", "torch", *dict.fromkeys(s.library for s in ZOO))


@dataclass(frozen=True)
class Swept:
    """A model called at the ten sizes, compiled in one way.

    ``first`` are the graphs that the first call took, ``graphs`` those of all; ``wrong`` are the sizes whose values are
    not eager's, and ``failure`` what was raised.
    """

    first: int
    graphs: int
    seconds: float
    wrong: tuple[Sizes, ...] = ()
    failure: str = ""


def built(specimen: Specimen) -> torch.nn.Module:
    torch.manual_seed(0)
    return specimen.make().eval().requires_grad_(False)


def declared(specimen: Specimen) -> torch.nn.Module:
    return declare(built(specimen), specimen.shapes, constraints=specimen.constraints, on_missing="error")


def swept(specimen: Specimen, way: str, backend: str = "eager") -> Swept:
    """The ten calls, of the declared model or under ``dynamic=True``."""
    dynamo.reset()
    eager = built(specimen)
    model = declared(specimen) if way == "declare" else built(specimen)
    options = {} if way == "declare" else {"dynamic": True}
    compiled = torch.compile(model, backend=backend, fullgraph=specimen.whole, **options)
    first, seconds, wrong = 0, 0.0, []
    with observe() as frames:
        try:
            for sizes in specimen.sizes():
                arguments = _given(specimen, sizes)
                expected = eager(**arguments)
                started = time.process_time()
                found = compiled(**arguments)
                if not first:
                    seconds, first = time.process_time() - started, len(frames)
                if not alike(found, expected):
                    wrong.append(sizes)
        except Exception as error:  # whatever torch raises
            if way == "declare":
                raise
            return Swept(first, len(frames), seconds, tuple(wrong), type(error).__name__)
    return Swept(first, len(frames), seconds, tuple(wrong))


def _given(specimen: Specimen, sizes: Sizes) -> Mapping[str, Any]:
    torch.manual_seed(sum(sizes.values()))
    return specimen.arguments(sizes)


def verdict(specimen: Specimen) -> tuple[str, bool | None]:
    """What `explain` says of the graphs of the first size; and whether a counterexample needs another graph indeed."""
    dynamo.reset()
    compiled = torch.compile(declared(specimen), backend="eager", fullgraph=specimen.whole)
    first = specimen.sizes()[0]
    report = explain(compiled, **_given(specimen, first))
    if report.covers_domain is True:
        return PROVED, None
    if report.counterexample is None:
        return "not known", None
    compiled(**_given(specimen, first))
    with observe() as frames:
        compiled(**_given(specimen, {**first, **{n: v for n, v in report.counterexample.items() if n in first}}))
    return f"not all: {_told(report.counterexample)}", bool(frames)


PROVED = "proved"


def _told(sizes: Mapping[str, int]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in sizes.items())


def alike(found: Any, expected: Any) -> bool:
    """Whether all tensors are, within what another order of sums may make of them."""
    ours, theirs = list(_tensors(found)), list(_tensors(expected))
    return len(ours) == len(theirs) and all(
        a.shape == b.shape and torch.allclose(a.float(), b.float(), rtol=1e-3, atol=1e-4, equal_nan=True)
        for a, b in zip(ours, theirs, strict=True)
    )


def _tensors(value: Any) -> Iterator[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _tensors(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _tensors(each)


def row(specimen: Specimen) -> tuple[str, ...]:
    ours = forked(specimen.name, lambda: swept(specimen, "declare"))
    theirs = forked(specimen.name, lambda: swept(specimen, "dynamic=True"))
    said, is_so = forked(specimen.name, lambda: verdict(specimen))
    if said == PROVED:
        is_so = ours.graphs == ours.first
    equal = "equal" if not ours.wrong else f"wrong at {_told(ours.wrong[0])}"
    ratio = ours.seconds / theirs.seconds if theirs.seconds else 0.0
    return (
        f"{specimen.name} ({specimen.library})",
        _domain(specimen),
        str(ours.graphs) if ours.first == 1 else f"{ours.graphs}, {ours.first} of the first call",
        theirs.failure or str(theirs.graphs),
        f"{ours.seconds:.1f} s",
        f"{ratio:.2f}" if ratio else "–",
        equal,
        said + (", and is not so" if is_so is False else ""),
    )


def _domain(specimen: Specimen) -> str:
    return ", ".join(f"`{text}`" for text in (*dict.fromkeys(specimen.shapes.values()), *specimen.constraints))


def here(names: tuple[str, ...]) -> tuple[list[Specimen], list[str]]:
    """The models that are to be looked at, and the libraries that are missing."""
    wanted = [s for s in ZOO if not names or s.name in names or s.library in names]
    missing = list(dict.fromkeys(s.library for s in wanted if find_spec(s.library) is None))
    return [s for s in wanted if s.library not in missing], missing


def table(names: tuple[str, ...] = ()) -> Table:
    torch.set_num_threads(1)
    warm_up()
    specimens, missing = here(names)
    rows = []
    for specimen in specimens:
        try:
            rows.append(row(specimen))
        except RuntimeError as error:
            print(error, file=sys.stderr, flush=True)
            rows.append((specimen.name, _domain(specimen), *["–"] * 4, str(error).splitlines()[0], "–"))
        print(*rows[-1], sep=" | ", file=sys.stderr, flush=True)
    return in_table(rows, missing)


def in_table(rows: list[tuple[str, ...]], missing: list[str]) -> Table:
    """The rows as they stand in the document."""
    ratios = [float(r[5]) for r in rows if r[5] != "–"]
    note = (
        "One call of `declare` a model, whose code is as its library has it; ten sizes, the ends of the domain among "
        'them, `backend="eager"`: graphs; processor seconds of the first compile, and to those of `dynamic=True`, '
        f"median {median(ratios):.2f}; values beside eager's; what `explain` says after the first call, each time "
        "compared with fresh graphs." + (f" Not installed: {', '.join(missing)}." if missing else "")
    )
    columns = ("model", "declared", "graphs", "`dynamic=True`", "first", "to `dynamic=True`", "values", "`explain`")
    return Table("zoo", "Models declared from outside", note, columns, tuple(rows))


def joined(document: str, found: Table) -> Table:
    """The table of the document, with the rows of a run that looked at some of the models in their place."""
    lines = [line for line in document.splitlines() if line.startswith("| ")][1:]
    before = [tuple(cell.strip() for cell in line.strip("| ").split(" | ")) for line in lines]
    rows = {r[0]: r for r in (*before, *found.rows)}
    order = [f"{s.name} ({s.library})" for s in ZOO]
    return in_table([rows[name] for name in order if name in rows], [])


def main(arguments: list[str]) -> None:
    warnings.simplefilter("ignore")
    names = tuple(a for a in arguments if not a.startswith("--"))
    found = table(names)
    print(f"{found.note}\n\n{found.markdown()}")
    if "--write" in arguments:
        today = datetime.datetime.now(tz=datetime.timezone.utc).date()
        text = DOCUMENT.read_text(encoding="utf-8")
        found = joined(text, found) if names else found
        DOCUMENT.write_text(written(text, [found], f"{today}, {machine()}, {versions(PACKAGES)}."), encoding="utf-8")
    wrong = [r[0] for r in found.rows if r[6] != "equal" or r[7].endswith("is not so")]
    if wrong:
        raise SystemExit(f"wrong values or verdicts: {', '.join(wrong)}")


if __name__ == "__main__":
    main(sys.argv[1:])
