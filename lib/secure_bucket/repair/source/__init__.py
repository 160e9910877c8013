"""Add the deny where the program of an AWS CDK app creates a bucket, and change nothing else of its text."""

from __future__ import annotations

from secure_bucket.repair.source.edit import EditedSource, edit_source
from secure_bucket.repair.source.site import IS_WEBSITE, CannotEditSource

__all__ = ["IS_WEBSITE", "CannotEditSource", "EditedSource", "edit_source"]
