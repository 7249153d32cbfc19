"""Objects of other systems as sources in the same form, by what their classes publish: these are read as any other."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from textwrap import dedent
from typing import Any

from dynconstraints.interop.reading.reading import cannot_read

_VARIABLE = re.compile(r"\b([^\W\d]\w*)#(\d+)")


def of_dims(given: Any) -> str:
    """``dynamic_shapes`` with Dims."""
    if not isinstance(given, Mapping | list | tuple):
        raise _another("torch.export", given, "a dict from the names of parameters to Dims")
    made: dict[str, str] = {}
    text = _tree("torch.export", given, lambda leaf: _dim(leaf, made))
    lines = [f"{place} = {dim}" for dim, place in made.items()]
    return "\n".join(["from torch.export import Dim", *lines, f"dynamic_shapes = {text}", ""])


def _dim(leaf: Any, made: dict[str, str]) -> str | None:
    if leaf is None or isinstance(leaf, int):
        return repr(leaf)
    root, function = getattr(leaf, "root", None), getattr(leaf, "fn", None)
    if root is not None and callable(function):
        factor, offset = function(1) - function(0), function(0)
        return f"{factor}*{_dim(root, made)}" + (f" + {offset}" if offset else "")
    kind = getattr(getattr(leaf, "type", None), "name", None)
    given = {end: getattr(leaf, end, None) for end in ("min", "max")}
    ends = [f"{end}={value}" for end, value in given.items() if isinstance(value, int)]  # torch's infinity is none
    if kind is not None:
        return f"Dim.{kind}({', '.join(ends)})" if ends else f"Dim.{kind}"
    name = getattr(leaf, "__name__", None)
    if not isinstance(name, str) or not hasattr(leaf, "min"):
        return None
    return made.setdefault(f"Dim({', '.join([repr(name), *ends])})", f"dim_{len(made)}")


def of_spec(given: Any) -> str:
    """A ShapesSpec, by its JSON and its text, which numbers the variables."""
    if not hasattr(given, "to_jsonable"):
        raise _another("ShapesSpec", given, "a ShapesSpec")
    numbers: dict[str, set[str]] = {}
    for name, number in _VARIABLE.findall(repr(given)):
        numbers.setdefault(name, set()).add(number)
    twice = next((name for name, found in numbers.items() if len(found) > 1), None)
    if twice is not None:
        raise cannot_read("ShapesSpec", f"two variables are called {twice}", "give each a name of its own")
    data = given.to_jsonable()
    is_whole = data["type"] == "ShapesSpec"
    made: dict[str, str] = {}
    params = _spec(data["params"] if is_whole else data, made)
    lines = [f"{name} = {made}" for name, made in made.items()]
    assumed = ", ".join(map(_plain, data.get("assumptions", ())))
    return "\n".join([_IMPORTS, *lines, f"ShapesSpec({params}, assumptions=[{assumed}])", ""])


_IMPORTS = (
    "from torch.fx.experimental.dynamic_spec import "
    "DictSpec, IntVar, ObjectSpec, ParamsSpec, SeqSpec, ShapesSpec, ShapeVar, TensorSpec"
)


def _spec(data: Any, made: dict[str, str]) -> str:
    """One spec; its variables are noted in ``made``."""
    match data:
        case {"type": "ShapeVar" | "IntVar" as kind, "name": str(name), "min": low, "max": high}:
            made[name] = f"{kind}({name!r}, min={low}, max={high})"
            return name
        case {"type": str(kind), **parts} if len(parts) == 1:
            (inner,) = parts.values()
            return f"{kind}({_spec(inner, made)})"
        case dict():
            return "{" + ", ".join(f"{key!r}: {_spec(value, made)}" for key, value in data.items()) + "}"
        case list():
            return f"[{', '.join(_spec(one, made) for one in data)}]"
    return _plain(str(data))


def _plain(text: str) -> str:
    return _VARIABLE.sub(r"\1", text)


def of_arg_dims(given: Any, invariants: Callable[..., object] | None = None) -> str:
    """``dynamic_arg_dims``, and the function of ``shape_invariants``."""
    if not isinstance(given, Mapping):
        raise _another("vLLM", given, "a dict from the names of parameters to dimensions")
    text = _tree("vLLM", given, lambda leaf: repr(leaf) if isinstance(leaf, int | str) else None)
    source = f"dynamic_arg_dims = {text}\n"
    if invariants is None:
        return source
    try:
        written = dedent(inspect.getsource(invariants))
    except (OSError, TypeError):
        why = "the source of shape_invariants is not at hand"
        raise cannot_read("vLLM", why, "pass the text of the source instead") from None
    return source + written.replace(f"def {invariants.__name__}(", "def shape_invariants(", 1)


def of_symbolic(given: Any, constraints: Any = ()) -> str:
    """Symbolic shapes by path: tuples of JAX's dimensions, whose scopes tell their constraints, or texts."""
    scopes: dict[str, None] = {}
    if not isinstance(given, Mapping):
        raise _another("JAX", given, "a dict from the names of parameters to symbolic shapes")
    shapes = {path: f"symbolic_shape({_shape(value, scopes)!r}, scope=scope)" for path, value in given.items()}
    listed = [*scopes, *([constraints] if isinstance(constraints, str) else constraints)]
    lines = ["from jax.export import SymbolicScope, symbolic_shape", f"scope = SymbolicScope({listed!r})"]
    return "\n".join([*lines, f"shapes = {{{', '.join(f'{path!r}: {text}' for path, text in shapes.items())}}}", ""])


