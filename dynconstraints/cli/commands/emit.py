"""`emit`: the constraints in another language, or in the form of another system."""

from __future__ import annotations

from collections.abc import Mapping

import click

from dynconstraints.cli.inputs import collect
from dynconstraints.cli.options import command, complete_files, over_constraints
from dynconstraints.cli.reading import write_file
from dynconstraints.cli.report import Outcome, Report
from dynconstraints.cli.session import Session
from dynconstraints.cli.translations import TRANSLATIONS
from dynconstraints.diagnostics.source import Source
from dynconstraints.interop.targets import TARGETS
from dynconstraints.signature.shape import Shape, read_shape
from dynconstraints.system import ConstraintSystem


@command("emit")
@over_constraints
@click.option(
    "--to",
    "target",
    type=click.Choice((*TRANSLATIONS, *TARGETS)),
    required=True,
    metavar="TARGET",
    help="One of these.",
)
@click.option("--shape", "shapes", multiple=True, metavar='PATH="SIZES"', help="An argument's sizes; repeatable.")
@click.option("--name", default="", help="The function's name, for a header of C++.")
@click.option("--output", metavar="FILE", shell_complete=complete_files, help="Write the text to this file.")
def emit(
    session: Session,
    constraints: tuple[str, ...],
    sources: tuple[str, ...],
    target: str,
    shapes: tuple[str, ...],
    name: str,
    output: str | None,
) -> Report:
    """Write the constraints for another system.

    What the target cannot hold is listed, and checked by a function that is written with it.

    \b
      checker      a Python function without imports that checks values
      cpp          a C++17 header that checks values, exact over 64 bits
      export       Dims and dynamic_shapes of torch.export
      shapes-spec  a ShapesSpec of torch, of 2.13 and newer
      hypothesis   a Hypothesis strategy of all legal values
      annotated    a type for each name, of annotated-types
      jax          symbolic shapes of JAX
      tensorrt     optimization profiles of TensorRT
      onnxruntime  the same as options of ONNX Runtime
      executorch   upper bounds and rows of ExecuTorch
      coreml       input types of Core ML
      vllm         arguments of vLLM's support_torch_compile
      iree         assumptions of IREE, in MLIR
      openvino     partial shapes of OpenVINO
      smtlib       a script for any SMT solver, which ends in (check-sat)
      sympy        a Python source that builds them of sympy's nodes
      python       a Python function from values to bool
      json         the syntax trees

    Names are sizes to those that take shapes. An argument whose text is its own name, as in --shape n=n, is a number.

    \b
    Example:
      $ dynconstraints emit --to python "s0 % 32 == 0"
      def holds(s0, /):
          return s0 % 32 == 0
      $ dynconstraints emit --to export --shape x="b 3" "1 <= b <= 8"
      $ dynconstraints emit --to cpp sizes.dync --output sizes.hpp
    """
    system = ConstraintSystem(collect(constraints, sources))
    arguments = _shapes(shapes)
    with session.working(f"writing {len(system)} constraints"):
        if target in TRANSLATIONS:
            result: dict[str, object] = {"to": target, "text": TRANSLATIONS[target](system)}
        else:
            result = _emitted(target, system, arguments, name, session.limit)
    text = str(result["text"])
    if output is None:
        return Report(Outcome.HOLDS, result=result, text=text)
    write_file(output, f"{text}\n")
    return Report(Outcome.HOLDS, result={**result, "output": output}, text=f"wrote {output}", text_is_prose=True)


def _emitted(
    target: str, system: ConstraintSystem, shapes: Mapping[str, Shape], name: str, limit: int | None
) -> dict[str, object]:
    from dynconstraints.interop.emission import Subject
    from dynconstraints.interop.targets import emit as emitted

    found = emitted(target, Subject(system, shapes, name, limit))
    return {
        "to": target,
        "text": found.text.rstrip("\n"),
        "held": [constraint.line for constraint in found.held],
        "left": [{"constraint": one.constraint.line, "reason": one.reason} for one in found.left],
        "checker": found.checker,
    }


def _shapes(texts: tuple[str, ...]) -> dict[str, Shape]:
    """The shapes by path. Raises UsageError where a text is none of the form, or a path comes twice."""
    found: dict[str, Shape] = {}
    for text in texts:
        path, sign, sizes = text.partition("=")
        path = path.strip()
        if not sign or not all(part.isidentifier() or part.isdigit() or part == "*" for part in path.split(".")):
            raise click.UsageError(f'--shape takes PATH="SIZES", such as x="b 3 h w", not {text!r}')
        if path in found:
            raise click.UsageError(f"--shape gives {path} twice")
        found[path] = read_shape(Source(sizes, f"--shape {path}"))
    return found
