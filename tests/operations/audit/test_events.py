"""Events of CloudTrail: what the absence of `tlsDetails` means."""

from __future__ import annotations

import copy
import datetime
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from secure_bucket.operations.audit import Audit, CannotTell, Safe, audit_logs
from secure_bucket.operations.audit.text_report import render
from tests.operations.audit.records import NOW, ROLE, Record

EVENT: dict[str, Any] = {
    "eventVersion": "1.09",
    "userIdentity": {"type": "AssumedRole", "arn": ROLE, "accountId": "111122223333"},
    "eventTime": "2027-03-01T09:00:00Z",
    "eventSource": "s3.amazonaws.com",
    "eventName": "GetObject",
    "awsRegion": "eu-west-1",
    "sourceIPAddress": "192.0.2.3",
    "userAgent": "[curl/8.5.0]",
    "requestParameters": {"bucketName": "reports", "Host": "reports.s3.amazonaws.com", "key": "report.csv"},
    "responseElements": None,
    "additionalEventData": {"SignatureVersion": "SigV4", "AuthenticationMethod": "AuthHeader"},
    "requestID": "3E57427F33A59F07",
    "readOnly": True,
    "resources": [{"type": "AWS::S3::Bucket", "ARN": "arn:aws:s3:::reports"}],
    "eventType": "AwsApiCall",
    "managementEvent": False,
    "recipientAccountId": "111122223333",
    "eventCategory": "Data",
}
TLS = {"tlsVersion": "TLSv1.2", "cipherSuite": "ECDHE-RSA-AES128-GCM-SHA256", "clientProvidedHostHeader": "x"}


def event(**changes: Any) -> dict[str, Any]:
    """Return an event over plain HTTP with members changed, or taken out where they are `...`."""
    changed = copy.deepcopy(EVENT) | changes
    return {key: value for key, value in changed.items() if value is not ...}


def audited(directory: Path, *events: dict[str, Any], **options: object) -> Audit:
    (directory / "log.json.gz").write_bytes(gzip.compress(json.dumps({"Records": events}).encode()))
    return audit_logs(directory / "log.json.gz", now=NOW, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, "breaking", id="plain http"),
        pytest.param({"tlsDetails": TLS}, "https", id="tls"),
        pytest.param({"sourceIPAddress": "2001:db8::1"}, "breaking", id="ipv6"),
        pytest.param({"errorCode": "AccessDenied"}, "refused", id="refused already"),
        pytest.param({"errorCode": "NoSuchKey"}, "breaking", id="no such key"),
        pytest.param(
            {"userIdentity": {"type": "AWSAccount", "principalId": "", "accountId": "ANONYMOUS_PRINCIPAL"}},
            "breaking",
            id="anonymous",
        ),
        pytest.param(
            {"additionalEventData": {"CipherSuite": "ECDHE-RSA-AES128-GCM-SHA256"}},
            "https",
            id="a cipher suite alone",
        ),
        pytest.param({"tlsDetails": {"clientProvidedHostHeader": "x"}}, "breaking", id="the host alone"),
        pytest.param({"eventVersion": "1.07"}, "unknown", id="older than tlsDetails"),
        pytest.param({"eventVersion": "1.11"}, "breaking", id="newer"),
        pytest.param({"vpcEndpointId": "vpce-1"}, "unknown", id="vpc endpoint"),
        pytest.param({"vpcEndpointId": "vpce-1", "tlsDetails": TLS}, "https", id="vpc endpoint with tls"),
        pytest.param({"sourceIPAddress": "cloudfront.amazonaws.com"}, "unknown", id="a service"),
        pytest.param({"sourceIPAddress": "AWS Internal"}, "unknown", id="a service within"),
        pytest.param(
            {"userIdentity": {"type": "AWSService", "invokedBy": "x"}}, "unknown", id="a service principal"
        ),
        pytest.param(
            {"userIdentity": {"type": "AssumedRole", "arn": ROLE, "invokedBy": "athena.amazonaws.com"}},
            "unknown",
            id="on behalf of somebody",
        ),
        pytest.param({"additionalEventData": ...}, "unknown", id="nothing else to go by"),
        pytest.param({"additionalEventData": None}, "unknown", id="nothing else to go by, as null"),
    ],
)
def test_outcome(tmp_path: Path, changes: dict[str, Any], expected: str) -> None:
    audit = audited(tmp_path, event(**changes))
    assert (audit.faults, audit.malformed.lines) == ((), 0)
    (bucket,) = audit.buckets
    assert [name for name in ("https", "breaking", "refused", "unknown") if getattr(bucket, name)] == [
        expected
    ]


