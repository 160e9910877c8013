"""Write the findings as a GitLab Code Quality report.

GitLab documents the format under *Code Quality report format*: a list of objects with a description, a check
name, a unique fingerprint, a severity, and a path relative to the root of the repository
(https://docs.gitlab.com/ci/testing/code_quality/, read in November 2026).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import Any

from secure_bucket.findings.advice import plain_advice
from secure_bucket.findings.finding import Fault, Finding, Level, Report
from secure_bucket.formats.characters import json_text
from secure_bucket.formats.extent import Excerpts
from secure_bucket.formats.fingerprint import fingerprint
from secure_bucket.formats.run import Run
from secure_bucket.values.unknown import Place

__all__ = ["render"]

_SEVERITIES = {Level.ERROR: "critical", Level.WARNING: "minor", Level.NOTE: "info"}


def render(report: Report, run: Run) -> str:
    """Return the report as a JSON list, one object for each finding and each fault."""
    excerpts = Excerpts(run.source)
    issues = [_finding(finding, run, excerpts) for finding in report.findings]
    issues += [_fault(fault, run) for fault in report.faults]
    seen: Counter[str] = Counter()
    for issue in issues:
        # GitLab shows only the first of several issues with one fingerprint.
        seen[issue["fingerprint"]] += 1
        if seen[issue["fingerprint"]] > 1:
            issue["fingerprint"] += f"-{seen[issue['fingerprint']]}"
    return json_text(issues)


def _finding(finding: Finding, run: Run, excerpts: Excerpts) -> dict[str, Any]:
    return _issue(
        f"{finding.message}. Fix: {plain_advice(finding)}",
        finding.rule,
        fingerprint(finding, run, excerpts),
        _SEVERITIES[finding.level],
        finding.created_at or finding.at,
        run,
    )


def _fault(fault: Fault, run: Run) -> dict[str, Any]:
    at = fault.place
    identity = hashlib.sha256(f"{run.relative(fault.file)}\0{fault.message}".encode("utf-8", "replace"))
    return _issue(fault.message, "not-checked", identity.hexdigest()[:32], "blocker", at, run)


def _issue(description: str, name: str, identity: str, severity: str, at: Place, run: Run) -> dict[str, Any]:
    return {
        "description": description,
        "check_name": name,
        "fingerprint": identity,
        "severity": severity,
        "location": {"path": run.relative(at.file), "lines": {"begin": max(at.line, 1)}},
    }
