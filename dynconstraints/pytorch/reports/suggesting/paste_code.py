"""What a user pastes: a `declare` of the function; or names for sizes, and the call within a block of constraints."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet

from dynconstraints.pytorch.reports.suggesting.size_names import Size

_COLUMNS = 76
"""Lines are no longer, where strings can be divided."""


def declared(function: str, shapes: Mapping[str, str], constraints: Sequence[str]) -> str:
    """The call of `declare`. ``shapes`` are the texts of the parameters, or of what is in them, by their paths."""
    named = [f'{path}="{text}"' for path, text in shapes.items() if path.isidentifier()]
    inside = [f'"{path}": "{text}"' for path, text in shapes.items() if not path.isidentifier()]
    parts = [function, *named, *([f"**{{{', '.join(inside)}}}"] if inside else [])]
    listed = ", ".join(f'"{text}"' for text in constraints)
    whole = ", ".join([*parts, *([f"constraints=[{listed}]"] if constraints else [])])
    line = f"{function} = declare({whole})"
    if len(line) <= _COLUMNS:
        return line
    lines = [f"{function} = declare(", f"    {function},", *(f"    {part}," for part in named)]
    if len(f"    **{{{', '.join(inside)}}},") <= _COLUMNS:
        lines += [f"    {part}," for part in parts[1 + len(named) :]]
    else:
        lines += ["    **{", *(f"        {item}," for item in inside), "    },"]
    if len(listed) <= _COLUMNS - len("    constraints=[],"):
        lines += [f"    constraints=[{listed}],"] if constraints else []
    else:
        texts = [f"    {line}" for text in constraints for line in _literal(text, _COLUMNS - 4)]
        lines += ["    constraints=[", *texts, "    ],"]
    return "\n".join([*lines, ")"])


def path_of(argument: str) -> str:
    """Where an argument is, as `declare` writes it: ``batch.x`` for ``batch["x"]``."""
    return re.sub(r"""\[(?:"([^"]*)"|'([^']*)'|(-?\w+))\]""", lambda m: f".{m[1] or m[2] or m[3]}", argument)


def pasted(function: str, sizes: Sequence[Size], constraints: Sequence[str], tuples: AbstractSet[str]) -> str:
    """The code. ``tuples`` are arguments whose items can't be assigned: they are made anew."""
    lines = []
    for argument in dict.fromkeys(size.argument for size in sizes):
        mine = [size for size in sizes if size.argument == argument]
        if mine[0].dimension is None:
            lines.append(_assigned(argument, f'DynamicInt({argument}, name="{mine[0].name}")', tuples))
        else:
            dims = ", ".join(f'{size.dimension}: "{size.name}"' for size in mine)
            lines.append(f"name_dims({argument}, {{{dims}}})")
    call = f"{function if function.isidentifier() else 'function'}(...)"
    if not constraints:
        return "\n".join([*lines, call])
    opening, closing = "with dynamic_int_constraints([", "]):"
    listed = ", ".join(f'"{text}"' for text in constraints)
    if len(opening + listed + closing) <= _COLUMNS:
        lines.append(opening + listed + closing)
    else:
        lines += [opening, *(line for text in constraints for line in _literal(text)), closing]
    return "\n".join([*lines, f"    {call}"])


def _assigned(argument: str, value: str, tuples: AbstractSet[str]) -> str:
    """The assignment of a value to an argument, or to an item of one."""
    found = re.fullmatch(r"(?P<owner>.+)\[(?P<index>\d+)\]", argument)
    if found is None or found["owner"] not in tuples:
        return f"{argument} = {value}"
    owner, index = found["owner"], int(found["index"])
    return _assigned(owner, f"(*{owner}[:{index}], {value}, *{owner}[{index + 1}:])", tuples)


def _literal(text: str, columns: int = _COLUMNS) -> Iterable[str]:
    """The constraint as a string of Python's, in several parts where it is too long: Python joins them."""
    first, further = 4 * " ", 8 * " "
    parts = textwrap.wrap(text, columns - len(further) - 4, break_long_words=False, break_on_hyphens=False)
    *before, last = parts
    indents = [first, *(further for _ in before)]
    return [f'{i}"{p} "' for i, p in zip(indents, before, strict=False)] + [f'{indents[len(before)]}"{last}",']
