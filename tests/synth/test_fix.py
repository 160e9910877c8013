"""FIX through the real `cdk synth`: what it changes, what it leaves, and that nothing else changes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.synth.harness import cdk_synth

pytestmark = pytest.mark.slow

FIX = """
from secure_bucket import enforce_secure_transport
enforce_secure_transport(app, mode=Mode.FIX)
"""

BODY = """
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_ec2 as ec2

data, other = cdk.Stack(app, "Data"), cdk.Stack(app, "Other")
# The policy of another stack, by the name of the bucket, against the order of the stacks.
s3.CfnBucket(data, "Named", bucket_name="reports-for-everybody")
document = {"Version": "2012-10-17", "Statement": []}
s3.CfnBucketPolicy(other, "Policy", bucket="reports-for-everybody", policy_document=document)
data.add_dependency(other)
# A policy of the outer stack for a bucket of a nested one.
inner = s3.CfnBucket(cdk.NestedStack(data, "Nested"), "Inner")
s3.CfnBucketPolicy(data, "InnerPolicy", bucket=inner.ref, policy_document=document)
# One document for two policies.
shared = iam.PolicyDocument()
for id in ("One", "Two"):
    bucket = s3.CfnBucket(other, id)
    s3.CfnBucketPolicy(other, f"{id}Policy", bucket=bucket.ref, policy_document=shared)
SecureBucket(other, "Ours")
if app.node.try_get_context("used"):
    origin = origins.S3BucketOrigin.with_origin_access_identity(s3.Bucket(other, "Origin"))
    cloudfront.Distribution(
        other, "Site", default_behavior=cloudfront.BehaviorOptions(origin=origin)
    )
    vpc = ec2.Vpc(other, "Vpc", max_azs=1, nat_gateways=0)
    vpc.add_flow_log("Log", destination=ec2.FlowLogDestination.to_s3(s3.Bucket(other, "Logs")))
"""


def test_fix_denies_and_refers_to_nothing_new(tmp_path: Path) -> None:
    run = cdk_synth(tmp_path, BODY, gate=FIX)
    assert run.code == 0, run.stderr
    assert run.summary is not None
    assert run.summary.startswith("secure-bucket: 5 buckets, 5 proven, 4 of them fixed")
    other = json.dumps(run.template("Other.template.json"))
    assert "ImportValue" not in other
    assert "Outputs" not in run.template("Data.template.json")
    policies = {
        id: json.dumps(each["Properties"]["PolicyDocument"])
        for id, each in run.template("Other.template.json")["Resources"].items()
        if each["Type"] == "AWS::S3::BucketPolicy"
    }
    assert ":s3:::reports-for-everybody" in policies["Policy"]
    assert policies["OnePolicy"].count("DenyPlainHttp") == policies["TwoPolicy"].count("DenyPlainHttp") == 1
    assert "Two" not in policies["OnePolicy"]


def test_fix_leaves_what_it_would_break_and_says_what_to_change(tmp_path: Path) -> None:
    run = cdk_synth(tmp_path, BODY, "-c", "used=true", gate=FIX)
    assert run.code == 1
    block = run.block("ERROR ", "`Other/Origin`", "FIX left it as it is")
    assert "the CloudFront distribution `Other/Site` passes on the plain HTTP of viewers" in block
    assert "set `ViewerProtocolPolicy` of the default behavior to `redirect-to-https`" in block
    assert "the flow log `Other/Vpc/Log/FlowLog` goes to it" in run.block("ERROR ", "`Other/Logs`: bucket")
    record = json.loads((tmp_path / "cdk.out" / "secure-bucket.json").read_text(encoding="utf-8"))
    assert len(record["fixed"]) == 4
    assert [each["bucket"] for each in record["left"]] == ["Other/Logs/Resource", "Other/Origin/Resource"]
