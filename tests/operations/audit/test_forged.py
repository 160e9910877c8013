"""Lines and events, written by hand, that try to pass plain HTTP off as HTTPS, or to hide it."""

from __future__ import annotations

import datetime
import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from secure_bucket.operations.audit import CannotTell, Safe, audit_logs
from tests.operations.audit.records import NOW, Record, http
from tests.operations.audit.test_events import TLS, event

PLAIN = http(Record())
SUITE = "ECDHE-RSA-AES128-GCM-SHA256"
TLS_END = f"SigV4 {SUITE} AuthHeader h TLSv1.2"
# Each day of a month, over HTTPS: with these alone the bucket is safe.
AROUND = [Record(time=NOW - datetime.timedelta(days=day, hours=1)).line for day in range(31)]
OUTPOSTS = "arn:aws:s3-outposts:eu-west-1:111122223333"
ACCESS_POINT = "arn:aws:s3:eu-west-1:111122223333:accesspoint"
HOST_ID = "s9lzHYrFp76ZVxRcpX9+5cjAnEH2ROuNkd2BHfIa6UkFVdtjf5mKR3="

# Real logs have lines that lost their end and the next line behind it, as in the test
# `repeated_time_shifts_tls_vers` of https://github.com/ncbi/ncbi-logging.
JOINED = {
    "cut in the owner": "f900b",
    "cut in the requester": "/i-0abc",
    "cut in the request": "/reports/2027",
    "cut behind the request": " 200 - 113",
    "cut in the numbers": "13 440",
    "cut in the referrer": '-" "curl',
    "cut in the agent": "rl/8.5",
    "cut behind the agent": " SigV4",
}
MARKS = ("", " ", "\t", "\\n", "\x0b", "\x85", "\u2028", "\0")

FORGED = {
    "agent ends as a line over HTTPS": replace(PLAIN, user_agent=f'x" - {HOST_ID} {TLS_END}').line,
    "agent is a field": replace(PLAIN, user_agent="TLSv1.2").line,
    "agent with a quotation mark": replace(PLAIN, user_agent='curl" - "').line,
    "request ends as a line over HTTPS": replace(PLAIN, request=f'GET /" - {HOST_ID} {TLS_END}').line,
    "request tells 403": replace(PLAIN, request='GET /" 403 AccessDenied 1 1 1 1 "-" "x').line,
    "referrer ends as a line over HTTPS": replace(PLAIN, referrer=f'x" "y" - {HOST_ID} {TLS_END}').line,
    "version id ends as a line over HTTPS": PLAIN.line.replace(
        f'" - {HOST_ID}', f'" v h {TLS_END} {HOST_ID}'
    ),
    "version id with every field of a line over HTTPS": PLAIN.line.replace(
        f'" - {HOST_ID}', f'" v {HOST_ID} {TLS_END} - - eu-west-1 {HOST_ID}'
    ),
    "version id, and one word more": PLAIN.line.replace(f'" - {HOST_ID}', f'" v h {TLS_END} x {HOST_ID}'),
    "host ends as a line over HTTPS": PLAIN.line.replace(
        "reports.s3.eu", f"a {SUITE} x TLSv1.2 reports.s3.eu"
    ),
    "host with a blank and a version": PLAIN.line.replace(
        "AuthHeader reports", "AuthHeader a TLSv1.2 reports"
    ),
    "host is a version": PLAIN.line.replace("reports.s3.eu-west-1.amazonaws.com", "TLSv1.2"),
    "host id with a blank": PLAIN.line.replace("s9lzHYrF", "s9lz HYrF"),
    "host id with a suite": PLAIN.line.replace(HOST_ID, f"s9lz {SUITE}"),
    "field of the suite left out": PLAIN.line.replace("SigV4 - Auth", "SigV4 Auth"),
    "field of the host left out": PLAIN.line.replace(" reports.s3.eu-west-1.amazonaws.com", ""),
    "version in lower case": PLAIN.line.replace("amazonaws.com -", "amazonaws.com tlsv1.2"),
    "version with more": PLAIN.line.replace("amazonaws.com -", "amazonaws.com TLSv1.2x"),
    "version that does not exist": PLAIN.line.replace("amazonaws.com -", "amazonaws.com TLSv9"),
    "suite that does not exist": PLAIN.line.replace("SigV4 - Auth", "SigV4 NULL Auth"),
    "suite in lower case": PLAIN.line.replace("SigV4 - Auth", "SigV4 ecdhe-rsa-aes128 Auth"),
    "tab instead of a blank": PLAIN.line.replace(" SigV4 - ", "\tSigV4 - "),
    "NUL in the agent": replace(PLAIN, user_agent=f'a\0" - h {TLS_END}').line,
    "carriage return": f"{PLAIN.line}\r",
    "carriage return in the agent": replace(PLAIN, user_agent=f"a\r - h {TLS_END}").line,
    "byte order mark": f"\ufeff{PLAIN.line}",
    "separator of the reader": f"{PLAIN.line}\x01\x02\x03\x02{Record().line}",
    "cut within the agent": PLAIN.line[: PLAIN.line.index("curl") + 3],
    "cut behind the suite": PLAIN.line[: PLAIN.line.index(" AuthHeader")],
    "cut before the version": PLAIN.line[: PLAIN.line.index(" - - - eu-west-1")],
    "another time zone": PLAIN.line.replace("+0000]", "-0800]"),
    "no time": PLAIN.line.replace("[01/Mar/2027:09:00:00", "[99/Mar/2027:09:00:00"),
    "a day that does not exist": PLAIN.line.replace("01/Mar", "31/Feb"),
    "a time that does not exist": PLAIN.line.replace(":09:00:00", ":29:00:00"),
    "redirect": replace(PLAIN, status="301").line,
    "temporary redirect": replace(PLAIN, status="307").line,
    "not modified": replace(PLAIN, status="304").line,
    "pre-signed URL": PLAIN.line.replace("AuthHeader", "QueryString"),
    "preflight": replace(PLAIN, operation="REST.OPTIONS.PREFLIGHT", requester="-").line,
    "website": replace(PLAIN, operation="WEBSITE.GET.OBJECT", requester="-").line,
    "copy": replace(PLAIN, operation="REST.COPY.OBJECT").line,
    "source of a copy": replace(PLAIN, operation="REST.COPY.OBJECT_GET").line,
    "operation that looks internal": replace(PLAIN, operation="S3.EXPIRE").line.replace(
        "S3.EXPIRE", "S3-EXPIRE"
    ),
    "access point": replace(PLAIN, appended=" arn:aws:s3:eu-west-1:1:accesspoint/a - eu-west-1").line,
    "empty agent": replace(PLAIN, user_agent="").line,
    **{
        f"joined with the next line, {name}": f"{PLAIN.line[: PLAIN.line.index(cut)]}{Record().line}"
        for name, cut in JOINED.items()
    },
    **{f"joined by {mark!r} with the next line": f"{PLAIN.line}{mark}{Record().line}" for mark in MARKS},
    "between two lines over HTTPS": f"{Record().line}{PLAIN.line}{Record().line}",
    "suite without a version": PLAIN.line.replace("SigV4 - Auth", f"SigV4 {SUITE} Auth"),
    "version without a suite": PLAIN.line.replace("amazonaws.com -", "amazonaws.com TLSv1.2"),
    "host with a version, in a line of old": replace(PLAIN, appended="").line.replace(
        "AuthHeader reports.s3.eu-west-1.amazonaws.com", "AuthHeader h TLSv1.2"
    ),
    "nothing but marks": replace(PLAIN, request='"', referrer='"', user_agent='"').line,
}


