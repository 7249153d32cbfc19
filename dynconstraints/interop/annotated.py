"""annotated-types, which pydantic, Hypothesis and others read: a type for each name.

Hypothesis reads the range alone, and warns that it leaves out a divisor.
"""

from __future__ import annotations

from collections import Counter

from dynconstraints.interop.checker import written
from dynconstraints.interop.emission import Emission, Subject, parted
from dynconstraints.lowering.to_closure import python_names
from dynconstraints.system import ConstraintSystem

_KINDS = ("Ge", "Gt", "Le", "Lt", "MultipleOf")
_REASON = "a type has a range and a divisor of its own value alone"


def emit(subject: Subject) -> Emission:
    """A source that assigns a type to each name, in capitals where no other name is the same then."""
    system = subject.system
    times = Counter(name.upper() for name in system.symbols)
    wanted = {name: name.upper() if times[name.upper()] == 1 else name for name in system.symbols}
    places = python_names(tuple(wanted.values()), ("Annotated", *_KINDS))
    code, said = [], []
    for name in system.symbols:
        known = system if name in system.reals else subject.integers
        parts, texts = _facts(known, name, name in system.reals, subject.limit)
        base, place = "float" if name in system.reals else "int", places[wanted[name]]
        code.append(f"{place} = Annotated[{', '.join([base, *parts])}]" if parts else f"{place} = {base}")
        said += texts
    held, left = parted(system, [ConstraintSystem(said, reals=_mentioned(said, system))], _REASON, subject.limit)
    used = [kind for kind in _KINDS if any(f"{kind}(" in line for line in code)]
    imports = ["from typing import Annotated", "", f"from annotated_types import {', '.join(used)}", ""] if used else []
    return written([*imports, *code], "annotated-types", subject, held, left)


def _facts(system: ConstraintSystem, name: str, is_real: bool, limit: int | None) -> tuple[list[str], list[str]]:
    """What is annotated, and the same as constraints."""
    from dynconstraints.solver.verdicts import Implied

    lower, upper = system.bounds(name, limit)
    parts, texts = [], []
    for end, closed, strict, sign in ((lower, "Ge", "Gt", ">"), (upper, "Le", "Lt", "<")):
        if end is None:
            continue
        is_strict = is_real and isinstance(system.implies(f"{name} {sign} {float(end)!r}", limit), Implied)
        value = repr(float(end)) if is_real else str(end)
        parts.append(f"{strict if is_strict else closed}({value})")
        texts.append(f"{name} {sign}{'' if is_strict else '='} {value}")
    modulus, rest = (1, 0) if is_real else system.congruence(name, limit)
    if modulus > 1 and rest == 0:
        parts.append(f"MultipleOf({modulus})")
        texts.append(f"{name} % {modulus} == 0")
    return parts, texts


def _mentioned(texts: list[str], system: ConstraintSystem) -> frozenset[str]:
    return system.reals & set(ConstraintSystem(texts).symbols)
