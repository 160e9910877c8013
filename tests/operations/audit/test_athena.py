"""The query on Athena: what is sent there, what comes back, what it costs, and what goes wrong."""

from __future__ import annotations

import datetime
import gzip
import json
import threading
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
import sqlglot
from msgspec.structs import replace
from sqlglot import exp

from secure_bucket.operations.audit import Audit, Breaks, LogError, Safe
from secure_bucket.operations.audit.athena import Athena, Estimate, audit_athena
from secure_bucket.operations.audit.listing import Listing, list_for_athena
from secure_bucket.operations.audit.question import Question
from secure_bucket.operations.audit.s3 import Location, StoredLog
from secure_bucket.operations.audit.tables import Layout, create_table, drop_table, query
from secure_bucket.operations.aws.errors import LiveError
from secure_bucket.operations.aws.session import Access, Session, open_session
from tests.operations.audit.records import NOW, Record, http
from tests.operations.audit.test_events import event

PLAIN = http(Record())
QUESTION = Question(NOW)
HEAD = (
    *("level", "answer", "outcome", "why", "tls", "file", "bucket", "requester", "user_agent", "address"),
    *("operation", "source", "effect", "status_low", "status_high", "requests", "clients", "breaking"),
    *("first_seen", "last_seen", "evidence_from", "days", "all_groups", "all_clients", "all_requests"),
)
FROM, TO = "2027-01-02 00:00:00", "2027-02-28 23:00:00"
WHOLE = {
    "level": "bucket",
    "bucket": "reports",
    "requests": "9",
    "clients": "1",
    "breaking": "2",
    "days": "50",
    "first_seen": FROM,
    "last_seen": TO,
}
COUNT = {"level": "count", "bucket": "reports", "source": "access", "first_seen": FROM, "last_seen": TO}
COUNT |= {"evidence_from": FROM}
COUNTED = [COUNT | {"answer": "https", "requests": "7"}, COUNT | {"answer": "breaks", "requests": "2"}]
GROUP = {
    "level": "group",
    "answer": "breaks",
    "outcome": "http",
    "bucket": "reports",
    "requester": "-",
    "user_agent": "curl",
    "address": "192.0.2.3",
    "operation": "REST.GET.OBJECT",
    "status_low": "200",
    "status_high": "200",
    "requests": "2",
    "clients": "2",
    "first_seen": FROM,
    "last_seen": TO,
    "all_groups": "1",
    "all_clients": "2",
    "all_requests": "2",
}


def queue(server: str, *rows: dict[str, str]) -> None:
    """Have the server answer the next query but one with rows: the next one makes the table."""
    table = [list(HEAD), *([row.get(name) for name in HEAD] for row in rows)]
    data = [{"Data": [{} if cell is None else {"VarCharValue": cell} for cell in row]} for row in table]
    results = [{"rows": [], "column_info": []}, {"rows": data, "column_info": []}]
    static(server, {"account_id": "123456789012", "region": "eu-west-1", "results": results})


def static(server: str, body: dict[str, Any]) -> None:
    request = urllib.request.Request(
        f"{server}/moto-api/static/athena/query-results",
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
        method="POST",
    )
    urllib.request.urlopen(request).close()


def audited(session: Session, argument: str = "s3://logs/a/", question: Question = QUESTION) -> Audit:
    athena = Athena(session, output_location="s3://results/", sleep=lambda seconds: None)
    audit = audit_athena(argument, question, athena, confirm=lambda estimate: True)
    assert audit is not None
    return audit


def sent(session: Session) -> list[str]:
    """Return the queries that were sent, in their order."""
    client = session.client("athena")
    ids = client.list_query_executions()["QueryExecutionIds"]
    return [client.get_query_execution(QueryExecutionId=each)["QueryExecution"]["Query"] for each in ids]


def test_answer_of_athena(server: str, session: Session, put: Any) -> None:
    put("a/2027/02/01/log", f"{PLAIN.line}\n")
    queue(server, WHOLE, *COUNTED, GROUP)
    audit = audited(session)
    assert audit.answer == Breaks(2, 2)
    (group,) = audit.groups
    assert (group.user_agent, group.requests, group.status) == ("curl", 2, "200")
    assert (audit.buckets[0].https, audit.buckets[0].window, audit.files) == (7, 58, 1)
    create, select, drop = sorted(sent(session), key=lambda sql: ("DROP" in sql, "SELECT" in sql))
    assert "'storage.location.template' = 's3://logs/a/${day}/'" in create
    assert select.startswith("WITH lines AS")
    assert drop.startswith("DROP TABLE IF EXISTS `default`.`secure_bucket_audit_")


