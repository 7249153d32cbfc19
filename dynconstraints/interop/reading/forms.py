"""The forms by name, and the Signature that one of them says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from dynconstraints.diagnostics.diagnostic import Label
from dynconstraints.diagnostics.source import Source
from dynconstraints.interop.reading import arg_dims, axes, dims, objects, specs, symbolic
from dynconstraints.interop.reading.python import PythonText
from dynconstraints.interop.reading.reading import NEVER_NEGATIVE, Reading, cannot_read
from dynconstraints.ir.constraint import Constraint
from dynconstraints.signature.signature import Signature
from dynconstraints.system import ConstraintSystem


class Form(NamedTuple):
    """One form: how messages call it, how a source is read, what source an object is, and what is in a source."""

    title: str
    read: Callable[[PythonText], Iterator[Reading]]
    source: Callable[..., str]
    wanted: str


FORMS = {
    "export": Form(dims.FORM, dims.read, objects.of_dims, "dynamic_shapes = {...} with Dims in it"),
    "shapes-spec": Form(specs.FORM, specs.read, objects.of_spec, "ShapesSpec(...)"),
    "vllm": Form(arg_dims.FORM, arg_dims.read, objects.of_arg_dims, "dynamic_arg_dims = {...}"),
    "jax": Form(symbolic.FORM, symbolic.read, objects.of_symbolic, 'symbolic_shape("b, 32*k", ...)'),
    "jaxtyping": Form(axes.FORM, axes.read, objects.of_annotations, 'def f(x: Float[Tensor, "b n"]): ...'),
}


def read_signature(form: str, given: Any, *more: Any) -> Signature:
    """The signature that a source in a form says, or that an object of its system does, with what belongs to it.

    Raises ArgumentError where it says none, or more than can be read, and InconsistentConstraintsError where nothing
    satisfies it.
    """
    known = FORMS[form]
    reading = _of_text(known, given if isinstance(given, str) else known.source(given, *more))
    if reading.unread:
        raise cannot_read(known.title, "these parts are of no form that is known", "write them out", *reading.unread)
    wrong = [path for path in reading.arguments if not path.split(".")[0].isidentifier()]
    if wrong:
        why = f"it is not known which parameter the argument at {wrong[0]} is"
        raise cannot_read(known.title, why, "give the shapes as a dict from the names of parameters", reading.label)
    _satisfiable(reading)
    arguments, returns = ({p: s.text for p, s in of.items()} for of in (reading.arguments, reading.returns))
    said = dict.fromkeys(Constraint.of(one.formula) for one in _needed(reading))
    return Signature.of(arguments, [one.text for one in said], returns=returns)


def readings_of(form: Form, python: PythonText) -> tuple[Reading, ...]:
    """The declarations in a source; none where names stand for one another in a circle."""
    try:
        return tuple(form.read(python))
    except RecursionError:
        return ()


def _of_text(form: Form, given: str) -> Reading:
    try:
        python = PythonText(Source(given))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        why = f"the text is not Python: {getattr(error, 'msg', None) or error}"
        raise cannot_read(form.title, why, f"pass a source with {form.wanted}") from None
    found = readings_of(form, python)
    if len(found) != 1:
        why = f"the text has {len(found)} declarations, and one is wanted" if found else "the text has no declaration"
        raise cannot_read(form.title, why, f"pass a source with {form.wanted}", *_labels(found))
    return found[0]


def _labels(found: Iterable[Reading]) -> list[Label]:
    return [reading.label for reading in found][:3]


def _needed(reading: Reading) -> Iterator[Constraint]:
    """All that holds but for what every signature says: that no size is negative."""
    from dynconstraints.solver.verdicts import Implied

    known = ConstraintSystem([one for one in reading.always if one.source.origin == NEVER_NEGATIVE])
    yield from (one for one in reading.constraints if not isinstance(known.implies(one), Implied))
    known = known.extend(list(reading.constraints))
    yield from (one for one in reading.always if not isinstance(known.implies(one), Implied))


def _satisfiable(reading: Reading) -> None:
    from dynconstraints.solver.verdicts import Unsat

    system = ConstraintSystem([*reading.constraints, *reading.always])
    if isinstance(system.check(), Unsat):
        raise system.inconsistency()
