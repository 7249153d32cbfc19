"""Names as Python reads them: one letter may be written in several ways, as the micro sign is a Greek mu.

Texts are read so (`syntax.build`), and so is every name that comes in another way.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar
from unicodedata import normalize

_V = TypeVar("_V")


def as_read(name: str) -> str:
    """The name as Python reads the identifier."""
    return name if not isinstance(name, str) or name.isascii() else normalize("NFKC", name)


def by_name(values: Mapping[str, _V]) -> Mapping[str, _V]:
    """The values by the names as they are read; a name that is written so already counts before another spelling."""
    keys: Any = values
    if all(not isinstance(name, str) or name.isascii() for name in keys):
        return values
    read = {as_read(name): value for name, value in values.items()}
    return read | {name: value for name, value in values.items() if name in read}
