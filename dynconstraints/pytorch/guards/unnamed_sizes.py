"""Sizes of the call that nothing names and that are as large as a name that a program leaves one value.

Where the one of two tensors has a name and the other has not, what they have in common is a number to torch, and so is
the name: naming the other is the cure, and not to declare the number.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch

from dynconstraints.pytorch._torch.shape_env import input_fakes, plain_source
from dynconstraints.pytorch.frame.frame_facts import FrameFacts

_MOST = 3


def unnamed_alike(facts: FrameFacts, name: str) -> tuple[str, ...]:
    """Dimensions of the call's arguments that have the name's value and no name, as the user writes them.

    Asked while the frame's trace is at hand. Parameters of modules are none: their sizes are those of the model.
    """
    value = facts.values.get(name)
    found = list(_static(facts, value)) if isinstance(value, int) and value > 1 else []
    return tuple(dict.fromkeys(found)) if len(found) <= _MOST else ()


def _static(facts: FrameFacts, value: int) -> Iterator[str]:
    for fake, source in input_fakes(facts.env):
        if isinstance(fake, torch.nn.Parameter):
            continue
        for dimension, size in enumerate(fake.shape):
            if type(size) is int and size == value:
                yield f"{plain_source(source)}.size({dimension})"