def test_safe_answer_of_athena(server: str, session: Session, put: Any) -> None:
    put("a/2027/02/01/log", f"{Record().line}\n")
    queue(server, WHOLE | {"breaking": "0"}, COUNTED[0])
    assert isinstance(audited(session).answer, Safe)


def test_files_of_cloudtrail_are_found_out(server: str, session: Session, put: Any) -> None:
    data = gzip.compress(json.dumps({"Records": [event()] * 2000}).encode())
    for place in ("111122223333/CloudTrail/eu-west-1", "111122223333/CloudTrail/us-east-1"):
        put(f"t/AWSLogs/{place}/2027/02/01/x.json.gz", data)
    put("t/AWSLogs/111122223333/CloudTrail-Digest/eu-west-1/2027/02/01/x.json.gz", gzip.compress(b"{}"))
    queue(server, WHOLE)
    audited(session, "s3://logs/t/AWSLogs")
    (create,) = [sql for sql in sent(session) if "CREATE" in sql]
    assert "com.amazon.emr.cloudtrail.CloudTrailInputFormat" in create
    assert "'s3://logs/t/AWSLogs/111122223333/CloudTrail/${folder3}/${day}/'" in create
    assert "'projection.folder3.values' = 'eu-west-1,us-east-1'" in create
    assert "'projection.day.range' = '2027/01/01,NOW'" in create


def test_flat_prefix_has_no_partitions(server: str, session: Session, put: Any) -> None:
    put("a/2027-02-01-00-00-00-AAAA", f"{PLAIN.line}\n")
    queue(server, WHOLE)
    audited(session)
    (create,) = [sql for sql in sent(session) if "CREATE" in sql]
    assert "PARTITIONED" not in create
    assert "projection" not in create


def test_nothing_is_run_unless_it_is_confirmed(session: Session, put: Any) -> None:
    put("a/2027/02/01/log", f"{PLAIN.line}\n" * 1000)
    told: list[Estimate] = []

    def refuse(estimate: Estimate) -> bool:
        told.append(estimate)
        return False

    assert audit_athena("s3://logs/a", QUESTION, Athena(session), confirm=refuse) is None
    assert sent(session) == []
    assert (told[0].files, told[0].size) == (1, 1000 * len(f"{PLAIN.line}\n"))


def test_cost() -> None:
    assert Estimate(Location("logs", ""), 1, 2_000_000_000_000).dollars == 10.0
    assert Estimate(Location("logs", ""), 1, 1).dollars == pytest.approx(0.00005)


def test_prefix_without_logs(session: Session, put: Any) -> None:
    with pytest.raises(LogError, match="`s3://logs/a` contains no log"):
        audit_athena("s3://logs/a", QUESTION, Athena(session), confirm=lambda estimate: True)


class Stub(BaseHTTPRequestHandler):
    """An Athena whose queries come to whatever the test says."""

    states: tuple[str, ...] = ()
    asked: list[str]

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        self.rfile.read(length)
        action = self.headers["X-Amz-Target"].rpartition(".")[2]
        server: Any = self.server
        server.asked.append(action)
        if action == "StartQueryExecution":
            answer: dict[str, Any] = {"QueryExecutionId": "11111111-2222-3333-4444-555555555555"}
        elif action == "GetQueryExecution":
            state = server.states.pop(0) if len(server.states) > 1 else server.states[0]
            status = {"State": state, "StateChangeReason": "HIVE_BAD_DATA: Unexpected end of input stream"}
            answer = {"QueryExecution": {"QueryExecutionId": "x", "Status": status}}
        else:
            answer = {}
        data = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def stub(environment: None) -> Iterator[Any]:
    server: Any = HTTPServer(("127.0.0.1", 0), Stub)
    server.states, server.asked = [], []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def athena_of(stub: Any, **options: Any) -> Athena:
    url = f"http://127.0.0.1:{stub.server_port}"
    return Athena(open_session(Access(region="eu-west-1", endpoint_url=url)), **options)


def test_query_is_waited_for(stub: Any) -> None:
    stub.states = ["QUEUED", "RUNNING", "RUNNING", "SUCCEEDED"]
    waited: list[float] = []
    athena_of(stub, sleep=waited.append).run("SELECT 1")
    assert waited == [0.5, 0.75, 1.125]
    assert stub.asked == ["StartQueryExecution", *["GetQueryExecution"] * 4]


