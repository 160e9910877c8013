"""Define the three verdicts on a claim, which are not usable as Booleans."""

from __future__ import annotations

from typing import NoReturn, TypeAlias

from msgspec import Struct

from secure_bucket.policy.request import Request
from secure_bucket.values.unknown import Place, Unknown

__all__ = ["NO_POLICY", "Proven", "Refuted", "Undecided", "Verdict"]

NO_POLICY = "the bucket has no policy"
"""The reason that refutes a bucket without a policy."""


class _NotABoolean:
    __slots__ = ()

    def __bool__(self) -> NoReturn:
        raise TypeError(
            f"a verdict has three outcomes, so `{type(self).__name__}` is neither true nor false: "
            "use `isinstance(verdict, Proven)` or `match`"
        )


class Proven(_NotABoolean, Struct, frozen=True):
    """Every request over plain HTTP is denied.

    Args:
        statements: The indices of the Deny statements that the proof needs, in the order of the
            policy.
    """

    statements: tuple[int, ...] = ()


class Refuted(_NotABoolean, Struct, frozen=True):
    """This request over plain HTTP gets through.

    Args:
        request: A request that no Deny statement matches; `evaluate` confirms it.
        why: One sentence that names the closest statement and why it does not apply.
        at: The place of that statement, or of the whole policy if no statement is close.
        statement: The index of that statement in the policy; `None` without one.
    """

    request: Request
    why: str
    at: Place = Place()
    statement: int | None = None


class Undecided(_NotABoolean, Struct, frozen=True):
    """The claim can be neither proven nor refuted, because something is not known.

    Args:
        reasons: What is not known, and where; never empty.
        is_refused: Whether the policy would be proven if S3 did not refuse it.
    """

    reasons: tuple[Unknown, ...]
    is_refused: bool = False


Verdict: TypeAlias = "Proven | Refuted | Undecided"
