"""Hypothesis: a strategy of all legal assignments and no others, without this package."""

from __future__ import annotations

from collections.abc import Mapping

from dynconstraints.interop.checker import check_source
from dynconstraints.interop.emission import Emission, Subject, commented, parted, remarks
from dynconstraints.interop.forms import forms_of, shown
from dynconstraints.interop.listing import assignments
from dynconstraints.lowering.to_closure import python_names

_MOST_LISTED = 100
"""Of so many assignments each is listed; of more they are drawn and checked."""

_SAMPLED = 32
"""Legal assignments that are drawn as they are, so that not too many of the others' draws are thrown away."""

_LEGAL = """
def is_legal(sizes):
    try:
        check(*(sizes[name] for name in {names!r}))
    except ValueError:
        return False
    return True
"""


def emit(subject: Subject) -> Emission:
    """A source that assigns to ``sizes`` a strategy of dicts from names to values."""
    system = subject.system
    head = commented(remarks("The strategy", system, ()))
    imports = ["from hypothesis import strategies as st", ""]
    listed = assignments(system, _MOST_LISTED) if system.symbols and not system.reals else None
    if listed is not None:
        rows = [f"    {one!r}," for one in listed]
        text = "\n".join([*head, *imports, "sizes = st.sampled_from([", *rows, "])", ""])
        return Emission(text, system.constraints)
    integers = [name for name in system.symbols if name not in system.reals]
    forms = forms_of(subject.integers, integers, limit=subject.limit)
    places = python_names((*forms.units, *system.reals), ("st", "check", "is_legal", "sizes", "drawn", "some"))
    drawn = {unit: _integers(*ends) for unit, ends in forms.units.items()}
    drawn |= {name: _floats(*system.bounds(name, subject.limit)) for name in sorted(system.reals)}
    values = [
        f"{name!r}: {shown({places.get(form.unit, form.unit): form.factor, '': form.offset})}"
        for name, form in forms.names.items()
    ]
    values += [f"{name!r}: {places[name]}" for name in sorted(system.reals)]
    code = ["drawn = st.builds(", f"    lambda {', '.join(places[one] for one in drawn)}: {{{', '.join(values)}}},"]
    code += [f"    {strategy}," for strategy in drawn.values()]
    left = parted(system, [forms.held], "", subject.limit)[1]
    code.append(")")
    if not left:
        return Emission("\n".join([*head, *imports, *code, "sizes = drawn", ""]), system.constraints)
    constraints = [one.constraint for one in left]
    checker = check_source(system, constraints)
    names = tuple(dict.fromkeys(name for c in constraints for name in c.symbols))
    sampled = [one for one in system.sample(_SAMPLED, limit=subject.limit) if _is_exact(one)]
    body = [*head, *imports, "", checker, "", *_LEGAL.format(names=names).splitlines(), "", "", *code]
    body += ["some = st.sampled_from([", *(f"    {one!r}," for one in sampled), "])"] if sampled else []
    body.append(f"sizes = {'some | ' * bool(sampled)}drawn.filter(is_legal)")
    return Emission("\n".join([*body, ""]), system.constraints)


def _is_exact(assignment: Mapping[str, object]) -> bool:
    """Whether its values are integers and floats; a fraction is no float that a program can have."""
    return all(isinstance(value, int | float) for value in assignment.values())


def _integers(lower: int | None, upper: int | None) -> str:
    return f"st.integers({lower}, {upper})"


def _floats(lower: int | None, upper: int | None) -> str:
    ends = [f"min_value={float(lower)!r}"] if lower is not None else []
    ends += [f"max_value={float(upper)!r}"] if upper is not None else []
    return f"st.floats({', '.join([*ends, 'allow_nan=False', 'allow_infinity=False'])})"