def audited(path: Path, data: bytes) -> Any:
    path.write_bytes(data)
    return audit_logs(path, now=NOW)


def test_the_lines_around_are_safe(tmp_path: Path) -> None:
    audit = audited(tmp_path / "log", "".join(f"{line}\n" for line in AROUND).encode())
    assert isinstance(audit.answer, Safe)


@pytest.mark.parametrize("name", FORGED)
def test_no_forged_line_is_safe(tmp_path: Path, name: str) -> None:
    around = "".join(f"{line}\n" for line in AROUND)
    audit = audited(tmp_path / "log", f"{around}{FORGED[name]}\n".encode())
    assert not isinstance(audit.answer, Safe)
    (bucket,) = [bucket for bucket in audit.buckets if bucket.name == "reports"]
    assert not isinstance(bucket.answer, Safe)
    assert bucket.https == len(AROUND)


def test_a_member_of_gzip_behind_another_is_read(tmp_path: Path) -> None:
    around = gzip.compress("".join(f"{line}\n" for line in AROUND).encode())
    audit = audited(tmp_path / "log.gz", around + gzip.compress(f"{PLAIN.line}\n".encode()))
    assert audit.buckets[0].breaking == 1


def test_a_refused_request_alone_does_not_break(tmp_path: Path) -> None:
    around = "".join(f"{line}\n" for line in AROUND)
    audit = audited(tmp_path / "log", f"{around}{replace(PLAIN, status='403').line}\n".encode())
    assert isinstance(audit.answer, Safe)
    assert audit.buckets[0].refused == 1


def test_a_log_that_ends_in_the_future_is_not_safe(tmp_path: Path) -> None:
    later = [Record(time=NOW + datetime.timedelta(days=day)).line for day in range(-20, 20)]
    audit = audited(tmp_path / "log", "".join(f"{line}\n" for line in later).encode())
    assert not isinstance(audit.answer, Safe)


