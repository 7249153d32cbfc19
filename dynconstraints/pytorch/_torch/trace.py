"""A trace of Dynamo's: its variables, instructions, graph breaks, and the lines that they come from."""

from __future__ import annotations

import dataclasses
import importlib
import sys
from functools import cache
from pathlib import Path
from types import CodeType, SimpleNamespace
from typing import Any

import torch

from dynconstraints.pytorch._torch.dynamo import dynamo
from dynconstraints.pytorch._torch.shape_env import backed_values, user_line


@cache
def python_operations() -> SimpleNamespace:
    """Where Dynamo traces Python's own functions, as pairs of a class and a method's name; read in 2.13.

    The class is None where a release lacks it, or the means to trace something in its place.
    """
    variables = importlib.import_module("torch._dynamo.variables")
    translator = importlib.import_module("torch._dynamo.symbolic_convert").InstructionTranslatorBase
    variable = importlib.import_module("torch._dynamo.variables.base").VariableTracker
    can_inline = hasattr(translator, "inline_user_function_return") and hasattr(variable, "build")

    def method(kind: Any, name: str) -> tuple[Any, str]:
        return (kind if can_inline else None), name

    return SimpleNamespace(
        builtin=method(getattr(variables, "BuiltinVariable", None), "call_function"),
        function=method(getattr(variables, "TorchInGraphFunctionVariable", None), "call_function"),
        attribute=method(getattr(variables, "SymNodeVariable", None), "var_getattr"),
        formatted=method(translator, "_format_value"),
        put_together=method(translator, "BUILD_STRING"),
        joined=method(getattr(variables, "StringFormatVariable", None), "create"),
    )


def dispatch_anew(translator: Any, name: str, before: Any) -> None:
    """Have the translator and those derived from it, which look opcodes up in tables, call what the name is now."""
    for kind in (translator, *translator.__subclasses__()):
        table = vars(kind).get("dispatch_table")
        if isinstance(table, list):
            table[:] = [getattr(kind, name) if function is before else function for function in table]


def variable_of(tx: Any, value: Any) -> Any:
    """The variable of the trace for a constant, a class or a function; for a variable itself."""
    base = importlib.import_module("torch._dynamo.variables.base").VariableTracker
    return value if isinstance(value, base) else base.build(tx, value)


def inlined(tx: Any, function: Any, args: Any) -> Any:
    """The function traced for variables, and for constants of Python's among them."""
    return tx.inline_user_function_return(variable_of(tx, function), [variable_of(tx, arg) for arg in args], {})


def is_kind(variable: Any, kind: Any) -> bool:
    """Whether a variable of the trace is of a class; `isinstance` has Dynamo look at a lazy one, which guards it."""
    return issubclass(type(variable), kind)


def unseen_value(variable: Any) -> Any:
    """What a variable of the trace stands for that Dynamo has not looked at yet; None for others."""
    is_lazy = issubclass(type(variable), dynamo().LazyVariableTracker)  # numbers have a class of their own
    return variable.peek_value() if is_lazy and not variable.is_realized() else None


def items_of_container(variable: Any) -> list[tuple[Any, Any]]:
    """The keys, or indices, and variables in a list, a tuple or a dict of the trace, or of variables."""
    if isinstance(variable, tuple | list):
        return list(enumerate(variable))
    if isinstance(variable, dict):
        return list(variable.items())
    if type(variable) is dynamo().LazyVariableTracker:
        variable = variable.realize()
    items = getattr(variable, "items", None)
    if isinstance(items, list | tuple):
        return list(enumerate(items))
    if isinstance(items, dict):
        keys: Any = ((getattr(key, "vt", key), each) for key, each in items.items())
        return [(key.as_python_constant(), each) for key, each in keys if key.is_python_constant()]
    return []


