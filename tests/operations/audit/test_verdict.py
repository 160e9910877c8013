"""When the answer is *safe*, when it is *these break*, and when nobody can tell."""

from __future__ import annotations

import datetime
import gzip
from pathlib import Path

import pytest
from msgspec.structs import replace

from secure_bucket.operations.audit import Audit, Breaks, CannotTell, Key, LogError, Safe, audit_logs
from secure_bucket.operations.audit.sentences import coverage, verdict
from tests.operations.audit.records import NOW, Record, http

PLAIN = http(Record())


def days(first: int, last: int, record: Record = Record()) -> list[Record]:  # noqa: B008
    """Return a record for each of some days ago."""
    return [replace(record, time=NOW - datetime.timedelta(days=day)) for day in range(first, last - 1, -1)]


def audited(directory: Path, *found: Record, **options: object) -> Audit:
    (directory / "log").write_text("".join(f"{each.line}\n" for each in found))
    return audit_logs(directory / "log", now=NOW, **options)  # type: ignore[arg-type]


def reasons(audit: Audit) -> str:
    assert isinstance(audit.answer, CannotTell)
    return "; ".join(audit.answer.reasons)


def test_safe(tmp_path: Path) -> None:
    audit = audited(tmp_path, *days(29, 0))
    assert isinstance(audit.answer, Safe)
    assert audit.buckets[0].window == 30
    assert verdict(audit) == (
        "safe to enforce: no request over plain HTTP to 1 bucket got through in 30 days of logs"
    )
    assert coverage(audit.buckets) == (
        "the logs cover 30 requests to 1 bucket, from 2027-01-31 12:00 to 2027-03-01 12:00 UTC; "
        "100 % show their protocol"
    )


def test_days_without_a_record_are_told(tmp_path: Path) -> None:
    audit = audited(tmp_path, *[record for record in days(30, 0) if record.time.day % 5])
    assert isinstance(audit.answer, Safe)
    assert verdict(audit).endswith("got through in 30 days of logs, with requests on 25 of them")


def test_answers_are_no_booleans(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="neither true nor false"):
        bool(audited(tmp_path, *days(29, 0)).answer)


def test_a_quiet_week_does_not_matter(tmp_path: Path) -> None:
    audit = audited(tmp_path, *[record for day in (35, 28, 21, 14, 7, 0) for record in days(day, day)])
    assert isinstance(audit.answer, Safe)
    assert (audit.buckets[0].days, audit.buckets[0].window) == (6, 36)


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ([*days(29, 29), *days(0, 0)], "the logs span 1 day since a silence of more than 7 days"),
        ([*days(400, 366), *days(1, 0)], "the logs span 2 days since a silence of more than 7 days"),
        ([*days(60, 26), *days(17, 0)], "the logs span 18 days since a silence of more than 7 days"),
        ([*days(60, 26), *days(18, 0)] * 5, "the logs span 19 days since a silence of more than 7 days"),
    ],
    ids=["ends alone", "a year ago", "a gap", "a gap, in busy logs"],
)
def test_logs_that_were_silent_for_long_may_have_been_off(
    tmp_path: Path, found: list[Record], told: str
) -> None:
    audit = audited(tmp_path, *found)
    assert told in reasons(audit)
    assert audit.buckets[0].days == audit.buckets[0].window
    # What they show all the same, counts.
    assert isinstance(audited(tmp_path, *found, replace(PLAIN, time=found[0].time)).answer, Breaks)
    assert isinstance(audited(tmp_path, *found, maximum_age=365, minimum_window=10).answer, Safe)


def test_a_silence_before_the_window_does_not_matter(tmp_path: Path) -> None:
    audit = audited(tmp_path, *days(400, 366), *days(29, 0))
    assert isinstance(audit.answer, Safe)
    assert (audit.buckets[0].window, audit.buckets[0].first_seen) == (30, NOW - datetime.timedelta(days=29))


def test_the_logs_of_another_bucket_fill_no_silence(tmp_path: Path) -> None:
    other = replace(Record(), bucket="other")
    audit = audited(tmp_path, *days(29, 29), *days(0, 0), *days(29, 0, other))
    assert {bucket.name: type(bucket.answer) for bucket in audit.buckets} == {
        "other": Safe,
        "reports": CannotTell,
    }


def test_window_that_is_too_short(tmp_path: Path) -> None:
    assert "the logs span 29 days, and less than 30 days" in reasons(audited(tmp_path, *days(28, 0)))
    assert isinstance(audited(tmp_path, *days(28, 0), minimum_window=29).answer, Safe)


def test_logs_that_ended(tmp_path: Path) -> None:
    assert "the logs end 8 days ago, on 2027-02-21" in reasons(audited(tmp_path, *days(50, 8)))
    assert isinstance(audited(tmp_path, *days(50, 7)).answer, Safe)
    assert isinstance(audited(tmp_path, *days(50, 8), maximum_age=8).answer, Safe)


def test_logs_of_the_future_cannot_tell(tmp_path: Path) -> None:
    future = Record(time=NOW + datetime.timedelta(days=90))
    assert "which is yet to come: is a clock wrong?" in reasons(audited(tmp_path, *days(40, 20), future))


