"""Buckets and their policies, out of CloudFormation templates and CDK cloud assemblies."""

from __future__ import annotations

from secure_bucket.template.load import Document, is_template, load_document, parse_document

__all__ = ["Document", "is_template", "load_document", "parse_document"]
