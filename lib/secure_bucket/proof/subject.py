"""Represent the texts that patterns are compared with, which may have holes.

A *subject* is a value of a request: a string, or a `Text` if only the name of the value is known (the
generated name of the bucket, the value of a parameter).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import TypeAlias

from secure_bucket.values.unknown import Hole, Text

__all__ = ["Letter", "Subject", "concat", "letters_of", "split_arn", "subject_of"]

Subject: TypeAlias = "str | Text"
Letter: TypeAlias = "str | Hole"


def letters_of(subject: Subject) -> tuple[Letter, ...]:
    """Return a subject as characters and holes."""
    if isinstance(subject, str):
        return tuple(subject)
    return tuple(letter for part in subject.parts for letter in ((part,) if isinstance(part, Hole) else part))


def subject_of(letters: Iterable[Letter]) -> Subject:
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


def concat(*subjects: Subject) -> Subject:
    """Join texts."""
    return subject_of(letter for subject in subjects for letter in letters_of(subject))


@lru_cache(maxsize=4096)
def split_arn(value: Subject) -> tuple[Subject, ...] | None:
    """Return the six parts of an ARN; `None` if the text is not an ARN."""
    parts: list[list[Letter]] = [[]]
    for letter in letters_of(value):
        if letter == ":" and len(parts) < 6:
            parts.append([])
        else:
            parts[-1].append(letter)
    if len(parts) < 6 or parts[0] != list("arn"):
        return None
    return tuple(map(subject_of, parts))