@cache
def lazy_text() -> SimpleNamespace:
    """What stands for a value that nobody has looked at, and for text that is formatted where the graph ends."""
    lazy = importlib.import_module("torch._dynamo.variables.lazy")
    formatted = importlib.import_module("torch._dynamo.variables").StringFormatVariable
    return SimpleNamespace(Cache=lazy.LazyCache, Variable=lazy.LazyVariableTracker, Formatted=formatted)


def is_backed_condition(variable: Any) -> bool:
    """Whether the variable is a condition on sizes that are known before the graph runs."""
    condition = variable.sym_num if isinstance(variable, dynamo().SymNodeVariable) else None
    return isinstance(condition, torch.SymBool) and condition.node.has_hint()


def must_not_break(tx: Any) -> bool:
    """Whether the graph must not break."""
    return bool(getattr(tx, "one_graph", False))


def is_ending(tx: Any) -> bool:
    """Whether the trace of a graph is done, and code is written for what it leaves."""
    return getattr(tx.output, "compile_subgraph_reason", None) is not None


def current_trace() -> Any:
    """The translator at work; None where a release does not tell, and where there was never one in this thread."""
    translator = importlib.import_module("torch._dynamo.symbolic_convert").InstructionTranslator
    current = getattr(translator, "current_tx", None)
    try:
        return None if current is None else current()
    except AttributeError:
        return None


@cache
def trace_values() -> SimpleNamespace:
    """The classes of what stands for values in a trace; what a release lacks is the empty tuple."""
    variables = importlib.import_module("torch._dynamo.variables")
    rooms = {n: importlib.import_module(f"torch._dynamo.variables.{n}") for n in ("ctx_manager", "functions", "misc")}
    dicts, lists = (importlib.import_module(f"torch._dynamo.variables.{name}") for name in ("dicts", "lists"))

    def known(room: str, name: str) -> Any:
        return getattr(rooms[room], name, ())

    return SimpleNamespace(
        Attribute=known("misc", "GetAttrVariable"),  # a method that is not called yet
        Cell=known("misc", "CellVariable"),  # of a closure
        Constant=variables.ConstantVariable,
        Exit=known("ctx_manager", "WithExitFunctionVariable"),  # of a block that is open
        Lazy=variables.LazyVariableTracker,  # what nobody has looked at so far
        Mapping=dicts.ConstDictVariable,
        NestedFunction=known("functions", "NestedUserFunctionVariable"),  # defined in the frame
        Null=known("misc", "NullVariable"),
        Number=variables.SymNodeVariable,
        # A variable that is set, rather than an object.
        Rebound=(known("misc", "CellVariable"), known("misc", "NewGlobalVariable")),
        Sequence=lists.BaseListVariable,
        Setting=known("ctx_manager", "ContextWrappingVariable"),  # one of torch's own blocks, such as no_grad
        Size=lists.SizeVariable,
        Tensor=variables.TensorVariable,
    )


@dataclasses.dataclass(frozen=True)
class Called:
    """A call that a trace has come to: the variables of the function and its arguments, None for unpacked ones."""

    function: Any
    arguments: tuple[Any, ...] | None
    keywords: tuple[str, ...]


def called(tx: Any) -> Called | None:
    """The call that the trace is about to make, by where each version of Python has its parts; None if it isn't any."""
    instruction, stack = tx.current_instruction, list(tx.stack)
    name, count = instruction.opname, instruction.arg or 0
    if name not in ("CALL", "CALL_KW", "CALL_FUNCTION", "CALL_METHOD", "CALL_FUNCTION_KW", "CALL_FUNCTION_EX"):
        return None
    keywords: tuple[str, ...] = ()
    if name in ("CALL_KW", "CALL_FUNCTION_KW"):
        keywords = tuple(stack.pop().as_python_constant())
    elif getattr(tx, "kw_names", None) is not None:
        keywords = tuple(tx.kw_names.as_python_constant())
    if name == "CALL_FUNCTION_EX":
        count = 1 + (count & 1 if sys.version_info < (3, 14) else 1)
    arguments = stack[len(stack) - count :]
    null = trace_values().Null
    below = [variable for variable in stack[: len(stack) - count][-2:] if not is_kind(variable, null)]
    if not below:
        return None
    return Called(below[-1], None if name == "CALL_FUNCTION_EX" else tuple(arguments), keywords)


