"""What changed between two reviews."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from secure_bucket.findings.comparison import ReviewChange, ReviewComparison, compare_reports
from secure_bucket.findings.finding import Fault, JudgedBucket, Report
from secure_bucket.findings.subject import Running
from secure_bucket.formats import FORMATS, Run
from secure_bucket.formats.text import render
from secure_bucket.policy.request import Request
from secure_bucket.proof.verdict import Proven, Refuted, Undecided, Verdict
from secure_bucket.values.unknown import Place, Unknown

ACCOUNT = "111122223333"
PROVEN = Proven(())
REQUEST = Request("anonymous", "s3:GetObject", "arn:aws:s3:::a/x", {"aws:SecureTransport": "false"})
REFUTED = Refuted(REQUEST, "the bucket has no policy")
OTHERWISE = Refuted(REQUEST, "statement `Deny` does not apply there")
UNDECIDED = Undecided((Unknown("a condition is not known", Place()),))


def report(**verdicts: Verdict) -> Report:
    buckets = [
        JudgedBucket(Running(name, f"arn:aws:s3:::{name}", ACCOUNT, "eu-west-1"), verdict)
        for name, verdict in verdicts.items()
    ]
    return Report(buckets=tuple(buckets), accounts=(ACCOUNT,))


def compared(before: Report, now: Report) -> ReviewComparison:
    return compare_reports(before, now, "earlier.json")


@pytest.mark.parametrize(
    ("before", "now", "change"),
    [
        (PROVEN, REFUTED, ReviewChange.OPENED),
        (REFUTED, PROVEN, ReviewChange.CLOSED),
        (UNDECIDED, PROVEN, ReviewChange.CLOSED),
        (PROVEN, UNDECIDED, ReviewChange.CHANGED),
        (UNDECIDED, REFUTED, ReviewChange.CHANGED),
        (REFUTED, OTHERWISE, ReviewChange.CHANGED),
        (None, REFUTED, ReviewChange.NEW),
        (PROVEN, None, ReviewChange.GONE),
    ],
)
def test_every_change_has_its_name(before: Verdict | None, now: Verdict | None, change: ReviewChange) -> None:
    earlier = report(**({} if before is None else {"a": before}))
    later = report(**({} if now is None else {"a": now}))
    (found,) = compared(earlier, later).changes
    assert (found.change, found.before, found.now) == (change, before, now)


@pytest.mark.parametrize("verdict", [PROVEN, REFUTED, UNDECIDED])
def test_the_same_verdict_is_no_change(verdict: Verdict) -> None:
    comparison = compared(report(a=verdict), report(a=verdict))
    assert (comparison.changes, comparison.unchanged) == ((), 1)


@pytest.mark.parametrize(
    "now",
    [
        Report(accounts=("444455556666",)),
        Report(
            accounts=(ACCOUNT,), faults=(Fault("", f"3 of 9 buckets of account {ACCOUNT} are not reviewed"),)
        ),
        Report(
            accounts=(ACCOUNT,), not_applicable=((Place(), "arn:aws:s3:::a", "it is left out by --exclude"),)
        ),
    ],
)
def test_a_bucket_that_could_not_be_judged_is_not_gone(now: Report) -> None:
    (found,) = compared(report(a=PROVEN), now).changes
    assert found.change is ReviewChange.NOT_JUDGED


def test_a_bucket_of_the_same_name_in_another_account_is_another_one() -> None:
    theirs = JudgedBucket(Running("a", "arn:aws:s3:::a", "444455556666"), PROVEN)
    now = Report(buckets=(theirs,), accounts=(ACCOUNT, "444455556666"))
    changes: Sequence[ReviewChange] = [each.change for each in compared(report(a=REFUTED), now).changes]
    assert changes == [ReviewChange.NEW, ReviewChange.GONE]


def test_the_summary_and_the_accounts() -> None:
    earlier = replace(report(a=PROVEN, b=REFUTED, c=PROVEN), as_of="2027-03-01T12:00:00Z")
    comparison = compared(earlier, report(a=REFUTED, b=PROVEN, c=PROVEN))
    assert comparison.summary == (
        "since `earlier.json` of 2027-03-01T12:00:00Z: 1 became open, 1 closed, 1 unchanged"
    )
    (course,) = comparison.accounts
    assert (course.buckets_before, course.open_before, course.buckets, course.open) == (3, 1, 3, 1)


def test_reports_show_the_changes() -> None:
    now = report(a=REFUTED, b=PROVEN)
    now = replace(now, comparison=compared(report(a=PROVEN, c=PROVEN), now))
    lines = render(now, Run()).splitlines()
    assert "became open: bucket `arn:aws:s3:::a` was proven and is refuted" in lines
    assert "new: bucket `arn:aws:s3:::b` is proven" in lines
    assert "gone: bucket `arn:aws:s3:::c` was proven" in lines
    document = json.loads(FORMATS["json"](now, Run()))["comparison"]
    assert [(each["name"], each["change"], each["before"], each["now"]) for each in document["changes"]] == [
        ("a", "became open", "proven", "refuted"),
        ("b", "new", None, "proven"),
        ("c", "gone", "proven", None),
    ]
    assert document["unchanged"] == 0
    assert json.loads(FORMATS["json"](report(a=PROVEN), Run()))["comparison"] is None
