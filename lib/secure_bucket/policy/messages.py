"""Write parts of a document for messages: printable, short, and with their place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from secure_bucket.values.unknown import Text

__all__ = ["join_pointer", "kind_of", "name_of", "name_some", "shorten"]


def kind_of(written: object) -> str:
    """Return what a value is, in JSON's words."""
    if written is None:
        return "null"
    if isinstance(written, bool):
        return "a Boolean"
    if isinstance(written, (int, float)):
        return "a number"
    if isinstance(written, (str, Text)):
        return f"the string `{shorten(written)}`"
    if isinstance(written, (list, tuple)):
        return "a list" if written else "an empty list"
    if isinstance(written, Mapping):
        return "an object" if written else "an empty object"
    return type(written).__name__


def shorten(written: object) -> str:
    """Return a text for a message: printable, and at most sixty characters of it."""
    try:
        text = str(written)
    except (ValueError, RecursionError):
        return type(written).__name__
    text = "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text
    )
    return text if len(text) <= 60 else f"{text[:59]}…"


def name_of(written: object) -> str:
    """Return the name of a member, which in YAML need not be a string."""
    return written if isinstance(written, str) else shorten(written)


def name_some(names: Sequence[str]) -> str:
    """Return the first three of some names for a message."""
    return ", ".join(f"`{name}`" for name in names[:3]) + (", …" if len(names) > 3 else "")


def join_pointer(pointer: str, name: object) -> str:
    """Return the JSON pointer of a member."""
    return f"{pointer}/{name_of(name).replace('~', '~0').replace('/', '~1')}"
