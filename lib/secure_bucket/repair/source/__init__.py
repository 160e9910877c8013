"""Add the deny to the calls that create buckets in the program of a CDK app, and change no other text."""

from __future__ import annotations

from secure_bucket.repair.source.edit import EditedSource, edit_source
from secure_bucket.repair.source.site import IS_WEBSITE, CannotEditSource

__all__ = ["IS_WEBSITE", "CannotEditSource", "EditedSource", "edit_source"]
