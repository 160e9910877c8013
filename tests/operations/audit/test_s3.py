"""Logs below an S3 prefix, from a server that speaks as S3 does."""

from __future__ import annotations

import datetime
import gzip
from typing import Any

import pytest
from msgspec.structs import replace

from secure_bucket.operations.audit import LogError, audit_logs
from secure_bucket.operations.audit.s3 import Download, Location, download_of, list_logs, parse_location
from secure_bucket.operations.aws.errors import LiveError
from secure_bucket.operations.aws.session import Access, Session, open_session
from tests.operations.audit.records import NOW, Record, http

PLAIN = http(Record())


def keys(session: Session, prefix: str, **options: Any) -> list[str]:
    return sorted(log.key for log in list_logs(Location("logs", prefix), session, **options))


def test_audit_of_a_prefix(session: Session, put: Any) -> None:
    put("a/2027-03-01-09-00-00-AAAA", f"{PLAIN.line}\n")
    put("a/2027-03-01-09-00-00-BBBB", gzip.compress(f"{Record().line}\n{PLAIN.line[:50]}\n".encode()))
    put("a/empty", b"")
    put("b/2027-03-01-09-00-00-CCCC", f"{PLAIN.line}\n")
    audit = audit_logs("s3://logs/a/", session=session, now=NOW)
    assert audit.faults == ()
    assert (audit.files, audit.buckets[0].requests, audit.buckets[0].breaking) == (2, 2, 1)
    assert [place.file for place in audit.malformed.places] == ["s3://logs/a/2027-03-01-09-00-00-BBBB"]
    assert audit.malformed.places[0].line == 2


def test_the_download_is_known_before_it_costs(session: Session, put: Any) -> None:
    put("a/2027/02/01/2027-02-01-09-00-00-AAAA", b"x" * 700)
    put("a/2027/03/01/2027-03-01-09-00-00-BBBB", b"x" * 300)
    put("b/other", b"x" * 5000)
    assert download_of(["s3://logs/a/", "s3://logs/a/"], session) == Download(2, 1000)
    since = NOW.replace(day=1)
    assert download_of(["s3://logs/a/"], session, since=since) == Download(1, 300)
    assert Download(1, 10**12).dollars == pytest.approx(90)


def test_pages_and_more_objects_than_are_fetched_ahead(session: Session, put: Any) -> None:
    pages: list[str] = []

    def shorten(params: dict[str, Any], **_: object) -> None:
        params["MaxKeys"] = 20
        pages.append(params["Prefix"])

    session.client("s3").meta.events.register("before-parameter-build.s3.ListObjectsV2", shorten)
    for number in range(50):
        put(f"many/{number:05}", f"{replace(PLAIN, address=f'192.0.2.{number % 30}').line}\n")
    audit = audit_logs("s3://logs/many/", session=session, now=NOW, limit=500)
    assert len(pages) == 3
    assert (audit.files, audit.buckets[0].breaking, len(audit.groups)) == (50, 50, 30)


