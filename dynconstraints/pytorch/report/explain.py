"""`explain`: what was declared, what the compiler was told, what it still guards, and whether that covers it all."""

from __future__ import annotations

import inspect
import re
import types
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any, cast

import sympy
import torch

from dynconstraints.diagnostics.errors import ConstraintError
from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.evaluate import value_of
from dynconstraints.ir.fold import substitute_term
from dynconstraints.ir.nodes import Name, Not
from dynconstraints.ir.printer import show
from dynconstraints.pytorch._compat import plain_source, source_name
from dynconstraints.pytorch.frame import FrameFacts, Place
from dynconstraints.pytorch.observe import Frame
from dynconstraints.pytorch.policies import narrowings, open_guards, untold
from dynconstraints.pytorch.report.compiling import Backend, Way, original_of
from dynconstraints.pytorch.report.coverage import needed, within
from dynconstraints.pytorch.report.model import Graph, Remaining, Report
from dynconstraints.pytorch.symbolic import affine_to_term
from dynconstraints.solver.verdict import Implied, Open, Refuted
from dynconstraints.system import ConstraintSystem

_TRIES = 16
"""How many assignments are tried against a guard that the language has no words for."""

_RESUMED = re.compile(r"torch_dynamo_resume_in_(\w+)_at_(\d+)")
"""What torch calls the rest of a function after a graph break."""


def explain(fn: Callable[..., Any], *args: Any, backend: Backend | None = None, **kwargs: Any) -> Report:
    """Compile the function for one call, apart from the user's own graphs, run it, and tell what it was compiled under.

    ``fn`` is a function or a module. A compiled one is judged as it was compiled, with its backend and its options, any
    other for Inductor, unless ``backend`` says otherwise. Of Inductor everything runs but the compilers of C++ and
    Triton. ``backend`` is no argument of the call; `explain_calls` takes calls as tuples. Raises what the call raises.
    """
    return explained(fn, ((args, kwargs),), backend)


def explain_calls(
    fn: Callable[..., Any], calls: Iterable[tuple[Any, ...]], *, backend: Backend | None = None
) -> Report:
    """As `explain`, of several calls, one after the other: the graphs that they need together, and who serves what.

    Each call is the tuple of its arguments. Raises ValueError where there is none, and what the calls raise.
    """
    return explained(fn, ((tuple(args), {}) for args in calls), backend)


def explained(
    fn: Callable[..., Any],
    calls: Iterable[tuple[tuple[Any, ...], Mapping[str, Any]]],
    backend: Backend | None = None,
) -> Report:
    """The report on a function and its calls, each the positional and the named arguments."""
    calls = list(calls)
    if not calls:
        raise ValueError("there is no call to look at: explain_calls(fn, [(x,), (y,)]), each a tuple of arguments")
    target, way = original_of(fn), Way.of(fn, backend)
    with way.observed(target) as (compiled, frames):
        for args, kwargs in calls:
            result = compiled(*args, **kwargs)
            if inspect.iscoroutine(result):  # it was compiled when it was made
                result.close()
    codes = list(dict.fromkeys(frame.code for frame in frames))
    graphs = (_graph(frame, codes.index(frame.code), _lost(frame, _parameters(target))) for frame in frames)
    return Report(title_of(target), tuple(graphs), way.backend_name, way.fullgraph)


def _parameters(target: Callable[..., Any]) -> AbstractSet[str]:
    try:
        return inspect.signature(target.forward if isinstance(target, torch.nn.Module) else target).parameters.keys()
    except (TypeError, ValueError):  # a builtin
        return set()


def _lost(frame: Frame, parameters: AbstractSet[str]) -> list[str]:
    """What comes over a graph break without a name, such as ``m = int(n)`` of code that is not compiled, may change
    with the names; the graph is for one value of it."""
    if not _is_resumed(frame):
        return []
    called = {n: "a value from before the graph break" if n.startswith("___stack") else n for n in frame.constants}
    return [f"{called[name]} == {value}" for name, value in frame.constants.items() if name not in parameters]


def title_of(fn: Callable[..., Any]) -> str:
    """What the function, or the module, is called."""
    return getattr(fn, "__qualname__", type(fn).__name__)


def title_of_code(code: types.CodeType | None) -> str:
    """The function and where it is; of the rest of one, after a graph break, the line that it goes on from."""
    if code is None:
        return "?"
    file = Path(code.co_filename).name
    resumed = _RESUMED.fullmatch(code.co_name)
    if resumed is not None:
        return f"{resumed[1]} from {file}:{resumed[2]} on"
    return f"{code.co_name} at {file}:{code.co_firstlineno}"


def _is_resumed(frame: Frame) -> bool:
    return frame.code is not None and _RESUMED.fullmatch(frame.code.co_name) is not None


