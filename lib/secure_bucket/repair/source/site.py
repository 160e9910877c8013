"""Describe a call that creates a bucket, for the readers of all languages."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from secure_bucket.errors import SecureBucketError

__all__ = ["IS_WEBSITE", "Brackets", "CannotEditSource", "Site", "drop_ambiguous"]

IS_WEBSITE = "it is a website, whose endpoint speaks plain HTTP only: serve it through CloudFront"


class CannotEditSource(SecureBucketError):
    """A program, or a place in it, cannot be changed; the message gives the reason."""


class Brackets(Struct, frozen=True):
    """A list in brackets that gets one more member: the arguments of a call, or an object.

    All places are offsets in bytes.

    Args:
        start: Where the last member starts; the opening bracket of an empty list.
        end: Where the last member ends; behind the opening bracket of an empty list.
        close: The closing bracket.
    """

    start: int
    end: int
    close: int

    @property
    def is_empty(self) -> bool:
        """Whether the list has no member."""
        return self.end == self.start + 1


class Site(Struct, frozen=True):
    """A call that creates an `s3.Bucket`.

    Args:
        line: The line on which it starts, from 1.
        column: The column in which it starts, from 1, as the traces of its language count; `None` if they
            have no columns.
        construct_id: The id of the bucket; `None` if the program computes it.
        brackets: The list that gets the property.
        member: The text to add to it.
        why_not: Why the call must not change, as a clause; `""` if it can change.
    """

    line: int
    column: int | None
    construct_id: str | None
    brackets: Brackets
    member: str
    why_not: str = ""


def drop_ambiguous(bindings: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the meanings of the names of a program, without the names with several meanings."""
    names: dict[str, set[str]] = {}
    for name, meaning in bindings:
        names.setdefault(name, set()).add(meaning)
    return {name: meanings.pop() for name, meanings in names.items() if len(meanings) == 1}
