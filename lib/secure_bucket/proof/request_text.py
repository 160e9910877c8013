"""Represent the texts that patterns are compared with, which may have holes.

A text of a request is a string, or a `Text` if only the name of the value is known (the generated name of the
bucket, the value of a parameter).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import TypeAlias

from secure_bucket.values.unknown import Hole, Text

__all__ = ["Letter", "RequestText", "concat", "letters_of", "request_text_of", "split_arn"]

RequestText: TypeAlias = "str | Text"
Letter: TypeAlias = "str | Hole"


def letters_of(text: RequestText) -> tuple[Letter, ...]:
    """Return a text as characters and holes."""
    if isinstance(text, str):
        return tuple(text)
    return tuple(letter for part in text.parts for letter in ((part,) if isinstance(part, Hole) else part))


def request_text_of(letters: Iterable[Letter]) -> RequestText:
    """Join characters and holes; the result is a plain string without holes."""
    parts: list[str | Hole] = []
    for letter in letters:
        if parts and isinstance(letter, str) and isinstance(parts[-1], str):
            parts[-1] += letter
        else:
            parts.append(letter)
    if not parts:
        return ""
    return parts[0] if len(parts) == 1 and isinstance(parts[0], str) else Text(tuple(parts))


def concat(*texts: RequestText) -> RequestText:
    """Join texts."""
    return request_text_of(letter for text in texts for letter in letters_of(text))


@lru_cache(maxsize=4096)
def split_arn(value: RequestText) -> tuple[RequestText, ...] | None:
    """Return the six parts of an ARN; `None` if the text is not an ARN."""
    parts: list[list[Letter]] = [[]]
    for letter in letters_of(value):
        if letter == ":" and len(parts) < 6:
            parts.append([])
        else:
            parts[-1].append(letter)
    if len(parts) < 6 or parts[0] != list("arn"):
        return None
    return tuple(map(request_text_of, parts))