EVENTS_AROUND = [
    event(
        eventTime=(NOW - datetime.timedelta(days=day, hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        tlsDetails=TLS,
        readOnly=read,
    )
    for day in range(31)
    for read in (True, False)
]

EVENTS: dict[str, dict[str, Any]] = {
    "no TLS details": {},
    "TLS details are null": {"tlsDetails": None},
    "TLS details are empty": {"tlsDetails": {}},
    "TLS details are text": {"tlsDetails": "TLSv1.2"},
    "TLS details are a list": {"tlsDetails": [TLS]},
    "version is null": {"tlsDetails": {"tlsVersion": None, "cipherSuite": None}},
    "version is a number": {"tlsDetails": {"tlsVersion": 1.2}},
    "version is a dash": {"tlsDetails": {"tlsVersion": "-", "cipherSuite": "-"}},
    "version is unknown": {"tlsDetails": {"tlsVersion": "UNKNOWN"}},
    "only the host": {"tlsDetails": {"clientProvidedHostHeader": "reports.s3.amazonaws.com"}},
    "other spelling": {"tlsdetails": TLS},
    "no additional data": {"additionalEventData": None},
    "suite is a dash": {"additionalEventData": {"CipherSuite": "-"}},
    "suite is empty": {"additionalEventData": {"CipherSuite": ""}},
    "suite in lower case": {"additionalEventData": {"ciphersuite": SUITE}},
    "agent names TLS": {"userAgent": f"[{TLS_END}]"},
    "object lambda": {"requestParameters": {"bucketName": "a-0123--ol-s3", "key": "k"}},
    "outposts": {
        "requestParameters": {"bucketName": "arn:aws:s3-outposts:eu-west-1:1:outpost/op-1/bucket/b"}
    },
    "access point": {
        "requestParameters": {"bucketName": "arn:aws:s3:eu-west-1:1:accesspoint/a"},
        "resources": [],
    },
    "multi-region access point": {
        "requestParameters": {"bucketName": "mfzwi23gnjvgw.mrap", "key": "k"},
        "resources": [],
    },
    "no bucket": {"requestParameters": None, "resources": None},
    "time of another form": {"eventTime": "2027-03-01 09:00:00"},
    "error of the signature": {"errorCode": "SignatureDoesNotMatch"},
    "error of a condition": {"errorCode": "PreconditionFailed"},
}


@pytest.mark.parametrize("name", EVENTS)
def test_no_forged_event_is_safe(tmp_path: Path, name: str) -> None:
    data = json.dumps({"Records": EVENTS_AROUND}).encode()
    assert isinstance(audited(tmp_path / "safe", data).answer, Safe)
    data = json.dumps({"Records": [*EVENTS_AROUND, event(**EVENTS[name])]}).encode()
    audit = audited(tmp_path / "log", data)
    assert not any(isinstance(bucket.answer, Safe) for bucket in audit.buckets if bucket.name == "reports")


@pytest.mark.parametrize(
    "time",
    [
        "2027-03-01T24:00:00Z",
        "2027-03-01T09:00:60Z",
        "2027-03-01T09:00: 1Z",
        "0000-03-01T09:00:00Z",
        " 027-03-01T09:00:00Z",
        "2027-03-01T09:00:00+02Z",
        "2027-02-29T09:00:00Z",
    ],
)
def test_an_event_at_a_time_that_does_not_exist_is_malformed(tmp_path: Path, time: str) -> None:
    data = json.dumps({"Records": [event(tlsDetails=TLS), event(eventTime=time)]}).encode()
    audit = audited(tmp_path / "log", data)
    assert audit.malformed.lines == 1
    assert not isinstance(audit.answer, Safe)


def test_a_line_of_the_year_zero_is_malformed(tmp_path: Path) -> None:
    audit = audited(tmp_path / "log", f"{Record().line.replace('/2027:', '/0000:')}\n".encode())
    assert audit.malformed.lines == 1


COPIED = (
    *("arn:aws:s3:eu-west-1:1:accesspoint/a/object/k", "/arn:aws:s3:eu-west-1:1:accesspoint/a/object/k"),
    *("arn%3Aaws%3As3%3Aeu-west-1%3A1%3Aaccesspoint%2Fa%2Fobject%2Fk", "a-0123-s3alias/k", "a0b1.mrap/k"),
    *("reports/k", "/reports/k", "//reports/k", "%2Freports%2Fk", "reports%2fk", "reports?versionId=1"),
    *("repo%72ts/k", "%72eports%2Fk", "/%72%65ports/k"),
)


@pytest.mark.parametrize("copied", [*COPIED, *([each] for each in COPIED)], ids=str)
def test_no_source_of_a_copy_over_plain_http_is_safe(tmp_path: Path, copied: object) -> None:
    parameters = {"bucketName": "copies", "key": "a", "x-amz-copy-source": copied}
    copy = event(eventName="CopyObject", readOnly=False, requestParameters=parameters, resources=[])
    data = json.dumps({"Records": [*EVENTS_AROUND, copy]}).encode()
    (bucket,) = [each for each in audited(tmp_path / "log", data).buckets if each.name == "reports"]
    assert not isinstance(bucket.answer, Safe)


def test_tls_whose_version_is_not_told_cannot_tell(tmp_path: Path) -> None:
    suite = event(additionalEventData={"CipherSuite": SUITE})
    (tmp_path / "log").write_text(json.dumps({"Records": [*EVENTS_AROUND, suite]}))
    assert isinstance(audit_logs(tmp_path / "log", now=NOW).answer, Safe)
    answer = audit_logs(tmp_path / "log", now=NOW, minimum_tls=1.2).answer
    assert isinstance(answer, CannotTell)
    assert "it was TLS, of a version not told" in " ".join(answer.reasons)
