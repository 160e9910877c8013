"""An aggregator of AWS Config in the place of S3."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from secure_bucket.findings.finding import Report
from secure_bucket.operations.review import LiveError, ReviewQuestion, Scope, review_aggregator
from secure_bucket.operations.review.permissions import review_permissions
from secure_bucket.policy.statements import deny_plain_http
from tests.operations.review.aws import ACCOUNT, Aws, Request
from tests.operations.review.test_accounts import OTHER, actions, made, organization

TIME = "2026-11-20T10:00:00.000Z"
ABSENT: Any = object()
EVERYWHERE = {"OrganizationAggregationSource": {"RoleArn": "arn:aws:iam::1:role/a", "AllAwsRegions": True}}


def record(
    name: str, policy: object = "ok", *, account: str = OTHER, website: object = None, **more: object
) -> dict[str, Any]:
    arn = f"arn:aws:s3:::{name}"
    parts: dict[str, Any] = {}
    if policy == "ok":
        policy = json.dumps({"Version": "2012-10-17", "Statement": [deny_plain_http(arn)]})
    if policy is not ABSENT:
        parts["BucketPolicy"] = {"policyText": policy}
    if website is not None:
        parts["BucketWebsiteConfiguration"] = website
    return {
        "accountId": account,
        "awsRegion": "eu-west-1",
        "arn": arn,
        "resourceName": name,
        "configurationItemCaptureTime": TIME,
        "configurationItemStatus": "OK",
        "supplementaryConfiguration": parts,
        **more,
    }


def holds(
    aws: Aws,
    *records: Mapping[str, Any],
    page: int = 100,
    sources: tuple[Mapping[str, Any], ...] = (),
    described: Mapping[str, Any] = EVERYWHERE,
) -> None:
    """Answer as an aggregator with these records, in pages, and with these sources that failed."""

    def rule(request: Any) -> tuple[int, str] | None:
        if request.operation == "DescribeConfigurationAggregators":
            return 200, json.dumps({"ConfigurationAggregators": [described]})
        if request.operation == "DescribeConfigurationAggregatorSourcesStatus":
            assert json.loads(request.body)["UpdateStatus"] == ["FAILED", "OUTDATED"]
            return 200, json.dumps({"AggregatedSourceStatusList": sources})
        if request.operation != "SelectAggregateResourceConfig":
            return None
        asked = json.loads(request.body)
        assert asked["ConfigurationAggregatorName"] == "org"
        assert len(asked["Expression"]) <= 4096
        start = int(asked.get("NextToken", 0))
        named = asked["Expression"].partition(" IN ")[2]
        kept = [each for each in records if not named or f"'{each['resourceName']}'" in named]
        more = {"NextToken": str(start + page)} if start + page < len(kept) else {}
        return 200, json.dumps({"Results": [json.dumps(each) for each in kept[start : start + page]], **more})

    aws.rules.append(rule)


def verdicts(report: Report) -> dict[str, str]:
    return {each.subject.name: type(each.verdict).__name__.lower() for each in report.buckets}


def test_records_are_judged_as_buckets_are(aws: Aws) -> None:
    holds(aws, record("denies"), record("open", None), record("half", '{"Statement": []}'))
    report = review_aggregator("org", Scope(aws.access))
    assert verdicts(report) == {"denies": "proven", "half": "refuted", "open": "refuted"}
    assert report.accounts == (OTHER,)
    assert not report.faults
    half, _ = report.findings
    assert half.message.startswith(f"bucket `half` (account {OTHER}, eu-west-1): anyone can GET ")
    assert half.message.endswith("; as AWS Config recorded it at 2026-11-20T10:00:00Z")
    assert {getattr(each.subject, "as_of", None) for each in report.buckets} == {"2026-11-20T10:00:00Z"}


def test_a_record_without_a_time_says_so(aws: Aws) -> None:
    holds(aws, record("open", None, configurationItemCaptureTime="long ago"))
    (finding,) = review_aggregator("org", Scope(aws.access)).findings
    assert finding.message.endswith("; as AWS Config recorded it at a time that it does not tell")


def test_no_bucket_is_asked_about(aws: Aws) -> None:
    holds(aws, *(record(f"b-{number}") for number in range(250)), page=100)
    report = review_aggregator("org", Scope(aws.access))
    assert report.proven == 250
    assert aws.count("SelectAggregateResourceConfig") == 3
    assert aws.count("policy") == 0


def encoded_twice(value: dict[str, Any]) -> dict[str, Any]:
    parts = {key: json.dumps(part) for key, part in value["supplementaryConfiguration"].items()}
    return value | {"supplementaryConfiguration": parts}


def encoded_whole(value: dict[str, Any]) -> dict[str, Any]:
    return value | {"supplementaryConfiguration": json.dumps(value["supplementaryConfiguration"])}


@pytest.mark.parametrize("encode", [encoded_twice, encoded_whole])
def test_parts_that_are_json_in_a_string(aws: Aws, encode: Any) -> None:
    site = {"indexDocumentSuffix": "index.html", "errorDocument": None}
    holds(aws, encode(record("denies", website=site)), encode(record("open", None)))
    report = review_aggregator("org", Scope(aws.access))
    assert verdicts(report) == {"denies": "proven", "open": "refuted"}
    assert [each.rule for each in report.findings] == ["SB004", "SB001"]


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (record("odd", ABSENT), "AWS Config recorded neither a policy nor that the bucket has no policy"),
        (record("odd") | {"supplementaryConfiguration": None}, "recorded neither a policy"),
        (record("odd", supplementaryConfiguration={"BucketPolicy": "text"}), "recorded neither a policy"),
        (record("odd", supplementaryConfiguration={"BucketPolicy": {}}), "recorded neither a policy"),
        (record("odd", "{cut"), "the policy that AWS Config recorded cannot be read"),
        (record("odd", "3"), "the policy that AWS Config recorded cannot be read"),
        (record("odd", configurationItemStatus="ResourceNotRecorded"), "does not record the bucket"),
    ],
)
def test_what_is_not_recorded_is_undecided(aws: Aws, broken: dict[str, Any], reason: str) -> None:
    holds(aws, broken)
    report = review_aggregator("org", Scope(aws.access))
    assert verdicts(report) == {"odd": "undecided"}
    (finding,) = report.findings
    assert finding.rule == "SB002"
    assert reason in finding.message
    assert "get-bucket-policy" in finding.fix


def test_a_deleted_bucket_is_said_and_not_judged(aws: Aws) -> None:
    holds(aws, record("gone", configurationItemStatus="ResourceDeleted"))
    report = review_aggregator("org", Scope(aws.access))
    assert not report.buckets
    ((_, name, why),) = report.not_applicable
    assert name == "arn:aws:s3:::gone"
    assert "recorded at 2026-11-20T10:00:00Z that it was deleted" in why


def test_block_public_access_of_the_bucket_is_told(aws: Aws) -> None:
    shut = record("shut", None)
    shut["supplementaryConfiguration"]["PublicAccessBlockConfiguration"] = {
        "ignorePublicAcls": True,
        "restrictPublicBuckets": True,
    }
    holds(aws, shut)
    (finding,) = review_aggregator("org", Scope(aws.access)).findings
    assert (
        "; public access is blocked, which stops anonymous requests but no signed ones; as AWS"
        in finding.message
    )


def test_sources_that_failed_are_faults(aws: Aws) -> None:
    failed = {
        "SourceId": ACCOUNT,
        "AwsRegion": "eu-west-1",
        "LastUpdateStatus": "FAILED",
        "LastErrorMessage": "No authorization",
    }
    holds(aws, record("denies"), sources=(failed,))
    (fault,) = review_aggregator("org", Scope(aws.access)).faults
    assert (
        fault.message == f"aggregator `org`: its data of {ACCOUNT} in eu-west-1 is failed: No authorization"
    )


@pytest.mark.parametrize(
    "described",
    [
        {"OrganizationAggregationSource": {"RoleArn": "arn:aws:iam::1:role/a", "AwsRegions": ["eu-west-1"]}},
        {"AccountAggregationSources": [{"AccountIds": [OTHER], "AwsRegions": ["eu-west-1"]}]},
    ],
)
def test_regions_that_are_not_collected_are_a_fault(aws: Aws, described: dict[str, Any]) -> None:
    holds(aws, record("denies"), described=described)
    (fault,) = review_aggregator("org", Scope(aws.access)).faults
    assert fault.message == (
        "aggregator `org` collects `eu-west-1` only: buckets of other regions are not covered"
    )


def test_an_aggregator_without_any_record_is_no_pass(aws: Aws) -> None:
    holds(aws)
    report = review_aggregator("org", Scope(aws.access))
    (fault,) = report.faults
    assert "`org` has no record of any requested bucket" in fault.message


def test_an_account_without_a_record_is_a_fault(aws: Aws) -> None:
    holds(aws, record("denies"))
    organization(aws, **{f"a{ACCOUNT}": "ACTIVE", f"a{OTHER}": "ACTIVE", "a777788889999": "SUSPENDED"})
    report = review_aggregator("org", Scope(aws.access, organization=True))
    assert report.proven == 1
    (fault,) = report.faults
    assert fault.message.startswith(f"account {ACCOUNT}: AWS Config has no record of any bucket")
    assert [each[1:] for each in report.not_applicable] == [("account 777788889999", "it is suspended")]


def test_only_some_accounts_and_buckets(aws: Aws) -> None:
    holds(aws, record("here", account=ACCOUNT), record("there"), record("tmp-1"), record("also"))
    only = review_aggregator("org", Scope(aws.access, accounts=(ACCOUNT,)))
    assert verdicts(only) == {"here": "proven"}
    some = review_aggregator("org", Scope(aws.access), ReviewQuestion(exclude=("tmp-*",)))
    assert sorted(verdicts(some)) == ["also", "here", "there"]
    names = tuple(f"b-{number:059}" for number in range(100))
    named = review_aggregator("org", Scope(aws.access), ReviewQuestion((*names, "there")))
    assert verdicts(named) == {"there": "proven"}
    assert len(named.faults) == 100
    assert named.faults[0].message.endswith("AWS Config has no record of it")


def test_an_aggregator_that_is_none(aws: Aws) -> None:
    answer = '{"__type": "NoSuchConfigurationAggregatorException", "message": "There is none"}'
    aws.answer("DescribeConfigurationAggregators", None, (400, answer))
    with pytest.raises(
        LiveError, match="on aggregator `org` failed with NoSuchConfigurationAggregatorException"
    ):
        review_aggregator("org", Scope(aws.access))


@pytest.mark.parametrize("results", [["3"], ["{}"], ["no json"]])
def test_records_that_are_none_are_an_error(aws: Aws, results: list[str]) -> None:
    aws.answer("DescribeConfigurationAggregators", None, (200, "{}"))
    aws.answer("DescribeConfigurationAggregatorSourcesStatus", None, (200, "{}"))
    aws.answer("SelectAggregateResourceConfig", None, (200, json.dumps({"Results": results})))
    with pytest.raises(LiveError, match="something that is not a record of a bucket"):
        review_aggregator("org", Scope(aws.access))


def test_a_page_that_comes_again_is_an_error(aws: Aws) -> None:
    page = json.dumps({"Results": [json.dumps(record("b-1"))], "NextToken": "again"})
    aws.answer("DescribeConfigurationAggregators", None, (200, "{}"))
    aws.answer("DescribeConfigurationAggregatorSourcesStatus", None, (200, "{}"))
    aws.answer("SelectAggregateResourceConfig", None, (200, page))
    with pytest.raises(LiveError, match="returns a page again"):
        review_aggregator("org", Scope(aws.access))


@pytest.mark.parametrize("tokens", [("a", "b", "a"), ("a", "b", "c", "d")], ids=["in a circle", "always new"])
def test_pages_that_come_again_are_an_error(aws: Aws, tokens: tuple[str, ...]) -> None:
    holds(aws, record("denies"))
    left = list(tokens)

    def again(request: Request) -> tuple[int, str] | None:
        if request.operation != "SelectAggregateResourceConfig":
            return None
        results = [json.dumps(record("denies"))] if "d" in tokens else []
        return 200, json.dumps({"Results": results, "NextToken": left.pop(0)})

    aws.rules.insert(0, again)
    with pytest.raises(LiveError, match="returns a page again"):
        review_aggregator("org", Scope(aws.access))


def test_sources_whose_pages_come_again_are_an_error(aws: Aws) -> None:
    page = (200, '{"AggregatedSourceStatusList": [], "NextToken": "a"}')
    aws.answer("DescribeConfigurationAggregatorSourcesStatus", None, page)
    holds(aws, record("denies"))
    with pytest.raises(LiveError, match="not all of its sources are known"):
        review_aggregator("org", Scope(aws.access))


def test_leaving_out_every_bucket_is_not_a_pass(aws: Aws) -> None:
    holds(aws, record("denies"))
    (fault,) = review_aggregator("org", Scope(aws.access), ReviewQuestion(exclude=("*",))).faults
    assert "a review needs at least one bucket to pass" in fault.message


def test_a_fault_of_our_own_is_one_of_the_report(aws: Aws) -> None:
    holds(aws, record("denies"), record("odd") | {"arn": "no ARN"})
    report = review_aggregator("org", Scope(aws.access))
    assert verdicts(report) == {"denies": "proven"}
    (fault,) = report.faults
    assert "please report it: ValueError" in fault.message


def test_an_aggregator_is_asked_once(aws: Aws) -> None:
    with pytest.raises(LiveError, match="needs only one identity"):
        review_aggregator("org", Scope(aws.access, profiles=("a", "b")))


def test_the_permissions_are_those_that_are_used(aws: Aws, calls: list[str]) -> None:
    organization(aws, **{f"a{OTHER}": "ACTIVE"})
    holds(aws, record("denies"))
    scope = Scope(aws.access, organization=True)
    review_aggregator("org", scope)
    assert actions(review_permissions(scope, ReviewQuestion(), "org")) == made(calls)
    role = Scope(aws.access, role_arns=(f"arn:aws:iam::{OTHER}:role/Audit",), organization=True)
    policies = review_permissions(role, ReviewQuestion(), "org")
    assert actions(policies["Caller"]) == {"sts:AssumeRole"}
    assert "organizations:ListAccounts" in actions(policies["Role"])