def _graph(frame: Frame, number: int, lost: Sequence[str]) -> Graph:
    facts, code = frame.facts, title_of_code(frame.code)
    if facts is None:
        unknown = ConstraintSystem()
        resumed = _is_resumed(frame)
        return Graph(code, number, {}, (), (), (), frame.guards, (), frame.guards, (0, 0.0), unknown, (), {}, resumed)
    mixed = [untold(facts, guard.expr) for guard, on_undeclared in open_guards(facts) if on_undeclared]
    said = {*facts.scope.constraints, *(c for member in facts.members.values() for c in member.constraints)}
    terms = facts.parameter_terms()
    given = facts.computed.places
    places = dict.fromkeys((_place(p), p.name) for p in facts.places if not (p.name in given and _is_nameless(p)))
    places |= dict.fromkeys((str(place), name) for name, place in given.items())
    return Graph(
        code,
        number,
        {**facts.values, **cast("dict[str, int]", facts.floats.values)},
        tuple(places),
        tuple(_declared(facts, said)),
        tuple(_lattice(facts)),
        frame.guards,
        tuple(needed(facts.system, list(_remaining(facts)))),
        (*map(str, mixed), *lost),
        (facts.asked, facts.seconds),
        facts.system,
        tuple(facts.parameters),
        {n: substitute_term(facts.term_of(n), terms) for n in facts.rows if n not in facts.parameters},
        _is_resumed(frame),
    )


def _declared(facts: FrameFacts, said: AbstractSet[Constraint]) -> Iterator[tuple[str, str | None]]:
    """The constraints that the user said, each with where, if that is known; of computed values, too."""
    for constraint in (*facts.constraints, *facts.real_constraints):
        if constraint in said:
            yield constraint.text, _where(facts, constraint)
    for constraint in facts.computed.constraints:
        places = [facts.computed.places[n] for n in constraint.symbols if n in facts.computed.places]
        if constraint not in said:
            yield constraint.text, str(places[0]) if places else None


def _remaining(facts: FrameFacts) -> Iterator[Remaining]:
    for narrowing in narrowings(facts):
        condition = narrowing.condition
        if narrowing.bounds is not None:
            true, false = narrowing.bounds
        else:
            true, false = condition, None if condition is None else Not(condition)
        verdict = None if true is None else facts.system.implies(Constraint.of(true))
        if isinstance(verdict, Implied):
            continue
        if isinstance(verdict, Refuted) and narrowing.bounds is None:
            # The call that was traced satisfies both, so this cannot be.
            raise RuntimeError(f"a guard contradicts the declaration: {narrowing.text}")
        if false is not None:
            fails_at = within(facts.system, false, facts.values)
        else:
            fails_at = None if narrowing.guard is None else _tried(facts, narrowing.guard)
        if fails_at is None and isinstance(verdict, Open) and narrowing.bounds is None:
            fails_at = verdict.fails_at
        asked = (narrowing.line, narrowing.name, narrowing.operation)
        yield Remaining(narrowing.text, *asked, fails_at, true, false, narrowing.asked_at)


def _tried(facts: FrameFacts, guard: Any) -> Mapping[str, int] | None:
    """An assignment within the declaration that fails a guard that the language has no words for, if trying finds one.

    The guard is computed as torch computes it for the call that it traces.
    """
    terms = facts.parameter_terms()
    try:
        samples = facts.system.sample(_TRIES)
    except ConstraintError:
        return None
    for values in samples:
        known = {symbol: values[name] for symbol, name in facts.floats.symbols.items() if name in values}
        known |= {p.symbol: value_of(terms[name], values) for name, p in facts.parameters.items() if name in values}
        if guard.free_symbols <= known.keys() and guard.xreplace(known) == sympy.false:
            return values
    return None


def _lattice(facts: FrameFacts) -> list[str]:
    lines = []
    for row in facts.rows.values():
        affine = row.affine
        term = affine_to_term(affine.constant, tuple((f"k_{name}", c) for name, c in affine.coefficients))
        lines.append(f"{row.name} = {show(term)}")
    state = facts.parameter_state()
    for name in facts.parameters:
        low, high = state.range_of(Name(name))
        lines.append(f"k_{name} in {'-oo' if low is None else low}..{'oo' if high is None else high}")
    return lines


def _is_nameless(place: Place) -> bool:
    """Whether the value comes over a graph break without a variable of the user's."""
    return "___stack" in source_name(place.source)


def _place(place: Place) -> str:
    """Where the value comes from, as the user writes it: ``x.size(2)``."""
    source = plain_source(source_name(place.source))
    return source if place.dimension is None else f"{source}.size({place.dimension})"


def _where(facts: FrameFacts, constraint: Constraint) -> str | None:
    if constraint.source.file is not None:
        return f"{constraint.source.file}:{constraint.source.line}"
    for member in facts.members.values():
        if constraint in member.constraints and member.place is not None:
            return str(member.place)
    return None
