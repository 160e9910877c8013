"""Describe what was done to a template and its buckets."""

from __future__ import annotations

from msgspec import Struct

from secure_bucket.template import Document
from secure_bucket.values.unknown import Place

__all__ = ["FixedBucket", "LeftBucket", "Repair"]


class FixedBucket(Struct, frozen=True):
    """A bucket that denies plain HTTP now.

    Args:
        logical_id: Its logical id.
        at: Where it is written in the template as it was.
        what: What was done, as a clause.
        note: What else to look at; `""` when there is nothing.
    """

    logical_id: str
    at: Place
    what: str
    note: str = ""


class LeftBucket(Struct, frozen=True):
    """A bucket that was left as it was, and is not proven.

    Args:
        logical_id: Its logical id.
        at: Where it is written.
        why: The reason, as a clause.
        undecided: Whether it is not known if it accepts plain HTTP; otherwise it does.
    """

    logical_id: str
    at: Place
    why: str
    undecided: bool = False


class Repair(Struct, frozen=True):
    """What became of a template.

    Args:
        document: The template now: the very same one when nothing was done.
        fixed: The buckets that deny plain HTTP now.
        left: The buckets that are not proven, and why they were left.
        proven: How many buckets were proven before.
    """

    document: Document
    fixed: tuple[FixedBucket, ...] = ()
    left: tuple[LeftBucket, ...] = ()
    proven: int = 0
