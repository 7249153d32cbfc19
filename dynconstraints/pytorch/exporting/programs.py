"""An exported program under its contract: what torch made of it is looked over, and what runs it checks calls."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import sympy
import torch

from dynconstraints.diagnostics.diagnostic import Diagnostic
from dynconstraints.diagnostics.errors import UnsupportedTorchError
from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.nodes import Name, Relation, comparison
from dynconstraints.pytorch._torch import exporting as upstream
from dynconstraints.pytorch.declarations.declaration import system_of
from dynconstraints.pytorch.declarations.scope import current_scope
from dynconstraints.pytorch.declarations.user_location import calling_line
from dynconstraints.pytorch.declarations.warning import warn
from dynconstraints.pytorch.exporting.contract import Contract, carried, carry
from dynconstraints.pytorch.exporting.definitions import Definitions
from dynconstraints.pytorch.exporting.example import Example
from dynconstraints.pytorch.exporting.guards_text import guards_of
from dynconstraints.pytorch.exporting.tracing import is_exported
from dynconstraints.pytorch.frame.frame_facts import FrameFacts
from dynconstraints.pytorch.frame.restart import KEY
from dynconstraints.pytorch.guards.missing import enforce_arrival
from dynconstraints.pytorch.guards.narrowing import ExtraGuard, extra_guards
from dynconstraints.pytorch.guards.policies import narrowings
from dynconstraints.solver.reals.literals import literal
from dynconstraints.solver.verdicts import Implied

OUTSIDE = ("dynconstraints.", "torch.")
"""How names of modules begin that are not the user's."""


def facts_of(program: Any) -> FrameFacts | None:
    """What the program's ShapeEnv knows of its declaration."""
    found: FrameFacts | None = getattr(upstream.env_of_program(program), "__dict__", {}).get(KEY)
    return found


def put_under(program: Any, example: Example) -> None:
    """Have a program carry what its example declares, and enforce it. Raises where torch made something else of it."""
    facts = facts_of(program)
    sizes = [p for p in example.places if not isinstance(example.leaves[p.leaf].value, float)]
    if sizes and (facts is None or not _is_as_declared(program, facts, example)):
        raise _not_taken(example)
    found = [] if facts is None else list(narrowings(facts, "warn", strongest(facts)))
    carry(program.graph_module, example.contract(conditions(found)))
    _tell_floats(example)
    enforce(program)


def _is_as_declared(program: Any, facts: FrameFacts, example: Example) -> bool:
    """Whether each declared size is the expression that it was given, or what the program leaves of it."""
    inputs = upstream.placeholders_of(program)
    if len(inputs) != len(example.leaves):
        return False
    for place in example.places:
        if isinstance(example.leaves[place.leaf].value, float):
            continue
        value = inputs[place.leaf].meta["val"]
        size = value if place.dimension is None else value.shape[place.dimension]
        expected = facts.at(place.term)
        found = size.node.expr if isinstance(size, torch.SymInt) else sympy.Integer(size)
        if expected is not None and facts.env.replace(expected) != facts.env.replace(found):
            return False
    return True


def enforce(program: Any) -> None:
    """Have the guards of a program be those of the contract that it carries, and torch's own on other sizes."""
    contract = carried(program.graph_module)
    if contract is not None:
        facts = facts_of(program)
        others = upstream.guards_code(program, frozenset() if facts is None else _settled(facts))
        code = [*guards_of(Definitions(contract)), *_in_users_words(others, contract)]
        upstream.set_guards(program, code)


def _settled(facts: FrameFacts) -> frozenset[Any]:
    """The symbols of which the contract says all that torch guards."""
    if any(guard.condition is None or guard.bounds is not None for guard in extra_guards(facts)):
        return frozenset()
    return frozenset(parameter.symbol for parameter in facts.parameters.values())


def narrow_further(program: Any) -> None:
    """Have a program that was made of another by tracing it again carry what that trace asked besides."""
    contract = carried(program.graph_module)
    facts = facts_of(program)
    if contract is None or facts is None:
        return
    system = contract.system
    new = [
        guard
        for guard in strongest(facts)
        if guard.condition is None or not isinstance(system.implies(Constraint.of(guard.condition)), Implied)
    ]
    if new:
        carry(program.graph_module, contract.narrowed_by(conditions(narrowings(facts, "warn", new))))
        enforce(program)


def _in_users_words(code: Iterable[str], contract: Contract) -> Iterator[str]:
    """Guards of a strict trace, which knows inputs by number alone."""
    for guard in code:
        text = guard
        for entry in contract.inputs.values():
            text = text.replace(f"L['flat_args'][{entry.leaf}]", entry.access)
        yield text


