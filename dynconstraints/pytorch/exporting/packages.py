"""AOTInductor's packages of declared programs: the check is compiled in, and the kernels know the facts.

What the package holds is C++ without this package: it refuses a call with the text of the constraint. In a process with
this package the user gets the error that compiled functions raise.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import torch

from dynconstraints.diagnostics.diagnostic import Diagnostic
from dynconstraints.diagnostics.errors import UnsupportedTorchError
from dynconstraints.interop.cpp import emit
from dynconstraints.interop.emission import Subject
from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.fold import names as names_of
from dynconstraints.ir.fold import substitute_term
from dynconstraints.ir.nodes import Add, FloorDiv, Int, Mul, Name, Neg, Term
from dynconstraints.pytorch._torch import exporting as upstream
from dynconstraints.pytorch._torch import packaging
from dynconstraints.pytorch.declarations.declaration import system_of
from dynconstraints.pytorch.declarations.user_location import calling_line
from dynconstraints.pytorch.declarations.warning import warn
from dynconstraints.pytorch.exporting.contract import METADATA, Contract
from dynconstraints.pytorch.exporting.definitions import Definitions
from dynconstraints.pytorch.exporting.programs import OUTSIDE, conditions, strongest
from dynconstraints.pytorch.frame.frame_facts import FrameFacts
from dynconstraints.pytorch.guards.policies import narrowings

_QUOTIENT = """
static inline int64_t dynconstraints_quotient(int64_t a, int64_t b) {
    return b == 0 ? 0 : a / b - (a % b != 0 && (a < 0) != (b < 0));
}
"""
"""Python's floor division; 0 by 0, which the checker refuses then."""

_NAMESPACE = re.compile(r"namespace (\w+) \{")


@dataclass
class Packaged:
    """A program that AOTInductor compiles: its contract, and what its ShapeEnv knows, if it does."""

    contract: Contract
    facts: FrameFacts | None


_current: ContextVar[Packaged | None] = ContextVar("dynconstraints_packaging", default=None)


@contextmanager
def while_packaged(packaged: Packaged) -> Iterator[None]:
    """While open, the program is compiled."""
    token = _current.set(packaged)
    try:
        yield
    finally:
        _current.reset(token)


def write_check(wrapper: Any) -> None:
    """Write the check where the code of the package has its inputs, and has looked at none."""
    found = _current.get()
    if found is None or not packaging.is_entry_of_package():
        return
    if found.facts is not None:  # what Inductor has asked since
        found.contract = found.contract.narrowed_by(conditions(narrowings(found.facts, "warn", strongest(found.facts))))
    header, call = check_in_cpp(found.contract)
    wrapper.header.splice(_QUOTIENT)
    wrapper.header.splice(header)
    wrapper.prefix.splice(call)


def symbols_defined() -> dict[Any, str] | None:
    """The parameters of the program as code over its inputs; None where a name's value is not told by sums and
    quotients, or the ShapeEnv does not know the contract."""
    found = _current.get()
    if found is None or found.facts is None or not packaging.is_entry_of_package():
        return None
    definitions = Definitions(found.contract)
    terms = found.facts.parameter_terms()
    if any(names_of(term) - definitions.values.keys() for term in terms.values()):
        return None
    symbols = {}
    for name, term in terms.items():
        symbol = found.facts.env.replace(found.facts.parameters[name].symbol)
        if symbol.is_Symbol:
            over = substitute_term(term, {n: definitions.over_sizes(n) for n in names_of(term)})
            symbols[symbol] = _written(over, _sizes(definitions, over))
    return symbols


def check_in_cpp(contract: Contract) -> tuple[str, str]:
    """The checker, and the code that calls it with the inputs of the package; warns of what it leaves out."""
    definitions = Definitions(contract)
    system = system_of(definitions.checked, frozenset(contract.floats))
    emission = emit(Subject(system, {}, "package"))
    left = (*definitions.left, *(one.constraint for one in emission.left))
    if left:
        _tell_left(left)
    if not emission.held:
        return "", ""
    names = dict.fromkeys(name for c in emission.held for name in c.symbols)
    values = ", ".join(_value(definitions, name) for name in names)
    (space,) = _NAMESPACE.findall(emission.text)[:1]
    call = f"""
    {{
        const std::string violated = {space}::violation({values});
        if (!violated.empty()) {{
            throw std::runtime_error(violated);
        }}
    }}
    """
    return emission.text, call


