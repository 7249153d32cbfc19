"""What each code means: the entries of the language, and those of the command line's own findings."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """One code: a short name, one sentence, an explanation, and an example that has the finding, then mended."""

    name: str
    summary: str
    explanation: str
    failing: str = ""
    mended: str = ""


def entry(code: str) -> Entry:
    """The entry of a code. Raises KeyError for one that there is not."""
    return _OWN[code]


def codes() -> tuple[str, ...]:
    """All codes, sorted."""
    return tuple(sorted(_OWN))


_OWN: dict[str, Entry] = {}
