"""The rules, one file each."""

from __future__ import annotations

from secure_bucket.findings.rules import sb001, sb002, sb003, sb004, sb005, sb006
from secure_bucket.findings.rules.rule import Rule

__all__ = ["RULES", "Rule"]

RULES: tuple[Rule, ...] = (sb001.RULE, sb002.RULE, sb003.RULE, sb004.RULE, sb005.RULE, sb006.RULE)
"""Every rule, in the order of its id."""
