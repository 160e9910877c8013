"""Write a review as events of the Open Cybersecurity Schema Framework (OCSF), class *Compliance Finding*.

The class, its members and its numbers follow https://schema.ocsf.io/1.3.0/classes/compliance_finding, read
2026-11. The events are valid against the schema of that class in the package ocsf-json-schema 1.2.0.
"""

from __future__ import annotations

import datetime
from typing import Any, Final

from secure_bucket.findings.finding import Report
from secure_bucket.formats.characters import json_text
from secure_bucket.formats.postures import Posture, Status, postures_of
from secure_bucket.formats.run import Run

__all__ = ["render"]

_VERSION: Final = "1.3.0"
_CATEGORY, _CLASS, _CREATE = 2, 2003, 1
# `compliance.status_id`, its name, and `severity_id`.
_STATUSES: Final = {
    Status.PASSED: (1, "Pass", 1),
    Status.WARNING: (2, "Warning", 3),
    Status.FAILED: (3, "Fail", 4),
    Status.EXCEPTED: (3, "Fail", 1),
}
# `status_id` of the finding: 1 new, 3 suppressed, 4 resolved.
_NEW, _SUPPRESSED, _RESOLVED = (1, "New"), (3, "Suppressed"), (4, "Resolved")
_SEVERITIES: Final = {1: "Informational", 3: "Medium", 4: "High"}


def render(report: Report, run: Run) -> str:
    """Return the events as a JSON array."""
    events = [_event(each, run) for each in postures_of(report, run)]
    return json_text(events)


def _event(posture: Posture, run: Run) -> dict[str, Any]:
    bucket = posture.bucket
    status_id, status, severity = _STATUSES[posture.status]
    state_id, state = _state(posture.status)
    account = {"uid": bucket.account, "type": "AWS Account", "type_id": 10}
    event: dict[str, Any] = {
        "activity_id": _CREATE,
        "activity_name": "Create",
        "category_uid": _CATEGORY,
        "category_name": "Findings",
        "class_uid": _CLASS,
        "class_name": "Compliance Finding",
        "type_uid": _CLASS * 100 + _CREATE,
        "type_name": "Compliance Finding: Create",
        "time": _milliseconds(run),
        "severity_id": severity,
        "severity": _SEVERITIES[severity],
        "status_id": state_id,
        "status": state,
        "message": posture.message,
        "metadata": {
            "version": _VERSION,
            "profiles": ["cloud"],
            "product": {
                "name": "secure-bucket",
                "vendor_name": "secure-bucket",
                "version": run.version or "unknown",
            },
        },
        "finding_info": {"uid": posture.uid, "title": posture.title, "desc": posture.message},
        "compliance": {
            "control": posture.rule,
            "standards": ["AWS Foundational Security Best Practices"],
            "status_id": status_id,
            "status": status,
        },
        "cloud": {
            "provider": "AWS",
            "account": account,
            **({"region": bucket.region} if bucket.region else {}),
        },
        "resources": [
            {
                "uid": bucket.arn,
                "name": bucket.name,
                "type": "AWS::S3::Bucket",
                "cloud_partition": posture.partition,
                **({"region": bucket.region} if bucket.region else {}),
            }
        ],
    }
    if posture.remedy:
        event["remediation"] = {"desc": posture.remedy}
    if posture.reason:
        event["comment"] = posture.reason
    return event


def _state(status: Status) -> tuple[int, str]:
    if status is Status.PASSED:
        return _RESOLVED
    return _SUPPRESSED if status is Status.EXCEPTED else _NEW


def _milliseconds(run: Run) -> int:
    if run.finished_at is None:
        return 0
    moment = run.finished_at
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.timezone.utc)
    return int(moment.timestamp() * 1000)
