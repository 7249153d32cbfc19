"""What is wrong with declarations in the forms of others: torch's Dim and ShapesSpec, vLLM's, jaxtyping's, JAX's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dynconstraints.cli.answers import redundant, undecided
from dynconstraints.cli.lint.declared import repeated
from dynconstraints.cli.nearest_name import nearest_name
from dynconstraints.diagnostics.diagnostic import Diagnostic
from dynconstraints.diagnostics.source import Source
from dynconstraints.interop.reading import dims, specs
from dynconstraints.interop.reading.forms import FORMS, readings_of
from dynconstraints.interop.reading.python import PythonText
from dynconstraints.interop.reading.reading import Loose, Reading, mentioned

MARKS = (b"dynamic_shapes", b"Spec", b"symbolic_shape", b"SymbolicScope", b"support_torch_compile", b"jaxtyping")
"""A file without any of these has no such declaration."""


def declared_elsewhere(text: str, path: str) -> tuple[list[Reading], list[Loose]]:
    """The declarations of a source, and the variables of theirs that are never used. The text is Python."""
    python = PythonText(Source(text, file=path))
    found: list[Reading] = []
    unused: list[Loose] = []
    for name, form in FORMS.items():
        readings = readings_of(form, python)
        found += readings
        if readings and name in _UNUSED:
            unused += _UNUSED[name](python)
    return found, unused


_UNUSED = {"export": dims.unused, "shapes-spec": specs.unused}


def wrong_elsewhere(reading: Reading, syntax_only: bool, limit: int | None) -> Iterator[Diagnostic]:
    """What is wrong with one of them."""
    yield from reading.troubles
    shapes = (*reading.arguments.values(), *reading.returns.values())
    yield from (loose_name(one, mentioned(shapes, ())) for one in reading.loose)
    if not syntax_only and reading.constraints:
        yield from _wrong(reading, limit)


def loose_name(one: Loose, known: Iterable[str] = ()) -> Diagnostic:
    """The name is no size of any argument."""
    near = nearest_name(one.name, (name for name in known if name != one.name))
    advice = f"did you mean {near}?" if near else "give an argument that size, or remove the name"
    label = one.label.changed(text=one.consequence)
    return Diagnostic("DC411", f"{one.name} is no size of any argument", (label,), help=(advice,), severity="warning")


def _wrong(reading: Reading, limit: int | None) -> Iterator[Diagnostic]:
    from dynconstraints.solver.limits import RLIMIT
    from dynconstraints.solver.queries.redundancy import redundancies
    from dynconstraints.solver.verdicts import Sat, Unknown, Unsat
    from dynconstraints.system import ConstraintSystem

    system = ConstraintSystem([*reading.constraints, *reading.always])
    match system.check(limit):
        case Unsat():
            yield system.inconsistency(limit).diagnostic
        case Unknown(reason):
            yield undecided(reason, reading.constraints)
        case Sat():
            yield from repeated(reading.said)
            given = (*reading.ranges, *reading.always)
            for dropped in redundancies(reading.said, limit or RLIMIT, given=given)[1]:
                yield redundant(dropped.constraint, dropped.follows_from)
