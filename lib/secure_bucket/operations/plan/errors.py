"""What keeps a rollout from being planned."""

from __future__ import annotations

from secure_bucket.errors import SecureBucketError

__all__ = ["RolloutError"]


class RolloutError(SecureBucketError):
    """Say what is wrong with what a rollout is planned from, and what to do about it."""
