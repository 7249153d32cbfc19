"""What stands around torch.export and AOTInductor.

Each function is given one of torch's and makes what stands for it; its docstring begins with the name of that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import wraps
from typing import Any

import torch

from dynconstraints.pytorch._torch.eager import mapped
from dynconstraints.pytorch._torch.exporting import (
    env_of_program,
    expressions_allowed,
    input_values,
    marks_kept,
    sources_of,
    strides_of_inputs,
    symbols_of,
)
from dynconstraints.pytorch._torch.packaging import (
    assign_inputs,
    has_number_inputs,
    number_inputs_unseen,
    write_no_checks,
)
from dynconstraints.pytorch._torch.shape_env import unguarded
from dynconstraints.pytorch.declarations.moments import FIRST_PACKAGE
from dynconstraints.pytorch.declarations.suspension import is_suspended, suspended
from dynconstraints.pytorch.exporting.contract import carried
from dynconstraints.pytorch.exporting.example import example_of
from dynconstraints.pytorch.exporting.given_shapes import agreed
from dynconstraints.pytorch.exporting.loaded import knows, learn_again
from dynconstraints.pytorch.exporting.packages import (
    Packaged,
    check_call_of_package,
    metadata_of,
    symbols_defined,
    tell_unknown,
    while_packaged,
    with_tensors,
    write_check,
)
from dynconstraints.pytorch.exporting.programs import (
    check_calls_of,
    enforce,
    facts_of,
    narrow_further,
    put_under,
    tell_missing,
)
from dynconstraints.pytorch.exporting.tracing import Traced, exporting, is_exported
from dynconstraints.pytorch.frame.restart import KEY
from dynconstraints.pytorch.install.dynamo_wrappers import compiled_under
from dynconstraints.pytorch.values.dynamic_float import DynamicFloat
from dynconstraints.pytorch.values.dynamic_int import DynamicInt


def export_declared(original: Callable[..., Any]) -> Callable[..., Any]:
    """torch.export's _export: the declaration of the example becomes the dynamic shapes, and the program carries it."""

    @wraps(original)
    def _export(
        mod: Any, args: Any, kwargs: Any = None, dynamic_shapes: Any = None, *, strict: bool = True, **options: Any
    ) -> Any:
        given = kwargs or {}
        example = None if is_suspended() or not isinstance(args, tuple) else example_of(mod, args, given)
        if example is None or not example.places:
            if example is not None:
                tell_missing(mod, args, given)
            return original(mod, args, kwargs, dynamic_shapes, strict=strict, **options)
        args, given = mapped(_plain, args), mapped(_plain, given)
        example, shapes = agreed(example, mod, args, given, dynamic_shapes)
        sources = sources_of(mod, args, given, list(example.leaves))["strict" if strict else "non_strict"]
        tensors = [leaf.value for leaf in example.leaves if isinstance(leaf.value, torch.Tensor)]
        with marks_kept(tensors), suspended(), unguarded(), exporting(Traced.of(example, sources)):
            program = original(mod, args, given, shapes, strict=strict, **options)
        put_under(program, example)
        tell_missing(mod, args, given, facts_of(program))
        return program

    return _export


def programs_enforced(original: Callable[..., Any]) -> Callable[..., Any]:
    """ExportedProgram.__init__: one that is made of another carries its contract, and has it for guards."""

    @wraps(original)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807  the method that it stands for
        original(self, *args, **kwargs)
        enforce(self)

    return __init__


def decomposed_as_declared(original: Callable[..., Any]) -> Callable[..., Any]:
    """ExportedProgram.run_decompositions: what is traced again knows the contract, also of a program from a file."""

    @wraps(original)
    def run_decompositions(self: Any, *args: Any, **kwargs: Any) -> Any:
        learn_again(self)
        with unguarded() if is_exported(env_of_program(self)) else nullcontext():
            program = original(self, *args, **kwargs)
        narrow_further(program)
        return program

    return run_decompositions


def modules_checked(original: Callable[..., Any]) -> Callable[..., Any]:
    """_unlift_exported_program_lifted_states, by which ep.module() makes a module: its calls are checked."""

    @wraps(original)
    def _unlift_exported_program_lifted_states(ep: Any, *args: Any, **kwargs: Any) -> Any:
        module = original(ep, *args, **kwargs)
        check_calls_of(module, ep)
        return module

    return _unlift_exported_program_lifted_states


