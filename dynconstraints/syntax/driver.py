"""Runs lark's tables: the same steps as lark's own driver, without what nothing here needs, in half the time.

Most steps of a reading replace a lone part by the same part under the name of a looser rule: an atom is a power is a
product is a sum. Such a run of steps depends on the two states on top of the stack and the next terminal only; it is
made once and remembered.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from dynconstraints.syntax.failure import Unexpected

if TYPE_CHECKING:
    from lark import Lark

_END = "$END"


class Step(NamedTuple):
    """Put ``state`` in the place of the state on top; then shift to ``shift``, or reduce ``size`` parts by ``act``."""

    state: int
    shift: int | None
    size: int = 0
    origin: str = ""
    act: Callable[[list[Any]], Any] | None = None


class Driver:
    """A parser with the tables, the lexer and the actions of lark's."""

    def __init__(self, lark: Lark) -> None:
        inner: Any = lark.parser
        self._lexer = inner.lexer.lexer
        self._callbacks = inner.parser.parser.callbacks
        table = inner.parser.parser.parse_table
        (self._start,), (self._end,) = table.start_states.values(), table.end_states.values()
        self._actions: dict[int, dict[str, tuple[Any, Any]]] = table.states
        self._steps: dict[tuple[int, int, str], Step | None] = {}

    def parse(self, text: str) -> Any:
        """What the actions make of the text. Raises Unexpected at the token that no constraint goes on with."""
        states, values, steps = [self._start, self._start], [], self._steps  # the start twice: there is always a pair
        for token in self._lexer.lex(text):
            kind = token.type
            while True:
                key = states[-2], states[-1], kind
                step = steps[key] if key in steps else self._step(*key)
                if step is None:
                    raise Unexpected(token.start_pos, token.start_pos + len(token.text))
                states[-1] = step.state
                if step.shift is not None:
                    states.append(step.shift)
                    values.append(token)
                    break
                self._reduce(step, states, values)
        while True:
            step = self._step(states[-2], states[-1], _END)
            if step is None:
                raise Unexpected(len(text), len(text))
            states[-1] = step.state
            if step.act is None:
                return values[-1]
            self._reduce(step, states, values)

    def _reduce(self, step: Step, states: list[int], values: list[Any]) -> None:
        kept = len(values) - step.size
        parts = values[kept:]
        del values[kept:], states[kept + 2 :]
        values.append(step.act(parts))  # type: ignore[misc]
        states.append(self._actions[states[-1]][step.origin][1])

    def _step(self, below: int, state: int, kind: str) -> Step | None:
        key = below, state, kind
        if key not in self._steps:
            self._steps[key] = self._found(below, state, kind)
        return self._steps[key]

    def _found(self, below: int, state: int, kind: str) -> Step | None:
        while state != self._end or kind != _END:
            found = self._actions[state].get(kind)
            if found is None:
                return None
            action, argument = found
            if _is_shift(action):
                return Step(state, argument)
            act, size = self._callbacks[argument], len(argument.expansion)
            if not _is_renaming(argument, act):
                return Step(state, None, size, argument.origin.name, act)
            state = self._actions[below][argument.origin.name][1]
        return Step(state, None)


def _is_shift(action: object) -> bool:
    return str(action) == "Shift"


def _is_renaming(rule: Any, act: Callable[[list[Any]], Any]) -> bool:
    """Whether the rule stands for its only part, unchanged."""
    part = object()
    return len(rule.expansion) == 1 and rule.options.expand1 and rule.alias is None and act([part]) is part
