"""`declare`: a function's sizes, said once, where the function is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from os import PathLike
from types import FunctionType, MethodType
from typing import Any, TypeVar, overload

import torch

from dynconstraints.diagnostics.diagnostic import Diagnostic
from dynconstraints.diagnostics.errors import ArgumentError
from dynconstraints.ir.constraint import Constraint
from dynconstraints.pytorch._torch.compilation import (
    backend_of,
    compilation_of,
    compiled_alike,
    forget_graphs,
    forget_graphs_that_call,
    forward_hooks,
    inlining_frames,
)
from dynconstraints.pytorch.declarations.moments import FIRST_DECLARATION
from dynconstraints.pytorch.declarations.user_location import Place, calling_place
from dynconstraints.pytorch.signatures.checked import (
    after_forward,
    before_forward,
    checked,
    signature_on,
    undeclared,
)
from dynconstraints.pytorch.signatures.parameters import Parameters, parameters_of_module
from dynconstraints.pytorch.signatures.registry import (
    forward_codes,
    register_module,
    signature_of_code,
    signature_of_module,
)
from dynconstraints.pytorch.signatures.said import Said
from dynconstraints.signature.signature import Check, OnMissing, Signature

_F = TypeVar("_F", bound=Callable[..., Any])


@overload
def declare(
    function: _F,
    shapes: Mapping[str, str] | None = None,
    /,
    *,
    constraints: str | Constraint | Iterable[str | Constraint] | PathLike[str] = (),
    returns: str | Mapping[str, str] | tuple[str, ...] | None = None,
    on_missing: OnMissing = "warn",
    check: Check = "always",
    **texts: str,
) -> _F: ...


@overload
def declare(
    function: None = None,
    shapes: Mapping[str, str] | None = None,
    /,
    *,
    constraints: str | Constraint | Iterable[str | Constraint] | PathLike[str] = (),
    returns: str | Mapping[str, str] | tuple[str, ...] | None = None,
    on_missing: OnMissing = "warn",
    check: Check = "always",
    **texts: str,
) -> Callable[[_F], _F]: ...


@overload
def declare(
    shapes: Mapping[str, str],
    /,
    *,
    constraints: str | Constraint | Iterable[str | Constraint] | PathLike[str] = (),
    returns: str | Mapping[str, str] | tuple[str, ...] | None = None,
    on_missing: OnMissing = "warn",
    check: Check = "always",
    **texts: str,
) -> Callable[[_F], _F]: ...


def declare(
    function: Any = None,
    shapes: Any = None,
    /,
    *,
    constraints: Any = (),
    returns: Any = None,
    on_missing: OnMissing = "warn",
    check: Check = "always",
    **texts: str,
) -> Any:
    """Declare the sizes of a function's arguments, where the function is.

    The text of a parameter is the shape of a tensor: sizes with blanks between them, each a name, an expression without
    blanks (``2*h``), a number, ``_`` for one that is not declared, or ``...`` for any number of such. That of an int is
    an expression, of a float a name. What is inside a container has a path: ``{"batch.image": "b 3 h w"}``, with ``*``
    for each of several. What is None, or not passed, declares nothing.

    No tensor is touched. When the function is compiled, before or after it is declared, the graph serves the declared
    domain; each call is checked, by the guards of its graph, or, in eager, when it is made.

    Args:
        function: A function, method or module, compiled or not; left out where this is a decorator.
        shapes: The texts by path, for paths with dots and parameters that are called like those of `declare`.
        constraints: One constraint, a collection of them, a `ConstraintSystem`, or the path of a ``.dync`` file.
        returns: The shape of what is returned, under whose names other compiled functions then get it; of a container
            by path, or one text for each member of a tuple.
        on_missing: What to do when a function is compiled to which a declared name does not arrive: ``"allow"`` it,
            ``"warn"``, once a function, or raise an ``"error"``.
        check: ``"always"`` checks calls in eager, too; ``"compiled"`` those of compiled functions alone.
        **texts: The texts of parameters.

    Returns:
        The module itself; of a function one that does the same. Without a function, a decorator.

    Raises:
        ConstraintSyntaxError: A text is no shape or no constraint, or a policy is none.
        ArgumentError: There is no such parameter, or nothing that can be declared.
        InconsistentConstraintsError: Nothing satisfies the constraints.

    Example:
        >>> import torch
        >>> @torch.compile
        ... @declare(x="b 3 h w", mask="b h w", constraints=["h % 32 == 0", "w % 32 == 0"])
        ... def masked(x, mask):
        ...     return x * mask[:, None]
        >>> masked(torch.ones(2, 3, 64, 96), torch.ones(2, 64, 96)).shape
        torch.Size([2, 3, 64, 96])
        >>> try:
        ...     masked(torch.ones(2, 3, 40, 64), torch.ones(2, 40, 64))
        ... except ConstraintError as error:
        ...     print(str(error).splitlines()[0])
        error[DC301]: constraint violated: h % 32 == 0
    """
    if isinstance(function, Mapping) and shapes is None:
        function, shapes = None, function
    given = {**_mapping(shapes), **texts}
    place = calling_place(_origin(function, given))
    said = Said(given, constraints, returns, on_missing, check, place)
    if function is None:
        return partial(_declared, said)
    return _declared(said, function)


def _declared(said: Said, target: Any) -> Any:
    FIRST_DECLARATION.come()
    if isinstance(target, torch.nn.Module):
        return _declared_module(said, target)
    if isinstance(target, staticmethod | classmethod):
        return type(target)(_declared(said, target.__func__))
    compilation = compilation_of(target)
    if compilation is not None:
        inner = _declared(said, target._torchdynamo_orig_callable)  # noqa: SLF001  torch names what it compiled so
        return compiled_alike(compilation, inner, backend_of(compilation))
    if isinstance(target, partial):
        return partial(_declared(said, target.func), *target.args, **target.keywords)
    if isinstance(target, MethodType):
        return MethodType(_declared_function(said, target.__func__, target), target.__self__)
    if not isinstance(target, FunctionType):
        raise _no_function(target, said.place)
    return _declared_function(said, target, target)


def _declared_function(said: Said, function: Any, seen: Any) -> Any:
    earlier = signature_on(function)
    plain = undeclared(function)
    parameters = Parameters.of(seen)
    signature = said.signature(plain, parameters, plain.__name__)
    return checked(plain, signature if earlier is None else _joined(earlier, signature))


def _declared_module(said: Said, module: torch.nn.Module) -> torch.nn.Module:
    held = _inner(module)
    kind = type(held)
    signature = said.signature(undeclared(kind.forward), parameters_of_module(held), kind.__name__)
    earlier = signature_of_module(held)
    if earlier is not None:
        signature = _joined(earlier, signature)
    register_module(held, signature)
    for code in (*forward_codes(held), *inlining_frames()):
        forget_graphs(code)
    forget_graphs_that_call(held)
    if before_forward not in forward_hooks(held) and signature.check == "always":
        held.register_forward_pre_hook(before_forward, with_kwargs=True)
    if after_forward not in forward_hooks(held) and signature.returns:
        held.register_forward_hook(after_forward, with_kwargs=True)
    return module


def _inner(module: Any) -> Any:
    """The module that a compiled module, or a wrapper that takes whatever it takes, stands for."""
    while True:
        held = getattr(module, "_orig_mod", None)
        if held is None and not parameters_of_module(module).names:
            held = getattr(module, "module", None)
        if not isinstance(held, torch.nn.Module):
            return module
        module = held


def _joined(earlier: Signature, later: Signature) -> Signature:
    """Both declarations of one function; where they are about the same path, the later one."""
    return Signature(
        {**earlier.arguments, **later.arguments},
        {**earlier.returns, **later.returns},
        earlier.system & later.system,
        later.on_missing,
        later.check,
        later.name,
        later.file,
        later.line,
    )


def _mapping(shapes: Any) -> Mapping[str, Any]:
    if shapes is None or isinstance(shapes, Mapping):
        return shapes or {}
    place = calling_place(f"declare(..., {shapes!r})")
    what = f"shapes are a mapping from paths to texts, not of type {type(shapes).__name__}"
    fix = 'write declare(f, x="b 3 h w"), or declare(f, {"batch.image": "b 3 h w"})'
    raise ArgumentError(Diagnostic("DC155", what, (place.label(repr(shapes)),), help=(fix,)))


def _origin(function: Any, texts: Mapping[str, Any]) -> str:
    name = getattr(function, "__name__", None) or ("" if function is None else type(function).__name__)
    said = (f'{path}="{text}"' for path, text in texts.items())
    return f"declare({', '.join([*((name,) if name else ()), *said])})"


def _no_function(target: Any, place: Place) -> ArgumentError:
    what = f"functions, methods and modules can be declared, not {type(target).__name__}"
    fix = "declare the method that is called: declare(obj.method, ...)"
    return ArgumentError(Diagnostic("DC155", what, (place.label(place.origin),), help=(fix,)))


def signature_of(target: Any) -> Signature | None:
    """The signature of a declared function or module.

    Args:
        target: The function or module, compiled or not.

    Returns:
        Its signature; None where nothing was declared.

    Example:
        >>> signature_of(declare(lambda x: x, x="n")).names
        ('n',)
    """
    if isinstance(target, torch.nn.Module):
        return signature_of_module(_inner(target))
    if isinstance(target, partial):
        return signature_of(target.func)
    inner = getattr(target, "__func__", target)
    if compilation_of(target) is not None:
        return signature_of(target._torchdynamo_orig_callable)  # noqa: SLF001  torch names what it compiled so
    found = signature_on(inner)
    code = getattr(inner, "__code__", None)
    return found if found is not None or code is None else signature_of_code(code)
