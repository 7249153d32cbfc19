"""The texts of shapes that `declare` takes: a name, a number that the program needs, or `_` for each dimension."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dynconstraints.ir.printer import show
from dynconstraints.pytorch.reports.suggesting.paste_code import path_of
from dynconstraints.pytorch.reports.suggesting.search import Search
from dynconstraints.pytorch.reports.suggesting.size_names import ranks_of, sizes_of, terms_of


def shapes_of(search: Search) -> Mapping[str, str]:
    """The texts by the paths of the arguments: of those that have a size with a proposed name."""
    ranks = ranks_of(search.bound[0])
    arguments = dict.fromkeys(size.argument for size in search.sizes)
    search.progress.stage("trying the sizes that no name stands for")
    return {path_of(argument): " ".join(_dimensions(argument, ranks.get(argument), search)) for argument in arguments}


def _dimensions(argument: str, rank: int | None, search: Search) -> Iterator[str]:
    named = {size.dimension: size.name for size in search.sizes if size.argument == argument}
    if rank is None:
        yield named[None]
        return
    terms, sizes = terms_of(search.bound[0]), sizes_of(search.bound[0])
    for dimension in range(rank):
        known, size = terms.get((argument, dimension)), sizes.get((argument, dimension))
        if dimension in named:
            yield named[dimension]
        elif known is not None:
            yield show(known).replace(" ", "")
        elif size is not None and _is_fixed(argument, dimension, size, search):
            yield str(size)
        else:
            yield "_"


def _is_fixed(argument: str, dimension: int, size: int, search: Search) -> bool:
    """Whether all calls have the size, and the program takes no other."""
    same = all(sizes_of(call).get((argument, dimension)) == size for call in search.bound)
    over = search.progress.is_over("it was tried which sizes are fixed")
    return same and not over and search.trials.is_fixed(argument, dimension, size)
