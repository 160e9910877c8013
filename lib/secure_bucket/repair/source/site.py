"""Describe a call that creates a bucket, as the readers of each language find it."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from secure_bucket.errors import SecureBucketError

__all__ = ["IS_WEBSITE", "Brackets", "CannotEditSource", "Site", "unambiguous"]

IS_WEBSITE = "it is a website, whose endpoint speaks plain HTTP only: serve it through CloudFront"


class CannotEditSource(SecureBucketError):
    """Say why the program is left as it is at a place."""


class Brackets(Struct, frozen=True):
    """A list in brackets that gets one more member: the arguments of a call, or an object.

    All places are offsets in bytes.

    Args:
        start: Where its last member starts; the opening bracket if it has no member.
        end: Where its last member ends; behind the opening bracket if it has no member.
        close: Its closing bracket.
    """

    start: int
    end: int
    close: int

    @property
    def is_empty(self) -> bool:
        """Whether it has no member."""
        return self.end == self.start + 1


class Site(Struct, frozen=True):
    """A call that creates an `s3.Bucket`.

    Args:
        line: The line on which it starts, from 1.
        column: The column in which it starts, from 1, as the traces of its language count; `None` where they
            name no column.
        construct_id: The id of the bucket; `None` if the program computes it.
        brackets: The list that gets the property.
        member: The text to add to it.
        why_not: Why it must be left as it is, as a clause; `""` if it can be changed.
    """

    line: int
    column: int | None
    construct_id: str | None
    brackets: Brackets
    member: str
    why_not: str = ""


def unambiguous(bindings: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return what the names of a program stand for, without the names that stand for several things."""
    names: dict[str, set[str]] = {}
    for name, meaning in bindings:
        names.setdefault(name, set()).add(meaning)
    return {name: meanings.pop() for name, meanings in names.items() if len(meanings) == 1}
