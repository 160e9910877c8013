"""The same query, written for Spark and really run there: the answer is that of DuckDB."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from secure_bucket.operations.audit.dialects import chain, write
from secure_bucket.operations.audit.engine import Engine
from secure_bucket.operations.audit.files import find_logs
from secure_bucket.operations.audit.kinds import Batch
from secure_bucket.operations.audit.question import Question
from secure_bucket.operations.audit.spool import batches
from secure_bucket.operations.audit.sql_report import COLLECT, REPORT
from secure_bucket.operations.audit.sql_tables import Stored, table_source
from tests.operations.audit.records import NOW, Record, http
from tests.operations.audit.test_events import TLS, event

pytestmark = pytest.mark.spark

PLAIN = http(Record())
LINES = [
    *(Record(time=NOW.replace(day=1, hour=hour)).line for hour in range(5)),
    PLAIN.line,
    replace(PLAIN, status="403").line,
    replace(PLAIN, user_agent='a "quoted" agent').line,
    replace(PLAIN, user_agent='"', requester="-").line,
    replace(
        PLAIN, request=None, referrer=None, user_agent=None, operation="S3.EXPIRE.OBJECT", status="-"
    ).line,
    replace(PLAIN, request='GET /a"b HTTP/1.1').line,
    replace(PLAIN, bucket="it's", user_agent="back\\slash").line,
    replace(PLAIN, tls=None).line,
    replace(PLAIN, address="-").line,
    replace(PLAIN, operation="REST.COPY.OBJECT_GET").line,
    replace(PLAIN, operation="REST.COPY.OBJECT", user_agent="next\u0085line\u2028").line,
    Record(tls="TLSv1.1").line,
    Record(tls="-").line,
    PLAIN.line[:90],
    PLAIN.line.replace("/Mar/", "/Mrz/"),
    "no record",
    f"{PLAIN.line}{Record().line}",
    f"{PLAIN.line[:200]}{Record().line}",
    f"79a59df9{Record().line}",
    Record(cipher="-").line,
]
EVENTS = [
    event(),
    event(tlsDetails=TLS),
    event(tlsDetails=TLS, readOnly=False),
    event(tlsDetails=TLS | {"tlsVersion": "TLSv1"}),
    event(errorCode="AccessDenied"),
    event(vpcEndpointId="vpce-1"),
    event(sourceIPAddress="athena.amazonaws.com"),
    event(additionalEventData={"CipherSuite": "X"}),
    event(eventSource="ec2.amazonaws.com"),
    event(eventVersion="1.05"),
    event(eventTime="soon"),
    event(sessionCredentialFromConsole="true"),
    event(
        eventName="CopyObject",
        requestParameters={"bucketName": "copies", "key": "a", "x-amz-copy-source": "/reports/report.csv"},
        resources=[],
    ),
    event(requestParameters={"bucketName": "arn:aws:s3:eu-west-1:111122223333:accesspoint/a"}, resources=[]),
    event(requestParameters={"bucketName": "a-0123abcd-s3alias"}),
    event(requestParameters={"bucketName": "a0b1.mrap"}, resources=[]),
    event(eventTime="2027-03-01T24:00:00Z"),
    *(
        event(
            eventName="CopyObject",
            requestParameters={"bucketName": "copies", "key": "a", "x-amz-copy-source": source},
            resources=[],
        )
        for source in ("arn%3Aaws%3As3%3Aeu-west-1%3A1%3Aaccesspoint%2Fa", "%2Freports%2Fk", ["//reports/k"])
    ),
]
# What is text in the tables as well may name a member twice.
TWICE = [
    event(additionalEventData={"CipherSuite": "twice"}),
    event(requestParameters={"bucketName": "twice"}),
    event(requestParameters={"bucketName": "copies", "x-amz-copy-source": "twice"}),
]


def named_twice(text: str) -> str:
    """Return the text of events with each member whose value is `twice` written twice."""
    return re.sub('("[A-Za-z-]+": )"twice"', r'\1"AES", \1"-"', text)


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    if shutil.which("java") is None:
        pytest.skip("there is no Java, which Spark runs on")
    sql = pytest.importorskip("pyspark.sql", reason="pyspark is not installed")
    with tempfile.TemporaryDirectory() as directory:
        session = (
            sql.SparkSession.builder.master("local[1]")
            .config("spark.ui.enabled", "false")
            .config("spark.sql.shuffle.partitions", "1")
            .config("spark.sql.warehouse.dir", directory)
            .config("spark.driver.bindAddress", "127.0.0.1")
            .config("spark.driver.host", "127.0.0.1")
            .getOrCreate()
        )
        yield session
        session.stop()


def with_duckdb(log: Path, question: Question, directory: Path) -> list[dict[str, Any]]:
    with Engine(question, str(directory)) as engine:
        for each in batches(find_logs(str(log), set()), str(directory)):
            if isinstance(each, Batch):
                assert engine.add(each) is None
        return engine.report()


def with_spark(spark: Any, stored: Stored, question: Question) -> list[dict[str, Any]]:
    relations = table_source(stored, ["logs"]) | {"collected": COLLECT}
    sql = write(chain(relations, REPORT), "spark", question.values())
    return [row.asDict() for row in spark.sql(sql.replace("`$path`", "file")).collect()]


def comparable(rows: list[dict[str, Any]]) -> set[tuple[tuple[str, str], ...]]:
    # What is a malformed line in which file is a matter of the engine that reads it.
    return {
        tuple(sorted((name, str(value)) for name, value in row.items() if name not in ("file",)))
        for row in rows
    }


@pytest.mark.parametrize(
    "question",
    [
        Question(NOW),
        Question(NOW, minimum_tls=1.2),
        Question(NOW, buckets=("it's", "x'; DROP TABLE logs; --"), limit=2),
        Question(NOW, since=NOW.replace(hour=2), until=NOW.replace(hour=10)),
    ],
    ids=["all", "tls", "buckets", "time"],
)
def test_access_logs(spark: Any, tmp_path: Path, question: Question) -> None:
    (tmp_path / "log").write_text("".join(f"{line}\n" for line in LINES))
    here = with_duckdb(tmp_path / "log", question, tmp_path)
    frame = spark.read.text(str(tmp_path / "log")).selectExpr("value AS line", "CAST(NULL AS STRING) AS file")
    frame.createOrReplaceTempView("logs")
    there = with_spark(spark, "access", question)
    assert comparable(there) == comparable(here)
    assert len(there) > 3


@pytest.mark.parametrize("minimum", [None, 1.2])
def test_events(spark: Any, tmp_path: Path, minimum: float | None) -> None:
    question = Question(NOW, minimum_tls=minimum)
    (tmp_path / "log.gz").write_bytes(
        gzip.compress(named_twice(json.dumps({"Records": EVENTS + TWICE})).encode())
    )
    here = with_duckdb(tmp_path / "log.gz", question, tmp_path)
    lines = "".join(f"{json.dumps(lowered(each))}\n" for each in EVENTS + TWICE)
    (tmp_path / "events").write_text(named_twice(lines))
    schema = (
        "eventversion string, useridentity struct<type:string,principalid:string,arn:string,accountid:string,"
        "invokedby:string>, eventtime string, eventsource string, eventname string, sourceipaddress string, "
        "useragent string, errorcode string, requestparameters string, additionaleventdata string, "
        "readonly string, eventtype string, managementevent string, eventcategory string, "
        "vpcendpointid string, sessioncredentialfromconsole string, "
        "resources array<struct<arn:string,accountid:string,type:string>>, "
        "tlsdetails struct<tlsversion:string,ciphersuite:string,clientprovidedhostheader:string>"
    )
    frame = (
        spark.read.schema(schema)
        .json(str(tmp_path / "events"))
        .selectExpr("*", "CAST(NULL AS STRING) AS file")
    )
    frame.createOrReplaceTempView("logs")
    there = with_spark(spark, "cloudtrail", question)
    assert comparable(there) == comparable(here)
    assert len(there) > 3


def lowered(value: Any, depth: int = 0) -> Any:
    """Return an event with its names in lower case, as Hive has them, but for what is kept as text."""
    kept = {"requestparameters", "additionaleventdata"}
    if isinstance(value, list):
        return [lowered(each, depth) for each in value]
    if not isinstance(value, dict) or depth > 1:
        return value
    return {
        name.lower(): inner if name.lower() in kept else lowered(inner, depth + 1)
        for name, inner in value.items()
    }
