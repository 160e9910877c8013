"""`SecureTransportMonitoring` and the outputs for organizations: the real `cdk synth`, and cdk-nag."""

from __future__ import annotations

import importlib.metadata
import re
from pathlib import Path

import pytest

from tests.synth.harness import SYNTH, cdk_synth

pytestmark = pytest.mark.slow

APP = """
from aws_cdk import aws_cloudtrail as cloudtrail, aws_logs as logs
from secure_bucket import (
    SecureTransportConformancePack,
    SecureTransportMonitoring,
    SecureTransportOrganizationConformancePack,
    SecureTransportOrganizationRule,
)

top = cdk.Stack(app, "Top")
reports = SecureBucket(top, "Reports")
SecureTransportMonitoring(
    top, "Monitoring", buckets=[reports], email_addresses=["a@example.com"], remediation="automatic"
)
SecureTransportConformancePack(top, "Pack")
SecureTransportOrganizationConformancePack(top, "OrganizationPack", excluded_accounts=["111122223333"])
SecureTransportOrganizationRule(top, "Rule")
nested = cdk.NestedStack(top, "Nested")
group = logs.LogGroup.from_log_group_name(nested, "Group", "trails")
SecureTransportMonitoring(nested, "Monitoring", buckets=[reports], log_group=group)
other = cdk.Stack(app, "Other")
SecureTransportMonitoring(other, "Monitoring", buckets=[reports])
trail = cloudtrail.Trail(other, "Trail", bucket=SecureBucket(other, "Logs"), send_to_cloud_watch_logs=True)
SecureTransportMonitoring(other, "More", all_buckets=True, trail=trail, alarm_actions=[])
staged = cdk.Stack(cdk.Stage(app, "Prod"), "Data")
SecureTransportMonitoring(staged, "Monitoring", buckets=[SecureBucket(staged, "Reports")])
"""

NAG = """
import cdk_nag
cdk.Validations.of(app).add_plugins(cdk_nag.AwsSolutionsChecks(app))
"""

# What cdk-nag says of a monitoring, and why it stays.
REVIEWED = {
    # The log bucket has no access logs: they would need a log bucket again. The digests of the trail tell
    # whether a file was changed, and CloudTrail tells who used its key to read one.
    ("Top/Monitoring/LogBucket/Resource", "AwsSolutions-S1"),
    # One runbook, in each of its versions; an execution gets its id when it runs.
    (
        "Top/Monitoring/RemediationRole/DefaultPolicy/Resource",
        "AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:ssm:<AWS::Region>:*:automation-definition/"
        "AWSConfigRemediation-RestrictBucketSSLRequestsOnly:*]",
    ),
    (
        "Top/Monitoring/RemediationRole/DefaultPolicy/Resource",
        "AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:ssm:<AWS::Region>:<AWS::AccountId>:"
        "automation-execution/*]",
    ),
}


def test_the_gate_proves_every_bucket_and_nothing_is_warned_about(tmp_path: Path) -> None:
    # The CDK warns of any reference to another stack unless it was told of which kind they are.
    run = cdk_synth(tmp_path, APP, "**", "-c", "@aws-cdk/core:defaultCrossStackReferences=strong")
    assert run.code == 0, run.stderr
    assert run.summary == "secure-bucket: 6 buckets, 6 proven"
    assert run.blocks == []
    assert "warning" not in run.stderr.casefold()
    assert "[Error" not in run.stderr


def test_cdk_nag_finds_what_has_been_reviewed_and_nothing_else(tmp_path: Path) -> None:
    if int(importlib.metadata.version("cdk-nag").split(".")[0]) < 3:
        pytest.skip("cdk-nag 2 is an Aspect, and says it in another way")
    run = cdk_synth(tmp_path, APP, "Top", end=NAG + SYNTH)
    found = set(
        re.findall(r"^   (\S+) aws-cdk-lib.*\n   Acknowledge with 'AwsSolutions::(.+)'$", run.stderr, re.M)
    )
    of_the_app = {("Top/Reports/Resource", "AwsSolutions-S1")}
    assert found == REVIEWED | of_the_app
