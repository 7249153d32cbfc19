"""`explain`: what was declared, what the compiler was told, what it still guards, and whether that covers it all."""

from __future__ import annotations

import inspect
import re
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import sympy

from dynconstraints.diagnostics.errors import ConstraintError
from dynconstraints.ir.constraint import Constraint
from dynconstraints.ir.evaluate import value_of
from dynconstraints.ir.fold import substitute_term
from dynconstraints.ir.nodes import Name, Not
from dynconstraints.ir.printer import show
from dynconstraints.pytorch._torch.compilation import settings_kept
from dynconstraints.pytorch._torch.shape_env import plain_source, source_name
from dynconstraints.pytorch.declarations.scope import current_scope
from dynconstraints.pytorch.frame.frame_facts import FrameFacts, Place
from dynconstraints.pytorch.frame.sympy_bridge import affine_to_term
from dynconstraints.pytorch.guards.narrowing import extra_guards, open_guards, untold
from dynconstraints.pytorch.install.observe import Frame
from dynconstraints.pytorch.reports.advice import Eager, in_normal_form, in_plain_words
from dynconstraints.pytorch.reports.compilation import Backend, Way, apart, original_of
from dynconstraints.pytorch.reports.coverage import needed, within
from dynconstraints.pytorch.reports.frame_inputs import Inputs
from dynconstraints.pytorch.reports.given_calls import Call, Given, calls_of
from dynconstraints.pytorch.reports.model import Doubt, Graph, ResidualGuard
from dynconstraints.pytorch.reports.report import Report
from dynconstraints.solver.verdicts import Implied, Open, Refuted
from dynconstraints.system import ConstraintSystem

_TRIES = 16
"""How many assignments are tried against a guard that the language has no words for."""

_RESUMED = re.compile(r"torch_dynamo_resume_in_(\w+)_at_(\d+)")
"""What torch calls the rest of a function after a graph break."""


_BASE = re.compile(r"[\w\[\]'\".]+\._base\b")
"""The base of a view, as torch's guards write it."""


def explain(fn: Callable[..., Any], *args: Any, backend: Backend | None = None, **kwargs: Any) -> Report:
    """Compile the function for one call, and report declarations, remaining guards and the lines they come from.

    A separate copy is compiled, apart from the user's own graphs, and run. A compiled function is judged as it was
    compiled, with its backend and its options, any other for Inductor, unless ``backend`` says otherwise. Of Inductor
    everything runs but the compilers of C++ and Triton.

    Args:
        fn: A function or a module, compiled or not.
        args: The positional arguments of the call.
        backend: The backend to judge for, as torch.compile takes it; no argument of the call.
        kwargs: Its named arguments.

    Returns:
        A Report; ``covers_domain`` is True where the graphs are proved to serve all that is declared, False where an
        input is known that compiles anew, None where neither is known.

    Raises:
        Exception: What the call itself raises.

    Example:
        >>> import torch
        >>> def halves(x, n):
        ...     return x.view(2, n // 2) * 2
        >>> n = DynamicInt(64, name="n", constraints=["n % 2 == 0", "n >= 2"])
        >>> report = explain(halves, name_dims(torch.ones(64), {0: n}), n)
        >>> len(report.graphs), report.covers_domain
        (1, True)
    """
    return explained(fn, ((args, kwargs),), backend)


def explain_calls(fn: Callable[..., Any], calls: Iterable[Given], *, backend: Backend | None = None) -> Report:
    """As `explain`, of several calls, one after the other: the graphs that they need together, and who serves what.

    Args:
        fn: A function or a module, compiled or not.
        calls: The calls, each the tuple of its arguments, or a mapping of them by name.
        backend: The backend to judge for, as `explain` takes it.

    Returns:
        A Report of all their graphs.

    Raises:
        ArgumentError: A call is no tuple or mapping of arguments, or there is none.
        Exception: What the calls themselves raise.

    Example:
        >>> import torch
        >>> def doubled(x):
        ...     return x * 2
        >>> len(explain_calls(doubled, [(torch.ones(4),), {"x": torch.ones(4)}]).graphs)
        1
    """
    return explained(fn, calls_of(calls, "explain_calls"), backend)


def explained(
    fn: Callable[..., Any],
    calls: Iterable[Call],
    backend: Backend | None = None,
) -> Report:
    """The report on a function and its calls, each the positional and the named arguments."""
    calls = list(calls)
    target, way = original_of(fn), Way.of(fn, backend)
    own, are_settings_kept = apart(target), settings_kept()
    with way.observed(own) as (compiled, frames):
        for args, kwargs in calls:
            result = compiled(*args, **kwargs)
            if inspect.iscoroutine(result):  # it was compiled when it was made
                result.close()
    codes = list(dict.fromkeys(frame.code for frame in frames))
    inputs = Inputs(frames, code_of(own), are_settings_kept())
    eager = Eager(target, calls)
    graphs = tuple(eager.judged(_graph(frame, codes.index(frame.code), inputs)) for frame in frames)
    report = Report(title_of(target), graphs, way.backend_name, way.fullgraph, tuple(inputs.doubts()))
    met = {name for graph in graphs for name in graph.values}
    missing = tuple(name for name in current_scope().system.symbols if name not in met)
    return replace(report, fails_in_eager=_failure(report, eager), missing=missing if frames else ())


