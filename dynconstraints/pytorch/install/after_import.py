"""Something that is done when a module is loaded: Dynamo takes seconds to import, so nobody is made to."""

from __future__ import annotations

import importlib.abc
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any


def once_loaded(name: str, act: Callable[[], None]) -> None:
    """Act now if the module is loaded, else as soon as it is."""
    module = sys.modules.get(name)
    if module is not None and not getattr(module.__spec__, "_initializing", False):
        act()
    elif not any(finder.name == name for finder in _waiting()):
        sys.meta_path.insert(0, AfterImport(name, act))


def forget_modules() -> None:
    """Wait for no module any more."""
    for finder in _waiting():
        sys.meta_path.remove(finder)


def _waiting() -> list[AfterImport]:
    return [finder for finder in sys.meta_path if isinstance(finder, AfterImport)]


class AfterImport(importlib.abc.MetaPathFinder):
    """Acts right after a module has run, then leaves; who only asks for the module does not end it."""

    def __init__(self, name: str, act: Callable[[], None]) -> None:
        self.name, self._act = name, act

    def find_spec(self, fullname: str, *where: Any) -> Any:
        """What the other finders find, with a loader that acts at the end."""
        if fullname != self.name:
            return None
        others = (finder.find_spec(fullname, *where) for finder in sys.meta_path if finder is not self)
        spec = next((found for found in others if found is not None), None)
        if spec is not None and spec.loader is not None:
            setattr(spec.loader, "exec_module", self._then(spec.loader.exec_module))  # noqa: B010  of an instance
        return spec

    def _then(self, execute: Callable[[ModuleType], None]) -> Callable[[ModuleType], None]:
        def run(module: ModuleType) -> None:
            execute(module)
            if self in sys.meta_path:
                sys.meta_path.remove(self)
            self._act()

        return run
