"""Constraints over names for every call inside a block: `dynamic_int_constraints`, as context manager and decorator."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, Callable, Generator, Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cached_property, wraps
from types import TracebackType
from typing import Any, ClassVar, Literal, NoReturn, TypeVar, cast

from dynconstraints.diagnostics.errors import ConstraintError
from dynconstraints.ir.constraint import Constraint
from dynconstraints.pytorch.declarations.check_constraints import check_consistent, check_names, check_policy
from dynconstraints.pytorch.declarations.declaration import as_tuple, system_of
from dynconstraints.pytorch.declarations.user_location import calling_place, located
from dynconstraints.syntax.given import one_argument
from dynconstraints.system import ConstraintSystem

Policy = Literal["allow", "warn", "error"]
"""What to do about an event that the user may not want; each is stricter than the one before."""

_STRICTNESS: tuple[Policy, ...] = ("allow", "warn", "error")
_F = TypeVar("_F", bound=Callable[..., Any])


@dataclass(frozen=True, eq=False)
class Scope:
    """What the open blocks say together: their constraints, outermost first, and the strictest of their policies."""

    EMPTY: ClassVar[Scope]

    blocks: tuple[dynamic_int_constraints, ...] = ()

    @cached_property
    def constraints(self) -> tuple[Constraint, ...]:
        """The constraints of all blocks, each once."""
        if len(self.blocks) == 1:  # the block's own tuple: who compares it with itself looks no further
            return self.blocks[0].constraints
        return tuple(dict.fromkeys(c for block in self.blocks for c in block.constraints))

    @cached_property
    def system(self) -> ConstraintSystem:
        """The conjunction of the constraints."""
        return system_of(self.constraints)

    @cached_property
    def on_specialize(self) -> Policy:
        """What to do when a program forces a declared name to one value."""
        return max((b.on_specialize for b in self.blocks), key=_STRICTNESS.index, default="allow")

    @cached_property
    def on_new_guard(self) -> Policy:
        """What to do when a program needs a guard that the constraints don't imply."""
        return max((b.on_new_guard for b in self.blocks), key=_STRICTNESS.index, default="allow")

    @cached_property
    def on_missing(self) -> Policy:
        """What to do when a compiled function has none of the names, or not all."""
        return max((b.on_missing for b in self.blocks), key=_STRICTNESS.index, default="allow")

    def entering(self, block: dynamic_int_constraints) -> Scope:
        """The scope inside the block."""
        return Scope((*self.blocks, block))

    def leaving(self, block: dynamic_int_constraints) -> Scope:
        """The scope without the block's innermost entry: generators may leave blocks in another order than entered."""
        for index in range(len(self.blocks) - 1, -1, -1):
            if self.blocks[index] is block:
                rest = self.blocks[:index] + self.blocks[index + 1 :]
                return Scope(rest) if rest else Scope.EMPTY
        return self


Scope.EMPTY = Scope()
_current: ContextVar[Scope] = ContextVar("dynconstraints_scope", default=Scope.EMPTY)


def current_scope() -> Scope:
    """The scope in force in this thread or task; ``Scope.EMPTY`` where no block is open."""
    return _current.get()


