"""Add the deny to the text of templates, and change nothing else."""

from __future__ import annotations

from secure_bucket.repair.elsewhere import policies_elsewhere
from secure_bucket.repair.refusals import MADE_BY_CDK
from secure_bucket.repair.repair import FixedBucket, LeftBucket, Repair, repair_document

__all__ = [
    "MADE_BY_CDK",
    "FixedBucket",
    "LeftBucket",
    "Repair",
    "policies_elsewhere",
    "repair_document",
]
