"""IR -> the text of a Python source that builds the sympy expression."""

from __future__ import annotations

import re

import sympy

from dynconstraints.ir.fold import conjuncts
from dynconstraints.ir.nodes import Formula
from dynconstraints.lowering.to_sympy import to_sympy

_QUOTED = re.compile(r"'[^']*'")
_USED = re.compile(r"\b[A-Za-z_]\w*(?=\()|\btrue\b|\bfalse\b|\bnan\b")


def sympy_source(formula: Formula, reals: frozenset[str] = frozenset()) -> str:
    """A source that assigns to ``constraints`` what `to_sympy` gives, with the imports that it needs.

    Functions that sympy lacks are imported from this package.
    """
    expressions = [to_sympy(part, reals=reals) for part in conjuncts(formula)]
    text = ", ".join(map(sympy.srepr, expressions))
    if len(expressions) != 1:
        text = f"And({text})"
    modules = {type(node).__name__: type(node).__module__ for e in expressions for node in sympy.preorder_traversal(e)}
    used = sorted(set(_USED.findall(_QUOTED.sub("", text))))
    places: dict[str, list[str]] = {}
    for name in used:
        own = modules.get(name, "").startswith("dynconstraints")
        place = "sympy" if hasattr(sympy, name) and not own else modules[name]
        places.setdefault(place, []).append(name)
    imports = "\n".join(f"from {place} import {', '.join(names)}" for place, names in sorted(places.items()))
    return f"{imports}\n\nconstraints = {text}"
