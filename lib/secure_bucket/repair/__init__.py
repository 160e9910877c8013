"""The repair of templates: the deny is put into their text, and everything else stays as it was."""

from __future__ import annotations

from secure_bucket.repair.repair import Fixed, Left, Repair, made_by_cdk, repair_document

__all__ = ["Fixed", "Left", "Repair", "made_by_cdk", "repair_document"]
