"""The layers: imports go down only, third parties stay where they live, and importing the package is light."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "dynconstraints"
LAYERS = (
    ("diagnostics",),
    ("ir",),
    ("syntax", "facts", "lowering"),
    ("solver",),
    ("system",),
    ("pytorch", "interop"),
    ("cli",),
)
RANK = {name: i for i, layer in enumerate(LAYERS) for name in layer}
HOMES = {
    "lark": {"syntax"},
    "z3": {"lowering", "solver"},
    "sympy": {"lowering", "pytorch"},
    "torch": {"pytorch", "interop"},
    "click": {"cli"},
}


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def room(path: Path) -> str:
    """The layer of a module; '' for the package's own files, which stand above all layers."""
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py") if first.removesuffix(".py") in RANK else ""


def imported(path: Path) -> Iterator[str]:
    """The modules that a file imports, function-local imports too; those for the type checker alone don't count."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
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
    """No module imports a layer above its own, or a sibling in the same row."""
    own = room(path)
    for name in imported(path):
        parts = name.split(".")
        if parts[0] != "dynconstraints" or len(parts) < 2 or parts[1] not in RANK or not own:
            continue
        assert parts[1] == own or RANK[parts[1]] < RANK[own], f"{own} imports {name}"


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_third_parties_stay_in_their_homes(path: Path) -> None:
    """lark in syntax, z3 in lowering and solver, sympy in lowering and pytorch, torch in pytorch and interop."""
    for name in imported(path):
        homes = HOMES.get(name.split(".")[0])
        assert homes is None or room(path) in homes, f"{path} imports {name}"


def test_the_public_names_are_the_same_to_python_and_to_type_checkers() -> None:
    """What is imported for the checker alone, what loads itself, and what a star import gives."""
    import dynconstraints

    tree = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    (block,) = (node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    told = {alias.asname: node.module for node in block.body for alias in node.names}
    assert [*told] == sorted(told, key=lambda name: (told[name], name))
    assert set(told) == set(dynconstraints._HOMES) == set(dynconstraints.__all__)
    assert len(dynconstraints.__all__) == len(told)
    for name, module in told.items():
        home = dynconstraints._HOMES[name]
        assert module == home or (home == "dynconstraints.pytorch" and module.startswith(f"{home}.")), name


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


def test_no_private_name_of_torch_outside_its_home() -> None:
    """`_compat.py` alone imports torch's private modules."""
    for path in modules():
        if path.name != "_compat.py":
            private = [n for n in imported(path) if n.startswith("torch.") and "._" in n.replace("._dynamo", "._", 1)]
            assert not private, f"{path}: {private}"
