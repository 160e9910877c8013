"""Test an app: assert that its buckets deny plain HTTP, and compare snapshots without asset hashes.

from secure_bucket.testing import assert_denies_http

def test_no_bucket_accepts_plain_http() -> None:
    assert_denies_http(Reports(cdk.App(), "Reports"))
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from secure_bucket.testing.assertion import assert_denies_http
from secure_bucket.testing.mask import mask_hashes

if TYPE_CHECKING:
    from secure_bucket.testing.snapshot import TemplateSnapshotExtension

__all__ = ["TemplateSnapshotExtension", "assert_denies_http", "mask_hashes"]


def __getattr__(name: str) -> object:
    if name == "TemplateSnapshotExtension":
        # Loads in 87 ms, and needs syrupy and pytest; only snapshots use it.
        from secure_bucket.testing.snapshot import TemplateSnapshotExtension

        return TemplateSnapshotExtension
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
