"""What each code means, with an example that is refused and the same mended.

The entries are the text files beside this one, in ``rules/``, one a code; the tests read the same files and hold every
example to what it claims. A file is a name and a one-sentence summary on two lines, an explanation, and sections: what
fails, what is then said, and the mended form; ``failing`` and ``mended`` may be followed by ``python``, ``file``,
``lint``, ``source`` or ``command`` where they are Python, a listing, a listing for `lint`, a Python source for it, or a
line for the shell rather than one constraint.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_RULES = Path(__file__).parent / "rules"
_SECTION = re.compile(r"^-- (failing|says|mended)(?: (python|file|lint|source|command))?\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Entry:
    """One code: a short name, one sentence, an explanation, and an example: failing, what it says, mended.

    ``language`` is what the example is written in: a ``constraint``, a ``file`` of them, one for ``lint``,
    a ``source`` for it, ``python``, or a ``command``.
    """

    code: str
    name: str
    summary: str
    explanation: str
    failing: str = ""
    says: str = ""
    mended: str = ""
    language: str = "constraint"


def codes() -> tuple[str, ...]:
    """All codes, sorted."""
    return tuple(sorted(path.stem for path in _RULES.glob("DC*.txt")))


@cache
def entry(code: str) -> Entry:
    """The entry of a code. Raises KeyError for one that there is not."""
    if code not in codes():
        raise KeyError(code)
    return _read(code, (_RULES / f"{code}.txt").read_text(encoding="utf-8"))


def _read(code: str, text: str) -> Entry:
    head, *sections = _SECTION.split(text)
    name, summary, explanation = head.split("\n", 2)
    parts = dict(zip(sections[::3], (body.removesuffix("\n") for body in sections[2::3]), strict=True))
    language = next((kind for kind in sections[1::3] if kind), "constraint")
    return Entry(code, name, summary, explanation.strip(), **parts, language=language)