def _shape(value: Any, scopes: dict[str, None]) -> str:
    if isinstance(value, str):
        return value
    if not isinstance(value, tuple | list):
        raise _another("JAX", value, "a symbolic shape")
    for dimension in value:
        told = str(getattr(dimension, "scope", ""))
        if "with constraints:" in told:
            scopes.update((line.strip(), None) for line in told.split("with constraints:\n")[1].splitlines())
    return ", ".join(str(dimension) for dimension in value)


def of_annotations(given: Any) -> str:
    """A function with jaxtyping's annotations."""
    try:
        found = inspect.get_annotations(inspect.unwrap(given), eval_str=True)
        parameters = inspect.signature(given).parameters
    except TypeError:
        raise _another("jaxtyping", given, "a function") from None
    except (NameError, SyntaxError, AttributeError) as error:
        why = f"its annotations cannot be evaluated: {error}"
        raise cannot_read("jaxtyping", why, "define what they name, or pass the text of the source") from None
    texts = {name: _annotation(kind) for name, kind in found.items()}
    returned = texts.pop("return", "object")
    arguments = ", ".join(f"{name}: {texts.get(name, 'object')}" for name in parameters)
    name = getattr(given, "__name__", "function")
    return f"from jaxtyping import Shaped\ndef {name}({arguments}) -> {returned}: ...\n"


def _annotation(kind: Any) -> str:
    if hasattr(kind, "dim_str"):
        return f"Shaped[object, {kind.dim_str!r}]"
    parts = getattr(kind, "__args__", ())
    if type(None) in parts and len(parts) == 2:
        return _annotation(next(one for one in parts if one is not type(None)))
    if getattr(kind, "__origin__", None) is tuple and Ellipsis not in parts:
        return f"tuple[{', '.join(map(_annotation, parts))}]"
    return "object"


def _tree(form: str, given: Any, leaf: Callable[[Any], str | None]) -> str:
    """A nested container as a source."""
    match given:
        case Mapping():
            return "{" + ", ".join(f"{key!r}: {_tree(form, value, leaf)}" for key, value in given.items()) + "}"
        case list() | tuple():
            return f"[{', '.join(_tree(form, one, leaf) for one in given)}]"
    text = leaf(given)
    if text is None:
        raise _another(form, given, "such a declaration")
    return text


def _another(form: str, given: Any, wanted: str) -> Exception:
    return cannot_read(form, f"{type(given).__name__} is not {wanted}", "pass the object, or the text of its source")
