"""vLLM: ``dynamic_arg_dims`` with a name a dimension, and ``shape_invariants`` of ``torch._check`` lines."""

from __future__ import annotations

from collections.abc import Mapping

from dynconstraints.interop.checker import written
from dynconstraints.interop.emission import Emission, Left, Subject
from dynconstraints.interop.layout import Layout, Slot, cannot, layout_of
from dynconstraints.interop.plain_links import links
from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.fold import names as names_in
from dynconstraints.ir.fold import substitute
from dynconstraints.ir.nodes import Int, Name, conjunction
from dynconstraints.ir.printer import show
from dynconstraints.lowering.to_closure import python_names

_TAKEN = ("torch", "shape_invariants")
_REASON = "torch._check takes sums, products, and divisions by numbers, of names that are sizes"


def emit(subject: Subject) -> Emission:
    """A source that assigns ``dynamic_arg_dims`` and defines ``shape_invariants``, the decorator's two arguments."""
    layout = layout_of("vLLM", subject.shapes)
    for path in layout.slots:
        if not path.isidentifier():
            raise cannot(f"vLLM takes arguments of forward by name, and {path} is inside of one", "leave it out")
    reals = subject.system.reals
    values = {n: slot for n, slot in layout.homes.items() if slot.term == Name(n) and n not in reals}
    values |= {slot.place: slot for slot, _ in layout.relations}
    arguments = python_names(tuple(layout.slots), _TAKEN)
    places = python_names([n for n, slot in values.items() if slot.index is not None], (*_TAKEN, *arguments.values()))
    places |= {name: arguments[slot.path] for name, slot in values.items() if slot.index is None}
    wanted = (*subject.system, *(relation for _, relation in layout.relations))
    checks = {constraint: _checks(constraint, values, places) for constraint in wanted}
    held = [constraint for constraint, lines in checks.items() if lines]
    left = [Left(constraint, _REASON) for constraint, lines in checks.items() if not lines]
    used = dict.fromkeys(name for constraint in held for name in constraint.symbols)
    sized = {name: values[name] for name in used if values[name].index is not None}
    lines = [f"{places[name]} = {arguments[slot.path]}.size({slot.index})" for name, slot in sized.items()]
    lines += [line for constraint in held for line in checks[constraint]]
    code = [
        "import torch",
        "",
        f"dynamic_arg_dims = {_named(layout)!r}",
        "",
        "",
        f"def shape_invariants({', '.join(arguments.values())}):",
        *(f"    {line}" for line in lines or ["pass"]),
        "",
        "",
        "# @support_torch_compile(dynamic_arg_dims=dynamic_arg_dims, shape_invariants=shape_invariants)",
    ]
    return written(code, "vLLM", subject, held, left, layout)


def _named(layout: Layout) -> dict[str, dict[int, str]]:
    """The dimensions that change, by argument: those of one name share it, others have one of their own."""
    return {
        path: {
            slot.index: slot.term.id if isinstance(slot.term, Name) else f"{path}_{slot.index}"
            for slot in slots
            if slot.index is not None and not isinstance(slot.term, Int) and slot.term is not None
        }
        for path, slots in layout.slots.items()
        if not layout.is_number(path)
    }


def _checks(constraint: Constraint, values: Mapping[str, Slot], places: Mapping[str, str]) -> list[str]:
    found = links(constraint.formula)
    if not found or not names_in(constraint.formula) <= values.keys():
        return []
    spelled = {name: Name(place) for name, place in places.items()}
    return [f"torch._check({show(substitute(conjunction((link,)), spelled))})" for link in found]
