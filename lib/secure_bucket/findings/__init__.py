"""What is wrong with the buckets of a template, and what to do about it."""

from __future__ import annotations

from secure_bucket.findings.check import check_assembly, check_template, check_templates
from secure_bucket.findings.finding import Finding, JudgedBucket, Level, Report
from secure_bucket.findings.rules import RULES, Rule

__all__ = [
    "RULES",
    "Finding",
    "JudgedBucket",
    "Level",
    "Report",
    "Rule",
    "check_assembly",
    "check_template",
    "check_templates",
]
