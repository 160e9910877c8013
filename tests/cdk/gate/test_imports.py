"""The gate names an imported bucket once, with a policy that its owner can paste."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3
from aws_cdk import custom_resources as resources

from secure_bucket import enforce_secure_transport


def said(app: cdk.App) -> list[dict[str, Any]]:
    app.synth()
    text = (Path(app.outdir) / "validation-report.json").read_text(encoding="utf-8")
    reports = json.loads(text)["pluginReports"]
    found: list[dict[str, Any]] = next(
        each["violations"] for each in reports if each["pluginName"] == "secure-bucket"
    )
    return found


def test_an_imported_bucket_is_named_once_with_a_literal_policy(tmp_path: Path) -> None:
    app = cdk.App(outdir=str(tmp_path))
    enforce_secure_transport(app, quiet=True)
    top = cdk.Stack(app, "Top")
    for id in ("One", "Two"):
        s3.Bucket.from_bucket_name(top, id, "shared-reports")
    s3.Bucket.from_bucket_arn(top, "Again", "arn:aws:s3:::shared-reports")
    s3.Bucket.from_bucket_arn(top, "China", "arn:aws-cn:s3:::in-china")
    for number, name in enumerate(
        (
            "aws-codedeploy-eu-west-1",
            "eu-west-1.elasticmapreduce",
            "prod-eu-west-1-starport-layer-bucket",
            "cdk-hnb659fds-assets-111122223333-eu-west-1",
        )
    ):
        s3.Bucket.from_bucket_name(top, f"Theirs{number}", name)
    found = [each for each in said(app) if each["ruleName"] == "imported-bucket"]
    policies = [json.loads(each["suggestedFix"].partition("sets this one: ")[2]) for each in found]
    assert [policy["Version"] for policy in policies] == ["2012-10-17", "2012-10-17"]
    resources = sorted(policy["Statement"][0]["Resource"] for policy in policies)
    assert resources == [
        ["arn:aws-cn:s3:::in-china", "arn:aws-cn:s3:::in-china/*"],
        ["arn:aws:s3:::shared-reports", "arn:aws:s3:::shared-reports/*"],
    ]


def test_what_a_custom_resource_does_with_buckets_is_named(tmp_path: Path) -> None:
    app = cdk.App(outdir=str(tmp_path))
    enforce_secure_transport(app, quiet=True)
    top = cdk.Stack(app, "Top")
    bucket = s3.Bucket(top, "Reports", enforce_ssl=True)
    for id, action, name in (
        ("Make", "createBucket", "made-by-hand"),
        ("Open", "deleteBucketPolicy", bucket.bucket_name),
    ):
        call = resources.AwsSdkCall(
            service="S3",
            action=action,
            parameters={"Bucket": name},
            physical_resource_id=resources.PhysicalResourceId.of(id),
        )
        allowed = resources.AwsCustomResourcePolicy.from_sdk_calls(
            resources=resources.AwsCustomResourcePolicy.ANY_RESOURCE
        )
        resources.AwsCustomResource(top, id, on_create=call, policy=allowed)
    found = [each["description"] for each in said(app) if each["ruleName"] == "SB012"]
    assert len(found) == 2
    assert any("makes bucket `made-by-hand`" in each for each in found)
    assert any(re.search(r"takes the deny of bucket `<Reports\w*>` away", each) for each in found)
