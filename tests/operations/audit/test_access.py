"""Server access logs: which record is of a client over plain HTTP, and which is not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from secure_bucket.operations.audit import Audit, Safe, Trouble, audit_logs
from tests.operations.audit.records import NOW, OWNER, Record, http

# From the page of the AWS documentation on the format, with its placeholders.
DOCUMENTED = (
    f"{OWNER} amzn-s3-demo-bucket1 [06/Feb/2019:00:00:38 +0000] 192.0.2.3 {OWNER} 3E57427F3EXAMPLE "
    'REST.GET.VERSIONING - "GET /amzn-s3-demo-bucket1?versioning HTTP/1.1" 200 - 113 - 7 - "-" '
    '"S3Console/0.4" - '
    "s9lzHYrFp76ZVxRcpX9+5cjAnEH2ROuNkd2BHfIa6UkFVdtjf5mKR3/eTPFvsiP/XV/VLi31234= SigV4 "
    "ECDHE-RSA-AES128-GCM-SHA256 AuthHeader amzn-s3-demo-bucket1.s3.us-west-1.amazonaws.com TLSV1.2 "
    "arn:aws:s3:us-west-1:123456789012:accesspoint/example-AP Yes us-east-1"
)


def audited(directory: Path, *lines: str, **options: object) -> Audit:
    (directory / "log").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return audit_logs(directory / "log", now=NOW, **options)  # type: ignore[arg-type]


def outcome(directory: Path, record: Record | str, **options: object) -> str:
    audit = audited(directory, record if isinstance(record, str) else record.line, **options)
    assert audit.faults == ()
    (bucket,) = audit.buckets
    (name,) = [
        name for name in ("https", "breaking", "refused", "unknown", "internal") if getattr(bucket, name) == 1
    ]
    return name


PLAIN = http(Record())


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        pytest.param(DOCUMENTED, "https", id="the documented record"),
        pytest.param(PLAIN, "breaking", id="plain http"),
        pytest.param(replace(PLAIN, requester="-"), "breaking", id="anonymous"),
        pytest.param(replace(PLAIN, operation="WEBSITE.GET.OBJECT"), "breaking", id="website"),
        pytest.param(replace(PLAIN, status="404"), "breaking", id="no such key"),
        pytest.param(replace(PLAIN, status="500"), "breaking", id="failed"),
        pytest.param(replace(PLAIN, status="403"), "refused", id="refused already"),
        pytest.param(replace(PLAIN, operation="S3.EXPIRE.OBJECT", request="-"), "internal", id="expiry"),
        pytest.param(
            replace(
                PLAIN, operation="S3.EXPIRE.OBJECT", request=None, referrer=None, user_agent=None, status="-"
            ),
            "internal",
            id="expiry without quotation marks",
        ),
        pytest.param(
            replace(PLAIN, operation="S3.TRANSITION_SIA.OBJECT", address="-"), "internal", id="transition"
        ),
        pytest.param(replace(PLAIN, operation="BATCH.DELETE.OBJECT"), "internal", id="one key of a batch"),
        pytest.param(
            replace(PLAIN, operation="REST.POST.MULTI_OBJECT_DELETE"), "breaking", id="the batch itself"
        ),
        pytest.param(replace(PLAIN, operation="REST.COPY.OBJECT_GET"), "unknown", id="half of a copy"),
        pytest.param(replace(PLAIN, operation="REST.COPY.PART_GET"), "unknown", id="half of a copied part"),
        pytest.param(replace(PLAIN, operation="REST.COPY.OBJECT"), "breaking", id="the copy itself"),
        pytest.param(replace(PLAIN, request="-"), "unknown", id="no request"),
        pytest.param(replace(PLAIN, address="-"), "unknown", id="no address"),
        pytest.param(replace(PLAIN, tls=None), "unknown", id="no field for the version"),
        pytest.param(Record(tls=None), "unknown", id="no field for the version, but a cipher suite"),
        pytest.param(Record(tls="-"), "unknown", id="a cipher suite alone"),
        pytest.param(Record(cipher="-"), "unknown", id="a version alone"),
        pytest.param(replace(PLAIN, tls="TLSv9"), "unknown", id="a version that nobody knows"),
        pytest.param(replace(PLAIN, appended=""), "breaking", id="the line ends with the version"),
        pytest.param(
            replace(PLAIN, appended=" - Yes eu-west-1 later fields"), "breaking", id="fields of tomorrow"
        ),
    ],
)
def test_outcome(tmp_path: Path, record: Record | str, expected: str) -> None:
    assert outcome(tmp_path, record) == expected


@pytest.mark.parametrize(
    "agent",
    [
        'Mozilla/5.0 "quoted" (X11)',
        '"',
        '" "',
        '"-" "-" - - -',
        '" 200 - - - - - "-" "x" TLSv1.2',
        "  two  blanks  ",
        "back\\slash\\",
        "Grüße/1.0 日本 \U0001f600",
        "a\tb",
        "'; DROP TABLE counted; --",
        "a, b; c | d",
        "-- [01/Jan/2027:00:00:00 +0000]",
    ],
)
@pytest.mark.parametrize("plain", [True, False])
def test_user_agent_is_whatever_it_is(tmp_path: Path, agent: str, plain: bool) -> None:
    record = Record(user_agent=agent)
    audit = audited(tmp_path, (http(record) if plain else record).line)
    assert audit.malformed.lines == 0
    assert [group.user_agent for group in audit.groups] == ([agent] if plain else [])


def test_user_agent_that_is_no_utf8(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(
        PLAIN.line.encode().replace(b"curl/8.5.0", b"caf\xe9/1.0")
        + b"\n"
        + replace(PLAIN, user_agent="Grüße").line.encode()
        + b"\n"
    )
    audit = audit_logs(tmp_path / "log", now=NOW)
    assert audit.faults == ()
    assert {group.user_agent for group in audit.groups} == {"café/1.0", "Grüße"}


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("not a record", "is not a record of an S3 access log"),
        (" ", "is not a record of an S3 access log"),
        (PLAIN.line[:60], "is not a record of an S3 access log"),
        (PLAIN.line[:250], "is not a record of an S3 access log"),
        (PLAIN.line.partition(" - s9lz")[0] + " ", "is not a record of an S3 access log"),
        (PLAIN.line.replace(" - s9lz", "  s9lz"), "is not a record of an S3 access log"),
        (PLAIN.line.replace(" - s9lz", "- s9lz"), "is not a record of an S3 access log"),
        (PLAIN.line.replace("/Mar/", "/Mrz/").replace("/Feb/", "/Feu/"), "has no time"),
        (PLAIN.line.replace("[01/", "[41/"), "has no time"),
        (PLAIN.line.replace(":09:00:00", ":29:00:00"), "has no time"),
    ],
)
def test_malformed_line_is_counted_and_shown(tmp_path: Path, line: str, why: str) -> None:
    audit = audited(tmp_path, Record().line, "", line, PLAIN.line)
    assert audit.malformed.lines == 1
    (place,) = audit.malformed.places
    assert (place.file, place.line, place.why) == (str(tmp_path / "log"), 3, why)
    assert audit.buckets[0].requests == 2


def test_groups(tmp_path: Path) -> None:
    other = replace(PLAIN, address="192.0.2.9", time=NOW)
    audit = audited(tmp_path, PLAIN.line, other.line, other.line, replace(other, status="404").line)
    first, second = audit.groups
    assert (first.address, first.requests, first.status) == ("192.0.2.9", 3, "200…404")
    assert (first.first_seen, first.last_seen) == (NOW, NOW)
    assert (second.address, second.requests, second.status) == ("192.0.2.3", 1, "200")
    assert first.trouble is Trouble.BREAKS
    assert (first.transport, first.why) == ("http", "")


def test_time_is_bounded_as_asked(tmp_path: Path) -> None:
    times = [NOW.replace(day=1, hour=hour) for hour in (1, 2, 3)]
    lines = [replace(PLAIN, time=time).line for time in times]
    audit = audited(tmp_path, *lines, since=times[1], until=times[2])
    assert audit.buckets[0].breaking == 1
    assert [(each.what, each.records) for each in audit.passed] == [("requests outside of the asked time", 2)]


CLOUDWATCH = {
    "schema_version_id": "V_1_0",
    "bucket_arn": "arn:aws:s3:::reports",
    "bucket_name": "reports",
    "request_time": "2027-03-01T09:00:00.123Z",
    "bucket_owner_id": OWNER,
    "remote_ip": "192.0.2.3",
    "requester": None,
    "request_id": "3E57427F33A59F07",
    "operation": "REST.GET.OBJECT",
    "key_name": "report.csv",
    "request_uri": "GET /report.csv HTTP/1.1",
    "http_status": 200,
    "user_agent": 'a "quoted" Gr\u00fc\u00dfe',
    "cipher_suite": None,
    "tls_version": None,
}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "breaking"),
        ({"http_status": 403}, "refused"),
        ({"tls_version": "TLSv1.3", "cipher_suite": "TLS_AES_128_GCM_SHA256"}, "https"),
        ({"operation": "S3.EXPIRE.OBJECT"}, "internal"),
        ({"request_uri": None}, "unknown"),
        ({"tls_version": ...}, "unknown"),
        ({"cipher_suite": ...}, "unknown"),
        ({"signature_version": "SigV4", "authentication_type": "AuthHeader"}, "breaking"),
        ({"signature_version": "ECDHE-RSA-AES128-GCM-SHA256"}, "unknown"),
        ({"authentication_type": "reports.s3.amazonaws.com", "tls_version": "TLSv1.3"}, "unknown"),
        ({"operation": "report.csv", "tls_version": "TLSv1.3"}, "unknown"),
    ],
)
def test_json_of_cloudwatch(tmp_path: Path, changes: dict[str, object], expected: str) -> None:
    record = {key: value for key, value in (CLOUDWATCH | changes).items() if value is not ...}
    assert outcome(tmp_path, json.dumps(record)) == expected
    assert outcome(tmp_path, f"2027-03-01T09:00:00.123Z {json.dumps(record, ensure_ascii=False)}") == expected


def test_user_agent_in_json(tmp_path: Path) -> None:
    audit = audited(tmp_path, json.dumps(CLOUDWATCH), json.dumps(CLOUDWATCH, ensure_ascii=False))
    assert [(group.user_agent, group.requester) for group in audit.groups] == [('a "quoted" Grüße', "-")]


def test_malformed_json_is_counted_and_shown(tmp_path: Path) -> None:
    audit = audited(tmp_path, json.dumps(CLOUDWATCH), '{"bucket_name": "reports", ', json.dumps({"a": 1}))
    assert audit.malformed.lines == 2
    assert [place.line for place in audit.malformed.places] == [2, 3]


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(PLAIN.line.replace("R3= ", "R3 = "), id="a host id that holds a blank"),
        pytest.param(PLAIN.line.replace("s9lz", "s9 lz "), id="a host id that holds two blanks"),
        pytest.param(PLAIN.line.replace(" SigV4 ", " "), id="no signature version"),
        pytest.param(PLAIN.line.replace(" AuthHeader ", " "), id="no kind of authentication"),
        pytest.param(PLAIN.line.replace(" SigV4 ", " SigV9 "), id="an unknown signature version"),
        pytest.param(replace(PLAIN, cipher="SigV4").line, id="a signature version for a cipher suite"),
        pytest.param(replace(PLAIN, cipher="s9lzHYrFp76ZVxRc").line, id="a host id for a cipher suite"),
        pytest.param(replace(PLAIN, tls="reports.s3.eu-west-1.amazonaws.com").line, id="a host for TLS"),
        pytest.param(replace(PLAIN, tls="TLSv1x").line, id="an unknown version"),
        pytest.param(Record(operation="report.csv").line, id="a key for an operation"),
        pytest.param(Record(operation="REST.").line, id="half an operation"),
        pytest.param(Record(appended=" - eu-west-1").line, id="no field for the access point"),
        pytest.param(Record(appended=" x - eu-west-1").line, id="another access point"),
        pytest.param(Record(appended=" - - x").line, id="another region"),
    ],
)
def test_a_record_of_another_form_does_not_count_for_https(tmp_path: Path, line: str) -> None:
    assert line not in (PLAIN.line, Record().line)
    assert outcome(tmp_path, line) == "unknown"


def test_a_line_with_letters_for_a_status_is_no_record(tmp_path: Path) -> None:
    audit = audited(tmp_path, *[Record().line] * 20, Record(status="abc").line)
    assert audit.malformed.lines == 1
    assert not isinstance(audit.buckets[0].answer, Safe)


def test_shifted_records_do_not_make_a_bucket_safe(tmp_path: Path) -> None:
    shifted = PLAIN.line.replace("R3= ", "R3 = ")
    (bucket,) = audited(tmp_path, *[Record().line] * 20, *[shifted] * 500).buckets
    assert (bucket.https, bucket.unknown) == (20, 500)
    assert not isinstance(bucket.answer, Safe)


@pytest.mark.parametrize(
    "changes",
    [
        {"request": 'GET /a" 403 AccessDenied 1 1 1 1 "-" "b HTTP/1.1'},
        {"request": 'GET /a" 403 - - - - - "-" "b HTTP/1.1'},
        {"request": 'GET /"a" 403 - - - - - "-" "b HTTP/1.1', "referrer": 'c"d'},
        {"referrer": 'a" 403 - - - - - "-" "b', "request": 'GET /a" 403 - - - - - "-" "b HTTP/1.1'},
    ],
)
def test_a_status_that_a_client_wrote_refuses_nothing(tmp_path: Path, changes: dict[str, str]) -> None:
    assert outcome(tmp_path, replace(PLAIN, **changes)) == "breaking"


@pytest.mark.parametrize("request_line", [None, "GET /a HTTP/1.1", 'GET /a"b HTTP/1.1'])
@pytest.mark.parametrize("referrer", [None, "-", "http://example.com/?a b", 'http://example.com/"'])
@pytest.mark.parametrize("agent", [None, "-", "curl/8.5.0", 'a "quoted" agent'])
def test_every_form_of_the_quoted_fields(
    tmp_path: Path, request_line: str | None, referrer: str | None, agent: str | None
) -> None:
    record = replace(PLAIN, request=request_line, referrer=referrer, user_agent=agent, status="404")
    audit = audited(tmp_path, record.line)
    assert (audit.malformed.lines, audit.faults) == (0, ())
    (group,) = audit.groups
    assert (group.user_agent, group.status) == (agent or "-", "404")
    assert group.trouble is (Trouble.UNKNOWN if request_line is None else Trouble.BREAKS)


def test_deletions_and_copies_as_s3_writes_them(tmp_path: Path) -> None:
    """Neither has a request line, a referrer or a user agent, and none of these is in quotation marks."""
    bare = Record(request=None, referrer=None, user_agent=None, status="204")
    deletion = replace(bare, operation="BATCH.DELETE.OBJECT")
    copied = replace(bare, operation="REST.COPY.OBJECT_GET", status="200")
    (bucket,) = audited(tmp_path, deletion.line, copied.line, http(copied).line).buckets
    assert (bucket.internal, bucket.https, bucket.unknown) == (1, 1, 1)
