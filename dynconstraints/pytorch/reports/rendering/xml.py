"""Elements of HTML and SVG, from the standard library's tree, which escapes what is put into it."""

from __future__ import annotations

from xml.etree.ElementTree import Element


def tag(name: str, /, *parts: Element | str | None, cls: str | None = None, **attributes: str | float) -> Element:
    """An element. In the names of attributes ``_`` stands for ``-``; ``cls`` is the class; None is no part."""
    element = Element(name, {key.replace("_", "-"): str(value) for key, value in attributes.items()})
    if cls is not None:
        element.set("class", cls)
    last: Element | None = None
    for part in parts:
        if isinstance(part, Element):
            element.append(part)
            last = part
        elif part is not None and last is None:
            element.text = (element.text or "") + part
        elif part is not None and last is not None:
            last.tail = (last.tail or "") + part
    return element


def code(text: str) -> Element:
    """The text in the type of programs."""
    return tag("code", text)
