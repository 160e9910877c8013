"""Check templates, cloud assemblies and live buckets: typed options in, a report out."""

from __future__ import annotations

from secure_bucket.checks.check import Settings, check_template, check_templates

__all__ = ["Settings", "check_template", "check_templates"]
