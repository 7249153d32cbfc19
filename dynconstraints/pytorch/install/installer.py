"""The object that wraps torch's functions (`HOOKS`), and undoes it.

Dynamo takes seconds to import, so the wrappers go in when it is imported, by torch.compile or by anything else, and the
table itself is read no earlier.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from inspect import getattr_static
from typing import TYPE_CHECKING, Any

import torch

from dynconstraints.pytorch._torch.dynamo import COMPILING, DYNAMO, EXPORT, LOWERING, PACKAGE, SAVED
from dynconstraints.pytorch._torch.onnx import EXPORTER
from dynconstraints.pytorch._torch.release import NEXT, release
from dynconstraints.pytorch._torch.trace import dispatch_anew
from dynconstraints.pytorch._torch.tracers import DRAFT
from dynconstraints.pytorch.declarations.moments import FIRST_DECLARATION, FIRST_NAMES, FIRST_TRACED, Moment
from dynconstraints.pytorch.install.after_import import forget_modules, once_loaded
from dynconstraints.pytorch.install.selftest import selftest

if TYPE_CHECKING:
    from dynconstraints.pytorch.install.hooks import Addition, Hook

_LACKING = AttributeError, ImportError

_WITHOUT_DYNAMO = FIRST_NAMES, FIRST_TRACED
"""Moments that processes come to which don't load Dynamo, as workers that load data."""


@dataclass(frozen=True)
class Placed:
    """A function of torch's that is wrapped: where, and what was there."""

    owner: Any
    name: str
    original: Any
    is_own: bool
    """Whether the owner itself has it, rather than a class that it derives from."""

    def put(self, value: Any) -> None:
        """Have torch find the value there."""
        before = getattr(self.owner, self.name)
        setattr(self.owner, self.name, value)
        self._dispatch(before)

    def undo(self) -> None:
        """Put back what was there."""
        if self.is_own:
            self.put(self.original)
        else:
            before = getattr(self.owner, self.name)
            delattr(self.owner, self.name)
            self._dispatch(before)

    def _dispatch(self, before: Any) -> None:
        """Have the tables of methods, which classes of Dynamo's keep, hold what the name is now."""
        if isinstance(self.owner, type):
            dispatch_anew(self.owner, self.name, before)


class Installer:
    """Puts the hooks in place as their parts of torch are loaded: all of them or none, but for what a release lacks."""

    def __init__(self) -> None:
        self._is_on = False
        self._done: set[str | Moment] = set()
        self._undo: list[Callable[[], None]] = []
        self.placed: list[Placed] = []

    def install(self) -> None:
        """Wrap what is loaded of torch now, and the rest as soon as it is. Calling it again does nothing.

        A release newer than those known is tried out at once: facts off rather than wrong.
        """
        self._is_on = True
        if release() >= NEXT:
            importlib.import_module(DYNAMO)
        for module in (DYNAMO, LOWERING, COMPILING, SAVED, EXPORT, PACKAGE, DRAFT, EXPORTER):
            once_loaded(module, partial(self._reach, module))
        for moment in _WITHOUT_DYNAMO:
            moment.wait(partial(self._reach, moment))
        FIRST_DECLARATION.wait(FIRST_TRACED.come)
        if release() >= NEXT:
            self._try_out()

    def uninstall(self) -> None:
        """Leave torch as it was; the package's values are then torch's own dynamic ints to torch.compile."""
        self._is_on = False
        forget_modules()
        while self._undo:
            self._undo.pop()()
        self.placed.clear()
        self._done.clear()

    def _reach(self, when: str | Moment) -> None:
        """Put in place what waits for the module or the moment."""
        if not self._is_on or when in self._done:
            return
        from dynconstraints.pytorch.install.hooks import ADDITIONS, HOOKS

        self._done.add(when)
        try:
            if when == DYNAMO:
                _check(HOOKS)
            for hook in HOOKS:
                if hook.when == when:
                    self._put(hook)
            for addition in ADDITIONS:
                if addition.when == when:
                    self._undo.append(addition.put())
        except _LACKING as error:
            self._give_up(error)
            return
        if when == DYNAMO:
            parts: tuple[Hook | Addition, ...] = (*HOOKS, *ADDITIONS)
            for moment in dict.fromkeys(part.when for part in parts if isinstance(part.when, Moment)):
                if moment not in _WITHOUT_DYNAMO:
                    moment.wait(partial(self._reach, moment))

    def _put(self, hook: Hook) -> None:
        try:
            owner, name = hook.where()
            original = getattr_static(owner, name)
        except _LACKING:
            if hook.is_required:
                raise
            if hook.without:
                _warn(f"does not fit torch {torch.__version__} in one point: {hook.without}")
            return
        placed = Placed(owner, name, original, name in getattr(owner, "__dict__", ()))
        placed.put(hook.wrap(original))
        self.placed.append(placed)
        self._undo.append(placed.undo)

    def _try_out(self) -> None:
        if self._is_on:
            try:
                selftest()
            except Exception as error:
                self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        self.uninstall()
        _warn(
            f"does not fit torch {torch.__version__} ({error}): declared sizes are "
            "checked where they are made, and torch.compile treats them as dynamic ints without constraints"
        )


def _check(hooks: Iterable[Hook]) -> None:
    """Raise for what is required and lacks, before any is in place; also for what comes later, amid a trace."""
    for hook in hooks:
        if hook.is_required:
            getattr_static(*hook.where())


def _warn(text: str) -> None:
    warnings.warn(f"dynconstraints {text}", stacklevel=3)


INSTALLER = Installer()
"""The only one: what it wraps belongs to the process."""