def _failure(report: Report, eager: Eager) -> str | None:
    """What eager raises for the report's counterexample; None where nothing, or that isn't known."""
    split = next((s for s in report.splits if s.counterexample is not None), None)
    if split is None or split.counterexample is None:
        return None
    told = [r for g in split.graphs for r in g.remaining if r.fails_at == split.counterexample]
    return told[0].fails_in_eager if told else eager.failure(split.graphs[-1], split.counterexample)


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


def code_of(function: Callable[..., Any]) -> types.CodeType:
    """The code of what `apart` gives."""
    found: types.CodeType = getattr(function, "__func__", function).__code__
    return found


def _is_resumed(frame: Frame) -> bool:
    return frame.code is not None and _RESUMED.fullmatch(frame.code.co_name) is not None


def _graph(frame: Frame, number: int, inputs: Inputs) -> Graph:
    facts, code = frame.facts, title_of_code(frame.code)
    broke = _broke(frame)
    lost, is_reached = [u.condition for u in inputs.undeclared(frame)], inputs.is_reached(frame)
    if facts is None:
        unknown, others = ConstraintSystem(), (*frame.guards, *lost)
        resumed = _is_resumed(frame)
        return Graph(
            code,
            number,
            {},
            (),
            (),
            (),
            frame.guards,
            (),
            others,
            (0, 0.0),
            unknown,
            (),
            {},
            resumed,
            is_reached,
            broke,
        )
    mixed = [untold(facts, guard.expr) for guard, on_undeclared in open_guards(facts) if on_undeclared]
    said = {*facts.scope.constraints, *(c for member in facts.members.values() for c in member.constraints)}
    terms = facts.parameter_terms()
    remaining = in_normal_form(_remaining(facts), facts.system)
    remaining = [r if is_reached else replace(r, fails_at=None) for r in remaining]
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
        tuple(in_plain_words(needed(facts.system, remaining, facts.values), facts.system, facts.values)),
        (*map(str, mixed), *_of_bases(frame, facts), *lost),
        (facts.asked, facts.seconds),
        facts.system,
        tuple(facts.parameters),
        {n: substitute_term(facts.term_of(n), terms) for n in facts.rows if n not in facts.parameters},
        _is_resumed(frame),
        is_reached,
        broke,
    )


def _broke(frame: Frame) -> Doubt | None:
    """What ended the graph before the function's end, with the line."""
    broke = None if frame.trace is None else frame.trace.broke
    return None if broke is None else Doubt(broke.action, broke.line)


def _of_bases(frame: Frame, facts: FrameFacts) -> Iterator[str]:
    """Guards on the bases of views, whose sizes change with those of the views and are not declared."""
    declared = {source_name(place.source) for place in facts.places}
    for guard in frame.guards:
        if not declared.issuperset(_BASE.findall(guard)):
            yield plain_source(guard)


def _declared(facts: FrameFacts, said: AbstractSet[Constraint]) -> Iterator[tuple[str, str | None]]:
    """The constraints that the user said, each with where, if that is known; of computed values, too."""
    for constraint in (*facts.constraints, *facts.real_constraints):
        if constraint in said:
            yield constraint.text, _where(facts, constraint)
    for constraint in facts.computed.constraints:
        places = [facts.computed.places[n] for n in constraint.symbols if n in facts.computed.places]
        if constraint not in said:
            yield constraint.text, str(places[0]) if places else None


def _remaining(facts: FrameFacts) -> Iterator[ResidualGuard]:
    for narrowing in extra_guards(facts):
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
        yield ResidualGuard(narrowing.text, *asked, fails_at, true, false, narrowing.asked_at, narrowing.inner_line)


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
        with suppress(ZeroDivisionError):
            if guard.free_symbols <= known.keys() and guard.xreplace(known) == sympy.false:
                return values
    return None


def _lattice(facts: FrameFacts) -> list[str]:
    """Each name over parameters. That of an expression is numbered: ``k_4*h`` would read as a product."""
    called = {n: f"k_{n}" if n.isidentifier() else f"k_{i}" for i, n in enumerate(facts.parameters, 1)}
    lines = []
    for row in facts.rows.values():
        affine = row.affine
        term = affine_to_term(affine.constant, tuple((called[name], c) for name, c in affine.coefficients))
        lines.append(f"{row.name} = {show(term)}")
    state = facts.parameter_state()
    for name, parameter in called.items():
        low, high = state.range_of(Name(name))
        lines.append(f"{parameter} in {'-oo' if low is None else low}..{'oo' if high is None else high}")
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
    met = (member for place in facts.places if place.declaration for member in place.declaration.members)
    for member in (*met, *facts.members.values()):
        if constraint in member.constraints and member.place is not None:
            return str(member.place)
    return None
