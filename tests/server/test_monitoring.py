"""What `SecureTransportMonitoring` synthesizes, created by CloudFormation and read back."""

from __future__ import annotations

import json
from typing import Any, cast

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template
from botocore.exceptions import ClientError

from secure_bucket import SecureBucket, SecureTransportMonitoring, prove_denies_http
from secure_bucket.detection import PLAIN_HTTP_ANSWERED, PLAIN_HTTP_DENIED, filter_pattern
from secure_bucket.proof.verdict import Proven
from tests.detection.events import api_call_event
from tests.server.ministack import Ministack

# The CloudFormation of ministack knows none of these. The rule on the trail goes with the trail.
UNKNOWN = {"AWS::CloudTrail::Trail", "AWS::Config::ConfigRule", "AWS::Logs::QueryDefinition"}


pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    """The template of a monitoring, without what the server does not know."""
    stack = cdk.Stack(cdk.App(), "Watch", synthesizer=cdk.BootstraplessSynthesizer())
    SecureTransportMonitoring(stack, "Monitoring", buckets=[SecureBucket(stack, "Reports")])
    resources = cast("dict[str, Any]", Template.from_stack(stack).to_json())["Resources"]
    gone = {name for name, each in resources.items() if each["Type"] in UNKNOWN}
    assert {resources[name]["Type"] for name in gone} == UNKNOWN
    gone |= {name for name in resources if name.startswith("MonitoringTrailChanges")}
    return {"Resources": {name: each for name, each in resources.items() if name not in gone}}


@pytest.fixture(scope="module")
def deployed(server: Ministack, template: dict[str, Any]) -> dict[str, str]:
    """The physical ids, by the beginning of the logical ids."""
    return {name[:-8]: id for name, id in server.deploy(template).items()}


def test_both_buckets_are_proven_by_the_policies_in_force(
    server: Ministack, deployed: dict[str, str]
) -> None:
    for name in ("Reports", "MonitoringLogBucket"):
        bucket = deployed[name]
        policy = server.client("s3").get_bucket_policy(Bucket=bucket)["Policy"]
        verdict = prove_denies_http(json.loads(policy), bucket_arn=f"arn:aws:s3:::{bucket}")
        assert isinstance(verdict, Proven)


def test_the_log_bucket_refuses_plain_http(server: Ministack, deployed: dict[str, str]) -> None:
    bucket, user = deployed["MonitoringLogBucket"], server.user()
    assert server.client("s3", user).list_objects_v2(Bucket=bucket)["KeyCount"] == 0
    with pytest.raises(ClientError) as error:
        server.client("s3", user, plain=True).list_objects_v2(Bucket=bucket)
    assert error.value.response["Error"]["Code"] == "AccessDenied"


def test_the_metric_filters_arrive_as_they_were_tested(server: Ministack, deployed: dict[str, str]) -> None:
    group = deployed["MonitoringLogGroup"]
    filters = server.client("logs").describe_metric_filters(logGroupName=group)["metricFilters"]
    assert sorted(each["filterPattern"] for each in filters) == sorted(
        [filter_pattern(PLAIN_HTTP_ANSWERED), filter_pattern(PLAIN_HTTP_DENIED)]
    )


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("PutBucketPolicy", True),
        ("DeleteBucketPolicy", True),
        ("PutBucketWebsite", True),
        ("GetObject", False),
    ],
)
def test_the_rule_in_force_finds_changes_of_the_bucket(
    server: Ministack, deployed: dict[str, str], call: str, expected: bool
) -> None:
    events = server.client("events")
    name = deployed["MonitoringPolicyChanges"].split("|")[-1]
    pattern = events.describe_rule(Name=name)["EventPattern"]
    for bucket, found in ((deployed["Reports"], expected), ("amzn-s3-demo-another", False)):
        event = api_call_event("s3", call, {"bucketName": bucket})
        answer = events.test_event_pattern(EventPattern=pattern, Event=json.dumps(event))
        assert answer["Result"] is found
