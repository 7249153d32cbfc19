"""AOTInductor: what writes the code of a package, and what calls one. Read in 2.13."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

import sympy

from dynconstraints.pytorch._torch.dynamo import PACKAGE
from dynconstraints.pytorch._torch.exporting import flat


@cache
def packages() -> dict[str, tuple[Any, str]]:
    """What AOTInductor compiles by, and what its packages are called by. Read in 2.13."""
    compile_fx = importlib.import_module("torch._inductor.compile_fx")
    return {
        "compile": (compile_fx, "compile_fx_aot"),
        "inputs": (compile_fx, "_extract_inputs_from_exported_gm"),
    }


def package_inputs() -> tuple[Any, str]:
    """What writes the code that unpacks the inputs of a package."""
    return importlib.import_module("torch._inductor.codegen.cpp_wrapper_cpu").CppWrapperCpu, "codegen_inputs"


def package_checks() -> tuple[Any, str]:
    """What writes torch's own checks of the inputs of a package, which are made where a variable of the environment
    asks for them."""
    return package_inputs()[0], "generate_input_output_runtime_checks"


def package_constructor() -> tuple[Any, str]:
    """What writes the constructor of a package, which has a name for each input."""
    return package_inputs()[0], "codegen_model_constructor"


def has_number_inputs() -> bool:
    """Whether the package has inputs that are numbers; torch has none such of its own."""
    return any(isinstance(value, sympy.Expr) for value in _graph_lowering().graph_inputs.values())


def write_no_checks(wrapper: Any) -> None:
    """Write what torch's checks of inputs are called by, without any."""
    wrapper.prefix.splice(
        """
        static bool _check_aoti_runtime_check_inputs_env() { return false; }
        static void __check_inputs_outputs(AtenTensorHandle*, AtenTensorHandle*) {}
        """
    )


@contextmanager
def number_inputs_unseen() -> Iterator[None]:
    """While open, inputs that are numbers are told from others by nothing."""
    graph = _graph_lowering()
    inputs = graph.graph_inputs
    graph.graph_inputs = dict.fromkeys(inputs)
    try:
        yield
    finally:
        graph.graph_inputs = inputs


def package_calls() -> tuple[Any, str]:
    """The call of a package that was loaded."""
    return importlib.import_module(PACKAGE).AOTICompiledModel, "__call__"


def is_entry_of_package() -> bool:
    """Whether the code that is written is the entry of a package: no part of it, and not its constants."""
    graph = _graph_lowering()
    is_part = isinstance(graph, importlib.import_module("torch._inductor.graph").SubgraphLowering)
    return bool(graph.aot_mode) and not graph.is_const_graph and not is_part


def input_of_package(leaf: int) -> str:
    """What the code of a package calls one of the flat inputs."""
    return str(list(_graph_lowering().graph_inputs)[leaf])


def _graph_lowering() -> Any:
    return importlib.import_module("torch._inductor.virtualized").V.graph


def flat_of_package(model: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> list[Any]:
    """The flat inputs of a call of a package."""
    return flat(args, ordered_for_package(model, kwargs))


def ordered_for_package(model: Any, kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The keyword arguments of a call of a package in the order that it was made for."""
    spec = importlib.import_module("torch.utils._pytree").treespec_loads(model.loader.get_call_spec()[0])
    names = spec.children()[1].context or ()
    return {name: kwargs[name] for name in (*names, *kwargs) if name in kwargs}


def assign_inputs(wrapper: Any, defined: Mapping[Any, str]) -> None:
    """Write the code that takes the inputs of a package for symbols, of which some are defined beforehand."""
    bound = importlib.import_module("torch.utils._ordered_set").OrderedSet(defined)
    for symbol, value in defined.items():
        wrapper.prefix.writeline(f"[[maybe_unused]] int64_t {symbol} = {value};")
    for name, value in wrapper.get_graph_inputs().items():
        wrapper.codegen_input_symbol_assignment(name, value, bound)