class dynamic_int_constraints:  # noqa: N801  it is used like a function, as contextlib's own are
    """Constraints over names, in force for every call made inside a block, in this thread or task.

    A context manager, and a decorator of functions, coroutine functions and (async) generator functions, whose bodies
    then run in it. One object can be entered any number of times, nested in itself and from many threads. Blocks nest,
    and each adds; of nested blocks the strictest policy counts.

    Args:
        constraints: One constraint, or a collection of them.
        on_specialize: What to do when a compiled program forces a declared name to one value: ``"allow"`` it,
            ``"warn"``, or raise an ``"error"``.
        on_new_guard: The same for when it needs a guard that the constraints don't imply.
        on_missing: The same for when a function is compiled to which a name of the block doesn't arrive.

    Raises:
        ConstraintSyntaxError: A text is not a constraint, or a policy is none.
        InconsistentConstraintsError: Nothing satisfies the constraints, or, when it is entered, nothing satisfies them
            and those of the blocks around it; then nothing is entered.
        SpecializationError: Of the calls inside, as the policies say.
        UnboundNameError: Of the calls inside, as ``on_missing`` says.
        ArgumentError: There is more than one list of constraints.

    Example:
        >>> with dynamic_int_constraints(["s0 % 32 == 0", "s1 == 2*s0"]):
        ...     n = DynamicInt(64, name="s0")
        >>> @dynamic_int_constraints("s0 % 32 == 0", on_new_guard="error")
        ... def half(n):
        ...     return n // 2
        >>> half(n)
        DynamicInt(32, expression="s0 // 2")
    """

    def __init__(
        self,
        constraints: str | Constraint | Iterable[str | Constraint],
        *more: NoReturn,
        on_specialize: Policy = "allow",
        on_new_guard: Policy = "allow",
        on_missing: Policy = "warn",
    ) -> None:
        listed = as_tuple(constraints)
        place = calling_place("dynamic_int_constraints([...])")
        try:
            one_argument("dynamic_int_constraints", constraints, more, '; a policy is given as on_specialize="warn"')
            check_policy("on_specialize", on_specialize, _STRICTNESS)
            check_policy("on_new_guard", on_new_guard, _STRICTNESS)
            check_policy("on_missing", on_missing, _STRICTNESS)
            system = system_of(listed)
            check_names(system)
            check_consistent(system)
        except ConstraintError as error:
            raise located(error, place) from None
        self.constraints = tuple(place.constraint(c) for c in system.constraints)
        self.on_specialize = on_specialize
        self.on_new_guard = on_new_guard
        self.on_missing = on_missing

    def __enter__(self) -> Scope:
        outer = _current.get()
        inner = outer.entering(self)
        if outer.constraints:
            check_consistent(inner.system)
        _current.set(inner)
        return inner

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _current.set(_current.get().leaving(self))

    def __call__(self, function: _F) -> _F:
        """The function, its body running inside the block."""
        return cast("_F", wraps(function)(self._wrapper(function)))

    def __repr__(self) -> str:
        return f"dynamic_int_constraints({[c.text for c in self.constraints]!r})"

    def _wrapper(self, function: Callable[..., Any]) -> Callable[..., Any]:
        if inspect.isasyncgenfunction(function):
            return self._stepping_async(function)
        if inspect.isgeneratorfunction(function):
            return self._stepping(function)
        if inspect.iscoroutinefunction(function):

            async def awaiting(*args: Any, **kwargs: Any) -> Any:
                with self:
                    return await function(*args, **kwargs)

            return awaiting

        def calling(*args: Any, **kwargs: Any) -> Any:
            with self:
                return function(*args, **kwargs)

        return calling

    def _stepping(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """A generator function, as a further decorator sees: each step is taken inside the block, the rest outside."""

        def steps(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
            body = function(*args, **kwargs)
            step, argument = body.send, None
            while True:
                try:
                    with self:
                        item = step(argument)
                except StopIteration as stop:
                    return stop.value
                try:
                    step, argument = body.send, (yield item)
                except GeneratorExit:
                    with self:
                        body.close()
                    raise
                except BaseException as error:
                    step, argument = body.throw, error

        return steps

    def _stepping_async(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """An asynchronous generator function, each step taken inside the block."""

        async def steps(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
            body = function(*args, **kwargs)
            step, argument = body.asend, None
            while True:
                try:
                    with self:
                        item = await step(argument)
                except StopAsyncIteration:
                    return
                try:
                    step, argument = body.asend, (yield item)
                except GeneratorExit:
                    with self:
                        await body.aclose()
                    raise
                except BaseException as error:
                    step, argument = body.athrow, error

        return steps
