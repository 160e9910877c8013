"""The templates of the constructs for operations, as they were reviewed.

make test ARGS="tests/snapshots --snapshot-update"
"""

from __future__ import annotations

from collections.abc import Callable

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from syrupy.assertion import SnapshotAssertion

from secure_bucket import (
    BucketMfa,
    LogSource,
    MfaOperation,
    SecureBucket,
    SecureLogBucket,
    SecureTransportOrganizationPolicy,
)
from secure_bucket.testing import TemplateSnapshotExtension
from tests.snapshots.test_templates import reviewed, template_of

OU = "ou-ab12-34567890"


def with_everything(stack: cdk.Stack) -> object:
    mfa = BucketMfa(
        operations=list(MfaOperation),
        max_age=cdk.Duration.minutes(30),
        except_principals=[iam.Role(stack, "Backup", assumed_by=iam.AccountRootPrincipal())],
        except_services=["delivery.logs.amazonaws.com"],
    )
    return SecureBucket(stack, "Ledger", mfa=mfa)


def as_a_mixin(stack: cdk.Stack) -> object:
    return BucketMfa().apply_to(s3.CfnBucket(stack, "Plain"))


STACKS: dict[str, Callable[[cdk.Stack], object]] = {
    "mfa": lambda stack: SecureBucket(stack, "Ledger", mfa=True),
    "mfa-everything": with_everything,
    "mfa-mixin": as_a_mixin,
    **{
        f"logs-{source.name}": lambda stack, source=source: SecureLogBucket(stack, "Logs", source=source)
        for source in LogSource
    },
    "logs-kms": lambda stack: SecureLogBucket(
        stack, "Logs", source=LogSource.VPC_FLOW, encryption=s3.BucketEncryption.KMS
    ),
    "logs-accounts": lambda stack: SecureLogBucket(
        stack, "Logs", source=LogSource.ELB, source_accounts=["111122223333", "444455556666"], prefix="edge"
    ),
    "organization": lambda stack: SecureTransportOrganizationPolicy(stack, "Https", targets=[OU]),
    "organization-everything": lambda stack: SecureTransportOrganizationPolicy(
        stack,
        "Https",
        targets=[OU],
        sandbox_targets=["111122223333"],
        exempt_accounts=["222222222222"],
        exempt_buckets=["legacy"],
        exempt_tags={"plain-http": ["allowed"]},
        minimum_tls_version=1.3,
    ),
    "organization-dry-run": lambda stack: SecureTransportOrganizationPolicy(
        stack, "Https", targets=[OU], dry_run=True
    ),
}


@pytest.mark.parametrize("name", STACKS)
def test_operations(name: str, snapshot: SnapshotAssertion) -> None:
    app = cdk.App()
    stack = cdk.Stack(app, "Top")
    STACKS[name](stack)
    assert reviewed(template_of(app, stack)) == snapshot.use_extension(TemplateSnapshotExtension)