def indexed(tx: Any) -> tuple[Any, Any] | None:
    """The operands of the subscript that the trace has come to; None for other instructions."""
    name, text = tx.current_instruction.opname, str(tx.current_instruction.argrepr)
    if name != "BINARY_SUBSCR" and (name, text) != ("BINARY_OP", "[]"):
        return None
    return tx.stack[-2], tx.stack[-1]


def parts_of_source(source: Any) -> tuple[str | None, tuple[str | None, ...]]:
    """The variable that a source starts from, None for what is global or the state of torch; and the names of the
    attributes and keys that lead to it from there, None for steps of other kinds."""
    path: list[str | None] = []
    while hasattr(source, "base"):
        step = getattr(source, "member", getattr(source, "index", None))
        path.append(step if isinstance(step, str) else None)
        source = source.base
    name = getattr(source, "global_name", None)
    if name is not None:
        path.append(name)
    return getattr(source, "local_name", None), tuple(reversed(path))


def line_of_change(effects: Any, variable: Any) -> str | None:
    """The user's line that changes what the variable of the trace stands for; None in a release that keeps none."""
    stacks = getattr(effects, "mutation_user_stacks", {}).get(variable) or [()]
    own = [place for place in stacks[-1] if Path(torch.__file__).parent not in Path(place.filename).parents]
    return line_of(own[-1]) if own else None


def line_of(place: Any) -> str | None:
    """The line of an entry of a stack, as torch tells lines: ``code  # file:3 in f``; None where it is one of ours."""
    return user_line(f"{place.line}  # {place.filename}:{place.lineno} in {place.name}")


def is_variable(source: Any) -> bool:
    """Whether it is a variable of the frame itself, rather than something that is found by way of one."""
    return source is not None and not hasattr(source, "base") and hasattr(source, "local_name")


def continuations(output: Any) -> tuple[Any, ...]:
    """The codes of the rest of a function that a frame's graph break may go on with."""
    names = [name for name in output.installed_globals if name.startswith("__resume_at_")]
    return tuple(code for name in names for code in _codes_in(output.global_scope.get(name)))


def _codes_in(value: Any) -> list[Any]:
    """The code of a function; for a factory, of what makes such functions with a closure, that of these."""
    code = getattr(value, "__code__", value)
    cells = [cell.cell_contents for cell in getattr(value, "__closure__", None) or ()]
    found = [c for c in (code, *cells) if isinstance(c, CodeType) and is_resumed(c)]
    return found[:1]


def is_resumed(code: Any) -> bool:
    """Whether it is the rest of a function after a graph break."""
    return bool(code.co_name.startswith("torch_dynamo_resume_in_"))


def number_of_call(variable: Any, env: Any) -> tuple[int, Any] | None:
    """The value and the source of an int that the call has, and the trace did not take for a constant; None for others.

    It was not looked at, or is a symbol with a value: ``x.item()`` of an argument x is one, too.
    """
    if not getattr(variable, "is_realized", lambda: True)():
        return (variable.peek_value(), variable.source) if variable.peek_type() is int else None
    variable = variable.realize()
    if not isinstance(variable, dynamo().SymNodeVariable) or variable.python_type() is not int:
        return None
    symbol, known = variable.sym_num.node.expr, backed_values(env)
    sources = env.var_to_sources.get(symbol)
    return (int(known[symbol]), sources[0]) if sources and symbol in known else None


def keep_no_fakes(output: Any) -> None:
    """Have the trace compute the metadata of each operation, rather than look them up by what the operation is given.

    To keep an entry torch makes its tensor anew from it; with symbolic sizes that costs as much as the metadata, and
    hardly an entry is found again.
    """
    output.fake_mode.cache_enabled = False
