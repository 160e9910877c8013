"""The gate's words for a `SecureBucket` that later code has opened."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, cast

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3

from secure_bucket import LogSource, SecureBucket, SecureLogBucket, enforce_secure_transport


def policy_of(bucket: s3.Bucket) -> s3.CfnBucketPolicy:
    assert bucket.policy is not None
    return cast(s3.CfnBucketPolicy, bucket.policy.node.default_child)


def remove_statements(bucket: s3.Bucket) -> None:
    policy_of(bucket).add_property_override("PolicyDocument.Statement", [])


def weaken_condition(bucket: s3.Bucket) -> None:
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": bucket.bucket_arn,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}, "StringEquals": {"aws:SourceVpc": "vpc-1"}},
    }
    policy_of(bucket).add_property_override("PolicyDocument.Statement", [statement])


def remove_policy(bucket: s3.Bucket) -> None:
    bucket.node.try_remove_child("Policy")


def write_document(bucket: s3.Bucket) -> None:
    statement = iam.PolicyStatement(
        actions=["s3:GetObject"],
        principals=[iam.AccountPrincipal("111122223333")],
        resources=[bucket.arn_for_objects("*")],
    )
    policy_of(bucket).policy_document = iam.PolicyDocument(statements=[statement])


BY_OVERRIDE = "its own deny was removed by an override"
CASES: dict[str, tuple[Callable[[s3.Bucket], None], str]] = {
    "NoStatements": (remove_statements, BY_OVERRIDE),
    "Weakened": (weaken_condition, BY_OVERRIDE),
    "NoPolicy": (remove_policy, "its own deny was removed by later code, which removed its policy"),
    "Document": (write_document, "its own deny was removed by later code"),
}


def test_what_removes_its_deny_is_said_and_not_to_use_what_is_used(tmp_path: Any) -> None:
    app = cdk.App(outdir=str(tmp_path))
    enforce_secure_transport(app, quiet=True)
    stack = cdk.Stack(app, "Top")
    for id, (change, _) in CASES.items():
        change(SecureBucket(stack, id))
    remove_statements(SecureLogBucket(stack, "Logs", source=LogSource.ELB))
    nested = cdk.Stack(cdk.Stage(app, "Prod"), "Data")
    remove_statements(SecureBucket(nested, "Staged"))
    with pytest.raises(RuntimeError) as caught:
        app.synth()
    blocks = str(caught.value).split("\n\n")
    words = {f"`Top/{id}`": said for id, (_, said) in CASES.items()}
    words |= {"`Top/Logs`": BY_OVERRIDE, "`Prod/Data/Staged`": BY_OVERRIDE}
    for path, said in words.items():
        block = next(each for each in blocks if f"{path}: bucket" in each)
        assert said in block, path
        assert "Suggested fix: use `SecureBucket`" not in block
        assert "of this `SecureBucket`" in block
        # The AWS CDK names the innermost line, which is one of this library.
        assert re.search(r"`tests/cdk/gate/test_own_deny.py:\d+` makes it", block)


def test_another_bucket_keeps_its_advice() -> None:
    app = cdk.App()
    enforce_secure_transport(app, quiet=True)
    bucket = s3.Bucket(cdk.Stack(app, "Top"), "Reports", enforce_ssl=True)
    remove_statements(bucket)
    with pytest.raises(RuntimeError) as caught:
        app.synth()
    assert "its own deny" not in str(caught.value)
    assert "use `SecureBucket`" in str(caught.value)