def test_what_is_no_request_to_a_bucket_is_passed_over(tmp_path: Path) -> None:
    audit = audited(
        tmp_path,
        event(eventSource="ec2.amazonaws.com", eventName="RunInstances"),
        event(
            eventName="ListBuckets",
            requestParameters={"Host": "s3.amazonaws.com"},
            resources=...,
            managementEvent=True,
            eventCategory="Management",
        ),
        event(eventSource="s3express.amazonaws.com"),
        event(tlsDetails=TLS),
    )
    assert {(each.what, each.records) for each in audit.passed} == {
        ("events of other services", 2),
        ("requests to no bucket", 1),
    }
    assert audit.buckets[0].requests == 1


@pytest.mark.parametrize("parameters", [None, ..., {"Host": "reports.s3.amazonaws.com"}])
def test_event_without_the_name_counts_for_the_bucket_among_its_resources(
    tmp_path: Path, parameters: object
) -> None:
    audit = audited(tmp_path, *days_of(40), *days_of(40, readOnly=False), event(requestParameters=parameters))
    (bucket,) = audit.buckets
    assert (bucket.name, bucket.breaking) == ("reports", 1)


def test_data_event_that_names_no_bucket_may_be_of_each(tmp_path: Path) -> None:
    nameless = event(requestParameters=None, resources=None)
    audit = audited(tmp_path, *days_of(40), *days_of(40, readOnly=False), nameless)
    assert reasons(audit) == "1 line could not be read, and may be of this bucket"
    assert [place.why for place in audit.malformed.places] == ["is a data event that names no bucket"]


def reasons(audit: Audit) -> str:
    assert isinstance(audit.answer, CannotTell)
    return "; ".join(audit.answer.reasons)


def test_management_events_alone_cannot_tell(tmp_path: Path) -> None:
    manage = event(
        eventName="GetBucketPolicy", eventCategory="Management", managementEvent=True, tlsDetails=TLS
    )
    assert "management events alone" in reasons(audited(tmp_path, manage))


def test_no_event_of_s3_cannot_tell(tmp_path: Path) -> None:
    assert "does the trail record the data events of S3?" in reasons(
        audited(tmp_path, event(eventSource="ec2.amazonaws.com"))
    )


@pytest.mark.parametrize(("read_only", "missing"), [(True, "write"), (False, "read")])
def test_one_kind_of_data_events_cannot_tell(tmp_path: Path, read_only: bool, missing: str) -> None:
    assert f"recorded no {missing}" in reasons(audited(tmp_path, event(readOnly=read_only, tlsDetails=TLS)))


def days_of(days: int, **changes: Any) -> list[dict[str, Any]]:
    times = [NOW - datetime.timedelta(days=day, hours=1) for day in range(days)]
    return [event(eventTime=f"{time:%Y-%m-%dT%H:%M:%SZ}", tlsDetails=TLS, **changes) for time in times]


def test_reads_that_the_trail_records_since_yesterday_cannot_tell(tmp_path: Path) -> None:
    writes = days_of(40, readOnly=False)
    assert reasons(audited(tmp_path, *writes, *days_of(2))) == (
        "all that CloudTrail recorded of data events that read is within 2 days: has the trail recorded "
        "them for longer?"
    )
    other = days_of(40, requestParameters={"bucketName": "other"})
    audit = audited(tmp_path, *writes, *days_of(2), *other)
    assert isinstance({bucket.name: bucket.answer for bucket in audit.buckets}["reports"], Safe)


def test_two_kinds_of_logs_do_not_add_up(tmp_path: Path) -> None:
    """Writes of 40 days by CloudTrail, and access logs since yesterday: nobody knows who read before."""
    (tmp_path / "access.log").write_text(Record(time=NOW - datetime.timedelta(hours=1)).line + "\n")
    (tmp_path / "trail.json").write_text(json.dumps({"Records": days_of(40, readOnly=False)}))
    audit = audit_logs(tmp_path, now=NOW)
    assert "the logs span 1 day" in reasons(audit)
    (tmp_path / "reads.json").write_text(json.dumps({"Records": days_of(40)}))
    assert isinstance(audit_logs(tmp_path, now=NOW).answer, Safe)


@pytest.mark.parametrize(("reads", "writes"), [(40, 2), (2, 40)])
def test_an_access_log_of_a_day_does_not_complete_a_trail(tmp_path: Path, reads: int, writes: int) -> None:
    (tmp_path / "access.log").write_text(Record(time=NOW - datetime.timedelta(hours=1)).line + "\n")
    trail = [*days_of(reads), *days_of(writes, readOnly=False)]
    (tmp_path / "trail.json").write_text(json.dumps({"Records": trail}))
    assert "is within 2 days: has the trail recorded them for longer?" in reasons(
        audit_logs(tmp_path, now=NOW)
    )
    lines = [Record(time=NOW - datetime.timedelta(days=day)).line for day in range(30)]
    (tmp_path / "access.log").write_text("\n".join(lines))
    assert isinstance(audit_logs(tmp_path, now=NOW).answer, Safe)


