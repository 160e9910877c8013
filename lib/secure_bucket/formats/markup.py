"""HTML in which everything is text unless it was made here: escaping cannot be forgotten."""

from __future__ import annotations

from html import escape
from typing import TypeAlias

from secure_bucket.formats.characters import printable

__all__ = ["Content", "Markup", "each", "lines", "tag"]


class Markup(str):
    """HTML that is written out as it is."""

    __slots__ = ()


Content: TypeAlias = "Markup | str | int | None"


def tag(name: str, *content: Content, **attributes: str | None) -> Markup:
    """Return an element.

    Args:
        name: The name of the element.
        content: What it holds: markup as it is, everything else as text; `None` is left out.
        attributes: Its attributes, with `_` for a hyphen and after a word of Python; `None` is left out.
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(printable(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Markup(f"<{name}{written}>{each(*content)}</{name}>")


def each(*content: Content) -> Markup:
    """Return one thing after the other."""
    return Markup("".join(_text(one) for one in content if one is not None))


def lines(text: str) -> Markup:
    """Return a text of several lines, which only shows as such in an element that keeps its white space."""
    return Markup("\n".join(escape(printable(line.expandtabs(4))) for line in text.split("\n")))


def _text(one: Markup | str | int) -> str:
    return one if isinstance(one, Markup) else escape(printable(str(one)))
