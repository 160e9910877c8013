"""What FIX did about a bucket that accepted plain HTTP: it was fixed, or left alone with a reason."""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct

__all__ = ["Fixed", "Left", "Outcome"]


class Fixed(Struct, frozen=True):
    """The deny was written.

    Args:
        bucket: The construct path of the bucket.
        policy: The construct path of the policy that holds it.
        is_new: Whether the policy was made for it.
    """

    bucket: str
    policy: str
    is_new: bool

    def __str__(self) -> str:
        """Say it in one line."""
        what = "a new policy" if self.is_new else "one more statement in its policy"
        return f"`{_readable(self.bucket)}`: {what}, `{_readable(self.policy)}`, denies plain HTTP"


class Left(Struct, frozen=True):
    """Nothing was written.

    Args:
        bucket: The construct path of the bucket.
        why: The reason, as the end of a sentence that begins with *left as it is:*.
    """

    bucket: str
    why: str


Outcome: TypeAlias = Fixed | Left


def _readable(path: str) -> str:
    """The path of a construct as its author thinks of it: of the L2, where there is one."""
    return path.removesuffix("/Resource")
