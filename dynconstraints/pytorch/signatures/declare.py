"""`declare`: a function's sizes, said once, where the function is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from functools import partial
from os import PathLike, fspath
from types import FunctionType, MethodType
from typing import Any, TypeVar, get_args, overload

import torch

from dynconstraints.diagnostics.diagnostic import Diagnostic, Severity
from dynconstraints.diagnostics.errors import ArgumentError, ConstraintError, UnboundNameError
from dynconstraints.ir.constraint import Constraint
from dynconstraints.pytorch._torch.compilation import (
    backend_of,
    compilation_of,
    compiled_alike,
    forget_graphs,
    forward_hooks,
)
from dynconstraints.pytorch.declarations.check_constraints import check_consistent, check_names, check_policy
from dynconstraints.pytorch.declarations.moments import FIRST_DECLARATION
from dynconstraints.pytorch.declarations.user_location import Place, calling_place, calling_variables, located
from dynconstraints.pytorch.declarations.warning import warn
from dynconstraints.pytorch.signatures.annotations import annotated
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
from dynconstraints.signature.shape import Shape, read_shape
from dynconstraints.signature.signature import Check, OnMissing, Signature
from dynconstraints.system import ConstraintSystem

_F = TypeVar("_F", bound=Callable[..., Any])
_DOMAIN = "str | Constraint | Iterable[str | Constraint] | ConstraintSystem"
_SELF = 1


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
    options = _Options(given, constraints, returns, on_missing, check, place)
    if function is None:
        return partial(_declared, options)
    return _declared(options, function)


class _Options:
    """What a call of `declare` says, apart from the function."""

    def __init__(
        self, texts: Mapping[str, Any], constraints: Any, returns: Any, on_missing: Any, check: Any, place: Place
    ) -> None:
        self.texts, self.place, self.on_missing, self.check = texts, place, on_missing, check
        self.is_shared = isinstance(constraints, ConstraintSystem | PathLike)
        try:
            check_policy("on_missing", on_missing, get_args(OnMissing))
            check_policy("check", check, get_args(Check))
            self.system = _domain(constraints)
            check_names(self.system)
            check_consistent(self.system)
            self.shapes = {path: _shape(path, text, place) for path, text in texts.items()}
            self.returns = {path: _shape("returns", text, place) for path, text in _returned(returns).items()}
        except ConstraintError as error:
            raise located(error, place) from None

    def signature(self, target: Any, parameters: Parameters, name: str) -> Signature:
        """The signature of a function, with what its annotations say."""
        try:
            shapes = {_path(path, parameters, name, self.place): shape for path, shape in self.shapes.items()}
            told = annotated(target, calling_variables())
            arguments = {**told.arguments, **shapes}
            if not arguments:
                raise _nothing(name, self.place)
            system = self.system.extend(told.constraints) if told.constraints else self.system
            check_consistent(system)
            returns = self.returns or told.returns
            signature = Signature(arguments, returns, system, self.on_missing, self.check, name)
            _check_known(signature, self.place)
            if not self.is_shared:
                _check_told(signature, self.place)
        except ConstraintError as error:
            raise located(error, self.place) from None
        return signature.placed(self.place.file, self.place.line)


def _declared(options: _Options, target: Any) -> Any:
    FIRST_DECLARATION.come()
    if isinstance(target, torch.nn.Module):
        return _declared_module(options, target)
    if isinstance(target, staticmethod | classmethod):
        return type(target)(_declared(options, target.__func__))
    compilation = compilation_of(target)
    if compilation is not None:
        inner = _declared(options, target._torchdynamo_orig_callable)  # noqa: SLF001  torch names what it compiled so
        return compiled_alike(compilation, inner, backend_of(compilation))
    if isinstance(target, partial):
        return partial(_declared(options, target.func), *target.args, **target.keywords)
    if isinstance(target, MethodType):
        return MethodType(_declared_function(options, target.__func__, target), target.__self__)
    if not isinstance(target, FunctionType):
        raise _no_function(target, options.place)
    return _declared_function(options, target, target)


def _declared_function(options: _Options, function: Any, seen: Any) -> Any:
    earlier = signature_on(function)
    plain = undeclared(function)
    parameters = Parameters.of(seen)
    signature = options.signature(plain, parameters, plain.__name__)
    return checked(plain, signature if earlier is None else _joined(earlier, signature))


def _declared_module(options: _Options, module: torch.nn.Module) -> torch.nn.Module:
    held = _inner(module)
    kind = type(held)
    signature = options.signature(undeclared(kind.forward), parameters_of_module(held), kind.__name__)
    earlier = signature_of_module(held)
    if earlier is not None:
        signature = _joined(earlier, signature)
    register_module(held, signature)
    for code in forward_codes(held):
        forget_graphs(code)
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


def _domain(given: Any) -> ConstraintSystem:
    if isinstance(given, ConstraintSystem):
        return given
    if isinstance(given, PathLike):
        return ConstraintSystem.from_file(fspath(given))
    return ConstraintSystem(given)


def _mapping(shapes: Any) -> Mapping[str, Any]:
    if shapes is None or isinstance(shapes, Mapping):
        return shapes or {}
    place = calling_place(f"declare(..., {shapes!r})")
    what = f"shapes are a mapping from paths to texts, not of type {type(shapes).__name__}"
    fix = 'write declare(f, x="b 3 h w"), or declare(f, {"batch.image": "b 3 h w"})'
    raise ArgumentError(Diagnostic("DC155", what, (place.label(repr(shapes)),), help=(fix,)))


def _returned(returns: Any) -> Mapping[str, Any]:
    if returns is None:
        return {}
    if isinstance(returns, Mapping):
        return returns
    if isinstance(returns, tuple | list):
        return {str(index): text for index, text in enumerate(returns)}
    return {"": returns}


def _shape(path: str, text: Any, place: Place) -> Shape:
    from dynconstraints.diagnostics.source import Source

    return read_shape(Source(text, f'{path}="{text}"', place.file, place.line))


def _path(path: str, parameters: Parameters, name: str, place: Place) -> str:
    """The path, from the parameter that takes what is passed by other names. Raises ArgumentError where none does."""
    first = path.partition(".")[0]
    if first in parameters.names or first in (parameters.rest, parameters.more):
        return path
    if parameters.more is not None:
        return f"{parameters.more}.{path}"
    close = get_close_matches(first, parameters.names, 1)
    known = ", ".join(parameters.names) or "none"
    fix = f"did you mean {close[0]}?" if close else f"its parameters: {known}"
    raise ArgumentError(
        Diagnostic("DC406", f"{name} has no parameter {first}", (place.label(f"{path}="),), help=(fix,))
    )


def _check_known(signature: Signature, place: Place) -> None:
    """Raises UnboundNameError where no argument could ever tell a name that the results speak of."""
    known = set(signature.names)
    for shape in signature.returns.values():
        unknown = sorted(shape.names - known)
        if unknown:
            raise UnboundNameError(
                Diagnostic(
                    "DC401",
                    f"no argument says what {unknown[0]} is, which the result is declared by",
                    (place.label(f'"{shape}"'),),
                    help=("name it in the shape of an argument, or write _ for a size that is not declared",),
                ),
                unknown[0],
            )


def _check_told(signature: Signature, place: Place) -> None:
    """Say of names in the constraints that no argument tells them, as a domain that is shared may have, but no list."""
    missing = [name for name in signature.system.symbols if name not in signature.names]
    if not missing or signature.on_missing == "allow":
        return
    labels = [
        place.constraint(c).label() for c in signature.system.constraints if not set(missing).isdisjoint(c.symbols)
    ]
    close = get_close_matches(missing[0], signature.names, 1)
    told = f"did you mean {close[0]}?" if close else "name it in the shape of an argument"
    fix = f"{told}; of a domain that several functions share, pass a ConstraintSystem"
    message = f"declared, but no argument has it: {', '.join(missing)}"
    severity: Severity = "error" if signature.on_missing == "error" else "warning"
    error = UnboundNameError(Diagnostic("DC407", message, tuple(labels), help=(fix,), severity=severity), missing[0])
    if severity == "error":
        raise error
    warn(str(error), place.file, place.line)


def _origin(function: Any, texts: Mapping[str, Any]) -> str:
    name = getattr(function, "__name__", None) or ("" if function is None else type(function).__name__)
    said = (f'{path}="{text}"' for path, text in texts.items())
    return f"declare({', '.join([*((name,) if name else ()), *said])})"


def _nothing(name: str, place: Place) -> ArgumentError:
    fix = 'write declare(f, x="b 3 h w"), or annotate the parameters: x: Annotated[Tensor, Dims("b 3 h w")]'
    return ArgumentError(
        Diagnostic("DC406", f"nothing is declared of {name}", (place.label(place.origin),), help=(fix,))
    )


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
