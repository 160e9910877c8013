"""Buckets that an app imports: whatever they refuse is in somebody else's hands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.synth.harness import cdk_synth

pytestmark = pytest.mark.slow


def test_an_imported_bucket_is_named_with_what_its_owner_adds(tmp_path: Path) -> None:
    body = """
    top = cdk.Stack(app, "Top")
    good = SecureBucket(top, "Good")
    s3.Bucket.from_bucket_name(top, "Named", "somebody-elses")
    s3.Bucket.from_bucket_arn(cdk.NestedStack(top, "Nested"), "ByArn", "arn:aws-cn:s3:::in-china")
    s3.Bucket.from_bucket_name(cdk.Stack(cdk.Stage(app, "Prod"), "Data"), "Staged", "staged-elsewhere")
    # Ours under another name, and what the CDK imports by itself.
    s3.Bucket.from_bucket_name(top, "Ours", good.bucket_name)
    s3.Bucket.from_cfn_bucket(s3.CfnBucket(top, "Open"))
    from aws_cdk import aws_s3_assets as assets
    assets.Asset(top, "Asset", path="app.py")
    """
    run = cdk_synth(tmp_path, body)
    assert run.code == 1
    for path, name in (
        ("Top/Named", ":s3:::somebody-elses"),
        ("Top/Nested/ByArn", "arn:aws-cn:s3:::in-china"),
        ("Prod/Data/Staged", ":s3:::staged-elsewhere"),
    ):
        block = run.block("INFO ", f"imported bucket `{path}`", "not covered")
        assert name in block
        policy = json.loads(
            next(line for line in block.splitlines() if "{" in line).partition(": {")[2].join("{ ")
        )
        (statement,) = policy["Statement"]
        assert statement["Effect"] == "Deny"
        assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert run.stderr.count("imported bucket") == 3
    assert run.summary == (
        "secure-bucket: 2 buckets, 1 proven, 1 accepting plain HTTP, 3 imported (not covered)"
    )


def test_imported_buckets_alone_do_not_fail_and_can_be_acknowledged(tmp_path: Path) -> None:
    body = """
    top = cdk.Stack(app, "Top")
    bucket = s3.Bucket.from_bucket_name(top, "Named", "somebody-elses")
    if app.node.try_get_context("known"):
        cdk.Validations.of(bucket).acknowledge(
            cdk.Acknowledgment(id="secure-bucket::imported-bucket", reason="checked by its owner")
        )
    """
    run = cdk_synth(tmp_path, body)
    assert run.code == 0
    run.block("INFO ", "`Top/Named`", "secure-bucket::imported-bucket")
    assert run.summary == "secure-bucket: 0 buckets, 0 proven, 1 imported (not covered)"

    run = run.again("-c", "known=true")
    assert run.code == 0
    assert run.blocks == []
    (kept,) = run.report()["suppressedViolations"]
    assert kept["reason"] == "checked by its owner"