def test_refused_requests_break_nothing(tmp_path: Path) -> None:
    audit = audited(tmp_path, *days(29, 0), replace(PLAIN, status="403"))
    assert isinstance(audit.answer, Safe)
    assert audit.buckets[0].refused == 1
    assert [group.trouble.value for group in audit.groups] == ["refused"]


def test_one_request_breaks(tmp_path: Path) -> None:
    audit = audited(tmp_path, *days(29, 0), PLAIN)
    assert audit.answer == Breaks(1, 1)
    assert verdict(audit) == "1 client breaks: 1 request over plain HTTP got through"


def test_one_request_that_does_not_tell_is_enough(tmp_path: Path) -> None:
    audit = audited(tmp_path, *days(29, 0), replace(PLAIN, tls=None))
    assert "1 request of 31 do not show their protocol" in reasons(audit)
    assert audit.buckets[0].share == pytest.approx(30 / 31)
    assert "96.7 % show their protocol" in coverage(audit.buckets)


def test_one_malformed_line_is_enough(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("".join(f"{each.line}\n" for each in days(29, 0)) + "what is this\n")
    assert "1 line could not be read, and may be of this bucket" in reasons(
        audit_logs(tmp_path / "log", now=NOW)
    )


def test_what_s3_does_by_itself_is_no_request(tmp_path: Path) -> None:
    audit = audited(tmp_path, *days(29, 0, replace(PLAIN, operation="S3.EXPIRE.OBJECT")))
    assert "the logs hold no request of a client" in reasons(audit)
    assert (audit.buckets[0].internal, audit.buckets[0].requests) == (30, 0)


def test_old_tls_breaks_when_it_is_asked_for(tmp_path: Path) -> None:
    found = [*days(29, 0), Record(tls="TLSv1.1")]
    assert isinstance(audited(tmp_path, *found).answer, Safe)
    audit = audited(tmp_path, *found, minimum_tls=1.2)
    assert audit.answer == Breaks(1, 1)
    assert audit.groups[0].transport == "tls-1.1"
    assert isinstance(audited(tmp_path, *found, minimum_tls=1.1).answer, Safe)


def test_a_suite_without_a_version_cannot_tell(tmp_path: Path) -> None:
    found = [*days(29, 0), Record(tls="-")]
    assert "the record names only one of the TLS version and the cipher suite" in reasons(
        audited(tmp_path, *found)
    )


def test_each_bucket_has_its_own_answer(tmp_path: Path) -> None:
    other = replace(PLAIN, bucket="b-breaks")
    audit = audited(tmp_path, *days(29, 0), *days(29, 0, replace(Record(), bucket="a-safe")), other, other)
    assert [type(bucket.answer) for bucket in audit.buckets] == [Safe, Breaks, Safe]
    assert audit.answer == Breaks(1, 2)
    chosen = audited(tmp_path, *days(29, 0), other, buckets=["reports"])
    assert isinstance(chosen.answer, Safe)
    assert [(each.what, each.records) for each in chosen.passed] == [("requests to other buckets", 1)]


def test_bucket_that_is_asked_about_has_to_be_in_the_logs(tmp_path: Path) -> None:
    audit = audited(tmp_path, *days(29, 0), buckets=["reports", "typo"])
    assert "bucket `typo`: there is no record of it in the logs" in reasons(audit)
    assert isinstance(audit.buckets[0].answer, Safe)


@pytest.mark.parametrize("name", ["x'; DROP TABLE counted; --", "''", "$since", "\\", 'a"b', "%", "{x}"])
def test_name_of_a_bucket_is_no_sql(tmp_path: Path, name: str) -> None:
    audit = audited(tmp_path, *days(29, 0), replace(PLAIN, bucket=name.replace(" ", "")), buckets=[name])
    assert [bucket.name for bucket in audit.buckets] == [name]
    assert audit.buckets[0].breaking == (0 if " " in name or '"' in name else 1)


def test_clients_are_counted_once_for_all_operations_and_buckets(tmp_path: Path) -> None:
    found = [
        PLAIN,
        replace(PLAIN, operation="REST.PUT.OBJECT"),
        replace(PLAIN, bucket="other"),
        replace(PLAIN, address="192.0.2.4"),
        replace(PLAIN, status="403", address="192.0.2.5"),
    ]
    audit = audited(tmp_path, *found)
    assert audit.answer == Breaks(2, 4)
    answers = {bucket.name: bucket.answer for bucket in audit.buckets}
    assert answers == {"reports": Breaks(2, 3), "other": Breaks(1, 1)}


def test_groups_of_other_keys(tmp_path: Path) -> None:
    found = [
        PLAIN,
        replace(PLAIN, address="192.0.2.4"),
        replace(PLAIN, status="404"),
        replace(PLAIN, bucket="b"),
    ]
    (group,) = audited(tmp_path, *found, group_by=[Key.USER_AGENT]).groups
    assert (group.user_agent, group.bucket, group.requests, group.clients) == ("curl/8.5.0", None, 4, 2)
    groups = audited(tmp_path, *found, group_by=[Key.STATUS]).groups
    assert [(each.status, each.requests) for each in groups] == [("200", 3), ("404", 1)]


def test_largest_groups_come_first_and_the_rest_is_counted(tmp_path: Path) -> None:
    found = [replace(PLAIN, address=f"192.0.2.{number}") for number in range(9) for _ in range(number + 1)]
    audit = audited(tmp_path, *found, limit=3)
    assert [group.requests for group in audit.groups] == [9, 8, 7]
    assert [(trouble.value, number) for trouble, number in audit.more] == [("breaks", 6)]
    assert audit.answer == Breaks(9, 45)


def test_time_that_ends_before_it_begins(tmp_path: Path) -> None:
    with pytest.raises(LogError, match="ends before it begins"):
        audit_logs(tmp_path, since=NOW, until=NOW)


def test_nothing_of_the_asked_time_cannot_tell(tmp_path: Path) -> None:
    audit = audited(tmp_path, *days(29, 0), since=NOW + datetime.timedelta(days=1))
    assert "there is no request in the logs at the time that was asked for" in reasons(audit)


def test_a_share_that_does_not_tell_can_be_tolerated(tmp_path: Path) -> None:
    unknown = replace(PLAIN, tls=None)
    found = [*days(29, 0), *days(29, 0), *days(29, 0), *days(8, 0), unknown]
    assert isinstance(audited(tmp_path, *found, tolerated_unknown=0.009).answer, CannotTell)
    audit = audited(tmp_path, *found, tolerated_unknown=0.01)
    assert isinstance(audit.answer, Safe)
    assert verdict(audit).endswith("; 1 record without a known transport is tolerated")


def test_lines_that_could_not_be_read_count_with_them(tmp_path: Path) -> None:
    lines = "".join(f"{each.line}\n" for each in days(29, 0))
    (tmp_path / "log").write_text(lines + "what is this\n" + replace(PLAIN, tls=None).line + "\n")
    for share, expected in ((0.06, CannotTell), (0.07, Safe)):
        assert isinstance(audit_logs(tmp_path / "log", now=NOW, tolerated_unknown=share).answer, expected)


def test_a_log_that_could_not_be_read_keeps_every_bucket_from_safe(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("".join(f"{each.line}\n" for each in days(29, 0)))
    (tmp_path / "cut.gz").write_bytes(gzip.compress(b"x" * 1000)[:-9])
    for share in (0.0, 1.0):
        audit = audit_logs(tmp_path, now=NOW, tolerated_unknown=share)
        assert "1 fault left some of the logs unread, and these may be of this bucket" in reasons(audit)
        assert not isinstance(audit.buckets[0].answer, Safe)


def test_tolerance_never_hides_a_client_that_breaks(tmp_path: Path) -> None:
    assert isinstance(audited(tmp_path, *days(29, 0), PLAIN, tolerated_unknown=1.0).answer, Breaks)


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_tolerance_is_a_share(tmp_path: Path, share: float) -> None:
    with pytest.raises(LogError, match="between 0 and 1"):
        audit_logs(tmp_path, tolerated_unknown=share)


def test_copies_can_be_skipped(tmp_path: Path) -> None:
    found = [*days(29, 0), replace(PLAIN, operation="REST.COPY.OBJECT_GET")]
    assert "half of a copy" in reasons(audited(tmp_path, *found))
    other = replace(Record(), bucket="copies", operation="REST.COPY.OBJECT")
    audit = audited(tmp_path, *found, other, skip_copies=True, buckets=["reports", "copies"])
    (source,) = [bucket for bucket in audit.buckets if bucket.name == "reports"]
    assert (source.internal, type(source.answer)) == (1, Safe)
    copied = replace(PLAIN, operation="REST.COPY.OBJECT")
    assert isinstance(audited(tmp_path, *found, copied, skip_copies=True).answer, Breaks)


@pytest.mark.parametrize(
    ("others", "reason"),
    [
        ([], "the logs hold 1 copy from it and 0 requests to copy"),
        (
            [replace(PLAIN, bucket="copies", operation="REST.COPY.OBJECT")],
            "do not copy over HTTPS to `copies`",
        ),
        (
            [
                replace(PLAIN, bucket="copies", operation="REST.COPY.PART"),
                replace(Record(), bucket="copies", operation="REST.COPY.OBJECT"),
            ],
            "do not copy over HTTPS to `copies`",
        ),
    ],
    ids=["nowhere", "over plain http", "in parts over plain http"],
)
def test_skipped_copies_need_the_requests_of_their_clients(
    tmp_path: Path, others: list[Record], reason: str
) -> None:
    # The deny of the source refuses the request of the client, whatever bucket it copies to.
    found = [*days(29, 0), replace(PLAIN, operation="REST.COPY.OBJECT_GET"), *others]
    audit = audited(tmp_path, *found, skip_copies=True)
    (source,) = [bucket for bucket in audit.buckets if bucket.name == "reports"]
    assert isinstance(source.answer, CannotTell)
    assert reason in "; ".join(source.answer.reasons)
