"""The templates of what watches and of what an organization rolls out, as they were reviewed.

make test ARGS="tests/snapshots --snapshot-update"
"""

from __future__ import annotations

from collections.abc import Callable

import aws_cdk as cdk
import pytest
from aws_cdk import aws_cloudtrail as cloudtrail
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from constructs import IConstruct
from syrupy.assertion import SnapshotAssertion

from secure_bucket import (
    SecureBucket,
    SecureTransportConformancePack,
    SecureTransportMonitoring,
    SecureTransportOrganizationConformancePack,
    SecureTransportOrganizationRule,
)
from secure_bucket.testing import TemplateSnapshotExtension
from tests.snapshots.test_templates import reviewed, template_of


def theirs(stack: cdk.Stack, *names: str) -> list[s3.IBucket]:
    return [s3.Bucket.from_bucket_name(stack, name, f"amzn-s3-demo-{name}") for name in names]


FORMS: dict[str, Callable[[cdk.Stack], IConstruct]] = {
    "default": lambda stack: SecureTransportMonitoring(
        stack,
        "Monitoring",
        buckets=[SecureBucket(stack, "Reports")],
        email_addresses=["security@example.com"],
    ),
    "all-buckets": lambda stack: SecureTransportMonitoring(
        stack, "Monitoring", all_buckets=True, remediation="automatic"
    ),
    "trail-of-the-app": lambda stack: SecureTransportMonitoring(
        stack,
        "Monitoring",
        buckets=[SecureBucket(stack, "Reports")],
        remediation="manual",
        trail=cloudtrail.Trail(
            stack, "Trail", bucket=SecureBucket(stack, "Logs"), send_to_cloud_watch_logs=True
        ),
    ),
    "log-group-of-another-trail": lambda stack: SecureTransportMonitoring(
        stack,
        "Monitoring",
        alarm_actions=[],
        buckets=theirs(stack, "one", "two", "three", "four", "five"),
        config_rule=None,
        dashboard=False,
        log_group=logs.LogGroup.from_log_group_name(stack, "Group", "organization/trail"),
        rule_targets=[],
    ),
    "conformance-pack": lambda stack: SecureTransportConformancePack(stack, "HttpsOnly"),
    "organization-conformance-pack": lambda stack: SecureTransportOrganizationConformancePack(
        stack, "HttpsOnly", excluded_accounts=["111122223333"]
    ),
    "organization-rule": lambda stack: SecureTransportOrganizationRule(
        stack, "HttpsOnly", excluded_accounts=["111122223333"]
    ),
}


@pytest.mark.parametrize("name", FORMS)
def test_the_template_is_the_reviewed_one(name: str, snapshot: SnapshotAssertion) -> None:
    app = cdk.App()
    stack = cdk.Stack(app, "Watch")
    FORMS[name](stack)
    assert reviewed(template_of(app, stack)) == snapshot.use_extension(TemplateSnapshotExtension)
