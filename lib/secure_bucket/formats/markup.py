"""Build HTML that escapes every text, except for the markup that this module makes."""

from __future__ import annotations

from html import escape
from typing import TypeAlias

from secure_bucket.formats.characters import printable

__all__ = ["Content", "Markup", "concat", "lines", "tag"]


class Markup(str):
    """HTML that needs no escaping."""

    __slots__ = ()


Content: TypeAlias = "Markup | str | int | None"


def tag(name: str, *content: Content, **attributes: str | None) -> Markup:
    """Return an element.

    Args:
        name: The name of the element.
        content: Its content: markup, and texts to escape, without `None`.
        attributes: Its attributes, without `None`, with `_` for a hyphen and after a keyword of Python.
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(printable(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Markup(f"<{name}{written}>{concat(*content)}</{name}>")


def concat(*content: Content) -> Markup:
    """Return contents one after the other, without `None`."""
    return Markup("".join(_text(one) for one in content if one is not None))


def lines(text: str) -> Markup:
    """Return a text of several lines, for an element that keeps white space."""
    return Markup("\n".join(escape(printable(line.expandtabs(4))) for line in text.split("\n")))


def _text(one: Markup | str | int) -> str:
    return one if isinstance(one, Markup) else escape(printable(str(one)))
