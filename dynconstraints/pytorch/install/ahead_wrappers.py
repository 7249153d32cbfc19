"""What stands around functions of torch that compile ahead of time: they trace a frame that nobody calls.

Each function is given one of torch's and makes what stands for it; its docstring begins with the name of that.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from contextvars import ContextVar
from functools import wraps
from typing import Any

from dynconstraints.pytorch._torch.dynamo import dynamo
from dynconstraints.pytorch.frame.call_check import checked_call
from dynconstraints.pytorch.frame.restart import KEY, carrying_restarts

_opened: ContextVar[ExitStack | None] = ContextVar("dynconstraints_ahead", default=None)
"""What is open until the graph of a frame that was traced ahead of time is compiled."""

_MOST_RESTARTS = 32


def capture_frames(original: Callable[..., Any]) -> Callable[..., Any]:
    """_fullgraph_capture_frame: the example is a call, checked and named as others are."""

    @wraps(original)
    def _fullgraph_capture_frame(frame: Any, **options: Any) -> Any:
        with checked_call(frame.code, frame.locals):
            captured = original(frame, **options)
        opened = _opened.get()
        facts = captured.graph_capture_output.output_graph.shape_env.__dict__.get(KEY)
        if opened is not None and facts is not None:
            from dynconstraints.pytorch.install.dynamo_wrappers import compiled_under

            opened.enter_context(compiled_under(facts))
        return captured

    return _fullgraph_capture_frame


def compile_ahead(original: Callable[..., Any]) -> Callable[..., Any]:
    """aot_compile_fullgraph: what a trace is started again for is remembered; torch itself starts none again here."""

    @wraps(original)
    def aot_compile_fullgraph(*args: Any, **kwargs: Any) -> Any:
        with carrying_restarts():
            return _attempted(original, args, kwargs, _MOST_RESTARTS)

    return aot_compile_fullgraph


def _attempted(original: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], left: int) -> Any:
    with ExitStack() as opened:
        token = _opened.set(opened)
        try:
            compiled = original(*args, **kwargs)
            opened.close()  # which may ask for another attempt
        except dynamo().Restart:
            if not left:
                raise
        else:
            return compiled
        finally:
            _opened.reset(token)
    return _attempted(original, args, kwargs, left - 1)
