"""Apply the rules to judged buckets, and report findings with advice."""

from __future__ import annotations

from secure_bucket.findings.finding import Finding, JudgedBucket, Level, Report
from secure_bucket.findings.rules import RULES, Rule

__all__ = ["RULES", "Finding", "JudgedBucket", "Level", "Report", "Rule"]