def test_large_object_is_read_as_a_stream(session: Session, put: Any) -> None:
    line = f"{PLAIN.line}\n".encode()
    put("large/log", line * (9_000_000 // len(line)))
    put("large/log.gz", gzip.compress(line * 100_000, 1))
    audit = audit_logs("s3://logs/large/", session=session, now=NOW)
    assert audit.buckets[0].breaking == 9_000_000 // len(line) + 100_000


DAYS = ("2027/01/31", "2027/02/01", "2027/02/15", "2027/03/01", "2026/12/31")


def calls(session: Session) -> list[str]:
    """Return a list that each call to list objects adds to."""
    listed: list[str] = []
    session.client("s3").meta.events.register(
        "before-parameter-build.s3.ListObjectsV2",
        lambda params, **_: listed.append(params.get("StartAfter", "")),
    )
    return listed


def test_folders_of_other_days_are_not_listed(session: Session, put: Any) -> None:
    for day in DAYS:
        put(f"p/111122223333/eu-west-1/reports/{day}/log", "x")
    since = datetime.datetime(2027, 2, 1, tzinfo=datetime.timezone.utc)
    until = datetime.datetime(2027, 2, 10, tzinfo=datetime.timezone.utc)
    listed = calls(session)
    found = keys(session, "p/", since=since, until=until)
    assert found == ["p/111122223333/eu-west-1/reports/2027/02/01/log"]
    assert listed == [""]


@pytest.mark.parametrize(
    "form",
    [
        "p/2/eu-west-1/reports/{0:%Y/%m/%d}/{0:%Y-%m-%d}-00-00-00-{1}",
        "p/{0:%Y-%m-%d}-00-00-00-{1}",
        "p/E1.{0:%Y-%m-%d}-07.{1}.gz",
        "p/o-x/2/CloudTrail/eu-west-1/{0:%Y/%m/%d}/2_CloudTrail_eu-west-1_{0:%Y%m%d}T0035Z_{1}.json.gz",
    ],
    ids=["partitioned", "simple", "cloudfront", "organization"],
)
def test_a_page_that_ends_at_another_time_is_the_last_of_it(
    session: Session, put: Any, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    day = datetime.date(2026, 1, 1)
    expected = []
    while day < datetime.date(2027, 3, 1):
        for number in range(2):
            key = form.format(day, number)
            put(key, "x")
            if datetime.date(2027, 1, 10) <= day <= datetime.date(2027, 1, 23):
                expected.append(key)
        day += datetime.timedelta(days=3)
    # Pages of ten stand for those of a thousand.
    session.client("s3").meta.events.register(
        "before-parameter-build.s3.ListObjectsV2", lambda params, **_: params.update(MaxKeys=10)
    )
    listed = calls(session)
    since = datetime.datetime(2027, 1, 10, tzinfo=datetime.timezone.utc)
    until = datetime.datetime(2027, 1, 20, tzinfo=datetime.timezone.utc)
    assert keys(session, "p/", since=since, until=until) == expected != []
    assert len(listed) <= 7
    assert len(keys(session, "p/")) == 2 * 142


@pytest.mark.parametrize("name", ["2024", "2024-notes", "2025.log", "20250", "zz"])
def test_a_key_beside_the_folders_of_days_is_never_passed_over(session: Session, put: Any, name: str) -> None:
    for year in range(2020, 2028):
        for month in range(1, 4):
            put(f"p/{year}/{month:02}/01/log", "x")
    put(f"p/{name}", "x")
    session.client("s3").meta.events.register(
        "before-parameter-build.s3.ListObjectsV2", lambda params, **_: params.update(MaxKeys=2)
    )
    since = datetime.datetime(2027, 2, 1, tzinfo=datetime.timezone.utc)
    assert keys(session, "p/", since=since) == sorted([f"p/{name}", "p/2027/02/01/log", "p/2027/03/01/log"])


def test_names_tell_the_day_of_delivery(session: Session, put: Any) -> None:
    for day in DAYS:
        put(f"f/{day.replace('/', '-')}-00-00-00-AAAA", "x")
        put(f"f/1_CloudTrail_eu-west-1_{day.replace('/', '')}T0035Z_x.json.gz", "x")
    since = datetime.datetime(2027, 2, 1, tzinfo=datetime.timezone.utc)
    # What was asked on the last day may be delivered on one of the next.
    until = datetime.datetime(2027, 2, 13, tzinfo=datetime.timezone.utc)
    assert keys(session, "f/", since=since, until=until) == [
        "f/1_CloudTrail_eu-west-1_20270201T0035Z_x.json.gz",
        "f/1_CloudTrail_eu-west-1_20270215T0035Z_x.json.gz",
        "f/2027-02-01-00-00-00-AAAA",
        "f/2027-02-15-00-00-00-AAAA",
    ]


def test_prefix_without_logs_is_a_fault(session: Session, put: Any) -> None:
    audit = audit_logs("s3://logs/nothing/", session=session, now=NOW)
    assert [fault.message for fault in audit.faults] == ["`s3://logs/nothing/` contains no log"]


def test_unknown_bucket_is_a_fault(session: Session, put: Any) -> None:
    audit = audit_logs(["s3://no-such-bucket/a", "s3://logs/"], session=session, now=NOW)
    assert "no such bucket" in audit.faults[0].message


def test_endpoint_that_is_not_there() -> None:
    nobody = open_session(Access(region="eu-west-1", endpoint_url="http://127.0.0.1:9"))
    with pytest.raises(LiveError, match="nothing answers"):
        list(list_logs(Location("logs", ""), _Brief(nobody)))  # type: ignore[arg-type]


class _Brief:
    """A session that gives up at once."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def client(self, service: str) -> Any:
        return self.session.client(service, brief=True)


@pytest.mark.parametrize("text", ["s3://", "s3://A/b", "s3:///b", "s3://a'b/c", "https://a/b", "s3://ab"])
def test_location_that_is_none(text: str) -> None:
    with pytest.raises(LogError, match="is not `s3://BUCKET/PREFIX`"):
        parse_location(text)


def test_location() -> None:
    assert parse_location("s3://logs") == Location("logs", "")
    assert parse_location("s3://logs/a b/'c") == Location("logs", "a b/'c")


def test_an_object_that_several_prefixes_lead_to_counts_once(session: Session, put: Any) -> None:
    put("a/2027/03/01/2027-03-01-09-00-00-AAAA", f"{PLAIN.line}\n")
    prefixes = ["s3://logs/a/", "s3://logs/a/", "s3://logs/a/2027/", "s3://logs/"]
    audit = audit_logs(prefixes, session=session, now=NOW)
    assert (audit.files, audit.buckets[0].breaking, audit.faults) == (1, 1, ())
