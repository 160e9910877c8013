"""An audit for programs, as JSON of a published form: `audit-1.schema.json` in `formats`."""

from __future__ import annotations

import datetime
import json
from typing import Any

from secure_bucket.formats.characters import well_formed
from secure_bucket.formats.run import Run
from secure_bucket.operations.audit.audit import Answer, Audit, AuditedBucket, Breaks, CannotTell, ClientGroup
from secure_bucket.operations.audit.sentences import answer_name, verdict

__all__ = ["SCHEMA", "answer_form", "render", "time_form"]

SCHEMA = "secure-bucket/audit/1"


def render(audit: Audit, run: Run) -> str:
    """Return the audit as a JSON document."""
    document = {
        "schema": SCHEMA,
        "tool": {"name": "secure-bucket", "version": run.version or None},
        "run": {
            "finished_at": run.timestamp or None,
            "exit_code": run.exit_code,
            "options": [{"name": name, "value": value} for name, value in run.options],
        },
        "verdict": verdict(audit),
        "answer": answer_form(audit.answer),
        "asked": {
            "sources": list(audit.sources),
            "since": time_form(audit.since),
            "until": time_form(audit.until),
            "minimum_tls": audit.minimum_tls,
            "minimum_window_days": audit.minimum_window,
            "group_by": [key.value for key in audit.keys],
        },
        "files": audit.files,
        "buckets": [_bucket(bucket) for bucket in audit.buckets],
        "groups": [_group(group) for group in audit.groups],
        "more_groups": {trouble.value: number for trouble, number in audit.more},
        "malformed": {
            "lines": audit.malformed.lines,
            "places": [
                {"file": place.file, "line": place.line or None, "why": place.why}
                for place in audit.malformed.places
            ],
        },
        "passed_over": [{"what": each.what, "records": each.records} for each in audit.passed],
        "ignored": [{"file": file, "why": why} for file, why in audit.ignored],
        "faults": [{"file": fault.file, "message": fault.message} for fault in audit.faults],
    }
    return well_formed(json.dumps(document, ensure_ascii=False, indent=2)) + "\n"


def answer_form(answer: Answer) -> dict[str, Any]:
    """Return an answer in the form that it has in JSON."""
    name = answer_name(answer).replace(" ", "-")
    if isinstance(answer, Breaks):
        return {"outcome": name, "clients": answer.clients, "requests": answer.requests}
    if isinstance(answer, CannotTell):
        return {"outcome": name, "reasons": list(answer.reasons)}
    return {"outcome": name}


def _bucket(bucket: AuditedBucket) -> dict[str, Any]:
    return {
        "name": bucket.name,
        "answer": answer_form(bucket.answer),
        "requests": bucket.requests,
        "https": bucket.https,
        "breaking": bucket.breaking,
        "refused": bucket.refused,
        "unknown": bucket.unknown,
        "internal": bucket.internal,
        "data_events": bucket.data_events,
        "first_seen": time_form(bucket.first_seen),
        "last_seen": time_form(bucket.last_seen),
        "days": bucket.days,
        "window_days": bucket.window,
        "share_known": round(bucket.share, 6),
    }


def _group(group: ClientGroup) -> dict[str, Any]:
    return {
        "trouble": group.trouble.value,
        "transport": group.transport,
        "why": group.why or None,
        "bucket": group.bucket,
        "requester": group.requester,
        "user_agent": group.user_agent,
        "address": group.address,
        "operation": group.operation,
        "status": group.status,
        "requests": group.requests,
        "clients": group.clients,
        "first_seen": time_form(group.first_seen),
        "last_seen": time_form(group.last_seen),
    }


def time_form(time: datetime.datetime | None) -> str | None:
    """Return a time in the form that it has in JSON: in UTC, to the second."""
    return None if time is None else time.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
