"""Records in forms that the audit does not read keep every bucket from safe: none is skipped in silence."""

from __future__ import annotations

import base64
import csv
import gzip
import io
import json
import shutil
import subprocess
import zlib
from pathlib import Path
from typing import Any

import pytest

from secure_bucket.operations.audit import Audit, Safe, audit_logs
from secure_bucket.operations.audit.other_forms import holds_records, is_binary
from tests.operations.audit.records import NOW, OWNER, ROLE, Record, http
from tests.operations.audit.test_events import event
from tests.operations.audit.test_forged import AROUND, EVENTS_AROUND

PLAIN = http(Record()).line
EVENT = json.dumps(event())
AROUND_TEXT = "".join(f"{line}\n" for line in AROUND)


def in_base64(data: bytes | str) -> str:
    return base64.b64encode(data if isinstance(data, bytes) else data.encode()).decode()


def table_of(*rows: list[str], **options: Any) -> str:
    text = io.StringIO()
    csv.writer(text, **options).writerows(rows)
    return text.getvalue()


ACCESS_ROW = [
    *(OWNER, "reports", "01/Mar/2027:09:00:00 +0000", "192.0.2.3", ROLE, "3E57", "REST.GET.OBJECT", "k"),
    *("GET /k HTTP/1.1", "200", "-", "-", "-"),
]
MEMBERS = ["eventTime", "eventSource", "eventName"]
EVENT_ROW = ["2027-03-01 09:00:00.000", "s3.amazonaws.com", "GetObject"]
CELLS = [{"Data": [{"VarCharValue": text} for text in row]} for row in (MEMBERS, EVENT_ROW)]

FILES: dict[str, bytes | str] = {
    "CSV of access logs": table_of(ACCESS_ROW),
    "CSV of access logs, all quoted": table_of(ACCESS_ROW, quoting=csv.QUOTE_ALL),
    "tabs between fields of access logs": table_of(ACCESS_ROW, delimiter="\t"),
    "CSV of some columns": table_of(["time", "operation"], ["2027-03-01 09:00:00", "REST.GET.OBJECT"]),
    "CSV of events": table_of(MEMBERS, EVENT_ROW),
    "CSV of events, all quoted": table_of(MEMBERS, EVENT_ROW, quoting=csv.QUOTE_ALL),
    # https://docs.aws.amazon.com/awscloudtrail/latest/userguide/view-cloudtrail-events-console.html
    "CSV of the console": 'Event name,Event time,Event source\nGetObject,"March 01, 2027",s3.amazonaws.com\n',
    "answer of Athena": json.dumps({"ResultSet": {"Rows": CELLS}}),
    "answer of CloudTrail Lake": json.dumps({"QueryResultRows": [[{"eventSource": "s3.amazonaws.com"}]]}),
    "answer of Logs Insights that is cut": json.dumps({"results": [[{"value": f"x {EVENT[:-30]}"}]]}),
    "YAML": "- EventName: GetObject\n  EventSource: s3.amazonaws.com\n",
    "XML": "<row><eventSource>s3.amazonaws.com</eventSource><eventName>GetObject</eventName></row>",
    "text of the CLI": "EVENTS\tGetObject\ts3.amazonaws.com\t2027-03-01T09:00:00\n",
    "Python": str(event()),
    "names in lower case": json.dumps({name.lower(): value for name, value in event().items()}),
    "China": json.dumps({"eventsource": "s3.amazonaws.com.cn", "eventname": "GetObject"}),
    "OCSF": json.dumps({"api": {"service": {"name": "s3.amazonaws.com"}, "operation": "GetObject"}}),
    "ECS": json.dumps({"aws": {"s3access": {"operation": "REST.GET.OBJECT", "bucket": "reports"}}}),
    "base64 of a log": base64.encodebytes(f"{PLAIN}\n".encode()),
    "base64 of a packed log": base64.encodebytes(gzip.compress(PLAIN.encode())),
    "hexadecimal digits": PLAIN.encode().hex(),
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html
    "a subscription of CloudWatch": json.dumps(
        {"awslogs": {"data": in_base64(gzip.compress(EVENT.encode()))}}
    ),
    "Firehose": json.dumps({"records": [{"recordId": "1", "data": in_base64(EVENT)}]}),
    "base64 in each line": f"{json.dumps({'data': in_base64(EVENT)})}\n" * 3,
    "zlib": zlib.compress(PLAIN.encode()),
    "data of an unknown form": bytes(range(256)) * 20,
    "SQLite": b"SQLite format 3\0" + bytes(200),
    "PGP": "-----BEGIN PGP MESSAGE-----\n\nhQEMA\n",
    "age": "age-encryption.org/v1\n-> X25519 abc\n",
}


