"""JAX: symbolic shapes in one scope, with the ranges of their variables as its constraints.

JAX's variables are at least 1, so a size that can be 0 is written as ``_b - 1``.
"""

from __future__ import annotations

from dynconstraints.interop.checker import written
from dynconstraints.interop.emission import Emission, Left, Subject, of_sizes, parted
from dynconstraints.interop.forms import forms_of, shown
from dynconstraints.interop.layout import Slot, layout_of
from dynconstraints.interop.nesting import nested
from dynconstraints.ir.nodes import Name

_REASON = "the sizes are linear, and the scope has the ranges of their variables alone"


def emit(subject: Subject) -> Emission:
    """A source that assigns a scope, and where shapes are known a symbolic shape an argument."""
    layout = layout_of("JAX", subject.shapes) if subject.shapes else None
    names = subject.system.symbols if layout is None else layout.sizes
    names = tuple(name for name in names if name not in subject.system.reals)
    known = of_sizes(subject.integers, map(Name, names))
    forms = forms_of(known, names, names, least=1, limit=subject.limit)
    held, left = parted(subject.system, [forms.held], _REASON, subject.limit)
    limits = [f"{unit} >= {lower}" for unit, (lower, _) in forms.units.items() if lower is not None and lower > 1]
    limits += [f"{unit} <= {upper}" for unit, (_, upper) in forms.units.items() if upper is not None]
    code = ["from jax import export", "", f"scope = export.SymbolicScope({limits!r})"]
    if layout is None:
        sizes = ", ".join(shown({form.unit: form.factor, "": form.offset}) for form in forms.names.values())
        code.append(f"sizes = export.symbolic_shape({sizes!r}, scope=scope)  # {', '.join(forms.names)}")
        return written(code, "JAX", subject, held, left)

    def size(slot: Slot) -> str | None:
        form = None if slot.term is None else forms.of(slot.term)
        return None if form is None else shown(form)

    missing = [slot for slot in layout if slot.term is not None and slot.index is not None and size(slot) is None]
    held = (*held, *(relation for slot, relation in layout.relations if slot not in missing))
    left = (*left, *(Left(relation, _REASON) for slot, relation in layout.relations if slot in missing))
    fresh = {slot: f"_{index}_{slot.path}".replace(".", "_") for index, slot in enumerate(layout)}
    texts = {
        path: ", ".join(size(slot) or f"d{fresh[slot]}" for slot in slots)
        for path, slots in layout.slots.items()
        if not layout.is_number(path)
    }
    leaves = {path: f"export.symbolic_shape({_shape(text)!r}, scope=scope)" for path, text in texts.items()}
    code.append(f"shapes = {nested('JAX', leaves)}")
    return written(code, "JAX", subject, held, left, layout)


def _shape(text: str) -> str:
    return text if "," in text or not text else f"{text},"
