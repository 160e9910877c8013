"""Compare synthesized templates with snapshots, as an extension of syrupy."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from secure_bucket.errors import MissingDependencyError
from secure_bucket.testing.mask import mask_hashes
from secure_bucket.testing.subject import template_of

try:
    from syrupy.extensions.json import JSONSnapshotExtension
except ImportError as _missing:
    raise MissingDependencyError.without_extra(
        "snapshots of templates need syrupy", "snapshots"
    ) from _missing

__all__ = ["TemplateSnapshotExtension"]


class TemplateSnapshotExtension(JSONSnapshotExtension):
    """Store a template as a JSON file without asset hashes.

        @pytest.fixture
        def template(snapshot):
            return snapshot.use_extension(TemplateSnapshotExtension)

        def test_reports(template) -> None:
            assert Reports(cdk.App(), "Reports") == template

    It takes a stack, a `Template` of `aws_cdk.assertions`, or a template as a dictionary or a file.
    """

    def serialize(self, data: Any, **options: Any) -> str | bytes:
        """Return the text of the snapshot; syrupy calls this."""
        template = template_of(data)
        if not isinstance(template, Mapping):
            template = json.loads(template.read_text(encoding="utf-8"))
        return super().serialize(mask_hashes(template), **options)
