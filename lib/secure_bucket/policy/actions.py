"""The S3 actions that a bucket policy can meet, from AWS's Service Authorization Reference.

Follows *Actions, resources, and condition keys for Amazon S3*. A policy may name actions that do not
exist; a request cannot.
"""

from __future__ import annotations

from typing import Final

from secure_bucket.policy.s3_actions import ACTIONS, COMMON_KEYS

__all__ = ["BUCKET_ACTIONS", "DOUBTFUL_ACTIONS", "OBJECT_ACTIONS", "keys_of"]

_FAMILIAR: Final = ("s3:GetObject", "s3:ListBucket", "s3:PutObject", "s3:DeleteObject")

DOUBTFUL_ACTIONS: Final[tuple[str, ...]] = (
    # AWS lists it as acting on a bucket, but that bucket does not exist yet, so it has no policy.
    "s3:CreateBucket",
)
"""Bucket actions for which no request can reach the policy of an existing bucket; in no other list."""


def _acting_on(kind: str) -> tuple[str, ...]:
    # An action whose types are only others (`accesspoint`, `job`, …), or that has none because it acts
    # on the account (`s3:ListAllMyBuckets`), never meets a bucket policy.
    names = {f"s3:{name}" for name, types, _, _ in ACTIONS if kind in types.split()} - {*DOUBTFUL_ACTIONS}
    return (*(name for name in _FAMILIAR if name in names), *sorted(names.difference(_FAMILIAR)))


BUCKET_ACTIONS: Final = _acting_on("bucket")
"""The actions whose resource is the bucket: the most familiar first, the others by name."""

OBJECT_ACTIONS: Final = _acting_on("object")
"""The actions whose resource is an object: the most familiar first, the others by name."""

_KEYS: Final = {f"s3:{name}".lower(): (own, lacking) for name, _, own, lacking in ACTIONS}


def keys_of(action: str) -> frozenset[str]:
    """Return the condition keys that AWS lists for an action; global keys (`aws:SourceIp`, …) come on top.

    Args:
        action: The action, as `s3:GetObject`, in any case.

    Returns:
        The keys as AWS writes them, `<key>` standing for the key of a tag: `s3:ExistingObjectTag/<key>`.

    Raises:
        KeyError: There is no such action.
    """
    own, lacking = _KEYS[action.lower()]
    return frozenset(own.split()) | frozenset(COMMON_KEYS).difference(lacking.split())
