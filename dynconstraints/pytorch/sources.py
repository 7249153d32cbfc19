"""Where a parameter's value comes from: a quotient of the value that brought it.

Dynamo's sources have to be importable, since guards are pickled with them.
"""

from __future__ import annotations

from typing import Any

from dynconstraints.pytorch._compat import dynamo, source_name

_d = dynamo()


@_d.dataclass_with_cached_hash(frozen=True)
class ParameterSource(_d.ChainedSource):  # type: ignore[misc, name-defined]  # torch's classes come untyped
    """``(base - constant - Σ coefficient*earlier) // divisor``: the parameter k of a row of the lattice.

    ``base`` is the source of an integer; ``earlier`` pairs coefficients with the sources of earlier parameters.
    """

    constant: int
    earlier: tuple[tuple[int, Any], ...]
    divisor: int

    @property
    def _name_template(self) -> str:
        text = "{0}"
        if self.constant:
            text += f" - {self.constant}"
        for coefficient, source in self.earlier:
            escaped = source_name(source).replace("{", "{{").replace("}", "}}")
            text += f" - {coefficient}*{escaped}"
        if text != "{0}":
            text = f"({text})"
        return text if self.divisor == 1 else f"({text} // {self.divisor})"

    def reconstruct(self, codegen: Any) -> None:
        """Emit the computation. Calls of `operator` functions, since the opcodes differ from one Python to the next."""
        steps: list[tuple[str, Any]] = []
        if self.constant:
            steps.append(("sub", self.constant))
        for coefficient, source in self.earlier:
            steps.append(("sub", (coefficient, source)))
        if self.divisor != 1:
            steps.append(("floordiv", self.divisor))
        _emit(codegen, self.base, steps)


def _emit(codegen: Any, base: Any, steps: list[tuple[str, Any]]) -> None:
    if not steps:
        codegen(base)
        return
    *rest, (operation, operand) = steps
    codegen.add_push_null(lambda: codegen.load_import_from("operator", operation))
    _emit(codegen, base, rest)
    if isinstance(operand, int):
        codegen.append_output(codegen.create_load_const(operand))
    else:
        coefficient, source = operand
        _emit(codegen, source, [] if coefficient == 1 else [("mul", coefficient)])
    codegen.extend_output(_d.create_call_function(2, False))
