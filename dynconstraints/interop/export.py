"""torch.export: Dims, sizes that are linear in one of them, and ``dynamic_shapes`` where shapes are known.

A size of ``32*_h`` tells torch the divisor, which no graph depends on then; but the module of a program, as torch 2.13
makes it, guards no divisors. So these are left over.
"""

from __future__ import annotations

from collections.abc import Mapping

from dynconstraints.interop.checker import written
from dynconstraints.interop.emission import Emission, Left, Subject, of_sizes, parted
from dynconstraints.interop.forms import Ends, Forms, forms_of, shown
from dynconstraints.interop.layout import Layout, Slot, layout_of
from dynconstraints.interop.nesting import nested
from dynconstraints.ir.nodes import Name
from dynconstraints.lowering.to_closure import python_names

_REASON = "torch checks the range of a Dim and equations between Dims"
_OPEN = "Dim.AUTO"


def emit(subject: Subject) -> Emission:
    """A source that assigns Dims to the names, and where shapes are known ``dynamic_shapes``."""
    layout = layout_of("torch.export", subject.shapes) if subject.shapes else None
    names = subject.system.symbols if layout is None else layout.sizes
    names = tuple(name for name in names if name not in subject.system.reals)
    known = of_sizes(subject.integers, map(Name, names))
    forms = forms_of(known, names, names, limit=subject.limit)
    places = python_names((*forms.units, *(n for n in forms.names if n not in forms.units)), ("Dim", "dynamic_shapes"))
    code = ["from torch.export import Dim", ""]
    code += [f"{places[unit]} = {_dim(unit, ends)}" for unit, ends in forms.units.items()]
    code += [
        f"{places[name]} = {_expression({form.unit: form.factor, '': form.offset}, places)}"
        for name, form in forms.names.items()
        if name not in forms.units
    ]
    held, left = parted(subject.system, [forms.undivided], _REASON, subject.limit)
    if layout is None:
        return written(code, "torch.export", subject, held, left)
    dims = {slot: _size(slot, forms, places) for slot in layout}
    homes = [slot for slot in layout.homes.values() if not isinstance(slot.term, Name)]
    open_ones = {slot for slot in layout if dims[slot] == _OPEN or slot in homes}
    held = (*held, *(relation for slot, relation in layout.relations if slot not in open_ones))
    left = (*left, *(Left(relation, _REASON) for slot, relation in layout.relations if slot in open_ones))
    code += ["", f"dynamic_shapes = {nested('torch.export', _shapes(layout, dims))}"]
    return written(code, "torch.export", subject, held, left, layout)


def _dim(unit: str, ends: Ends) -> str:
    parts = [
        repr(unit),
        *(f"{end}={value}" for end, value in zip(("min", "max"), ends, strict=True) if value is not None),
    ]
    return f"Dim({', '.join(parts)})"


def _size(slot: Slot, forms: Forms, places: Mapping[str, str]) -> str:
    """The size as an expression of Dims, or as what torch is to find out."""
    if isinstance(slot.term, Name) and slot.index is not None and slot.term.id in places:
        return places[slot.term.id]
    form = None if slot.term is None or slot.index is None else forms.of(slot.term)
    units = {} if form is None else {unit: factor for unit, factor in form.items() if unit}
    if form is None or len(units) > 1 or any(factor < 0 for factor in units.values()):
        return _OPEN
    return _expression(form, places)


def _expression(form: Mapping[str, int], places: Mapping[str, str]) -> str:
    return shown({places.get(unit, unit): factor for unit, factor in form.items()})


def _shapes(layout: Layout, dims: Mapping[Slot, str]) -> dict[str, str]:
    listed = {path: [dims[slot] for slot in slots] for path, slots in layout.slots.items()}
    return {
        path: ", ".join(sizes) if layout.is_number(path) else f"[{', '.join(sizes)}]" for path, sizes in listed.items()
    }
