"""Many accounts at once, under one bound on the requests in flight."""

from __future__ import annotations

import threading
import time

import pytest

from secure_bucket.findings.finding import Report
from secure_bucket.operations.aws.accounts import Scope
from secure_bucket.operations.aws.session import open_session
from secure_bucket.operations.aws.signed_get import SignedGet
from secure_bucket.operations.review import LiveError, ReviewQuestion, review_accounts
from tests.operations.review.aws import ACCOUNT, REGION, Answer, Aws, Request, bucket, s3_error

ROLES = tuple(f"arn:aws:iam::{number:012}:role/Audit" for number in range(1, 7))


def review(aws: Aws, threads: int, roles: tuple[str, ...] = ROLES) -> Report:
    return review_accounts(Scope(aws.access, role_arns=roles), ReviewQuestion(threads=threads))


def accounts(aws: Aws, buckets: int) -> None:
    for role in ROLES:
        account = role.split(":")[4]
        for number in range(buckets):
            bucket(f"b-{account}-{number}", None if number == 0 else "ok", account=account)


def test_accounts_are_reviewed_at_once_and_never_more_requests_than_asked_for(aws: Aws) -> None:
    accounts(aws, 4)
    lock, now, most, seen = threading.Lock(), 0, 0, set[str]()

    def slowly(request: Request) -> Answer:
        nonlocal now, most
        if request.operation not in ("policy", "website"):
            return None
        with lock:
            now += 1
            most = max(most, now)
            seen.add(request.bucket.split("-")[1])
        time.sleep(0.1)
        with lock:
            now -= 1
        return None

    aws.rules.append(slowly)
    report = review(aws, 5)
    assert not report.faults
    assert len(report.buckets) == 24
    assert len(seen) == len(ROLES)
    # One account has 4 buckets: 5 requests are those of two.
    assert most == 5


def test_the_report_is_in_the_order_of_the_accounts(aws: Aws) -> None:
    accounts(aws, 2)
    first = review(aws, 8)
    assert first.accounts == tuple(role.split(":")[4] for role in ROLES)
    assert [each.subject.label for each in first.buckets] == sorted(
        each.subject.label for each in first.buckets
    )
    assert review(aws, 1) == first


def test_an_account_that_is_slow_to_open_holds_up_none_of_the_others(aws: Aws) -> None:
    accounts(aws, 1)

    def denied(request: Request) -> Answer:
        if request.operation == "AssumeRole" and b"000000000001" in request.body:
            time.sleep(0.5)
            return 403, "<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>"
        return None

    aws.rules.append(denied)
    report = review(aws, 8)
    assert len(report.buckets) == 5
    assert [fault.message.partition(" is not reviewed")[0] for fault in report.faults] == [
        f"role `{ROLES[0]}`"
    ]


@pytest.mark.parametrize("status", [429, 503])
def test_a_third_of_the_requests_throttled_costs_little(aws: Aws, status: int) -> None:
    accounts(aws, 3)
    asked: dict[str, int] = {}

    def throttled(request: Request) -> Answer:
        if request.operation != "policy":
            return None
        asked[request.bucket] = asked.get(request.bucket, 0) + 1
        return s3_error(status, "SlowDown") if asked[request.bucket] == 1 else None

    aws.rules.append(throttled)
    begun = time.monotonic()
    report = review(aws, 8)
    assert (len(report.buckets), report.faults) == (18, ())
    assert set(asked.values()) == {2}
    assert time.monotonic() - begun < 30


def test_a_bucket_is_asked_about_as_the_client_would(aws: Aws) -> None:
    bucket("plain")
    session = open_session(aws.access)
    client = session.client("s3")
    answer = SignedGet(session, client).ask("GetBucketPolicy", "plain", ACCOUNT)
    expected = client.get_bucket_policy(Bucket="plain", ExpectedBucketOwner=ACCOUNT)
    assert answer is not None
    assert answer["Policy"] == expected["Policy"]
    mine, theirs = (each for each in aws.seen if each.bucket == "plain")
    assert (mine.method, mine.path, mine.query) == (theirs.method, theirs.path, theirs.query)
    names = ("host", "user-agent", "x-amz-content-sha256", "x-amz-expected-bucket-owner")
    for name in names:
        assert mine.headers[name].split(" ")[0] == theirs.headers[name].split(" ")[0]
    assert mine.headers["authorization"].split("/")[1:] != []
    assert f"/{REGION}/s3/aws4_request" in mine.headers["authorization"]


@pytest.mark.parametrize("name", ["dotted.name", "Upper", "under_score"])
def test_a_name_that_is_not_usual_is_left_to_the_client(aws: Aws, name: str) -> None:
    session = open_session(aws.access)
    assert SignedGet(session, session.client("s3")).ask("GetBucketPolicy", name, ACCOUNT) is None
    assert not aws.seen


@pytest.mark.parametrize(
    "answer",
    [(301, ""), s3_error(400, "AuthorizationHeaderMalformed"), s3_error(500, "InternalError"), (404, "x")],
)
def test_an_answer_that_is_not_usual_is_left_to_the_client(aws: Aws, answer: tuple[int, str]) -> None:
    bucket("odd")
    aws.answer("policy", "odd", answer, times=1)
    session = open_session(aws.access)
    assert SignedGet(session, session.client("s3")).ask("GetBucketPolicy", "odd", ACCOUNT) is None


def test_no_account_at_all_is_an_error(aws: Aws) -> None:
    aws.answer(
        "AssumeRole", None, (403, "<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>")
    )
    with pytest.raises(LiveError, match="and 5 other accounts"):
        review(aws, 2)
