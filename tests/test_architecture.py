"""The layers and their packages: imports go down only, third parties stay where they live, importing is light."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "dynconstraints"
LAYERS = (
    ("diagnostics",),
    ("ir",),
    ("syntax", "facts", "lowering"),
    ("solver",),
    ("system",),
    ("signature",),
    ("interop",),
    ("pytorch",),
    ("cli",),
)
"""Bottom up; those in one row do not know each other."""

PACKAGES = {
    "facts": (("limits",), ("domains",), ("product",)),
    "solver": (
        ("limits", "verdicts"),
        ("algebra",),
        ("reals",),
        ("tableau",),
        ("search",),
        ("portfolio",),
        ("partition",),
        ("queries",),
    ),
    "pytorch": (
        ("_torch", "declarations"),
        ("values",),
        ("signatures",),
        ("frame",),
        ("oracle", "floats"),
        ("inductor",),
        ("guards",),
        ("tracing",),
        ("exporting",),
        ("install",),
        ("observe", "reports"),
    ),
}
"""The packages and modules inside of a layer, bottom up."""

HOMES = {
    "lark": {"syntax"},
    "z3": {"lowering", "solver"},
    "sympy": {"lowering", "pytorch"},
    "torch": {"pytorch"},
    "click": {"cli"},
}


def ranks(floors: tuple[tuple[str, ...], ...]) -> dict[str, int]:
    return {name: rank for rank, floor in enumerate(floors) for name in floor}


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def place(path: Path) -> tuple[str, ...]:
    """The layer of a module and its package there; () for the package's own files, which stand above all layers."""
    parts = tuple(part.removesuffix(".py") for part in path.relative_to(PACKAGE).parts)
    return parts[:2] if parts[0] in ranks(LAYERS) else ()


def dotted(path: Path) -> str:
    parts = [part.removesuffix(".py") for part in path.relative_to(PACKAGE.parent).parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(path: Path) -> Iterator[str]:
    """The modules that a file imports, function-local imports too; those for the type checker alone don't count."""
    tree = tree_of(path)
    skipped = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_down(path: Path) -> None:
    """No module imports a layer above its own, or a sibling in the same row; nor does a package within a layer."""
    own = place(path)
    for name in imported(path):
        parts = name.split(".")
        if parts[0] != "dynconstraints" or len(parts) < 2 or not own:
            continue
        other = parts[1]
        if other in ranks(LAYERS) and other != own[0]:
            assert ranks(LAYERS)[other] < ranks(LAYERS)[own[0]], f"{own[0]} imports {name}"
        inner = ranks(PACKAGES.get(own[0], ()))
        if other == own[0] and len(parts) > 2 and parts[2] in inner and own[1] in inner and parts[2] != own[1]:
            assert inner[parts[2]] < inner[own[1]], f"{'/'.join(own)} imports {name}"


@pytest.mark.parametrize("layer", PACKAGES)
def test_every_package_has_its_place(layer: str) -> None:
    """A package or module of these layers stands in the order above."""
    found = {p.stem if p.suffix == ".py" else p.name for p in (PACKAGE / layer).iterdir() if p.name != "__pycache__"}
    assert {name for name in found if not name.endswith(".md")} - {"__init__"} == set(ranks(PACKAGES[layer]))


def test_no_circle_of_imports() -> None:
    """No module imports itself, by whatever way."""
    known = {dotted(path): path for path in modules()}
    below = {name: {other for other in imported(path) if other in known} for name, path in known.items()}
    done: set[str] = set()

    def visit(name: str, way: tuple[str, ...]) -> None:
        assert name not in way, " -> ".join((*way[way.index(name) :], name))
        if name not in done:
            for other in sorted(below[name] - {name}):
                visit(other, (*way, name))
            done.add(name)

    for name in known:
        visit(name, ())


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_third_parties_stay_in_their_homes(path: Path) -> None:
    """lark in syntax, z3 in lowering and solver, sympy in lowering and pytorch, torch in pytorch."""
    for name in imported(path):
        homes = HOMES.get(name.split(".")[0])
        assert homes is None or set(place(path)[:1]) & homes, f"{path} imports {name}"


def test_packages_say_what_they_are_for() -> None:
    """Each package has a docstring of two paragraphs at most: what it is for, and what must never be in it."""
    for path in PACKAGE.rglob("*/__init__.py"):
        text = ast.get_docstring(tree_of(path)) or ""
        if place(path)[:1] and place(path)[0] in PACKAGES and path.parent.parent != PACKAGE:
            assert "\n\nNever here: " in text, path
        assert text, path


HEAVY = ("torch", "sympy", "z3", "lark")


@pytest.mark.parametrize(
    ("program", "allowed"),
    [
        ("import dynconstraints", ()),
        ("import dynconstraints; dynconstraints.parse('s0 % 32 == 0')", ("lark",)),
        ("import dynconstraints; dynconstraints.ConstraintSystem(['s0 % 32 == 0']).check()", ("lark", "z3")),
        ("import sympy", ("sympy",)),  # the test can tell
    ],
)
def test_what_an_import_loads(program: str, allowed: tuple[str, ...]) -> None:
    """Nothing heavy is loaded before it is used."""
    code = f"{program}\nimport sys\nprint(*(m for m in {HEAVY!r} if m in sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert set(found) <= set(allowed)
    if program == "import sympy":
        assert "sympy" in found


def private(path: Path) -> Iterator[str]:
    """The private names of torch that a file mentions: what it imports, and attributes of ``torch``."""
    for name in imported(path):
        parts = name.split(".")
        if parts[0] == "torch" and any(part.startswith("_") for part in parts):
            yield name
    for node in ast.walk(tree_of(path)):
        chain: list[str] = []
        while isinstance(node, ast.Attribute):
            chain.append(node.attr)
            node = node.value
        if isinstance(node, ast.Name) and node.id == "torch" and any(_is_private(name) for name in chain):
            yield ".".join(("torch", *reversed(chain)))  # its beginnings, too, which are attributes themselves


_DOCUMENTED = ("torch._assert", "torch._check", "torch._dynamo.graph_break")
"""What torch documents for users, under names that begin like private ones."""


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.endswith("__")


def test_private_names_of_torch_stay_in_one_package() -> None:
    """`pytorch/_torch` alone names what is private in torch."""
    for path in modules():
        if place(path) != ("pytorch", "_torch"):
            found = sorted(n for n in set(private(path)) if not n.startswith(_DOCUMENTED) and n != "torch._dynamo")
            assert not found, f"{path.relative_to(PACKAGE)}: {found}"


def test_a_private_name_is_seen(tmp_path: Path) -> None:
    """The test before this one can fail."""
    file = tmp_path / "some.py"
    file.write_text("import torch\nfrom torch._dynamo import config\ntorch.fx._hidden.name\ntorch.nn.Linear.__init__\n")
    assert set(private(file)) == {"torch._dynamo", "torch._dynamo.config", "torch.fx._hidden.name", "torch.fx._hidden"}
