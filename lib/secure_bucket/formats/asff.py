"""Write a review as findings of AWS Security Hub, in the AWS Security Finding Format (ASFF).

    aws securityhub batch-import-findings --findings file://findings.json

Security Hub accepts up to 100 findings in one call. Each bucket has one finding about plain HTTP, `PASSED` or
`FAILED`. Its id never changes, so that a later import updates it.

The members follow *Required top-level ASFF attributes* and *Optional top-level ASFF attributes* in the AWS
Security Hub User Guide, read 2026-11; the tests compare them with the service model of botocore.
"""

from __future__ import annotations

from typing import Any

from secure_bucket.findings.finding import Report
from secure_bucket.formats.characters import json_text
from secure_bucket.formats.postures import Posture, Status, postures_of
from secure_bucket.formats.run import Run

__all__ = ["render"]

_LABELS = {
    Status.FAILED: ("FAILED", "HIGH"),
    Status.WARNING: ("WARNING", "MEDIUM"),
    Status.PASSED: ("PASSED", "INFORMATIONAL"),
    Status.EXCEPTED: ("FAILED", "INFORMATIONAL"),
}
# The maximum lengths: Security Hub API Reference, *AwsSecurityFinding*.
_TITLE, _DESCRIPTION, _REMEDY = 256, 1024, 512


def render(report: Report, run: Run) -> str:
    """Return the findings as a JSON array."""
    findings = [_finding(each, run) for each in postures_of(report, run)]
    return json_text(findings)


def _finding(posture: Posture, run: Run) -> dict[str, Any]:
    bucket = posture.bucket
    status, severity = _LABELS[posture.status]
    moment = run.timestamp or "1970-01-01T00:00:00Z"
    region = bucket.region or "us-east-1"
    product = (
        f"arn:{posture.partition}:securityhub:{region}:{bucket.account}:product/{bucket.account}/default"
    )
    found: dict[str, Any] = {
        "SchemaVersion": "2018-10-08",
        "Id": posture.uid,
        "ProductArn": product,
        "GeneratorId": f"secure-bucket/{posture.rule}",
        "AwsAccountId": bucket.account,
        "Types": ["Software and Configuration Checks/AWS Security Best Practices"],
        "CreatedAt": moment,
        "UpdatedAt": moment,
        "Severity": {"Label": severity},
        "Title": _cut(posture.title, _TITLE),
        "Description": _cut(posture.message, _DESCRIPTION),
        "ProductFields": {"secure-bucket/version": run.version or "unknown"},
        "Resources": [
            {"Type": "AwsS3Bucket", "Id": bucket.arn, "Partition": posture.partition, "Region": region}
        ],
        "Compliance": {"Status": status},
        "RecordState": "ACTIVE",
    }
    if posture.remedy:
        found["Remediation"] = {"Recommendation": {"Text": _cut(posture.remedy, _REMEDY)}}
    if posture.reason:
        found["ProductFields"]["secure-bucket/exception"] = _cut(posture.reason, _DESCRIPTION)
    return found


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"
