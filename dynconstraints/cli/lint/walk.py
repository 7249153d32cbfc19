"""The files that `lint` looks at."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch

from dynconstraints.cli.formats.places import shown_path

SUFFIXES = (".py", ".dync")
_LEFT_OUT = frozenset({"__pycache__", "node_modules", "site-packages", "build", "dist"})


def files_below(paths: Iterable[str], exclude: Iterable[str] = ()) -> Iterator[str]:
    """The files named, and of the folders named the sources below, each once, sorted within a folder.

    Hidden folders, virtual environments, caches and what ``exclude`` matches are not entered; a file that is named is
    taken whatever its name. ``exclude`` holds glob patterns of a name or of a path as it is shown.
    """
    patterns, seen = tuple(exclude), set[str]()
    for path in paths:
        for file in _below(path, patterns) if os.path.isdir(path) else (path,):
            if file not in seen:
                seen.add(file)
                yield file


def _below(folder: str, patterns: tuple[str, ...]) -> Iterator[str]:
    for at, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if _entered(os.path.join(at, name), name, patterns))
        for name in sorted(files):
            path = os.path.join(at, name)
            if name.endswith(SUFFIXES) and not _matches(path, name, patterns):
                yield os.path.normpath(path)


def _entered(path: str, name: str, patterns: tuple[str, ...]) -> bool:
    if name.startswith(".") or name in _LEFT_OUT or _matches(path, name, patterns):
        return False
    return not os.path.exists(os.path.join(path, "pyvenv.cfg"))


def _matches(path: str, name: str, patterns: tuple[str, ...]) -> bool:
    return bool(patterns) and any(fnmatch(name, one) or fnmatch(shown_path(path), one) for one in patterns)
