"""Paths such as ``cfg.z`` and ``pyramid.0`` as nested containers, in which torch and JAX take arguments."""

from __future__ import annotations

from collections.abc import Mapping

from dynconstraints.interop.layout import cannot

Tree = dict[str, "Tree | str"]


def nested(target: str, leaves: Mapping[str, str], mapping: str = "{}", sequence: str = "{}") -> str:
    """A Python expression for the leaves, which are expressions by path.

    ``mapping`` and ``sequence`` are what an inner dict and an inner list stand in.
    """
    tree: Tree = {}
    for path, leaf in leaves.items():
        *way, last = path.split(".")
        if "*" in path:
            raise cannot(f"{target} takes one path at a time, and {path} names several", "write one for each")
        inner = tree
        for part in way:
            below = inner.setdefault(part, {})
            if isinstance(below, str):
                raise cannot(f"{path} lies in what another path calls a tensor", "give each path one shape")
            inner = below
        if last in inner:
            raise cannot(f"{path} is a tensor, and other paths lie in it", "give each path one shape")
        inner[last] = leaf
    return _dict({key: _written(value, mapping, sequence) for key, value in tree.items()})


def _written(tree: Tree | str, mapping: str, sequence: str) -> str:
    if isinstance(tree, str):
        return tree
    parts = {key: _written(value, mapping, sequence) for key, value in tree.items()}
    if list(parts) == [str(index) for index in range(len(parts))]:
        return sequence.format(f"[{', '.join(parts.values())}]")
    return mapping.format(_dict(parts))


def _dict(parts: Mapping[str, str]) -> str:
    return f"{{{', '.join(f'{key!r}: {value}' for key, value in parts.items())}}}"
