"""The audit and the alarms of `SecureTransportMonitoring` take the same events for plain HTTP."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from secure_bucket.detection import DOUBTS, PLAIN_HTTP_ANSWERED, PLAIN_HTTP_DENIED, filter_pattern
from secure_bucket.operations.audit import Audit, audit_logs
from tests.detection.events import ANSWERED, BUCKET, DENIED, NEITHER
from tests.detection.filter_patterns import matches
from tests.operations.audit.records import NOW

EVENTS: dict[str, dict[str, Any]] = {
    f"{kind}: {name}": event
    for kind, events in (("answered", ANSWERED), ("denied", DENIED), ("neither", NEITHER))
    for name, event in events.items()
}


@pytest.fixture(scope="module")
def audits(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Audit]:
    directory = tmp_path_factory.mktemp("events")
    found = {}
    for number, (name, event) in enumerate(EVENTS.items()):
        path = directory / f"{number}.json"
        path.write_text(json.dumps({"Records": [event]}))
        found[name] = audit_logs(path, now=NOW)
    return found


def outcome(audit: Audit) -> str:
    assert (audit.faults, audit.malformed.lines) == ((), 0)
    if audit.passed:
        return "passed"
    (bucket,) = audit.buckets
    assert bucket.name == BUCKET
    (name,) = [name for name in ("https", "breaking", "refused", "unknown") if getattr(bucket, name)]
    return name


@pytest.mark.parametrize("name", EVENTS)
def test_what_an_alarm_tells_the_audit_does_not_take_for_https(audits: dict[str, Audit], name: str) -> None:
    audit, event = audits[name], json.loads(json.dumps(EVENTS[name]))
    denied, answered = (
        matches(filter_pattern(traits), event) for traits in (PLAIN_HTTP_DENIED, PLAIN_HTTP_ANSWERED)
    )
    found = outcome(audit)
    if found == "unknown" and audit.groups[0].why in DOUBTS.values():
        assert denied or answered
    elif found in ("breaking", "refused"):
        assert (answered, denied) == (found == "breaking", found == "refused")
    else:
        assert not denied
        assert not answered


def test_an_access_point_counts_for_its_bucket(tmp_path: Path) -> None:
    event = json.loads(json.dumps(ANSWERED["through an access point"]))
    names = ("arn:aws:s3:eu-central-1:111122223333:accesspoint/a", "a-0123abcd-s3alias", "a--ol-s3")
    events = [event | {"requestParameters": {"bucketName": name}} for name in names]
    (tmp_path / "log.json").write_text(json.dumps({"Records": events}))
    (bucket,) = audit_logs(tmp_path / "log.json", now=NOW).buckets
    assert (bucket.name, bucket.breaking) == (BUCKET, 3)