def _value(definitions: Definitions, name: str) -> str:
    """What the checker is given for a name."""
    if name in definitions.contract.floats:
        return definitions.contract.floats[name].hex()
    term = Name(name) if name in definitions.places else definitions.over_sizes(name)
    return _written(term, _sizes(definitions, term))


def _sizes(definitions: Definitions, term: Term) -> dict[str, str]:
    """How the code of the package reaches the sizes in a term."""
    sizes = {}
    for size in names_of(term):
        place = definitions.places[size]
        argument = packaging.input_of_package(place.leaf)
        sizes[size] = argument if place.dimension is None else f"{argument}.sizes()[{place.dimension}]"
    return sizes


def _written(term: Term, sizes: dict[str, str]) -> str:
    match term:
        case Int(value):
            return f"INT64_C({value})"
        case Name(id):
            return sizes[id]
        case Neg(operand):
            return f"(-{_written(operand, sizes)})"
        case Add(terms):
            return f"({' + '.join(_written(t, sizes) for t in terms)})"
        case Mul(factors):
            return f"({' * '.join(_written(f, sizes) for f in factors)})"
        case FloorDiv(dividend, divisor):
            return f"dynconstraints_quotient({_written(dividend, sizes)}, {_written(divisor, sizes)})"
        case _:
            raise TypeError(f"no definition has {type(term).__name__}")


def _tell_left(left: tuple[Constraint, ...]) -> None:
    said = Diagnostic(
        "DC703",
        f"the package checks less than is declared: {'; '.join(c.line for c in left[:3])}",
        tuple(c.label() for c in left[:3]),
        ("what names stand for has to follow from the sizes by sums and quotients",),
        ("in Python, with dynconstraints imported, calls of the package are checked in full",),
        "warning",
    )
    warn(str(UnsupportedTorchError(said)), *calling_line(beyond=OUTSIDE))


def tell_unknown(contract: Contract) -> None:
    """Warn of a package whose kernels are made without what is declared; its check is none the less."""
    mine = contract.constraints
    said = Diagnostic(
        "DC703",
        "the package checks what is declared, and its kernels are made without it",
        tuple(c.label() for c in mine[:3]),
        ("the sizes of the program from the file are other expressions than the declaration makes them",),
        ("export the program and make the package of it in one process",),
        "warning",
    )
    warn(str(UnsupportedTorchError(said)), *calling_line(beyond=OUTSIDE))


def metadata_of(contract: Contract) -> dict[str, str]:
    """What a package has for those who load it."""
    return {METADATA: json.dumps(contract.to_json())}


def check_call_of_package(model: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Raises the ConstraintError of a call of a package that breaks its contract."""
    contract = _contract_of(model)
    if contract is not None:
        contract.check(packaging.flat_of_package(model, args, kwargs))


def _contract_of(model: Any) -> Contract | None:
    known = model.__dict__.get("_dynconstraints", _UNKNOWN)
    if known is _UNKNOWN:
        text = model.get_metadata().get(METADATA)
        known = model._dynconstraints = None if text is None else Contract.from_json(json.loads(text))  # noqa: SLF001
    return known  # type: ignore[no-any-return]


_UNKNOWN = object()


def with_tensors(model: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of a package's call, its declared ints as the tensors that it takes."""
    contract = _contract_of(model)
    numbers = set() if contract is None else {p.leaf for p in contract.places if p.dimension is None}
    if not numbers:
        return args, kwargs
    ordered = packaging.ordered_for_package(model, kwargs)
    count = iter(range(1 << 30))

    def change(value: Any) -> Any:
        is_number = next(count) in numbers and isinstance(value, int)
        return torch.tensor(int(value)) if is_number else value

    return upstream.mapped_leaves(change, (args, ordered))  # type: ignore[no-any-return]
