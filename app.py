#!/usr/bin/env python3
"""An example app: a few buckets at every level of a CDK app, and one line that gates them all.

make synth                           every bucket is proven to refuse plain HTTP
make synth ARGS="-c insecure=true"   one plain `s3.Bucket` more at each level: the synthesis fails
"""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from secure_bucket import SecureBucket, SecureTransportAspect


class Archive(cdk.NestedStack):
    """Old reports, in a nested stack of their own."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)
        SecureBucket(
            self,
            "Years",
            lifecycle_rules=[
                s3.LifecycleRule(
                    transitions=[
                        s3.Transition(
                            storage_class=s3.StorageClass.GLACIER, transition_after=cdk.Duration.days(90)
                        )
                    ]
                )
            ],
        )
        add_plain_bucket_on_request(self)


class Reports(cdk.Stack):
    """Encrypted reports, with their access logs, a scratch area and an archive."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)
        logs = SecureBucket(self, "AccessLogs", versioned=True)
        key = kms.Key(self, "Key", enable_key_rotation=True)
        SecureBucket(
            self,
            "Reports",
            encryption_key=key,
            server_access_logs_bucket=logs,
            server_access_logs_prefix="reports/",
            versioned=True,
        )
        SecureBucket(
            self,
            "Scratch",
            auto_delete_objects=True,
            minimum_tls_version=1.3,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        Archive(self, "Archive")
        add_plain_bucket_on_request(self)


class Legacy(cdk.Stack):
    """An L1 bucket whose policy somebody wrote by hand: the gate reads what it says."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)
        bucket = s3.CfnBucket(self, "Ledger")
        s3.CfnBucketPolicy(
            self,
            "LedgerPolicy",
            bucket=bucket.ref,
            policy_document={
                "Version": "2012-10-17",
                "Statement": {
                    "Sid": "HttpsOnly",
                    "Effect": "Deny",
                    "Principal": "*",
                    "Action": "s3:*",
                    "Resource": [bucket.attr_arn, cdk.Fn.join("", [bucket.attr_arn, "/*"])],
                    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                },
            },
        )
        if insecure(self):
            s3.CfnBucket(self, "PlainL1")


class Production(cdk.Stage):
    """What a pipeline deploys; an Aspect on the App alone would never see inside."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)
        stack = cdk.Stack(self, "Data")
        SecureBucket(stack, "Uploads", bucket_key_enabled=True, encryption=s3.BucketEncryption.KMS)
        Archive(stack, "Archive")
        add_plain_bucket_on_request(stack)


def insecure(scope: Construct) -> bool:
    """Whether `-c insecure=true` asks for buckets that accept plain HTTP."""
    return scope.node.try_get_context("insecure") in (True, "true")


def add_plain_bucket_on_request(scope: Construct) -> None:
    if insecure(scope):
        s3.Bucket(scope, "Plain")


app = cdk.App()
Reports(app, "Reports")
Legacy(app, "Legacy")
Production(app, "Production")
cdk.Aspects.of(app).add(SecureTransportAspect())
app.synth()
