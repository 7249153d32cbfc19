"""Names that look alike: for hints after a misspelt key, and for names in constraints that may be misspelt."""

from __future__ import annotations

from collections.abc import Iterable


def nearest_name(wrong: str, known: Iterable[str]) -> str | None:
    """The known name most like the wrong one, or None where none is much like it."""
    from difflib import get_close_matches  # some milliseconds, needed only after a mistake

    return next(iter(get_close_matches(wrong, list(known), n=1)), None)


def one_edit_apart(a: str, b: str) -> bool:
    """Whether one insertion, deletion, replacement or swap of neighbours makes one name the other."""
    if a == b or abs(len(a) - len(b)) > 1:
        return False
    short, long = sorted((a, b), key=len)
    i = next((i for i, (x, y) in enumerate(zip(short, long, strict=False)) if x != y), len(short))
    if len(short) < len(long):
        return short[i:] == long[i + 1 :]
    return short[i + 1 :] == long[i + 1 :] or (
        short[i : i + 2] == long[i : i + 2][::-1] and short[i + 2 :] == long[i + 2 :]
    )
