"""Look up the version of this library."""

from __future__ import annotations

__all__ = ["installed_version"]


def installed_version() -> str:
    """Return the version of this library, as it was installed."""
    from importlib.metadata import version  # Takes 20 ms, which only few reports need.

    return version("secure-bucket")
