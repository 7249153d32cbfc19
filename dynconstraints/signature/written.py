"""What a Signature is written out as. A layer above does the work; the package names it here when it is imported."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_homes: list[str] = []


def written_by(module: str) -> None:
    """Name the module whose ``emit(target, signature)`` gives what has the ``text`` for a target."""
    _homes[:] = [module]


class Written:
    """The methods of a Signature that give its text for a target; each says in comments what is left over."""

    def to(self, target: str) -> str:
        """The text for a target, by the name that ``dynconstraints emit --to`` has for it.

        Args:
            target: Such as ``"cpp"`` or ``"shapes-spec"``.

        Returns:
            The text: what the target reads, and with it the check of what the target cannot hold.

        Raises:
            ArgumentError: There is no such target, or it cannot take the declaration.
            InconsistentConstraintsError: Nothing satisfies the constraints.

        Example:
            >>> from dynconstraints import Signature
            >>> print(Signature.of({"x": "n"}, ["n % 8 == 0", "8 <= n <= 64"]).to("export"))
            # torch.export holds:
            #   n % 8 == 0
            #   8 <= n <= 64
            # Nothing is left over: every constraint is held.
            from torch.export import Dim
            <BLANKLINE>
            _n = Dim('_n', min=1, max=8)
            n = 8*_n
            <BLANKLINE>
            dynamic_shapes = {'x': [n]}
            <BLANKLINE>
        """
        found: Any = import_module(_homes[0]).emit(target, self)
        return str(found.text)

    def to_checker(self) -> str:
        """A Python function without imports that checks the arguments' shapes."""
        return self.to("checker")

    def to_cpp(self) -> str:
        """A C++17 header that checks the names' values, exactly over 64 bits."""
        return self.to("cpp")

    def to_export(self) -> str:
        """Dims and ``dynamic_shapes`` of torch.export."""
        return self.to("export")

    def to_shapes_spec(self) -> str:
        """A ShapesSpec of torch, which 2.13 and newer have."""
        return self.to("shapes-spec")

    def to_hypothesis(self) -> str:
        """A strategy of Hypothesis, of all legal values."""
        return self.to("hypothesis")

    def to_annotated(self) -> str:
        """A type for each name, of annotated-types."""
        return self.to("annotated")

    def to_jax(self) -> str:
        """Symbolic shapes of JAX."""
        return self.to("jax")

    def to_tensorrt(self) -> str:
        """Optimization profiles of TensorRT."""
        return self.to("tensorrt")

    def to_onnxruntime(self) -> str:
        """Profiles as options of ONNX Runtime's TensorRT provider."""
        return self.to("onnxruntime")

    def to_executorch(self) -> str:
        """Upper bounds and rows of ExecuTorch."""
        return self.to("executorch")

    def to_coreml(self) -> str:
        """Input types of Core ML."""
        return self.to("coreml")

    def to_vllm(self) -> str:
        """Arguments of vLLM's ``support_torch_compile``."""
        return self.to("vllm")

    def to_iree(self) -> str:
        """Assumptions of IREE, in MLIR."""
        return self.to("iree")

    def to_openvino(self) -> str:
        """Partial shapes of OpenVINO."""
        return self.to("openvino")