@pytest.mark.parametrize(
    ("state", "words"), [("FAILED", "failed: HIVE_BAD_DATA"), ("CANCELLED", "was cancelled")]
)
def test_query_that_does_not_succeed(stub: Any, state: str, words: str) -> None:
    stub.states = ["RUNNING", state]
    with pytest.raises(LogError, match=words):
        athena_of(stub, sleep=lambda seconds: None).run("SELECT 1")
    assert "StopQueryExecution" not in stub.asked


def test_interrupt_stops_the_query(stub: Any) -> None:
    stub.states = ["RUNNING"]

    def interrupt(seconds: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        athena_of(stub, sleep=interrupt).run("SELECT 1")
    assert stub.asked[-1] == "StopQueryExecution"


def test_nobody_answers() -> None:
    session = open_session(Access(region="eu-west-1", endpoint_url="http://127.0.0.1:9"))
    session.client("athena", brief=True)
    athena = Athena(session)
    athena.session = _Brief(session)  # type: ignore[assignment]
    with pytest.raises(LiveError, match="nothing answers"):
        athena.run("SELECT 1")


class _Brief:
    def __init__(self, session: Session) -> None:
        self.session = session

    def client(self, service: str) -> Any:
        return self.session.client(service, brief=True)


NASTY = ("x'; DROP TABLE y; --", 'a" OR "1"="1', "back\\slash", "$since", "{table}", "`x`", "\\'; --")


@pytest.mark.parametrize("stored", ["access", "cloudtrail"])
@pytest.mark.parametrize("name", NASTY)
def test_what_is_given_stays_a_literal(stored: Any, name: str) -> None:
    sql = query(stored, "default", ["t"], Question(NOW, buckets=("reports", name)))
    (tree,) = sqlglot.parse(sql, read="athena")
    assert isinstance(tree, exp.Select)
    assert name in {each.this for each in tree.find_all(exp.Literal) if each.is_string}
    defined = {each.alias for each in tree.find_all(exp.CTE)}
    assert {each.name for each in tree.find_all(exp.Table)} <= {"t", *defined}


@pytest.mark.parametrize("stored", ["access", "cloudtrail"])
@pytest.mark.parametrize("dialect", ["athena", "trino"])
def test_query_is_trino(stored: Any, dialect: str) -> None:
    sql = query(stored, "logs-db", ["t"], Question(NOW, minimum_tls=1.2, buckets=("reports",)))
    (tree,) = sqlglot.parse(sql, read=dialect, error_level=sqlglot.ErrorLevel.RAISE)
    assert tree is not None
    called = {each.name.upper() for each in tree.find_all(exp.Anonymous)}
    # What the parser knows no class for has to be a function that Trino has.
    assert called <= {"ELEMENT_AT", "GROUPING"}
    assert not list(tree.find_all(exp.Parameter, exp.Placeholder))
    # `a[9]` behind the end of an array would fail there; `ELEMENT_AT(a, 9)` does not, and is read as safe.
    assert all(each.args["safe"] for each in tree.find_all(exp.Bracket))


@pytest.mark.parametrize("stored", ["access", "cloudtrail"])
def test_each_relation_has_a_name_of_its_own(stored: Any) -> None:
    # The query for Spark has all of them beside each other.
    (tree,) = sqlglot.parse(query(stored, "logs-db", ["t"], Question(NOW), "spark"), read="spark")
    assert tree is not None
    names = [each.alias for each in tree.find_all(exp.CTE)]
    assert len(names) == len(set(names)) > 5


@pytest.mark.parametrize("stored", ["access", "cloudtrail"])
@pytest.mark.parametrize("layout", [Layout(), Layout((("a", "b"), ("c",)), True, datetime.date(2026, 1, 1))])
def test_table_parses(stored: Any, layout: Layout) -> None:
    sql = create_table(stored, "my-db", "t", Location("logs", "it's/\\"), layout, QUESTION)
    (tree,) = sqlglot.parse(sql, read="hive")
    assert isinstance(tree, exp.Create)
    (location,) = tree.find_all(exp.LocationProperty)
    assert location.this.this == "s3://logs/it's/\\/"


def test_days_are_those_that_are_asked_for() -> None:
    question = Question(
        NOW,
        since=datetime.datetime(2027, 1, 5, tzinfo=datetime.timezone.utc),
        until=datetime.datetime(2027, 1, 20, tzinfo=datetime.timezone.utc),
    )
    layout = Layout((), True, datetime.date(2026, 1, 1))
    sql = create_table("access", "default", "t", Location("logs", "a/"), layout, question)
    assert "'projection.day.range' = '2027/01/05,2027/01/23'" in sql


@pytest.mark.parametrize("name", ["a b", "a`b", "a;b", "", "a.b", 'a"b', "ä"])
def test_name_that_cannot_stand_in_sql(name: str) -> None:
    with pytest.raises(LogError, match="is not a name of a database or a table"):
        drop_table(name, "t")
    with pytest.raises(LogError, match="is not a name of a database or a table"):
        query("access", name, ["t"], QUESTION)


def test_prefix_that_athena_would_take_for_a_template() -> None:
    with pytest.raises(LogError, match="characters that Athena takes for something else"):
        create_table("access", "default", "t", Location("logs", "${day}/"), Layout((), True), QUESTION)


def test_folder_that_cannot_be_a_partition() -> None:
    with pytest.raises(LogError, match="cannot be the name of a partition"):
        create_table("access", "default", "t", Location("logs", ""), Layout((("a,b", "c"),), True), QUESTION)


@pytest.mark.parametrize("name", ["a b", "", "a/b"])
def test_workgroup_that_is_none(name: str) -> None:
    with pytest.raises(LogError, match="is not a name of a workgroup"):
        Athena(open_session(Access(region="eu-west-1")), workgroup=name)


def test_limits_reach_the_query() -> None:
    sql = query("access", "default", ["t"], replace(QUESTION, limit=7))
    assert "place <= 7" in sql


def test_what_the_table_does_not_cover_is_a_fault(server: str, session: Session, put: Any) -> None:
    put("a/2027/02/01/log", f"{PLAIN.line}\n")
    put("a/2027-02-01-00-00-00-AAAA", f"{PLAIN.line}\n")
    put("a/2027/02/02/log", f"{PLAIN.line}\n")
    put("a/2027/02/02/_hidden", f"{PLAIN.line}\n")
    put("a/.hidden/2027/02/02/log", f"{PLAIN.line}\n")
    queue(server, WHOLE | {"breaking": "0"}, COUNTED[0])
    hidden, beside = sorted(fault.message for fault in audited(session).faults)
    assert beside.startswith("2 objects below `s3://logs/a/`, as `a/.hidden/2027/02/02/log`, have `_` or `.`")
    assert hidden.startswith("1 object below `s3://logs/a/`, as `a/2027-02-01-00-00-00-AAAA`, lie outside of")


def test_archived_logs_are_a_fault(server: str, session: Session, put: Any) -> None:
    put("a/2027/02/01/log", f"{Record().line}\n")
    session.client("s3").put_object(
        Bucket="logs", Key="a/2027/01/01/log", Body=f"{PLAIN.line}\n", StorageClass="GLACIER"
    )
    queue(server, WHOLE | {"breaking": "0"}, COUNTED[0])
    audit = audited(session)
    assert "`a/2027/01/01/log`, are archived in S3 Glacier" in audit.faults[0].message
    assert not isinstance(audit.answer, Safe)
    with pytest.raises(LogError, match="are archived in S3 Glacier"):
        audited(session, "s3://logs/a/2027/01/")


def test_folders_of_several_depths_are_several_tables(server: str, session: Session, put: Any) -> None:
    for path in ("111122223333", "o-abc/111122223333", "o-abc/444455556666"):
        data = gzip.compress(json.dumps({"Records": [event()]}).encode())
        put(f"AWSLogs/{path}/CloudTrail/eu-west-1/2027/02/01/x.json.gz", data)
    body = {"account_id": "123456789012", "region": "eu-west-1"}
    table = [list(HEAD), [WHOLE.get(name) for name in HEAD]]
    data = [{"Data": [{} if cell is None else {"VarCharValue": cell} for cell in row]} for row in table]
    none: dict[str, Any] = {"rows": [], "column_info": []}
    static(server, body | {"results": [none, none, {"rows": data, "column_info": []}]})
    audit = audited(session, "s3://logs/AWSLogs")
    assert (audit.files, audit.faults) == (3, ())
    creates = sorted(sql for sql in sent(session) if sql.startswith("CREATE"))
    templates = sorted(
        line.split("= ")[1] for sql in creates for line in sql.split("\n") if "template" in line
    )
    assert templates == [
        "'s3://logs/AWSLogs/111122223333/CloudTrail/eu-west-1/${day}/'",
        "'s3://logs/AWSLogs/o-abc/${folder2}/CloudTrail/eu-west-1/${day}/'",
    ]
    (select,) = [sql for sql in sent(session) if sql.startswith("WITH")]
    assert select.count("secure_bucket_audit_") == 2
    assert "UNION ALL" in select
    assert len([sql for sql in sent(session) if sql.startswith("DROP")]) == 2


def test_access_logs_beside_a_trail_are_not_passed_over(server: str, session: Session, put: Any) -> None:
    put("a/111122223333/CloudTrail/eu-west-1/2027/02/01/x", gzip.compress(b'{"Records": []}'))
    put("a/111122223333/Config/eu-west-1/2027/02/01/x", "{}")
    put("a/111122223333/eu-west-1/reports/2027/02/01/log", f"{PLAIN.line}\n")
    queue(server, WHOLE)
    (fault,) = audited(session).faults
    assert "x` is another kind of log than `a/111122223333/eu-west-1/reports/" in fault.message


def estimated(session: Session, question: Question) -> Estimate:
    told: list[Estimate] = []

    def refuse(estimate: Estimate) -> bool:
        told.append(estimate)
        return False

    assert audit_athena("s3://logs/a", question, Athena(session), confirm=refuse) is None
    return told[0]


def test_the_estimate_is_what_athena_reads(session: Session, put: Any) -> None:
    recent = Question(NOW, since=NOW - datetime.timedelta(days=5))
    for day in range(1, 21):
        put(f"a/2027-02-{day:02}-00-00-00-AAAA", f"{PLAIN.line}\n")
    # Flat keys are no partitions: whatever is asked for, all of them are read.
    assert (estimated(session, recent).files, estimated(session, QUESTION).files) == (20, 20)
    assert estimated(session, recent).request_dollars == pytest.approx(20 * 0.0000004 + 0.000005)


def test_the_estimate_of_partitions_is_that_of_the_days_asked_for(session: Session, put: Any) -> None:
    for day in (1, 20, 27, 28):
        put(f"a/2027/02/{day}/2027-03-09-00-00-00-AAAA", f"{PLAIN.line}\n")
    assert estimated(session, Question(NOW, since=NOW - datetime.timedelta(days=2))).files == 2


def listed(monkeypatch: pytest.MonkeyPatch, keys: list[str], question: Question = QUESTION) -> Listing:
    logs = [StoredLog(f"a/{key}", 10) for key in keys]
    monkeypatch.setattr("secure_bucket.operations.audit.listing.list_logs", lambda *_: iter(logs))
    found = list_for_athena(Location("logs", "a/"), open_session(Access(region="eu-west-1")), question)
    assert found is not None
    return found


def test_an_organization_of_many_accounts_is_one_table(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [f"{account:012}/CloudTrail/eu-west-1/2027/02/01/x.json.gz" for account in range(2000)]
    digests = [key.replace("CloudTrail", "CloudTrail-Digest") for key in keys]
    found = listed(monkeypatch, keys + digests)
    (table,) = found.tables
    assert (len(table.layout.folders[0]), found.files, found.missed) == (2000, 2000, ())
    assert (table.layout.unit, found.partitions) == ("DAYS", 2000 * 60)


def test_partitions_of_months_keep_a_large_organization_below_the_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    regions = [f"region-{number}" for number in range(17)]
    keys = [
        f"{account:012}/CloudTrail/{region}/2026/{month}/01/x.json.gz"
        for account in range(1000)
        for region in regions
        for month in ("01", "12")
    ]
    found = listed(monkeypatch, keys)
    assert found.tables[0].layout.unit == "MONTHS"
    assert found.partitions == 1000 * 17 * 15
    sql = create_table("cloudtrail", "default", "t", Location("logs", "a/"), found.tables[0].layout, QUESTION)
    assert "'projection.day.format' = 'yyyy/MM'" in sql
    assert "'projection.day.interval.unit' = 'MONTHS'" in sql
    assert "'projection.day.range' = '2026/01,NOW'" in sql
    # All of a month is read, so all of it is in the estimate.
    since = datetime.datetime(2026, 12, 15, tzinfo=datetime.timezone.utc)
    asked = listed(monkeypatch, keys, Question(since.replace(year=2027), since=since))
    assert (asked.tables[0].layout.unit, asked.files) == ("MONTHS", 17_000)


def test_more_folders_than_a_statement_holds_are_several_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [f"{account:012}/CloudTrail/eu-west-1/2027/02/01/x.json.gz" for account in range(30_000)]
    found = listed(monkeypatch, keys)
    assert [len(table.layout.folders[0]) for table in found.tables] == [7500] * 4
    assert found.files == 30_000
    for table in found.tables:
        sql = create_table("cloudtrail", "default", "t", Location("logs", "a/"), table.layout, QUESTION)
        assert len(sql) < 262_144


def test_too_many_tables_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("secure_bucket.operations.audit.listing._MOST_PARTITIONS", 100)
    keys = [f"{account:012}/eu-west-1/2015/02/01/log" for account in range(3000)]
    with pytest.raises(LogError, match="too many for 20 tables of Athena: give a longer prefix or --since"):
        listed(monkeypatch, keys)