@pytest.mark.parametrize("name", [["reports"], {"x": "reports"}, "reports/", " reports", "", "repo%72ts", 5])
@pytest.mark.parametrize("asked", [["reports"], []], ids=["asked", "all"])
def test_an_event_whose_bucket_cannot_be_read_keeps_all_from_safe(
    tmp_path: Path, name: object, asked: list[str]
) -> None:
    strange = event(requestParameters={"bucketName": name, "key": "a"}, resources=[])
    audit = audited(tmp_path, *days_of(40), *days_of(40, readOnly=False), strange, buckets=asked)
    assert reasons(audit) == "1 line could not be read, and may be of this bucket"
    assert [place.why for place in audit.malformed.places] == ["names a bucket that no bucket can be named"]


@pytest.mark.parametrize(
    "changes",
    [
        {"eventSource": "s3.amazonaws.com.cn"},
        {"eventSource": "S3.amazonaws.com"},
        {"eventSource": ["s3.amazonaws.com"]},
        {"eventType": "awsApiCall"},
        {"eventType": "AwsApiCallOfTomorrow"},
        {"eventType": None},
    ],
    ids=str,
)
def test_another_spelling_of_the_service_or_of_a_call_counts(tmp_path: Path, changes: dict[str, Any]) -> None:
    assert audited(tmp_path, event(**changes)).buckets[0].breaking == 1


def test_insights_are_no_requests_and_keep_nothing_from_being_safe(tmp_path: Path) -> None:
    insight = {
        "eventVersion": "1.08",
        "eventTime": "2027-02-27T10:00:00Z",
        "eventType": "AwsCloudTrailInsight",
        "insightDetails": {"state": "Start", "eventSource": "s3.amazonaws.com", "eventName": "PutBucketAcl"},
        "eventCategory": "Insight",
    }
    audit = audited(tmp_path, *days_of(40), *days_of(40, readOnly=False), insight)
    assert isinstance(audit.answer, Safe)
    assert [(each.what, each.records) for each in audit.passed] == [("insights, which are not requests", 1)]


def test_management_event_over_plain_http_breaks(tmp_path: Path) -> None:
    audit = audited(
        tmp_path, event(eventName="GetBucketPolicy", eventCategory="Management", managementEvent=True)
    )
    assert audit.buckets[0].breaking == 1


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(
            lambda each: json.dumps({"Records": [each, each]}, indent=2), id="a file of CloudTrail, laid out"
        ),
        pytest.param(
            lambda each: json.dumps({"Records": [each, each], "more": {"a": [1]}}), id="with more members"
        ),
        pytest.param(lambda each: json.dumps([each, each]), id="an array"),
        pytest.param(lambda each: f"{json.dumps(each)}\n{json.dumps(each)}\n", id="lines"),
        pytest.param(lambda each: json.dumps(each, indent=1) * 2, id="one after another, laid out"),
        pytest.param(
            lambda each: "".join(
                f"{json.dumps({'detail-type': 'AWS API Call', 'detail': each})}\n" for _ in range(2)
            ),
            id="events of EventBridge",
        ),
        pytest.param(
            lambda each: json.dumps({"events": [{"timestamp": 1, "message": json.dumps(each)}] * 2}),
            id="filter-log-events",
        ),
        pytest.param(
            lambda each: json.dumps({"logEvents": [{"id": "1", "message": json.dumps(each)}]}) * 2,
            id="a subscription",
        ),
        pytest.param(
            lambda each: json.dumps({"Events": [{"CloudTrailEvent": json.dumps(each)}] * 2}),
            id="lookup-events",
        ),
        pytest.param(
            lambda each: "\ufeff" + json.dumps({"Records": [each, each]}), id="with a byte order mark"
        ),
    ],
)
def test_however_it_is_wrapped(tmp_path: Path, text: Any) -> None:
    (tmp_path / "log").write_text(text(event(userAgent='a "b" ü')), encoding="utf-8")
    audit = audit_logs(tmp_path / "log", now=NOW)
    assert (audit.faults, audit.malformed.lines) == ((), 0)
    (group,) = audit.groups
    assert (group.requests, group.user_agent, group.requester) == (2, 'a "b" ü', ROLE)


def test_record_that_is_no_event_is_counted_and_shown(tmp_path: Path) -> None:
    audit = audited(tmp_path, event(), {"not": "an event"}, event(eventTime="tomorrow"))
    assert audit.malformed.lines == 2
    assert [(place.line, place.why) for place in audit.malformed.places] == [
        (2, "is not an event of CloudTrail"),
        (3, "has no time"),
    ]


