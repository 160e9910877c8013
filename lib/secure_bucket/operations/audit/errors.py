"""What goes wrong with logs."""

from __future__ import annotations

from secure_bucket.errors import SecureBucketError

__all__ = ["LogError"]


class LogError(SecureBucketError):
    """Say what is wrong with a log, or with what was asked of it."""
