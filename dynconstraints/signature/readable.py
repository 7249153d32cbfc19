"""What a Signature is read from: the forms of other systems. A layer above does the work; the package names it here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from dynconstraints.signature.signature import Signature

_homes: list[str] = []


def read_by(module: str) -> None:
    """Name the module whose ``read_signature(form, given, ...)`` gives the Signature that a form says."""
    _homes[:] = [module]


class Readable:
    """The methods of Signature that read a form of another system: an object of it, or a source that is not run.

    Raises:
        ArgumentError: It is of another form, or a part of it says nothing that a Signature can.
        InconsistentConstraintsError: Nothing satisfies it; the error has a smallest set that nothing does.
    """

    @staticmethod
    def from_export(given: str | Mapping[str, Any]) -> Signature:
        """The signature that ``dynamic_shapes`` of torch.export with its Dims say.

        Args:
            given: The dict from the names of parameters, or a source that assigns it.

        Example:
            >>> text = "from torch.export import Dim\\n_h = Dim('_h', max=16)\\nh = 32*_h\\ndynamic_shapes = {'x': [h, 2*h]}"
            >>> from dynconstraints import Signature
            >>> Signature.from_export(text)
            Signature(x="h 2*h", constraints=['h <= 512', 'h % 32 == 0'])
        """  # noqa: E501  one text
        return _read("export", given)

    @staticmethod
    def from_shapes_spec(given: str | Any) -> Signature:
        """The signature that a ShapesSpec of torch says, or a source with one: variables, specs and assumptions."""
        return _read("shapes-spec", given)

    @staticmethod
    def from_vllm(given: str | Mapping[str, Any], shape_invariants: Callable[..., object] | None = None) -> Signature:
        """The signature that the arguments of vLLM's ``support_torch_compile`` say.

        Args:
            given: ``dynamic_arg_dims``, or a source that assigns it, or has the decorator.
            shape_invariants: The function of that name, where ``given`` is no source.
        """
        return _read("vllm", given, shape_invariants)

    @staticmethod
    def from_jax(given: str | Mapping[str, Any], constraints: str | Iterable[str] = ()) -> Signature:
        """The signature that symbolic shapes of JAX say.

        Args:
            given: The shapes by the names of parameters, each of JAX's dimensions or a text, or a source.
            constraints: Those of the scope, where the shapes are texts.

        Example:
            >>> from dynconstraints import Signature
            >>> Signature.from_jax({"x": "b, 32*k"}, ["k <= 4"])
            Signature(x="b 32*k", constraints=['k <= 4', 'b >= 1', 'k >= 1'])
        """
        return _read("jax", given, constraints)

    @staticmethod
    def from_jaxtyping(given: str | Callable[..., object]) -> Signature:
        """The signature that jaxtyping's annotations of a function say, or of the one function in a source."""
        return _read("jaxtyping", given)


def _read(form: str, given: Any, *more: Any) -> Signature:
    found: Any = import_module(_homes[0]).read_signature(form, given, *more)
    return cast("Signature", found)
