"""JSON around the records of logs: what holds a record is read, or keeps every bucket from safe."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from secure_bucket.operations.audit import Audit, Safe, audit_logs
from tests.operations.audit.records import NOW
from tests.operations.audit.test_events import TLS, event
from tests.operations.audit.test_forged import EVENTS_AROUND, SUITE

PLAIN = event()
TEXT = json.dumps(PLAIN)
ACCESS = {
    "bucket_name": "reports",
    "request_time": "2027-03-01T09:00:00Z",
    "operation": "REST.GET.OBJECT",
    "http_status": "200",
    "remote_ip": "192.0.2.3",
    "request_uri": "GET /a HTTP/1.1",
    "cipher_suite": None,
    "tls_version": None,
}


def audited(path: Path, text: str) -> Audit:
    path.write_text(text)
    return audit_logs(path, now=NOW)


def breaking(audit: Audit) -> int:
    return sum(bucket.breaking for bucket in audit.buckets)


READ: dict[str, Any] = {
    "another known key": {"Records": [], "events": [PLAIN]},
    "another known key, with messages": {"Records": [], "logEvents": [{"id": "1", "message": TEXT}]},
    "both keys": {"Records": EVENTS_AROUND, "Events": [{"CloudTrailEvent": TEXT}]},
    "an unknown key": {"Records": EVENTS_AROUND, "Further": [PLAIN]},
    "an unknown key before": {"Further": [PLAIN], "Records": EVENTS_AROUND},
    "an object": {"Records": EVENTS_AROUND, "one": PLAIN},
    "a wrapper within": {"Records": EVENTS_AROUND, "page": {"page": {"Records": [PLAIN]}}},
    "a wrapper among the records": {"Records": [*EVENTS_AROUND, {"Records": [PLAIN]}]},
    "an array among the records": {"Records": [*EVENTS_AROUND, [PLAIN]]},
    "a wrapper around": {"pages": {"Records": EVENTS_AROUND, "more": [PLAIN]}},
    "pages": [{"Records": EVENTS_AROUND}, {"Records": [PLAIN]}],
    "text of a record": {"Records": EVENTS_AROUND, "last": TEXT},
    "text of an array": {"Records": EVENTS_AROUND, "last": [json.dumps([PLAIN])]},
    "text of a document": {"Records": EVENTS_AROUND, "body": json.dumps({"Records": [PLAIN]})},
    "text within text": {"Records": [*EVENTS_AROUND, {"body": json.dumps({"message": TEXT})}]},
    "texts": {"Records": [*EVENTS_AROUND, TEXT]},
    "a message of an export": {"events": [{"message": f"2027-03-01T09:00:00Z {TEXT}"}]},
    "an event of EventBridge": {"Records": EVENTS_AROUND, "events": [{"detail-type": "x", "detail": PLAIN}]},
    "an access record": {"Records": EVENTS_AROUND, "events": [{"message": json.dumps(ACCESS)}]},
    "records where a list is beside": {"events": [], "searchedLogStreams": [PLAIN]},
}


@pytest.mark.parametrize("indent", [None, 1], ids=["one line", "laid out"])
@pytest.mark.parametrize("name", READ)
def test_a_record_anywhere_in_a_document_is_read(tmp_path: Path, name: str, indent: int | None) -> None:
    audit = audited(tmp_path / "log", json.dumps(READ[name], indent=indent))
    assert (breaking(audit), audit.malformed.lines, audit.faults) == (1, 0, ())


def test_a_key_that_is_there_twice_is_read_twice(tmp_path: Path) -> None:
    for text in (
        f'{{"Records": [{TEXT}], "Records": [{TEXT}]}}',
        f'{{"x": 1, "events": [{TEXT}], "events": []}}',
    ):
        audit = audited(tmp_path / "log", text)
        assert (breaking(audit), audit.faults) == (text.count("eventSource"), ())


LINES: dict[str, Callable[[str, str], str]] = {
    "behind an array": lambda around, plain: f'{{"Records": [{around}]}}\n{plain}\n',
    "before an array": lambda around, plain: f'{plain}\n{{"Records": [{around}]}}\n',
    "behind a bare array": lambda around, plain: f"[{around}]\n{plain}\n",
    "one record a line in an array": lambda around, plain: f"[\n{around},\n{plain}\n]\n",
    "one record a line in a document": lambda around, plain: f'{{"Records": [\n{around},\n{plain}\n]}}\n',
    "messages": lambda around, plain: f"[{around}]\n{json.dumps({'message': plain})}\n",
}


@pytest.mark.parametrize("name", LINES)
def test_no_line_beside_an_array_is_lost(tmp_path: Path, name: str) -> None:
    around = ",\n".join(map(json.dumps, EVENTS_AROUND))
    audit = audited(tmp_path / "log", LINES[name](around, TEXT))
    assert not isinstance(audit.answer, Safe)
    assert breaking(audit) + audit.malformed.lines + len(audit.faults) > 0


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"{json.dumps({'message': TEXT})}\n" * 2, id="messages, one a line"),
        pytest.param(json.dumps({"nextToken": "x", "events": [{"message": TEXT}] * 2}, indent=1), id="token"),
        pytest.param(f"[\n{TEXT},\n{TEXT}\n]", id="an array, one record a line"),
        pytest.param(f'{{"Records": [\n{TEXT},\n{TEXT}\n]}}', id="a document, one record a line"),
    ],
)
def test_a_log_in_a_directory_is_found_by_its_records(tmp_path: Path, text: str) -> None:
    (tmp_path / "log.gz").write_bytes(gzip.compress(text.encode()))
    audit = audit_logs(tmp_path, now=NOW)
    assert (breaking(audit), audit.malformed.lines, audit.ignored, audit.faults) == (2, 0, (), ())


def test_messages_in_another_form_are_not_skipped(tmp_path: Path) -> None:
    (tmp_path / "log").write_text(json.dumps({"Records": EVENTS_AROUND}))
    assert isinstance(audit_logs(tmp_path, now=NOW).answer, Safe)
    for other in (f"syslog: {json.dumps({'message': TEXT})}", '@message\n"' + TEXT.replace('"', '""') + '"'):
        (tmp_path / "other").write_text(other)
        audit = audit_logs(tmp_path, now=NOW)
        assert (audit.malformed.lines > 0, audit.ignored) == (True, ())


UNREAD: dict[str, Any] = {
    "an object that is no record": {"Records": EVENTS_AROUND, "more": [{"name": "GetObject"}]},
    "a record without a source": {"Records": EVENTS_AROUND, "one": {"eventName": "GetObject"}},
    "a record without a name": {"Records": EVENTS_AROUND, "events": [{"eventTime": "2027-03-01T09:00:00Z"}]},
    "a message that is cut": {"Records": EVENTS_AROUND, "events": [{"message": TEXT[:-40]}]},
    "a text that is cut": {"Records": EVENTS_AROUND, "last": TEXT[:-40]},
    "an empty message": {"Records": EVENTS_AROUND, "events": [{"message": ""}]},
    "no message": {"Records": EVENTS_AROUND, "events": [{"message": None}]},
    "a message beside a record": {"Records": EVENTS_AROUND, "events": [{"message": "x", "one": TEXT}]},
    "a number": {"Records": [*EVENTS_AROUND, 5]},
    "null": {"Records": [*EVENTS_AROUND, None]},
    "an event with records": {"Records": [*EVENTS_AROUND, event(tlsDetails=TLS, Records=[PLAIN])]},
    "records with an event": {"Records": EVENTS_AROUND, **PLAIN},
    "an event with an event within": {"Records": [*EVENTS_AROUND, event(detail=event(tlsDetails=TLS))]},
    "deep": {"Records": EVENTS_AROUND, "deep": json.loads("[" * 40 + TEXT + "]" * 40)},
}


@pytest.mark.parametrize("name", UNREAD)
def test_what_cannot_be_read_in_a_document_keeps_all_from_safe(tmp_path: Path, name: str) -> None:
    audit = audited(tmp_path / "log", json.dumps(UNREAD[name]))
    assert (audit.malformed.lines, len(audit.faults)) in ((1, 0), (2, 0), (0, 1))
    assert not isinstance(audit.answer, Safe)


@pytest.mark.parametrize(
    "further",
    [
        {"nextToken": "x"},
        {"searchedLogStreams": [{"logStreamName": "a", "searchedCompletely": True}]},
        {"subscriptionFilters": ["a"], "messageType": "DATA_MESSAGE", "owner": "111122223333"},
        {"events": []},
        {"a": {"b": [1, None, "text"]}},
    ],
    ids=lambda further: "-".join(further),
)
def test_other_members_of_a_document_keep_nothing_from_safe(tmp_path: Path, further: dict[str, Any]) -> None:
    around: dict[str, Any] = {
        "logEvents": [{"id": "1", "message": json.dumps(each)} for each in EVENTS_AROUND]
    }
    for document in (around | further, further | around):
        assert isinstance(audited(tmp_path / "log", json.dumps(document)).answer, Safe)


def twice(record: dict[str, Any], member: str, first: object, second: object) -> str:
    """Return a record that has a member with one value, and then with another."""
    whole = {name: value for name, value in record.items() if name != member}
    return f'{json.dumps(whole)[:-1]}, "{member}": {json.dumps(first)}, "{member}": {json.dumps(second)}}}'


ADDITIONAL = PLAIN["additionalEventData"]
OTHER = "2026-01-01T09:00:00Z"
# Each is a record in plain HTTP to `reports`, but for the reader who takes the first, or the last, of two.
PAIRS: dict[str, tuple[str, Any, Any]] = {
    "tls": ("tlsDetails", TLS, None),
    "additional data": ("additionalEventData", {"CipherSuite": SUITE}, ADDITIONAL),
    "parameters": ("requestParameters", {"bucketName": "other"}, PLAIN["requestParameters"]),
    "time": ("eventTime", OTHER, PLAIN["eventTime"]),
    "agent": ("userAgent", "a", "b"),
    "source": ("eventSource", "ec2.amazonaws.com", "s3.amazonaws.com"),
    "type": ("eventType", "AwsCloudTrailInsight", "AwsApiCall"),
    "error": ("errorCode", "AccessDenied", None),
    "equal values": ("readOnly", True, True),
}
REPEATED = {
    f"{name}, {order}": twice(PLAIN, member, *values)
    for name, (member, first, second) in PAIRS.items()
    for order, values in (("first", (first, second)), ("last", (second, first)))
} | {
    "version": TEXT[:-1] + ', "tlsDetails": {"tlsVersion": "TLSv1.2", "tlsVersion": null}}',
    "suite": TEXT.replace('{"SignatureVersion"', f'{{"CipherSuite": "{SUITE}", "CipherSuite": "-", "x"'),
    "bucket": TEXT.replace('"bucketName": "reports"', '"bucketName": "other", "bucketName": "reports"'),
    "invoked": TEXT.replace('"arn": ', '"invokedBy": null, "invokedBy": "x", "arn": ', 1),
    "resource": TEXT.replace('"ARN": ', '"ARN": "arn:aws:s3:::other", "ARN": '),
    "escaped": f'{TEXT[:-1]}, "tlsDetails": {json.dumps(TLS)}, "tlsDetail\\u0073": null}}',
    "other case": f'{TEXT[:-1]}, "tlsDetails": {json.dumps(TLS)}, "tlsdetails": null}}',
}
LAID_OUT = (", ", ",\n")
WRAPPED: dict[str, Callable[[str], str]] = {
    "a document": lambda text: f'{{"Records": [{text}]}}',
    "a document laid out": lambda text: f'{{"Records": [\n{text.replace(*LAID_OUT)}\n]}}',
    "a line": lambda text: f"{text}\n",
    "EventBridge": lambda text: f'{{"detail-type": "x", "detail": {text}}}\n',
    "an array of EventBridge": lambda text: f'[{{"detail-type": "x", "detail": {text}}}]\n',
    "a message": lambda text: json.dumps({"events": [{"message": text}]}),
    "a message laid out": lambda text: json.dumps({"events": [{"message": text.replace(*LAID_OUT)}]}),
    "a wrapper": lambda text: f'{{"pages": {{"all": [{text}]}}}}',
}


@pytest.mark.parametrize("name", REPEATED)
def test_an_event_that_names_a_member_twice_is_malformed(tmp_path: Path, name: str) -> None:
    for wrapped, wrap in WRAPPED.items():
        (tmp_path / wrapped).write_text(wrap(REPEATED[name]))
    audit = audit_logs(tmp_path, now=NOW)
    assert {place.why for place in audit.malformed.places} == {"names a member twice"}
    assert (audit.malformed.lines, audit.files) == (len(WRAPPED), len(WRAPPED))
    assert (audit.buckets, audit.faults) == ((), ())


@pytest.mark.parametrize(
    ("member", "first", "second"),
    [
        ("tls_version", "TLSv1.2", None),
        ("cipher_suite", SUITE, None),
        ("bucket_name", "other", "reports"),
        ("http_status", "403", "200"),
        ("request_time", OTHER, ACCESS["request_time"]),
    ],
)
def test_an_access_record_that_names_a_member_twice_is_malformed(
    tmp_path: Path, member: str, first: object, second: object
) -> None:
    for wrapped in ("a document", "a line", "a message"):
        for order, values in (("first", (first, second)), ("last", (second, first))):
            (tmp_path / f"{wrapped}, {order}").write_text(WRAPPED[wrapped](twice(ACCESS, member, *values)))
    audit = audit_logs(tmp_path, now=NOW)
    assert {place.why for place in audit.malformed.places} == {"names a member twice"}
    assert (audit.malformed.lines, audit.buckets, audit.faults) == (6, (), ())


def test_names_in_a_request_may_differ_by_case_alone(tmp_path: Path) -> None:
    parameters = {"bucketName": "reports", "X-Amz-Date": "20270301T090000Z", "x-amz-date": "x"}
    audit = audited(tmp_path / "log", json.dumps({"Records": [event(requestParameters=parameters)]}))
    assert (breaking(audit), audit.malformed.lines) == (1, 0)