def audited(path: Path, *files: bytes) -> Audit:
    path.joinpath("around").write_text(AROUND_TEXT)
    for number, data in enumerate(files):
        path.joinpath(str(number)).write_bytes(data)
    return audit_logs(path, now=NOW)


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_another_form_keeps_all_from_safe(tmp_path: Path, name: str) -> None:
    text = FILES[name]
    data = text.encode() if isinstance(text, str) else text
    audit = audited(tmp_path, data, gzip.compress(data))
    assert not isinstance(audit.answer, Safe)
    assert audit.malformed.lines + len(audit.faults) >= 2
    assert audit.ignored == ()


POLICY = {"Effect": "Allow", "Principal": {"Service": "logging.s3.amazonaws.com"}, "Action": "s3:GetObject"}


@pytest.mark.parametrize(
    "data",
    [
        pytest.param("what these are\n", id="words"),
        pytest.param("GET https://s3.amazonaws.com/reports/GetObject\n", id="a link"),
        pytest.param(json.dumps({"Statement": [POLICY]}), id="a policy"),
        pytest.param(json.dumps({"nextToken": in_base64(bytes(range(200)))}), id="a token"),
        pytest.param("/static/assets/javascript/some-long-name-of-a-file\n" * 100, id="paths"),
        pytest.param(b"\x89PNG\r\n\x1a\n" + bytes(range(200)), id="a picture"),
        pytest.param(b"\x00\x00\x00\x01Bud1" + bytes(200), id="the notes of macOS"),
    ],
)
def test_another_file_is_skipped(tmp_path: Path, data: bytes | str) -> None:
    audit = audited(tmp_path, data.encode() if isinstance(data, str) else data)
    assert isinstance(audit.answer, Safe)
    assert [file for file, _ in audit.ignored] == [str(tmp_path / "0")]


DOCUMENT = json.dumps({"logEvents": [{"message": EVENT}]})
BESIDE: dict[str, Any] = {
    "base64": in_base64(EVENT),
    "base64 of lines": in_base64(PLAIN),
    "base64 for URLs": base64.urlsafe_b64encode(f"~~~???{EVENT}".encode()).decode().rstrip("="),
    "base64 in lines": base64.encodebytes(EVENT.encode()).decode(),
    "base64 twice": in_base64(in_base64(EVENT)),
    "base64 of gzip": in_base64(gzip.compress(DOCUMENT.encode())),
    "base64 of zlib": in_base64(zlib.compress(DOCUMENT.encode())),
    "base64 in a list": [in_base64(EVENT)],
    "base64 in an object": {"body": {"data": in_base64(EVENT)}},
    "base64 behind words": f"data:application/json;base64,{in_base64(EVENT)}",
    "base64 behind letters": f"xyz{in_base64(EVENT)}",
    "hexadecimal digits": EVENT.encode().hex(),
    "a line": PLAIN,
    "a line before an event": f"{PLAIN}\n{EVENT}",
    "a row": ",".join(EVENT_ROW),
}


@pytest.mark.parametrize("name", BESIDE)
@pytest.mark.parametrize("first", [True, False])
def test_a_record_in_a_text_beside_the_others_is_reported(tmp_path: Path, name: str, first: bool) -> None:
    around = {"Records": EVENTS_AROUND}
    document = {"data": BESIDE[name]} | around if first else around | {"data": BESIDE[name]}
    (tmp_path / "log").write_text(json.dumps(document))
    audit = audit_logs(tmp_path / "log", now=NOW)
    assert audit.malformed.lines == 1
    assert not any(isinstance(bucket.answer, Safe) for bucket in audit.buckets)


@pytest.mark.skipif(shutil.which("zstd") is None, reason="there is no zstd to pack with")
@pytest.mark.parametrize(
    "data",
    [
        pytest.param(f"{PLAIN}\n".encode().replace(b"curl", b"caf\xe9"), id="Latin-1"),
        pytest.param(f"{PLAIN}\n".encode("utf-16"), id="UTF-16"),
        pytest.param(b"x" * 5_000_000 + f"\n{PLAIN}\n".encode(), id="a long line"),
        pytest.param(gzip.compress(PLAIN.encode()), id="gzip"),
        pytest.param(b"PAR1" + bytes(range(256)), id="Parquet"),
    ],
)
def test_no_file_of_zstd_is_skipped_because_it_cannot_be_read(tmp_path: Path, data: bytes) -> None:
    packed = subprocess.run(["zstd", "-c"], input=data, capture_output=True, check=True).stdout
    audit = audited(tmp_path, packed)
    assert (len(audit.faults), audit.ignored) == (1, ())
    assert "unpack it" in audit.faults[0].message


def test_a_long_file_that_is_not_a_log_is_looked_at_in_no_time() -> None:
    line = b"2027-03-01\t01:00:00\tFRA2\t/static/assets/javascript/some-long-name\tGET\td1.cloudfront.net\n"
    assert not holds_records(line * (1024 * 1024 // len(line)))
    assert not is_binary(line)
