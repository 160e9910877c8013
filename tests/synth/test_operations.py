"""Organization policy, MFA and log buckets under the real `cdk synth`, with the gate."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.synth.harness import Run, cdk_synth, write_app

pytestmark = pytest.mark.slow

APP = """
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_cloudtrail as cloudtrail
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elb
from secure_bucket import BucketMfa, LogSource, MfaOperation, SecureLogBucket
from secure_bucket import SecureTransportOrganizationPolicy


# What `cdk synth` would ask AWS for.
zones = "availability-zones:account=111122223333:region=eu-central-1"
app.node.set_context(zones, ["eu-central-1a", "eu-central-1b"])


class Logged(cdk.Stack):
    def __init__(self, scope, id):
        super().__init__(scope, id, env=cdk.Environment(account="111122223333", region="eu-central-1"))
        vpc = ec2.Vpc(self, "Vpc", nat_gateways=0)
        flows = SecureLogBucket(self, "FlowLogs", source=LogSource.VPC_FLOW)
        vpc.add_flow_log("Flow", destination=ec2.FlowLogDestination.to_s3(flows))
        balanced = SecureLogBucket(self, "BalancerLogs", source=LogSource.ELB)
        elb.ApplicationLoadBalancer(self, "Alb", vpc=vpc).log_access_logs(balanced)
        elb.NetworkLoadBalancer(self, "Nlb", vpc=vpc).log_access_logs(balanced)
        trails = SecureLogBucket(self, "TrailLogs", source=LogSource.CLOUDTRAIL, mfa=True)
        cloudtrail.Trail(self, "Trail", bucket=trails)
        edge = SecureLogBucket(self, "EdgeLogs", source=LogSource.CLOUDFRONT_LEGACY)
        behavior = cloudfront.BehaviorOptions(origin=origins.HttpOrigin("example.com"))
        cloudfront.Distribution(self, "Cdn", default_behavior=behavior, log_bucket=edge)
        SecureLogBucket(self, "CdnLogs", source=LogSource.CLOUDFRONT)
        accesses = SecureLogBucket(self, "AccessLogs", source=LogSource.S3)
        SecureBucket(self, "Ledger", mfa=True, server_access_logs_bucket=accesses)
        SecureBucket(self, "Vault", mfa=BucketMfa(
            operations=[MfaOperation.ALL],
            max_age=cdk.Duration.minutes(30),
            except_principals=["arn:aws:iam::111122223333:role/cdk-*-cfn-exec-role-*"],
        ))


Logged(app, "Top")
Logged(cdk.Stage(app, "Prod"), "Data")

organization = cdk.Stack(app, "Organization")
exempt = app.node.try_get_context("exempt")
policy = SecureTransportOrganizationPolicy(
    organization, "Https", targets=["ou-ab12-34567890"], dry_run=True,
    exempt_tags={"plain-http": "allowed"} if exempt else None,
)
if exempt == "acknowledged":
    warning = "Annotation::organization-policy:exceptions"
    cdk.Validations.of(policy).acknowledge(
        cdk.Acknowledgment(id=warning, reason="scanners in the warehouse")
    )
"""


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Run:
    directory = tmp_path_factory.mktemp("operations")
    write_app(directory, APP)
    return Run(0, "", "", directory)


@pytest.mark.parametrize("flags", ["true", "false"])
def test_all_of_it_is_proven_in_stages_too(app: Run, flags: str) -> None:
    run = app.again(
        *("-c", f"@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy={flags}"),
        *("-c", f"@aws-cdk/aws-s3:createDefaultLoggingPolicy={flags}"),
    )
    assert run.code == 0, run.stderr
    assert run.summary == "secure-bucket: 16 buckets, 16 proven"


def test_the_policy_of_an_organization_is_no_bucket(app: Run) -> None:
    run = app.again("Organization")
    assert run.code == 0, run.stderr
    (policy,) = (
        each
        for each in run.template("Organization.template.json")["Resources"].values()
        if each["Type"] == "AWS::Organizations::Policy"
    )
    assert policy["Properties"]["TargetIds"] == []


def test_an_exception_is_said_until_it_is_acknowledged(app: Run) -> None:
    said = "lets plain HTTP through to buckets with ABAC and the tag `plain-http=allowed`"
    run = app.again("-c", "exempt=said")
    assert run.code == 0, run.stderr
    assert said in run.stderr
    assert app.again("-c", "exempt=said", "--strict").code == 1
    run = app.again("-c", "exempt=acknowledged", "--strict")
    assert run.code == 0, run.stderr
    assert said not in run.stderr


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (
            'SecureBucket(top, "Ledger", mfa=True, versioned=False)',
            "secure bucket `Top/Ledger`: `versioned=False`",
        ),
        (
            'SecureLogBucket(top, "Logs", source=LogSource.ELB, encryption=s3.BucketEncryption.KMS)',
            "log bucket `Top/Logs`: `encryption=KMS`",
        ),
        (
            'SecureTransportOrganizationPolicy(top, "Https", targets=[])',
            "organization policy `Top/Https`: `targets=[]`",
        ),
    ],
)
def test_what_cannot_be_meant_fails_the_synthesis(tmp_path: Path, line: str, words: str) -> None:
    names = "LogSource, SecureLogBucket, SecureTransportOrganizationPolicy"
    run = cdk_synth(tmp_path, f'from secure_bucket import {names}\ntop = cdk.Stack(app, "Top")\n{line}\n')
    assert run.code == 1
    assert words in run.stderr
