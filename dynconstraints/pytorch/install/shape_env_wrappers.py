"""What stands around functions of the ShapeEnv and its nodes: for those without declared sizes, nothing.

Each function is given one of torch's and makes what stands for it; its docstring begins with the name of that.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from dynconstraints.pytorch._torch.dynamo import dynamo
from dynconstraints.pytorch._torch.shape_env import placed, records_symbols, source_name
from dynconstraints.pytorch.exporting.tracing import facts_of_export, is_exported, leave_to_the_program
from dynconstraints.pytorch.frame.restart import KEY
from dynconstraints.pytorch.guards.merge_guards import join
from dynconstraints.pytorch.install.observe import record
from dynconstraints.pytorch.oracle import decide, min_max
from dynconstraints.pytorch.oracle.float_rounding import whole


def named_sizes(original: Callable[..., Any]) -> Callable[..., Any]:
    """ShapeEnv.create_symbol: a named dimension is an expression that exists already.

    The storage offset of a tensor with named dimensions is dynamic, as torch has it beside dimensions that it made so
    itself, but 0 stays the constant that it nearly always is, and any other serves for 0 as well.
    """

    @wraps(original)
    def create_symbol(self: Any, val: Any, source: Any, *args: Any, **kwargs: Any) -> Any:
        facts = facts_of_export(self)
        if facts is not None and facts.dimensions:
            name = source_name(source)
            expr = facts.dimensions.get(name)
            if expr is not None:
                return expr
            if val and name in facts.offsets:
                kwargs.update(dynamic_dim=dynamo().DimDynamic.DYNAMIC, do_not_specialize_zero_one=True)
        return original(self, val, source, *args, **kwargs)

    return create_symbol


def ask_oracle(original: Callable[..., Any]) -> Callable[..., Any]:
    """ShapeEnv._maybe_evaluate_static: where it answers None, the declaration is asked."""

    @wraps(original)
    def _maybe_evaluate_static(self: Any, expr: Any, *args: Any, **kwargs: Any) -> Any:
        declared = KEY in self.__dict__
        if declared:
            min_max.learn_asked(self, expr)
        try:
            answer = original(self, expr, *args, **kwargs)
        except OverflowError:  # torch's bounds of a quotient of floats
            if not declared:
                raise
            answer = None
        if answer is None and declared and not kwargs.get("compute_hint"):
            return decide.decide(self, self.simplify(expr))
        return answer

    for name in ("cache_clear", "cache_info"):  # torch's own decorator, which torch calls by these names
        if hasattr(original, name):
            setattr(_maybe_evaluate_static, name, getattr(original, name))
    return _maybe_evaluate_static


def sharpen_ranges(original: Callable[..., Any]) -> Callable[..., Any]:
    """ShapeEnv._maybe_guard_rel: a new guard may rule out the least value of a parameter, or settle a minimum."""

    @wraps(original)
    def _maybe_guard_rel(self: Any, expr: Any) -> None:
        original(self, expr)
        if KEY in self.__dict__:
            decide.sharpen(self, expr)
            min_max.learn(self, expr)

    return _maybe_guard_rel


def settle_sizes(original: Callable[..., Any]) -> Callable[..., Any]:
    """ShapeEnv._set_replacement: of a symbol by what it equals from now on; by no number while Inductor lowers."""

    @wraps(original)
    def _set_replacement(self: Any, symbol: Any, target: Any, *args: Any, **kwargs: Any) -> None:
        if KEY in self.__dict__ and target.is_number:
            from dynconstraints.pytorch.inductor.unit_sizes import meet_number

            meet_number(self, symbol)
        original(self, symbol, target, *args, **kwargs)

    return _set_replacement


def keep_rounding(original: Callable[..., Any]) -> Callable[..., Any]:
    """SymNode.add and its like: a computed float is one term to sympy, which does not round.

    Where make_fx traces, as in an operator's own Python, it is handed what the program has, which it knows by identity,
    and asks again for the result.
    """

    @wraps(original)
    def operation(self: Any, other: Any) -> Any:
        # Sizes come here by the thousand: theirs is the question that costs least.
        if (self.is_float() or other.is_float()) and KEY in getattr(self.shape_env, "__dict__", ()):
            return original(self, other) if records_symbols() else original(whole(self), whole(other))
        return original(self, other)

    return operation


def place_guards(original: Callable[..., Any]) -> Callable[..., Any]:
    """ShapeEnv._get_stack_summary: behind Dynamo the line of a guard is that of the operation at work."""

    @wraps(original)
    def _get_stack_summary(self: Any, *args: Any, **kwargs: Any) -> Any:
        place, more = original(self, *args, **kwargs)
        return (placed(place) if KEY in self.__dict__ else place), more

    return _get_stack_summary


def show_guards(original: Callable[..., Any]) -> Callable[..., Any]:
    """ShapeEnv.produce_guards_verbose: what it prints, for the report; of a declared frame in fewer guards.

    None is simplified by what it says itself.
    """

    @wraps(original)
    def produce_guards_verbose(self: Any, placeholders: Any, sources: Any, *args: Any, **kwargs: Any) -> Any:
        with min_max.kept(self):
            printed = original(self, placeholders, sources, *args, **kwargs)
        if is_exported(self):
            leave_to_the_program(self, [part.exprs for part in printed])
            return printed
        langs = kwargs.get("langs", ("python", "verbose_python"))
        if "verbose_python" in langs:  # without it, for the key of a cache on disk
            if KEY in self.__dict__:
                spoken = dict(zip(langs, (part.exprs for part in printed), strict=True))
                join(spoken["python"], spoken["verbose_python"])
            record(self, printed[0].exprs)
        return printed

    return produce_guards_verbose
