"""The buckets of one account, over real HTTP."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

import pytest
from moto.s3.models import s3_backends

from secure_bucket.checks.running_buckets import judge_bucket
from secure_bucket.errors import MissingDependencyError
from secure_bucket.findings.finding import Report
from secure_bucket.findings.running import RunningBucket, RunningJudgement
from secure_bucket.findings.subject import Running
from secure_bucket.operations.aws import session as sessions
from secure_bucket.operations.aws import signed_get
from secure_bucket.operations.aws.accounts import Scope
from secure_bucket.operations.aws.session import Access, open_session
from secure_bucket.operations.review import (
    LiveError,
    LiveTrouble,
    review_account,
    review_accounts,
    review_buckets,
)
from secure_bucket.operations.review.account_review import ReviewQuestion
from secure_bucket.operations.review.buckets import Reader
from secure_bucket.operations.review.journal import BucketAnswer, Journal
from secure_bucket.policy.statements import deny_old_tls, deny_plain_http
from secure_bucket.proof.verdict import Proven, Refuted, Undecided
from tests.operations.review.aws import ACCOUNT, Aws, Request, bucket, s3_error, sts_error


def verdicts(report: Report) -> dict[str, str]:
    return {each.subject.name: type(each.verdict).__name__.lower() for each in report.buckets}


def message(report: Report) -> str:
    (finding,) = report.findings
    return finding.message


def test_each_bucket_has_the_verdict_of_its_policy(aws: Aws) -> None:
    half = "arn:aws:s3:::half"
    bucket("denies")
    bucket("open", None)
    bucket("half", {"Version": "2012-10-17", "Statement": [{**deny_plain_http(half), "Resource": half}]})
    odd = {
        **deny_plain_http("arn:aws:s3:::odd"),
        "Condition": {"StringEquals": {"aws:SecureTransport": "false"}},
    }
    bucket("odd", {"Version": "2012-10-17", "Statement": [odd]})
    report = review_account(aws.access)
    assert verdicts(report) == {"denies": "proven", "half": "refuted", "odd": "undecided", "open": "refuted"}
    assert [(each.rule, each.subject.label) for each in report.findings] == [
        ("SB001", half),
        ("SB002", "arn:aws:s3:::odd"),
        ("SB001", "arn:aws:s3:::open"),
    ]
    assert report.accounts == (ACCOUNT,)
    assert not report.faults


def test_a_finding_names_the_bucket_its_account_and_its_region(aws: Aws) -> None:
    bucket("open", None, region="eu-west-1")
    report = review_account(aws.access)
    assert message(report).startswith(f"bucket `open` (account {ACCOUNT}, eu-west-1): anyone can GET ")
    (judged,) = report.buckets
    assert judged.subject == Running("open", "arn:aws:s3:::open", ACCOUNT, "eu-west-1", "")


def test_a_live_policy_is_json_and_no_template(aws: Aws) -> None:
    # What CloudFormation would resolve, S3 takes as it stands: these statements deny nothing here.
    arn = "arn:aws:s3:::plain"
    variable = {**deny_plain_http(arn), "Resource": ["arn:aws:s3:::${AWS::StackName}", "arn:aws:s3:::x/*"]}
    function = {**deny_plain_http(arn), "Resource": {"Fn::Sub": "arn:aws:s3:::*"}}
    bucket("plain", {"Version": "2012-10-17", "Statement": [variable, function]})
    assert verdicts(review_account(aws.access)) == {"plain": "refuted"}


def test_a_policy_variable_stays_one(aws: Aws) -> None:
    arn = "arn:aws:s3:::vars"
    own = {**deny_plain_http(arn), "Resource": [arn, arn + "/${aws:username}/*"]}
    bucket("vars", {"Version": "2012-10-17", "Statement": [own]})
    assert verdicts(review_account(aws.access)) == {"vars": "refuted"}


def test_a_policy_with_a_key_twice_is_a_fault(aws: Aws) -> None:
    bucket("twice", b'{"Version": "2012-10-17", "Statement": [], "Statement": []}')
    bucket("cut", b'{"Version": "2012-10-17", "Statem')
    report = review_account(aws.access)
    assert not report.buckets
    first, second = sorted(fault.message for fault in report.faults)
    assert first.startswith(f"bucket `cut` (account {ACCOUNT}) is not reviewed: ")
    assert "the policy cannot be read as JSON" in first
    assert "a key stands twice" in second


def test_a_website_is_found(aws: Aws) -> None:
    bucket("site")
    aws.client("s3").put_bucket_website(
        Bucket="site", WebsiteConfiguration={"IndexDocument": {"Suffix": "index.html"}}
    )
    report = review_account(aws.access)
    (finding,) = report.findings
    assert finding.rule == "SB004"
    assert "aws s3api delete-bucket-website --bucket site" in finding.fix
    assert report.proven == 1


def test_a_minimum_tls_version_is_asked_for(aws: Aws) -> None:
    both = [deny_plain_http("arn:aws:s3:::both"), deny_old_tls("arn:aws:s3:::both", 1.2)]
    bucket("both", {"Version": "2012-10-17", "Statement": both})
    bucket("http")
    report = review_account(aws.access, minimum_tls_version="1.2")
    assert [(each.rule, each.subject.label) for each in report.findings] == [("SB006", "arn:aws:s3:::http")]


@pytest.mark.parametrize("policy", [None, {"Version": "2012-10-17", "Statement": []}])
def test_the_remedy_never_replaces_a_policy_in_silence(aws: Aws, policy: object) -> None:
    bucket("open", policy)
    (finding,) = review_account(aws.access).findings
    assert json.dumps(deny_plain_http("arn:aws:s3:::open")) in finding.fix
    assert finding.fix.index("get-bucket-policy") < finding.fix.index("put-bucket-policy")
    assert "replaces" in finding.fix


def test_the_remedy_says_when_the_policy_gets_too_long(aws: Aws) -> None:
    many = [
        {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::big/{n}/*"}
        for n in range(225)
    ]
    bucket("big", {"Version": "2012-10-17", "Statement": many})
    (finding,) = review_account(aws.access).findings
    assert "S3 takes 20,480: shorten it first" in finding.fix


def test_block_public_access_is_told_and_proves_nothing(aws: Aws) -> None:
    bucket("shut", None)
    bucket("unshut", None)
    everything = {
        "BlockPublicAcls": True,
        "IgnorePublicAcls": True,
        "BlockPublicPolicy": True,
        "RestrictPublicBuckets": True,
    }
    half = everything | {"RestrictPublicBuckets": False}
    aws.client("s3").put_public_access_block(Bucket="shut", PublicAccessBlockConfiguration=everything)
    aws.client("s3").put_public_access_block(Bucket="unshut", PublicAccessBlockConfiguration=half)
    report = review_account(aws.access)
    assert verdicts(report) == {"shut": "refuted", "unshut": "refuted"}
    shut, unshut = (each.message for each in report.findings)
    assert shut.endswith("; public access is blocked, which stops anonymous requests but no signed ones")
    assert unshut.endswith("; public access is not blocked")


def test_account_and_bucket_block_public_access_together(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket("shut", None)
    aws.client("s3").put_public_access_block(
        Bucket="shut", PublicAccessBlockConfiguration={"IgnorePublicAcls": True}
    )

    def of_account(request: object) -> tuple[int, str] | None:
        if not getattr(request, "path", "").startswith("/v20180820"):
            return None
        return 200, (
            "<PublicAccessBlockConfiguration><RestrictPublicBuckets>true</RestrictPublicBuckets>"
            "</PublicAccessBlockConfiguration>"
        )

    aws.rules.append(of_account)
    assert "public access is blocked" in message(review_account(aws.access))


def test_block_public_access_is_not_asked_of_proven_buckets(aws: Aws, calls: list[str]) -> None:
    bucket("denies")
    review_account(aws.access)
    assert sorted(calls) == [
        "s3:GetBucketPolicy",
        "s3:GetBucketWebsite",
        "s3:ListBuckets",
        "sts:GetCallerIdentity",
    ]


def test_what_only_colours_the_message_may_be_denied(aws: Aws) -> None:
    bucket("open", None)
    aws.answer("publicAccessBlock", "open", s3_error(403, "AccessDenied"))
    report = review_account(aws.access)
    assert message(report).endswith("; whether public access is blocked could not be read")
    assert not report.faults


def test_a_denied_bucket_is_a_fault_and_never_fine(aws: Aws) -> None:
    bucket("closed")
    bucket("denies")
    aws.answer("policy", "closed", s3_error(403, "AccessDenied", "User: me is not authorized"))
    report = review_account(aws.access)
    assert verdicts(report) == {"denies": "proven"}
    (fault,) = report.faults
    assert fault.message == (
        f"bucket `closed` (account {ACCOUNT}) is not reviewed: "
        "access denied to `s3:GetBucketPolicy` on bucket `closed`: User: me is not authorized"
    )


def test_a_bucket_whose_website_is_denied_is_judged_and_a_fault(aws: Aws) -> None:
    bucket("half-closed", None)
    aws.answer("website", "half-closed", s3_error(403, "AccessDenied"))
    report = review_account(aws.access)
    assert verdicts(report) == {"half-closed": "refuted"}
    (fault,) = report.faults
    assert "is partly reviewed: access denied to `s3:GetBucketWebsite`" in fault.message


def test_a_bucket_that_is_deleted_meanwhile_is_said(aws: Aws) -> None:
    bucket("gone")
    bucket("stays")

    def delete(request: Request) -> None:
        moto = s3_backends[ACCOUNT]["aws"]
        if (request.operation, request.bucket) == ("policy", "gone") and "gone" in moto.buckets:
            moto.delete_bucket("gone")

    aws.rules.append(delete)
    report = review_account(aws.access)
    assert verdicts(report) == {"stays": "proven"}
    ((_, name, why),) = report.not_applicable
    assert (name, why) == ("arn:aws:s3:::gone", "it was deleted while the review ran")
    assert not report.faults


def test_a_fault_of_our_own_in_a_rule_hides_no_other_bucket(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket("odd", None)
    bucket("other", None)
    plain = RunningBucket.remedy

    def remedy(self: RunningBucket, statement: Mapping[str, object]) -> str:
        if self.name == "odd":
            raise ValueError("as the test wants it")
        return plain(self, statement)

    monkeypatch.setattr(RunningBucket, "remedy", remedy)
    report = review_account(aws.access)
    assert verdicts(report) == {"other": "refuted"}
    (fault,) = report.faults
    assert "bucket `odd` (account 123456789012) is not reviewed: " in fault.message
    assert "please report it: ValueError" in fault.message


def test_a_bucket_that_is_listed_and_said_not_to_exist_is_a_fault(aws: Aws) -> None:
    bucket("there", None)
    aws.answer("policy", "there", s3_error(404, "NoSuchBucket"))
    report = review_account(aws.access)
    assert (report.buckets, report.not_applicable) == ((), ())
    (fault,) = report.faults
    assert (
        "bucket `there` (account 123456789012) is not reviewed: S3 says that this bucket does not exist"
        in fault.message
    )
    assert aws.count("policy") == 1


def test_whether_a_bucket_was_deleted_is_not_guessed(aws: Aws) -> None:
    bucket("there", None)
    aws.answer("policy", "there", s3_error(404, "NoSuchBucket"))

    def deny_later(request: Request) -> tuple[int, str] | None:
        listing = request.operation == "" and request.method == "GET"
        return s3_error(403, "AccessDenied") if listing and aws.count("policy") else None

    aws.rules.append(deny_later)
    (fault,) = review_account(aws.access).faults
    assert "it is unknown whether it was deleted: access denied to `s3:ListAllMyBuckets`" in fault.message


@pytest.mark.parametrize("exclude", [("*",), ("a-1", "b-?")])
def test_leaving_out_every_bucket_is_not_a_pass(aws: Aws, exclude: tuple[str, ...]) -> None:
    bucket("a-1")
    bucket("b-1")
    report = review_account(aws.access, exclude=exclude)
    assert len(report.not_applicable) == 2
    assert [fault.message for fault in report.faults] == [
        "no bucket is left to review, all are skipped: a review needs at least one bucket to pass"
    ]


@pytest.mark.parametrize("answer", ["", "<html><body/></html>", "<ListAllMyBucketsResult/>"])
def test_an_answer_that_is_no_list_is_not_an_account_without_buckets(aws: Aws, answer: str) -> None:
    bucket("there", None)
    aws.answer("", "", (200, answer))
    with pytest.raises(LiveError, match="is not a list of buckets"):
        review_account(aws.access)


def test_storage_that_cuts_the_list_off_in_silence_is_asked_for_all(aws: Aws) -> None:
    # As moto does itself: `MaxBuckets` without a token for the rest.
    for number in range(1001):
        bucket(f"b-{number:04}")

    def cut_off(request: Request) -> tuple[int, str] | None:
        if request.operation or request.bucket or request.method != "GET":
            return None
        most = int(request.query.get("max-buckets", 10_000))
        names = sorted(s3_backends[ACCOUNT]["aws"].buckets)[:most]
        listed = "".join(f"<Bucket><Name>{name}</Name></Bucket>" for name in names)
        return 200, f"<ListAllMyBucketsResult><Buckets>{listed}</Buckets></ListAllMyBucketsResult>"

    aws.rules.append(cut_off)
    listed = list(Reader(open_session(aws.access)).list_buckets())
    assert (len(listed), listed[-1].name) == (1001, "b-1000")


def test_half_of_a_surrogate_pair_in_a_policy_hides_no_other_bucket(aws: Aws) -> None:
    bucket("odd", b'{"Statement": [{"Sid": "\\ud800", "Effect": "Deny"}]}')
    bucket("other", None)
    assert verdicts(review_account(aws.access)) == {"odd": "refuted", "other": "refuted"}


def test_a_named_bucket_that_does_not_exist_is_a_fault(aws: Aws) -> None:
    bucket("there")
    report = review_buckets(["there", "arn:aws:s3:::not-there"], aws.access)
    assert verdicts(report) == {"there": "proven"}
    (fault,) = report.faults
    assert "`not-there`: there is no such bucket" in fault.message


def test_named_buckets_are_not_listed(aws: Aws, calls: list[str]) -> None:
    bucket("one")
    bucket("two")
    assert verdicts(review_buckets(["s3://one"], aws.access)) == {"one": "proven"}
    assert "s3:ListBuckets" not in calls


@pytest.mark.parametrize(
    "name", ["", "a b", "arn:aws:s3:us-east-1:111122223333:accesspoint/x", "x--use1-az4--x-s3"]
)
def test_what_is_no_general_purpose_bucket_is_refused(aws: Aws, name: str) -> None:
    with pytest.raises(LiveError, match=r"not the name|access point|HTTPS only"):
        review_buckets([name], aws.access)


def test_no_bucket_named_is_no_pass(aws: Aws) -> None:
    with pytest.raises(LiveError, match="at least one bucket"):
        review_buckets([], aws.access)


def test_a_named_bucket_is_followed_into_its_region(aws: Aws) -> None:
    bucket("far", None, region="eu-west-1")

    def redirect(request: Request) -> tuple[int, str] | None:
        if request.bucket != "far" or "/eu-west-1/s3/" in request.headers["authorization"]:
            return None
        code = "<Code>PermanentRedirect</Code><Region>eu-west-1</Region>"
        return 301, f"<Error>{code}<Bucket>far</Bucket></Error>"

    aws.rules.append(redirect)
    report = review_buckets(["far"], aws.access)
    assert verdicts(report) == {"far": "refuted"}
    assert not report.faults


@pytest.mark.parametrize(
    ("status", "body"), [(404, "<html>Not found</html>"), (200, "<html>Hello</html>"), (200, "")]
)
def test_what_answers_in_the_place_of_s3_is_never_no_policy(aws: Aws, status: int, body: str) -> None:
    bucket("behind")
    aws.answer("policy", "behind", (status, body))
    report = review_account(aws.access)
    assert not report.buckets
    (fault,) = report.faults
    assert "bucket `behind`" in fault.message


def test_a_region_that_does_not_take_the_credentials_stops_only_itself(aws: Aws) -> None:
    bucket("opt-in")
    bucket("usual")
    aws.answer("policy", "opt-in", s3_error(403, "InvalidToken", "The provided token is malformed"))
    report = review_account(aws.access)
    assert verdicts(report) == {"usual": "proven"}
    (fault,) = report.faults
    assert "is the region enabled for the account?" in fault.message


def test_left_out_buckets_are_named_and_not_read(aws: Aws) -> None:
    bucket("tmp-1", None)
    bucket("kept")
    report = review_account(aws.access, exclude=["tmp-*"])
    assert verdicts(report) == {"kept": "proven"}
    ((_, name, why),) = report.not_applicable
    assert (name, why) == ("arn:aws:s3:::tmp-1", "it is left out by --exclude")
    assert all(request.bucket != "tmp-1" for request in aws.seen)


def test_another_owner_is_refused_by_s3(aws: Aws) -> None:
    bucket("mine")
    review_account(aws.access)
    asked = [request for request in aws.seen if request.bucket == "mine"]
    assert len(asked) == 2
    assert {request.headers["x-amz-expected-bucket-owner"] for request in asked} == {ACCOUNT}


def test_throttling_is_waited_out(aws: Aws) -> None:
    bucket("busy")
    aws.answer("policy", "busy", s3_error(503, "SlowDown"), times=2)
    assert verdicts(review_account(aws.access)) == {"busy": "proven"}
    assert aws.count("policy") == 3


def test_endless_throttling_is_a_fault(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(signed_get, "time", SimpleNamespace(sleep=pauses.append))
    monkeypatch.setattr(sessions, "_PATIENT", 1)
    bucket("busy")
    aws.answer("policy", "busy", s3_error(503, "SlowDown"))
    (fault,) = review_account(aws.access).faults
    # It waits longer and longer, then the client of boto3 asks twice.
    assert (len(pauses), aws.count("policy")) == (8, 10)
    assert all(pause <= min(8, 2**attempt) for attempt, pause in enumerate(pauses))
    assert "`s3:GetBucketPolicy` on bucket `busy` was throttled again and again (SlowDown)" in fault.message


def test_credentials_that_expire_stop_the_review_at_once(aws: Aws) -> None:
    for number in range(60):
        bucket(f"b-{number:02}")
    aws.answer("policy", None, s3_error(400, "ExpiredToken"))
    report = review_account(aws.access, threads=2)
    assert not report.buckets
    (fault,) = report.faults
    assert fault.message.startswith(
        f"60 of 60 buckets of account {ACCOUNT} are not reviewed (`b-00`, `b-01`,"
    )
    assert "the credentials have expired" in fault.message
    assert aws.count("policy") <= 2


def test_a_region_that_does_not_answer_is_one_fault(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = sessions.Session.client

    def client(self: sessions.Session, service: str, region: str | None = None, **settings: object) -> object:
        if region == "eu-west-1":
            settings["brief"] = True
            access = Access(region=region, endpoint_url="http://127.0.0.1:9")
            return plain(sessions.Session(access, self.boto), service, region, **settings)  # type: ignore[arg-type]
        return plain(self, service, region, **settings)  # type: ignore[arg-type]

    monkeypatch.setattr(sessions.Session, "client", client)
    for number in range(5):
        bucket(f"far-{number}", region="eu-west-1")
    bucket("near")
    report = review_account(aws.access, threads=1)
    assert verdicts(report) == {"near": "proven"}
    (fault,) = report.faults
    assert fault.message.startswith("5 of 6 buckets of account")
    assert "nothing answers at `http://127.0.0.1:9/" in fault.message


def test_the_buckets_of_other_partitions_have_their_arns(aws: Aws) -> None:
    bucket("china", {"Version": "2012-10-17", "Statement": [deny_plain_http("arn:aws-cn:s3:::china")]})
    aws.answer(
        "GetCallerIdentity",
        None,
        (
            200,
            "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>111122223333</Account>"
            "<Arn>arn:aws-cn:iam::111122223333:user/a</Arn><UserId>A</UserId></GetCallerIdentityResult>"
            "</GetCallerIdentityResponse>",
        ),
    )
    report = review_account(aws.access)
    assert [each.subject.label for each in report.buckets] == ["arn:aws-cn:s3:::china"]
    assert report.proven == 1


def test_some_thousand_buckets_come_page_by_page_and_only_the_rest_is_asked(
    aws: Aws, tmp_path: Path, calls: list[str]
) -> None:
    for number in range(2_500):
        bucket(f"b-{number:05}", None if number % 100 == 0 else "ok")
    file = str(tmp_path / "journal.jsonl")
    now = datetime.datetime.now(datetime.timezone.utc)
    known = Journal(file, {})
    for number in range(2_450):
        deny = json.dumps(
            {"Version": "2012-10-17", "Statement": [deny_plain_http(f"arn:aws:s3:::b-{number:05}")]}
        )
        known.add(
            ACCOUNT, f"b-{number:05}", BucketAnswer(None if number % 100 == 0 else deny, False, None, now)
        )
    known.close()
    journal = Journal(file, {})
    seen: list[tuple[int, int]] = []
    report = review_accounts(
        Scope(aws.access),
        ReviewQuestion(journal=journal, advance=lambda done, total: seen.append((done, total))),
    )
    journal.close()
    assert (len(report.buckets), report.proven, report.refuted) == (2_500, 2_475, 25)
    assert [each.subject.label for each in report.buckets] == [f"arn:aws:s3:::b-{n:05}" for n in range(2_500)]
    assert calls.count("s3:ListBuckets") == 3
    assert calls.count("s3:GetBucketPolicy") == 50
    assert journal.reused == 2_450
    assert seen[0] == (0, 2_500)
    assert seen[-1] == (2_500, 2_500)
    assert seen == sorted(seen)


def test_a_fault_of_our_own_is_one_of_the_report(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket("fine")
    bucket("odd", None)

    def judge(question: ReviewQuestion, running: RunningBucket) -> RunningJudgement:
        if running.name == "odd":
            raise ZeroDivisionError("by zero")
        return judge_bucket(running)

    monkeypatch.setattr(ReviewQuestion, "judge", judge)
    report = review_account(aws.access)
    assert verdicts(report) == {"fine": "proven"}
    (fault,) = report.faults
    assert fault.message.endswith("please report it: ZeroDivisionError: by zero")


def test_no_boto3_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "boto3", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'secure-bucket\[aws\]'"):
        review_account(Access(region="us-east-1"))


def test_expired_credentials_at_the_door(aws: Aws) -> None:
    aws.answer("GetCallerIdentity", None, sts_error(403, "ExpiredToken"))
    with pytest.raises(LiveError, match="have expired") as caught:
        review_account(aws.access)
    assert caught.value.trouble is LiveTrouble.EXPIRED


def test_buckets_that_may_not_be_listed_are_an_error(aws: Aws) -> None:
    aws.answer("", "", s3_error(403, "AccessDenied"))
    with pytest.raises(LiveError, match="access denied to `s3:ListAllMyBuckets`") as caught:
        review_account(aws.access)
    assert caught.value.trouble is LiveTrouble.DENIED


def test_verdicts_are_those_of_the_prover(aws: Aws) -> None:
    bucket("denies")
    bucket("open", None)
    kinds = {type(each.verdict) for each in review_account(aws.access).buckets}
    assert kinds == {Proven, Refuted}
    assert Undecided not in kinds
