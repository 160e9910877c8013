"""FIX asks the jsii kernel a bounded number of times for each bucket; every question is a message to Node."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3

from secure_bucket import Mode, enforce_secure_transport
from tests.cdk.buckets.test_bucket import counted


@pytest.fixture(autouse=True)
def only_the_modules_of_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the jsii modules of others that tests before this one loaded: FIX asks more where one is there."""
    for name in [*sys.modules]:
        if name.endswith("._jsii") and not name.startswith(("aws_cdk.", "constructs.")):
            monkeypatch.delitem(sys.modules, name)


def l2(stack: cdk.Stack, id: str) -> None:
    s3.Bucket(stack, id)


def with_deny(stack: cdk.Stack, id: str) -> None:
    s3.Bucket(stack, id, enforce_ssl=True)


def with_statement(stack: cdk.Stack, id: str) -> None:
    bucket = s3.Bucket(stack, id)
    statement = iam.PolicyStatement(
        actions=["s3:GetObject"],
        principals=[iam.AccountPrincipal("111122223333")],
        resources=["arn:aws:s3:::reports/*"],
    )
    bucket.add_to_resource_policy(statement)


def refused(stack: cdk.Stack, id: str) -> None:
    """A bucket that FIX cannot have made with the deny."""
    s3.Bucket(stack, id, enforce_ssl=False)


def l1(stack: cdk.Stack, id: str) -> None:
    s3.CfnBucket(stack, id)


def l1_with_policy(stack: cdk.Stack, id: str) -> None:
    bucket = s3.CfnBucket(stack, id)
    s3.CfnBucketPolicy(stack, f"{id}Policy", bucket=bucket.ref, policy_document={"Statement": []})


def _calls(make: Callable[[cdk.Stack, str], None], buckets: int, *, first: bool) -> int:
    """Count the calls of FIX: those of an app that is fixed without those of one that is not."""
    counts = []
    for fix in (True, False):
        with counted() as calls:
            app = cdk.App()
            if fix and first:
                enforce_secure_transport(app, mode=Mode.FIX, quiet=True)
            for name in ("One", "Two"):
                stack = cdk.Stack(app, name)
                for number in range(buckets // 2):
                    make(stack, f"Bucket{number}")
            if fix and not first:
                enforce_secure_transport(app, mode=Mode.FIX, quiet=True)
            app.synth()
        counts.append(len(calls))
    return counts[0] - counts[1]


@pytest.mark.parametrize(
    ("make", "first", "most"),
    [
        (l2, True, 8),
        (with_deny, True, 5),
        # The deny is put behind the statements each time that the AWS CDK resolves the policy.
        (with_statement, True, 20),
        (refused, True, 12),
        (l1, True, 8),
        (l1_with_policy, True, 20),
        # FIX did not see who acknowledged what, and asks each bucket: ten calls more for an L2, and seven for
        # an L1.
        (l2, False, 18),
        (l1, False, 15),
    ],
)
def test_fix_asks_the_kernel_so_many_times_for_each_bucket(
    make: Callable[[cdk.Stack, str], Any], first: bool, most: int
) -> None:
    ten, thirty = (_calls(make, buckets, first=first) for buckets in (10, 30))
    assert (thirty - ten) / 20 <= most