def unflattened_checked(original: Callable[..., Any]) -> Callable[..., Any]:
    """UnflattenedModule.__init__: the same of what torch.export.unflatten makes."""

    @wraps(original)
    def __init__(self: Any, export_module: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807
        original(self, export_module, *args, **kwargs)
        check_calls_of(self, export_module)

    return __init__


def ranges_of_inputs(original: Callable[..., Any]) -> Callable[..., Any]:
    """torch.export's make_constraints: an input that is declared is an expression, of which torch keeps no range."""

    @wraps(original)
    def make_constraints(fake_mode: Any, gm: Any, *args: Any, **kwargs: Any) -> Any:
        env = fake_mode.shape_env
        facts = None if env is None else env.__dict__.get(KEY)
        if facts is None:
            return original(fake_mode, gm, *args, **kwargs)
        declared = {e for e in facts.dimensions.values() if not e.is_Symbol and not e.is_number}
        with expressions_allowed(env, declared):
            found = original(fake_mode, gm, *args, **kwargs)
        strides = {symbol: env.var_to_range[symbol] for symbol in strides_of_inputs(gm)}
        return {**strides, **{e: r for e, r in found.items() if e not in declared}}

    return make_constraints


def packaged_as_declared(original: Callable[..., Any]) -> Callable[..., Any]:
    """compile_fx_aot: the contract of the program is compiled in, and its facts are known."""

    @wraps(original)
    def compile_fx_aot(model_: Any, example_inputs_: Any, *args: Any, **kwargs: Any) -> Any:
        contract = carried(model_)
        if contract is None:
            return original(model_, example_inputs_, *args, **kwargs)
        FIRST_PACKAGE.come()
        inputs = input_values(model_)
        is_known = knows(contract, inputs)
        if not is_known:
            tell_unknown(contract)
        env = next((size.node.shape_env for size in symbols_of(inputs)), None)
        facts = env.__dict__.get(KEY) if is_known and env is not None else None
        options = dict(kwargs.get("config_patches") or {})
        metadata = {**options.get("aot_inductor.metadata", {}), **metadata_of(contract)}
        kwargs["config_patches"] = {**options, "aot_inductor.metadata": metadata}
        with while_packaged(Packaged(contract, facts)), _known(facts):
            return original(model_, example_inputs_, *args, **kwargs)

    return compile_fx_aot


def ints_kept(original: Callable[..., Any]) -> Callable[..., Any]:
    """_extract_inputs_from_exported_gm: an int that is declared is an input of the package, as a tensor."""

    @wraps(original)
    def _extract_inputs_from_exported_gm(gm: Any, *args: Any, **kwargs: Any) -> Any:
        found = original(gm, *args, **kwargs)
        if carried(gm) is None:
            return found
        inputs = input_values(gm)
        return [value if isinstance(value, torch.SymInt) else x for x, value in zip(found, inputs, strict=True)]

    return _extract_inputs_from_exported_gm


@contextmanager
def _known(facts: Any) -> Iterator[None]:
    """While open, a program is compiled, under its facts if they are known."""
    if facts is None:
        yield
    else:
        with compiled_under(facts), unguarded():
            yield


def check_written(original: Callable[..., Any]) -> Callable[..., Any]:
    """CppWrapperCpu.codegen_inputs: the check comes before sizes are taken for symbols."""

    @wraps(original)
    def codegen_inputs(self: Any) -> None:
        write_check(self)
        symbols = symbols_defined()
        if symbols is None:
            original(self)
        else:
            assign_inputs(self, symbols)

    return codegen_inputs


def checks_of_numbers(original: Callable[..., Any]) -> Callable[..., Any]:
    """CppWrapperCpu.generate_input_output_runtime_checks: torch has none for inputs that are numbers."""

    @wraps(original)
    def generate_input_output_runtime_checks(self: Any) -> None:
        if has_number_inputs():
            write_no_checks(self)
        else:
            original(self)

    return generate_input_output_runtime_checks


def constructor_of_numbers(original: Callable[..., Any]) -> Callable[..., Any]:
    """CppWrapperCpu.codegen_model_constructor: an input that is a number has a name like others."""

    @wraps(original)
    def codegen_model_constructor(self: Any) -> None:
        with number_inputs_unseen() if has_number_inputs() else nullcontext():
            original(self)

    return codegen_model_constructor


def calls_of_package(original: Callable[..., Any]) -> Callable[..., Any]:
    """AOTICompiledModel.__call__: a call is checked before the package refuses it."""

    @wraps(original)
    def __call__(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N807  the method that it stands for
        check_call_of_package(self, args, kwargs)
        args, kwargs = with_tensors(self, args, kwargs)
        return original(self, *args, **kwargs)

    return __call__


def _plain(value: Any) -> Any:
    """A declared number as the number that it is."""
    kind = type(value)
    return int(value) if issubclass(kind, DynamicInt) else float(value) if issubclass(kind, DynamicFloat) else value
