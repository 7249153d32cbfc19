"""`[tool.dynconstraints]` in pyproject.toml: the defaults of a project, found from the nearest file upwards."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from dynconstraints.cli.formats import FORMATS, Format
from dynconstraints.cli.nearest_name import nearest_name
from dynconstraints.diagnostics.frozen import Frozen
from dynconstraints.syntax.content import content_of

TABLE = "dynconstraints"
MOST = 2**32 - 1
"""The highest limit that z3 takes."""
COLORS = ("auto", "always", "never")


class ConfigError(Exception):
    """The table in pyproject.toml is not usable; the message says which file, which key, and what is allowed."""


class Config(Frozen):
    """The settings that a project can make; options of the command line go before them.

    ``limit`` counts z3's resource units, None is the solver's own. ``ignore`` holds codes that ``lint`` leaves out,
    ``exclude`` glob patterns of paths that it does not enter. ``path`` is the file they came from.
    """

    path: str | None = None
    format: Format = "text"
    color: str = "auto"
    limit: int | None = None
    exit_zero: bool = False
    ignore: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


def nearest(start: str) -> Config:
    """The settings for a folder: of the first pyproject.toml upwards that has the table, else the defaults."""
    folder, below = os.path.abspath(start), ""
    while folder != below:
        path = os.path.join(folder, "pyproject.toml")
        table = _table(path)
        if table is not None:
            return _checked(path, table)
        folder, below = os.path.dirname(folder), folder
    return Config()


def _table(path: str) -> Mapping[str, object] | None:
    try:
        text = content_of(path)
    except OSError:
        return None
    if TABLE.encode() not in text:  # spares the import of a TOML parser in nearly every run
        return None
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib  # type: ignore[import-not-found, unused-ignore]  # not installed from 3.11 on
    try:
        tool = tomllib.loads(text.decode()).get("tool")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from None
    table = tool.get(TABLE) if isinstance(tool, dict) else None
    if table is not None and not isinstance(table, dict):
        raise ConfigError(f"{path}: tool.{TABLE} must be a table, not {table!r}; begin it with [tool.{TABLE}]")
    return table


def _checked(path: str, table: Mapping[str, object]) -> Config:
    given: dict[str, object] = {}
    for key, value in table.items():
        if key not in _READERS:
            near = nearest_name(key, _READERS)
            hint = f"; did you mean {near!r}?" if near else f"; the keys are {', '.join(_READERS)}"
            raise ConfigError(f"{path}: [tool.{TABLE}] has no key {key!r}{hint}")
        wanted, reads = _READERS[key]
        if not reads(value):
            raise ConfigError(f"{path}: [tool.{TABLE}] {key} must be {wanted}, not {value!r}")
        given[key.replace("-", "_")] = tuple(value) if isinstance(value, list) else value
    return Config(path, **given)  # type: ignore[arg-type]  # each reader has looked at the type of its value


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= MOST


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


_READERS = {
    "format": (f"one of {', '.join(FORMATS)}", FORMATS.__contains__),
    "color": (f"one of {', '.join(COLORS)}", COLORS.__contains__),
    "limit": (f"an integer from 1 to {MOST}", _is_count),
    "exit-zero": ("true or false", lambda value: isinstance(value, bool)),
    "ignore": ("a list of codes", _is_texts),
    "exclude": ("a list of glob patterns", _is_texts),
}
