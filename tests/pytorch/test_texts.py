"""Text made of declared sizes: a message that nobody reads costs no graph, and text that is read is eager's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from compiled import Compiled

from dynconstraints import DynamicInt, explain, name_dims

CONSTRAINTS = ["h % 16 == 0", "32 <= h <= 1024"]
SIZES = (32, 64, 96, 128)


def raised(h: int) -> None:
    if h % 16 != 0:
        raise ValueError(f"height {h} is no multiple of 16")


def asserted(h: int) -> None:
    message = f"height {h}"
    assert h % 16 == 0, message


def appended(h: int) -> None:
    message = "height "
    message += str(h)
    torch._assert(h % 16 == 0, message)


def listed(h: int) -> None:
    messages = [f"height {h}", f"{h}"]
    torch._assert(h % 16 == 0, messages[0])


MESSAGES: dict[str, Callable[[int], Any]] = {
    "f-string": lambda h: torch._assert(h % 16 == 0, f"height {h} should be divisible by 16"),
    "one part": lambda h: torch._assert(h % 16 == 0, f"{h}"),
    "specified": lambda h: torch._assert(h % 16 == 0, f"{h:05d} of {h * 2:>{6}} {{}}"),
    "nested": lambda h: torch._assert(h % 16 == 0, f"a {f'<{h}>'!s:>9}"),
    "format": lambda h: torch._assert(h % 16 == 0, "{} of {x:>5}".format(h, x=h)),  # noqa: UP032
    "%": lambda h: torch._assert(h % 16 == 0, "%d %s %04d%%" % (h, "of", h)),  # noqa: UP031
    "str": lambda h: torch._assert(h % 16 == 0, "height " + str(h) + format(h, "06d")),
    "keywords": lambda h: torch._assert(condition=h % 16 == 0, message=f"height {h}"),
    "check": lambda h: torch._check(h % 16 == 0, lambda: f"height {h}"),
    "check, keywords": lambda h: torch._check(cond=h % 16 == 0, message=lambda: f"height {h}"),
    "check of a value": lambda h: torch._check_value(h > 3, lambda: f"height {h}"),
    "check with": lambda h: torch._check_with(KeyError, h > 3, lambda: f"height {h}"),
    "guarded": lambda h: torch._assert(h != 1000, f"height {h}"),
    "check, guarded": lambda h: torch._check(h != 1000, lambda: f"height {h}"),
    "raise": raised,
    "assert": asserted,
    "+=": appended,
    "list": listed,
}


@pytest.mark.parametrize("fullgraph", [True, False])
@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_that_nobody_reads_costs_no_graph(name: str, fullgraph: bool) -> None:
    """As timm and torchvision have it, of a named dimension and of a declared int."""
    check = MESSAGES[name]

    def program(x: torch.Tensor, n: int) -> torch.Tensor:
        check(x.shape[0])
        check(n)
        return x * n

    compiled = Compiled(program, fullgraph=fullgraph)
    for size in SIZES:
        x, n = name_dims(torch.ones(size), {0: "h"}, constraints=CONSTRAINTS), DynamicInt(size, name="h")
        assert torch.equal(compiled(x, n), torch.ones(size) * size)
    assert compiled.graphs == 1


def test_what_timm_writes_is_proved_to_be_one_graph() -> None:
    """`explain` counts no graph a size either."""

    def program(x: torch.Tensor) -> torch.Tensor:
        h = x.shape[0]
        torch._assert(h % 16 == 0, f"height {h} should be divisible by 16")
        return x.view(h // 16, 16).sum(1)

    report = explain(program, name_dims(torch.ones(64), {0: "h"}, constraints=CONSTRAINTS))
    assert report.covers_domain is True


@pytest.mark.parametrize("fullgraph", [True, False])
def test_text_that_leaves_the_graph_is_made_of_the_sizes_of_each_call(fullgraph: bool) -> None:
    """As a result, and in lists, dicts and tuples."""

    def program(x: torch.Tensor) -> Any:
        h = x.shape[0]
        return x * 2, f"height {h:>5}", [str(h), {"k": f"{h!r}{h + 1}"}], ("%d/%s" % (h, h),)  # noqa: UP031

    compiled = Compiled(program, fullgraph=fullgraph)
    for size in SIZES:
        assert compiled(name_dims(torch.ones(size), {0: "h"}))[1:] == program(torch.ones(size))[1:]
    assert compiled.graphs == 1


READ: dict[str, Callable[[int], Any]] = {
    "length": lambda h: len(f"height {h}"),
    "key": lambda h: {"32": 1, "64": 2}.get(str(h), 7),
    "own key": lambda h: {f"k{h}": 1}[f"k{h}"],
    "compared": lambda h: 1 if f"{h}" == "64" else 2,
    "searched": lambda h: 1 if "2" in str(h) else 0,
    "joined": lambda h: "-".join(["a", str(h), f"{h}"]),
    "upper": lambda h: f"a{h}".upper().split("A"),
    "letters": lambda h: list(f"{h}"),
    "repeated": lambda h: f"{h}" * 2,
    "first": lambda h: f"{h}"[0],
    "true": lambda h: 1 if f"{h}" else 0,
    "text of text": lambda h: str(f"{h}"),
}


@pytest.mark.parametrize("fullgraph", [True, False])
@pytest.mark.parametrize("name", READ)
def test_text_that_is_read_is_that_of_eager(name: str, fullgraph: bool) -> None:
    """At the price of a graph a size; never another size's text, as a key least of all."""
    read = READ[name]
    compiled = Compiled(lambda x: (x * x.shape[0], read(x.shape[0])), fullgraph=fullgraph)
    for size in (*SIZES, 64):
        assert compiled(name_dims(torch.ones(size), {0: "h"}))[1] == read(size)


def test_a_check_that_fails_says_what_it_says_in_eager() -> None:
    """With the size of the call that it fails for."""

    def program(x: torch.Tensor) -> torch.Tensor:
        h = x.shape[0]
        torch._check(h != 96, lambda: f"height {h} is wrong")
        return x * h

    compiled = Compiled(program, fullgraph=False)
    for size in (32, 64):
        compiled(name_dims(torch.ones(size), {0: "h"}))
    with pytest.raises(RuntimeError, match="height 96 is wrong"):
        compiled(name_dims(torch.ones(96), {0: "h"}))


def test_text_without_declarations_is_left_to_torch() -> None:
    """A graph a size where torch has it so."""
    compiled = Compiled(lambda x: (x * 2, f"height {x.shape[0]}"), dynamic=True)
    for size in (32, 64):
        assert compiled(torch.ones(size))[1] == f"height {size}"
    assert compiled.graphs == 2