def conditions(found: Iterable[ExtraGuard]) -> tuple[Constraint, ...]:
    """What narrows the declaration, as constraints of the program's."""
    exact = (n.condition for n in found if n.condition is not None and n.bounds is None)
    return tuple(Constraint.of(condition, "a condition of the program") for condition in exact)


def strongest(facts: FrameFacts) -> list[ExtraGuard]:
    """What narrows the declaration, without what follows from the rest of it."""
    found = list(extra_guards(facts))
    for guard in list(found):
        others = tuple(Constraint.of(g.condition) for g in found if g is not guard and g.condition is not None)
        if guard.condition is not None and guard.bounds is None:
            system = system_of((*facts.constraints, *others))
            if isinstance(system.implies(Constraint.of(guard.condition)), Implied):
                found.remove(guard)
    return found


class CheckedCalls:
    """A hook on a module that was made of a program: each call is checked by the contract, in the user's words."""

    def __init__(self, plain: dict[str, Any], names: tuple[str, ...]) -> None:
        self.plain, self.names = plain, names
        self._contract: Contract | None = None

    def __call__(self, module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Raises the ConstraintError of a call that breaks the contract."""
        if torch.compiler.is_dynamo_compiling() or not getattr(module, "validate_inputs", True):
            return
        if self._contract is None:
            self._contract = Contract.from_json(self.plain)
        ordered = {name: kwargs[name] for name in self.names if name in kwargs}
        leaves = upstream.flat(args, ordered)
        if any(not is_exported(size.node.shape_env) for size in upstream.symbols_of(leaves)):
            _tell_inside(self._contract)
        else:
            self._contract.check(leaves)

    def attach(self, module: Any) -> None:
        """Put the hook on a module."""
        module.register_forward_pre_hook(self, with_kwargs=True, prepend=True)

    def __reduce__(self) -> tuple[Any, ...]:
        return CheckedCalls, (self.plain, self.names)


def check_calls_of(module: Any, program: Any) -> None:
    """Put the hook on a module that was made of the program, if that carries anything."""
    contract = carried(program.graph_module)
    if contract is not None:
        hook = CheckedCalls(contract.to_json(), upstream.keyword_names(program))
        hook.attach(module)
        upstream.on_copies(module, hook.attach)


def tell_missing(
    module: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], facts: FrameFacts | None = None
) -> None:
    """Warn, or raise UnboundNameError, where a name of an open block is none of the example's."""
    code = getattr(inspect.unwrap(type(module).forward), "__code__", None)
    if current_scope().blocks and code is not None:
        leaves = upstream.leaves_of(module, args, kwargs)
        enforce_arrival(code, {leaf.path.partition(".")[0]: leaf.value for leaf in leaves}, facts)


def _tell_inside(contract: Contract) -> None:
    """Warn of a program that is traced inside of another, which has its inputs for symbols."""
    mine = contract.constraints
    said = Diagnostic(
        "DC703",
        "a program that was exported with a declaration is traced inside of another, which does not check it",
        tuple(c.label() for c in mine[:3]),
        help=("declare the inputs of the outer one, too, or torch.export.export(..., strict=True)",),
        severity="warning",
    )
    warn(str(UnsupportedTorchError(said)), *calling_line(beyond=OUTSIDE))


def _tell_floats(example: Example) -> None:
    """Warn of floats that are declared to have several values: a program has them for constants."""
    system = system_of(example.constraints, frozenset(example.floats))
    for name, value in example.floats.items():
        mine = tuple(c for c in example.constraints if name in c.symbols)
        only = Constraint.of(comparison(Name(name), Relation.EQ, literal(value)))
        if mine and isinstance(system.implies(only), Implied):
            continue
        said = Diagnostic(
            "DC703",
            f"torch.export takes no dynamic float: the program is for {name} = {value} alone",
            tuple(c.label() for c in mine[:3]),
            help=(f"pass {name} as a tensor without dimensions to have it dynamic, and check it before",),
            severity="warning",
        )
        warn(str(UnsupportedTorchError(said)), *calling_line(beyond=OUTSIDE))


def _not_taken(example: Example) -> UnsupportedTorchError:
    names = ", ".join(example.call.names)
    return UnsupportedTorchError(
        Diagnostic(
            "DC703",
            f"torch.export of torch {torch.__version__} made something else of {names} than is declared",
            tuple(c.label() for c in example.constraints[:3]),
            help=("torch.compile(f, fullgraph=True).aot_compile(...) saves a program with its declaration",),
        )
    )
