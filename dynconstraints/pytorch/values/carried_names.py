"""Names that last: copies of a named tensor have its names, in this process and in others.

A tensor's record is an attribute, which torch's own copies leave behind. From the first named tensor of the process on,
the methods in `COPYING` are found through a descriptor on torch.Tensor: it gives what was there before, the very same
object, to whoever asks the class, or a tensor without names. What is computed of a tensor (``x * 2``) has no names; to
follow each operation would cost every program.

Unpickling calls nothing of ours, so that files can be read elsewhere: in a process that has named nothing itself, and
has passed nothing named to a compiled function, what `torch.load` gave has its names, and its copies don't yet.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from types import MethodType
from typing import Any

import torch

from dynconstraints.diagnostics.errors import ConstraintError
from dynconstraints.pytorch._torch.eager import base_of_view, function_modes, reductions, unseen
from dynconstraints.pytorch.declarations.moments import FIRST_DECLARATION, FIRST_NAMES
from dynconstraints.pytorch.values.dims_record import NamedDims
from dynconstraints.pytorch.values.named_dims import ATTRIBUTE, attributes, give, named_dims

COPYING = (
    *("clone", "detach", "contiguous", "to", "type", "type_as", "cpu", "cuda", "xpu", "pin_memory"),
    *("half", "bfloat16", "float", "double", "cfloat", "cdouble", "chalf"),
    *("bool", "byte", "char", "short", "int", "long"),
)
"""The methods of a tensor that return one of the same sizes, with the same elements but for their type and place."""

_PLAIN = torch.Tensor, torch.nn.Parameter
"""Classes whose attributes torch itself finds."""


class Carrying:
    """A method of torch.Tensor in `COPYING`, as torch has it, whose results have the names that their tensor has."""

    def __init__(self, original: Any) -> None:
        self.original, self.bound = original, original.__get__

        @wraps(original)
        def copying(tensor: Any, *args: Any, **kwargs: Any) -> Any:
            return _named_alike(self.bound(tensor)(*args, **kwargs), tensor)

        self.copying = copying

    @staticmethod  # Python calls it with all three, and Dynamo, which would trace a plain function, leaves it alone
    def __get__(method: Carrying, tensor: Any, kind: type | None = None) -> Any:
        if tensor is None or _is_nameless(tensor):
            return method.bound(tensor, kind)
        return MethodType(method.copying, tensor)


def _is_nameless(tensor: Any) -> bool:
    """Whether there is no record, on the tensor or the base that it is a view of. Nobody notices the question."""
    if type(tensor) in _PLAIN and not function_modes():
        base = tensor._base  # noqa: SLF001  torch documents it
        return getattr(tensor, ATTRIBUTE, None) is None and (base is None or ATTRIBUTE not in attributes(base))
    with unseen():
        base = base_of_view(tensor)
        return ATTRIBUTE not in attributes(tensor) and (base is None or ATTRIBUTE not in attributes(base))


def _named_alike(result: Any, tensor: Any) -> Any:
    """The result, with the tensor's names where it is another tensor."""
    if result is not tensor and issubclass(type(result), torch.Tensor) and ATTRIBUTE not in attributes(result):
        record = _record_of(tensor)
        if record is not None:
            give(result, record.of_copies if _is_as_recorded(tensor, record) else record)
    return result


def _record_of(tensor: Any) -> Any:
    """What is recorded on the tensor, or follows from the base that it is a view of. Nothing is checked here."""
    own = attributes(tensor).get(ATTRIBUTE)
    if own is not None:
        return own
    try:
        return named_dims(tensor)
    except ConstraintError:  # of the base's, which has been resized: whoever is handed that will hear of it
        return None


def _is_as_recorded(tensor: Any, record: Any) -> bool:
    """Whether the sizes are those of the record. If they are others it is worked out anew, for the copy as well."""
    with unseen():
        return isinstance(record, NamedDims) and bool(tensor.shape == record.sizes)


def parameter_carrying(original: Any) -> Any:
    """Parameter.__new__: what is made of a named tensor has its names."""
    made = original.__func__

    @wraps(made)
    def __new__(cls: Any, data: Any = None, *args: Any, **kwargs: Any) -> Any:  # noqa: N807  it stands for that
        parameter = made(cls, data, *args, **kwargs)
        is_named = issubclass(type(data), torch.Tensor) and not _is_nameless(data)
        return _named_alike(parameter, data) if is_named else parameter

    return staticmethod(__new__)


def send_names() -> Callable[[], None]:
    """Have queues and pipes between processes, as DataLoader's, take names along; what is returned undoes it."""
    before: dict[type, Callable[[Any], Any]] = {kind: reductions[kind] for kind in _PLAIN if kind in reductions}
    reductions.update({kind: _sending(reduce) for kind, reduce in before.items()})
    return lambda: reductions.update(before)


def _sending(reduce: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """How a tensor is taken apart for another process: as before, and with its names where it has some."""

    @wraps(reduce)
    def reduce_named(tensor: Any) -> Any:
        reduced = reduce(tensor)
        record = _record_of(tensor)
        return reduced if record is None or len(reduced) != 2 else (received, (*reduced, record))

    return reduce_named


def received(rebuild: Callable[..., Any], parts: tuple[Any, ...], record: Any) -> Any:
    """The tensor that another process sent, with its names."""
    FIRST_DECLARATION.come()
    FIRST_NAMES.come()
    tensor = rebuild(*parts)
    give(tensor, record)
    return tensor
