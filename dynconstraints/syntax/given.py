"""What users pass where constraints, names, values or a limit are wanted: read as they mean it, or refused.

Python takes a text for a collection of letters, and a second argument for another parameter. Here one text is one
constraint, or one name, and what may mean something else is an error that says what to write.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from dynconstraints.diagnostics.cells import shortened
from dynconstraints.diagnostics.diagnostic import Diagnostic, Label
from dynconstraints.diagnostics.errors import ArgumentError, ConstraintSyntaxError
from dynconstraints.diagnostics.source import Source, Span
from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.spelling import as_read
from dynconstraints.syntax.parser import parse

_MOST_SHOWN = 160
_USUAL = (tuple, list)  # looked at first, as it costs a tenth


def constraints_of(given: object) -> tuple[str | Constraint, ...]:
    """The constraints that are given: one of them, or a collection. Raises ArgumentError where it is neither.

    Raises ConstraintSyntaxError for a member that is neither a text nor a Constraint.
    """
    if isinstance(given, str | Constraint):
        return (given,)
    if type(given) not in _USUAL and (not isinstance(given, Iterable) or isinstance(given, bytes | bytearray)):
        advice = 'write one as "s0 % 32 == 0", several as ["s0 % 32 == 0", "s0 >= 32"], none as ()'
        raise unfit(given, f"constraints are a text or a list of texts, not {_kind(given)}", advice)
    listed: tuple[Any, ...] = tuple(given)  # type: ignore[arg-type]  # the usual ones are iterable
    for member in listed:
        if type(member) is not str and not isinstance(member, str | Constraint):
            parse(member)  # which says what is wrong with it
    return listed


def names_of(given: object, known: Collection[str] = ()) -> tuple[str, ...]:
    """The names that are given, each once, as the language spells them: one text, or a collection of them.

    Raises ArgumentError where it is neither, and for what is no name. The ``known`` are names whatever they look like.
    """
    if not isinstance(given, str) and not isinstance(given, Iterable):
        raise unfit(given, f"names are a text or a list of texts, not {_kind(given)}", 'write ["s0", "s1"]')
    listed = (given,) if isinstance(given, str) else tuple(given)
    return tuple(dict.fromkeys(name if name in known else _name(name) for name in listed))


def values_of(given: Any) -> Mapping[str, int]:
    """The values that are given to names. Raises ArgumentError where it is no mapping."""
    if isinstance(given, Mapping):
        return given
    raise unfit(given, f"values are a mapping from names to numbers, not {_kind(given)}", 'write {"s0": 64}')


def limit_of(given: Any) -> int | None:
    """The limit that is given. Raises ArgumentError where it is no int and not None."""
    if given is None or isinstance(given, int):
        return given
    advice = "several constraints, or names, go in one list; a limit is an int, as in limit=1_000_000, or left out"
    raise unfit(given, f"not a limit: {_shown(given)}", advice)


def one_argument(call: str, first: object, more: tuple[Any, ...], otherwise: str = "") -> None:
    """Raises ArgumentError where a call that takes one collection of constraints is given more.

    Where these are not all constraints, the advice goes on with what ``otherwise`` says.
    """
    if not more:
        return
    if all(isinstance(part, str) and _is_constraint(part) for part in (first, *more)):
        advice = shortened(f"write {call}([" + ", ".join(f'"{text}"' for text in (first, *more)) + "])", _MOST_SHOWN)
    else:
        advice = f"write {call}([...])" + otherwise
    raise unfit(more[0], f"{call} takes one list of constraints, not {len(more) + 1} arguments", advice)


def unfit(given: object, message: str, advice: str) -> ArgumentError:
    """The error for an argument of another form than is wanted."""
    shown = _shown(given)
    return ArgumentError(Diagnostic("DC155", message, (Label(Source(shown), Span(0, len(shown))),), help=(advice,)))


def _is_constraint(text: str) -> bool:
    try:
        return bool(parse(text))
    except ConstraintSyntaxError:
        return False


def _name(given: object) -> str:
    name = as_read(given) if isinstance(given, str) else given
    if isinstance(name, str) and name.isidentifier():
        return name
    what = "not a name" if isinstance(given, str) else f"a name is a text, not {_kind(given)}"
    advice = "a name is an identifier such as s0 or batch; several are a list of texts"
    raise unfit(given, f"{what}: {_shown(given)}", advice)


def _kind(given: object) -> str:
    return type(given).__name__


def _shown(given: object) -> str:
    return shortened(repr(given), _MOST_SHOWN)
