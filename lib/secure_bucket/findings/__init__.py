"""Find what is wrong with a bucket, and say what to do about it: the rules and their findings."""

from __future__ import annotations

from secure_bucket.findings.finding import Finding, JudgedBucket, Level, Report
from secure_bucket.findings.rules import RULES, Rule

__all__ = ["RULES", "Finding", "JudgedBucket", "Level", "Report", "Rule"]
