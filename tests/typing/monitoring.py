"""Checked by mypy, never run: what watches and what is rolled out, as somebody writes it."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_cloudtrail as cloudtrail
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from constructs import Construct
from typing_extensions import assert_type

from secure_bucket import (
    SecureBucket,
    SecureTransportConformancePack,
    SecureTransportMonitoring,
    SecureTransportOrganizationConformancePack,
    SecureTransportOrganizationRule,
    conformance_pack,
)


def every_prop_has_its_type(scope: Construct, key: kms.IKey, topic: sns.Topic, group: logs.LogGroup) -> None:
    theirs = s3.Bucket.from_bucket_name(scope, "Theirs", "theirs")
    monitoring = SecureTransportMonitoring(
        scope,
        "Monitoring",
        alarm_actions=[actions.SnsAction(topic)],
        answered_threshold=1,
        buckets=[SecureBucket(scope, "Reports"), theirs, s3.CfnBucket(scope, "Low")],
        config_rule="account",
        dashboard=False,
        denied_threshold=20,
        email_addresses=["security@example.com"],
        encryption_key=key,
        log_bucket_retention=cdk.Duration.days(400),
        log_group_retention=logs.RetentionDays.ONE_MONTH,
        management_events=cloudtrail.ReadWriteType.ALL,
        remediation="manual",
        removal_policy=cdk.RemovalPolicy.DESTROY,
        rule_targets=[targets.CloudWatchLogGroup(group)],
    )
    assert_type(monitoring.answered_alarm, cloudwatch.Alarm)
    assert_type(monitoring.trail, cloudtrail.Trail | None)
    SecureTransportMonitoring(scope, "All", all_buckets=True, log_group=group, topic=topic)
    SecureTransportMonitoring(scope, "Text", buckets="reports")  # type: ignore[arg-type]
    SecureTransportMonitoring(scope, "Rule", all_buckets=True, config_rule="all")  # type: ignore[arg-type]
    SecureTransportMonitoring(scope, "Other", alarms=[])  # type: ignore[call-arg]


def what_is_rolled_out(scope: Construct) -> str:
    SecureTransportConformancePack(scope, "Pack", conformance_pack_name="https-only")
    SecureTransportOrganizationConformancePack(scope, "Packs", excluded_accounts=["111122223333"])
    SecureTransportOrganizationRule(scope, "Rule", rule_name="https-only")
    return conformance_pack()
