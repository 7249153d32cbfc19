"""The C++ kernels that a compiled function launches, to be timed without what is around them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from torch._inductor.codecache import CppPythonBindingsCodeCache

Launch = tuple[Callable[..., None], tuple[Any, ...]]

_seen: list[Launch] | None = None


@contextmanager
def recordable() -> Iterator[None]:
    """What is compiled inside remembers its launches where `launches_of` asks for them."""
    load = CppPythonBindingsCodeCache.load_pybinding_async.__func__  # type: ignore[attr-defined]

    def load_pybinding_async(cls: type, *args: Any, **kwargs: Any) -> Callable[[], Any]:
        result = load(cls, *args, **kwargs)
        return lambda: _recording(result())

    with mock.patch.object(CppPythonBindingsCodeCache, "load_pybinding_async", classmethod(load_pybinding_async)):
        yield


def _recording(kernel: Callable[..., None]) -> Callable[..., None]:
    def launch(*args: Any) -> None:
        if _seen is not None:
            _seen.append((kernel, args))
        kernel(*args)

    return launch


def launches_of(call: Callable[[], Any]) -> Callable[[], None]:
    """A function that launches the kernels that the call launches, on the arguments that they had."""
    global _seen
    _seen = launches = []
    try:
        call()
    finally:
        _seen = None

    def launch() -> None:
        for kernel, args in launches:
            kernel(*args)

    return launch
