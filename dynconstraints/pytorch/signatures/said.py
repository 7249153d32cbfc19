"""What a call of `declare` says, checked for all that doesn't depend on a call of the function."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from os import PathLike, fspath
from typing import Any, get_args

from dynconstraints.diagnostics.diagnostic import Diagnostic, Severity
from dynconstraints.diagnostics.errors import ArgumentError, ConstraintError, UnboundNameError
from dynconstraints.diagnostics.source import Source
from dynconstraints.pytorch.declarations.check_constraints import check_consistent, check_names, check_policy
from dynconstraints.pytorch.declarations.user_location import Place, calling_variables, located
from dynconstraints.pytorch.declarations.warning import warn
from dynconstraints.pytorch.signatures.annotations import annotated
from dynconstraints.pytorch.signatures.parameters import Parameters
from dynconstraints.pytorch.signatures.specs import specified
from dynconstraints.signature.shape import Shape, read_shape
from dynconstraints.signature.signature import Check, OnMissing, Signature
from dynconstraints.system import ConstraintSystem


class Said:
    """The texts, constraints and policies, apart from the function. Raises the ConstraintError of what is wrong."""

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
            told, spec = annotated(target, calling_variables()), specified(target)
            arguments = {**spec.arguments, **told.arguments, **shapes}
            if not arguments:
                raise _nothing(name, self.place)
            more = (*told.constraints, *spec.constraints)
            system = self.system.extend(more) if more else self.system
            check_consistent(system)
            returns = self.returns or told.returns
            signature = Signature(arguments, returns, system, self.on_missing, self.check, name)
            _check_known(signature, self.place)
            if not self.is_shared:
                _check_told(signature, self.place)
        except ConstraintError as error:
            raise located(error, self.place) from None
        return signature.placed(self.place.file, self.place.line)


def _domain(given: Any) -> ConstraintSystem:
    if isinstance(given, ConstraintSystem):
        return given
    if isinstance(given, PathLike):
        return ConstraintSystem.from_file(fspath(given))
    return ConstraintSystem(given)


def _returned(returns: Any) -> Mapping[str, Any]:
    if returns is None:
        return {}
    if isinstance(returns, Mapping):
        return returns
    if isinstance(returns, tuple | list):
        return {str(index): text for index, text in enumerate(returns)}
    return {"": returns}


def _shape(path: str, text: Any, place: Place) -> Shape:
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


def _nothing(name: str, place: Place) -> ArgumentError:
    fix = 'write declare(f, x="b 3 h w"), or annotate the parameters: x: Annotated[Tensor, Dims("b 3 h w")]'
    return ArgumentError(
        Diagnostic("DC406", f"nothing is declared of {name}", (place.label(place.origin),), help=(fix,))
    )
