"""Describe what FIX did about a bucket that accepted plain HTTP: fixed it, or left it for a reason."""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct

__all__ = ["Fixed", "Left", "Outcome"]


class Fixed(Struct, frozen=True):
    """FIX wrote the deny.

    Args:
        bucket: The construct path of the bucket.
        policy: The construct path of the policy that holds the deny.
        is_new: Whether FIX made the policy.
    """

    bucket: str
    policy: str
    is_new: bool

    def __str__(self) -> str:
        """Describe it in one line."""
        what = "a new policy" if self.is_new else "one more statement in its policy"
        return f"`{_readable(self.bucket)}`: {what}, `{_readable(self.policy)}`, denies plain HTTP"


class Left(Struct, frozen=True):
    """FIX left the bucket unchanged.

    Args:
        bucket: The construct path of the bucket.
        why: The reason, as the end of a sentence that begins with *left as it is:*.
    """

    bucket: str
    why: str


Outcome: TypeAlias = Fixed | Left


def _readable(path: str) -> str:
    """Return the path of the L2 of a construct, or else its own."""
    return path.removesuffix("/Resource")
