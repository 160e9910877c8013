"""What the pages about MFA, log buckets and organizations show can be run, and is proven."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elb
from aws_cdk.assertions import Annotations, Match

from secure_bucket import (
    LogSource,
    Proven,
    SecureLogBucket,
    SecureTransportOrganizationPolicy,
    check_template,
)
from tests.cdk.buckets.test_bucket import resources, synthesized

DOCS = Path(__file__).resolve().parents[2] / "docs"


def blocks(page: str, language: str = "python") -> list[str]:
    text = (DOCS / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


@pytest.fixture
def stack() -> cdk.Stack:
    return cdk.Stack(cdk.App(), "Top", env=cdk.Environment(account="111122223333", region="us-east-1"))


def test_mfa(stack: cdk.Stack) -> None:
    for block in blocks("mfa.md"):
        exec(block, {"self": stack})
    policies = resources(stack, "AWS::S3::BucketPolicy").values()
    sids = [
        [each.get("Sid") for each in policy["PolicyDocument"]["Statement"] if "Sid" in each]
        for policy in policies
    ]
    assert sids == [["DenyWithoutMfa"], ["DenyWithoutMfa", "DenyOldMfa"], ["DenyWithoutMfa"]]


def test_log_buckets(stack: cdk.Stack) -> None:
    names: dict[str, Any] = {}
    for block in blocks("log-buckets.md"):
        exec(block, names)
    vpc = ec2.Vpc(stack, "Vpc", nat_gateways=0)
    names["log"](stack, elb.ApplicationLoadBalancer(stack, "Alb", vpc=vpc))
    behavior = cloudfront.BehaviorOptions(origin=origins.HttpOrigin("example.com"))
    distribution = cloudfront.Distribution(stack, "Cdn", default_behavior=behavior)
    edge = SecureLogBucket(stack, "EdgeLogs", source=LogSource.CLOUDFRONT)
    names["deliver"](stack, distribution, edge)
    report = check_template(synthesized(stack))
    assert [type(bucket.verdict) for bucket in report.buckets] == [Proven, Proven]
    (destination,) = resources(stack, "AWS::Logs::DeliveryDestination").values()
    assert destination["DestinationResourceArn"] == stack.resolve(edge.bucket_arn)


def test_organization(stack: cdk.Stack) -> None:
    construct, acknowledgment = blocks("organization.md")
    exec(construct, {"self": stack})
    (policy,) = resources(stack, "AWS::Organizations::Policy").values()
    (shown,) = blocks("organization.md", "json")
    assert policy["Content"] == json.loads(shown)
    other = cdk.Stack(cdk.App(), "Other")
    exempting = SecureTransportOrganizationPolicy(
        other, "Https", targets=["r-ab12"], exempt_accounts=["111122223333"]
    )
    exec(acknowledgment, {"policy": exempting})
    Annotations.from_stack(other).has_no_warning("*", Match.any_value())
