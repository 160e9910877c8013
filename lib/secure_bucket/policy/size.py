"""Measure a bucket policy as the JSON text that S3 gets."""

from __future__ import annotations

from collections.abc import Mapping

from secure_bucket.values.unknown import Text

__all__ = ["MAX_POLICY_BYTES", "least_size"]

MAX_POLICY_BYTES = 20_480
"""The most bytes that S3 takes as a bucket policy: S3 User Guide, *Adding a bucket policy*, 20 KB."""


def least_size(document: object) -> int:
    """Return how many bytes a policy has at least: without spaces, and with nothing for what is not known.

    It stops counting when S3 takes no more.
    """
    size, pending = 0, [document]
    while pending and size <= MAX_POLICY_BYTES:
        value = pending.pop()
        if isinstance(value, str):
            size += 2 + len(value)
        elif isinstance(value, Text):
            size += 2 + sum(len(part) for part in value.parts if isinstance(part, str))
        elif isinstance(value, Mapping):
            size += 1 + 2 * len(value)
            pending.extend(value)
            pending.extend(value.values())
        elif isinstance(value, (list, tuple)):
            size += 1 + len(value)
            pending.extend(value)
    return size
