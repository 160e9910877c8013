"""Checked by mypy, never run: the props of the constructs for operations."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct
from typing_extensions import assert_type

from secure_bucket import (
    BucketMfa,
    LogSource,
    MfaOperation,
    SecureBucket,
    SecureLogBucket,
    SecureTransportOrganizationPolicy,
)


def mfa_has_options(scope: Construct, role: iam.Role) -> s3.IBucket:
    asked = BucketMfa(
        operations=[MfaOperation.DELETE],
        max_age=cdk.Duration.minutes(30),
        except_principals=[role, "arn:aws:iam::111122223333:role/backup-*"],
    )
    s3.Bucket(scope, "Existing").with_(asked)
    SecureBucket(scope, "Yes", mfa=True)
    SecureBucket(scope, "Word", mfa="yes")  # type: ignore[arg-type]
    BucketMfa(operations=["s3:DeleteObject"])  # type: ignore[list-item]
    BucketMfa(max_age=3600)  # type: ignore[arg-type]
    return SecureBucket(scope, "Ledger", mfa=asked)


def logs_have_a_source(scope: Construct) -> s3.Bucket:
    SecureLogBucket(scope, "Nobodys")  # type: ignore[call-arg]
    SecureLogBucket(scope, "Text", source="elb")  # type: ignore[arg-type]
    return SecureLogBucket(scope, "Logs", source=LogSource.ELB, retention=cdk.Duration.days(90), mfa=True)


def an_organization_has_targets(scope: Construct) -> None:
    policy = SecureTransportOrganizationPolicy(
        scope, "Https", targets=["r-ab12"], exempt_tags={"plain-http": "allowed", "team": ["a", "b"]}
    )
    assert_type(policy.exceptions, tuple[str, ...])
    SecureTransportOrganizationPolicy(scope, "Nothing")  # type: ignore[call-arg]