@pytest.mark.parametrize("cut", [10, 200, -1, -2, -40])
def test_document_that_was_cut_is_a_fault(tmp_path: Path, cut: int) -> None:
    (tmp_path / "log.json").write_text(json.dumps({"Records": [event()] * 3})[:cut])
    audit = audit_logs(tmp_path / "log.json", now=NOW)
    assert len(audit.faults) == 1
    assert "log.json" in audit.faults[0].message


def test_digest_files_are_no_logs(tmp_path: Path) -> None:
    (tmp_path / "digest.json").write_text(
        json.dumps({"awsAccountId": "1", "digestS3Bucket": "b", "logFiles": []})
    )
    (tmp_path / "log.json").write_text(json.dumps({"Records": [event()]}))
    audit = audit_logs(tmp_path, now=NOW)
    assert (audit.files, len(audit.ignored), audit.faults) == (1, 1, ())


def test_the_table_tells_that_there_are_management_events_alone(tmp_path: Path) -> None:
    manage = event(
        eventName="GetBucketPolicy", eventCategory="Management", managementEvent=True, tlsDetails=TLS
    )
    text = render(audited(tmp_path, manage))
    assert "cannot tell: management events only  reports" in text


def month(**changes: Any) -> list[dict[str, Any]]:
    """Return reads and writes over HTTPS in each week of a month."""
    return [
        event(
            tlsDetails=TLS,
            readOnly=reads,
            eventTime=(NOW - datetime.timedelta(days=age)).strftime("%Y-%m-%dT%H:%M:%SZ"),
            **changes,
        )
        for age in (30, 24, 18, 12, 6, 0)
        for reads in (True, False)
    ]


COPY = {
    "eventName": "CopyObject",
    "readOnly": False,
    "resources": [
        {"type": "AWS::S3::Object", "ARN": "arn:aws:s3:::copies/report.csv"},
        {"accountId": "111122223333", "type": "AWS::S3::Bucket", "ARN": "arn:aws:s3:::copies"},
    ],
}


@pytest.mark.parametrize("source", ["reports/report.csv", "/reports/report.csv", "reports%2Freport.csv"])
@pytest.mark.parametrize("asked", [["reports"], []], ids=["asked", "all"])
def test_a_copy_over_plain_http_breaks_by_the_deny_of_its_source(
    tmp_path: Path, source: str, asked: list[str]
) -> None:
    copy_event = event(
        **COPY, requestParameters={"bucketName": "copies", "key": "report.csv", "x-amz-copy-source": source}
    )
    assert isinstance(audited(tmp_path, *month(), buckets=["reports"]).answer, Safe)
    audit = audited(tmp_path, *month(), copy_event, buckets=asked)
    breaking = {bucket.name: bucket.breaking for bucket in audit.buckets}
    assert breaking == {"reports": 1} | ({} if asked else {"copies": 1})


@pytest.mark.parametrize(
    ("changes", "source"),
    [({"tlsDetails": TLS}, "elsewhere/report.csv"), ({}, "copies/earlier.csv"), ({}, "")],
    ids=["over https", "within the bucket", "of nothing"],
)
def test_another_copy_is_of_the_bucket_copied_to_alone(
    tmp_path: Path, changes: dict[str, Any], source: str
) -> None:
    parameters = {"bucketName": "copies", "key": "report.csv", "x-amz-copy-source": source}
    (bucket,) = audited(tmp_path, event(**COPY, **changes, requestParameters=parameters)).buckets
    assert (bucket.name, bucket.requests, bucket.breaking) == ("copies", 1, int(not changes))


@pytest.mark.parametrize(
    "name", ["arn:aws:s3:eu-west-1:111122223333:accesspoint/a", "a-0123abcd-s3alias", "a--ol-s3"]
)
@pytest.mark.parametrize("asked", [["reports"], []], ids=["asked", "all"])
def test_plain_http_through_an_access_point_of_no_named_bucket_keeps_all_from_safe(
    tmp_path: Path, name: str, asked: list[str]
) -> None:
    through = {"requestParameters": {"bucketName": name}, "resources": []}
    audit = audited(tmp_path, *month(), event(**through), buckets=asked)
    (reports,) = [bucket for bucket in audit.buckets if bucket.name == "reports"]
    assert isinstance(reports.answer, CannotTell)
    assert "through access points of which the events name no bucket" in reports.answer.reasons[0]
    over_https = audited(tmp_path, *month(), event(**through, tlsDetails=TLS), buckets=["reports"])
    assert isinstance(over_https.answer, Safe)
