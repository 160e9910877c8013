"""Patterns with `*` and `?`, matched in the plainest way.

`*` stands for any run of characters, `/` and `:` and newlines included, `?` for exactly one (IAM User
Guide, *IAM JSON policy elements: Resource*). There are no other special characters, no brackets and no
backslash.
"""

from __future__ import annotations

import enum
from typing import Final, TypeAlias

__all__ = ["Pattern", "Wildcard", "as_text", "fold", "matches", "read_pattern"]


class Wildcard(enum.Enum):
    """A character of a pattern that stands for others."""

    ANY_RUN = "*"
    ANY_ONE = "?"


Pattern: TypeAlias = "tuple[str | Wildcard, ...]"
"""The characters of a pattern: a string of length one stands for itself, even if it is `*`."""

_WILDCARDS: Final = {wildcard.value: wildcard for wildcard in Wildcard}
_LOWER: Final = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


def read_pattern(text: str) -> Pattern:
    """Return a text as a pattern, in which each `*` and `?` is a wildcard."""
    return tuple(_WILDCARDS.get(character, character) for character in text)


def as_text(pattern: Pattern) -> str:
    """Return a pattern as text, for the operators that know no wildcards."""
    return "".join(part.value if isinstance(part, Wildcard) else part for part in pattern)


def matches(pattern: Pattern, text: str) -> bool:
    """Tell whether a pattern describes the whole of a text, case included."""
    # Bit n of `ends`: the pattern read so far describes the first n characters of the text.
    places: dict[str, int] = {}
    for place, character in enumerate(text):
        places[character] = places.get(character, 0) | 1 << place
    ends, every = 1, (1 << len(text) + 1) - 1
    for part in pattern:
        if part is Wildcard.ANY_RUN:
            ends = every & -(ends & -ends)
        elif part is Wildcard.ANY_ONE:
            ends = every & ends << 1
        else:
            ends = (ends & places.get(part, 0)) << 1
        if not ends:
            return False
    return bool(ends >> len(text))


def fold(text: str) -> str:
    """Return a text in lower case, of which only A to Z change.

    Python's own `lower` also turns the Kelvin sign into `k`; names of actions and of keys are ASCII.
    """
    return text.translate(_LOWER)
