"""IREE: ``util.assume.int`` on each name, with its range and divisor.

Where the names are computed from shapes, the function's results take the place of its arguments there.
"""

from __future__ import annotations

import re

from dynconstraints.interop.checker import check_source
from dynconstraints.interop.emission import Emission, Subject, commented, of_sizes, parted, remarks
from dynconstraints.interop.layout import layout_of
from dynconstraints.ir.nodes import Name
from dynconstraints.system import ConstraintSystem

_LARGEST = (1 << 63) - 1
_NAME = re.compile(r"[A-Za-z_][\w]*", re.ASCII)


def emit(subject: Subject) -> Emission:
    """A function in MLIR of the names, as indices, that returns what is assumed of them."""
    layout = layout_of("IREE", subject.shapes) if subject.shapes else None
    system, sizes = subject.system, layout.sizes if layout else subject.system.symbols
    names = [name for name in sizes if name not in system.reals]
    known = of_sizes(subject.integers, map(Name, names))
    lines, said = [], []
    for index, name in enumerate(names):
        lower, upper = known.bounds(name, subject.limit)
        modulus, rest = known.congruence(name, subject.limit)
        divisor = modulus if modulus > 1 and rest == 0 else 1
        upper = None if upper is None or upper > _LARGEST else upper
        ends = [f"umin = {max(lower or 0, 0)}", *([f"umax = {upper}"] if upper is not None else [])]
        ends += [f"udiv = {divisor}"] * (divisor > 1)
        spelled = _spelled(name, index)
        lines.append(f"  %{index} = util.assume.int %{spelled}<{', '.join(ends)}> : index")
        said += [f"{name} >= {max(lower or 0, 0)}", f"{name} % {divisor} == 0"]
        said += [f"{name} <= {upper}"] * (upper is not None)
    held, left = parted(
        system, [ConstraintSystem(said)], "an assumption is a range and a divisor of one name", subject.limit
    )
    spelled_names = [_spelled(name, index) for index, name in enumerate(names)]
    parameters = ", ".join(f"%{name}: index" for name in spelled_names)
    results = ", ".join(f"%{index}" for index, _ in enumerate(names))
    kinds = ", ".join("index" for _ in names)
    code = [f"util.func public @sizes({parameters}) -> ({kinds}) {{", *lines]
    code += [f"  util.return {results} : {kinds}" if names else "  util.return", "}"]
    checker = check_source(system, [one.constraint for one in left]) if left else ""
    head = commented(remarks("IREE", held, left, "the Python function check() at the end"), "//")
    tail = ["", *commented(checker.splitlines(), "//")] if checker else []
    return Emission("\n".join([*head, *code, *tail]) + "\n", held, left, checker)


def _spelled(name: str, index: int) -> str:
    return name if _NAME.fullmatch(name) else f"name{index}"
