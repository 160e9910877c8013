"""Exceptions that hold, and those that do not."""

from __future__ import annotations

import json

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3

from tests.synth.situations.situation import (
    situation,
    stack,
)


def accepted(app: cdk.App, reason: str, id: str = "secure-bucket::SB001") -> None:
    bucket = s3.Bucket(stack(app), "Plain")
    cdk.Validations.of(bucket).acknowledge(cdk.Acknowledgment(id=id, reason=reason))


@situation("finding that is accepted with a reason", synth=0, check=0)
def accepted_with_a_reason(app: cdk.App) -> None:
    accepted(app, "the old scanner speaks no TLS, expires 2999-12-31")


@situation("exception that expired")
def expired(app: cdk.App) -> None:
    accepted(app, "the old scanner speaks no TLS, expires 2020-01-01")


@situation("expired exception with a newer one without an end")
def revived(app: cdk.App) -> None:
    expired(app)
    again = cdk.Acknowledgment(id="secure-bucket::SB001", reason="the old scanner speaks no TLS")
    cdk.Validations.of(app).acknowledge(again)


@situation("exception with an end that is not understood")
def malformed(app: cdk.App) -> None:
    accepted(app, "the old scanner speaks no TLS, until the 31st of December 2025")


@situation("exception without a reason")
def without_reason(app: cdk.App) -> None:
    accepted(app, " \u200b.")


@situation("expired exception with a nearer one without an end")
def revived_nearby(app: cdk.App) -> None:
    accepted(app, "the old scanner speaks no TLS")
    ended = "the old scanner speaks no TLS, expires 2020-01-01"
    cdk.Validations.of(app).acknowledge(cdk.Acknowledgment(id="secure-bucket::SB001", reason=ended))


@situation("exception with a misspelt id")
def misspelt(app: cdk.App) -> None:
    accepted(app, "the old scanner speaks no TLS", "secure-bucket::plaintext-http")


@situation("exception from the sum that the gate adds")
def from_the_sum(app: cdk.App) -> None:
    s3.Bucket(stack(cdk.Stage(app, "Prod"), "Data"), "Plain")
    sum = cdk.Acknowledgment(id="secure-bucket::unproven-buckets", reason="the old scanner speaks no TLS")
    cdk.Validations.of(app).acknowledge(sum)


@situation("exception in the `Metadata` of a template that is not of the app")
def foreign_exception(app: cdk.App) -> None:
    exception = {"Rule": "SB001", "Reason": "the old scanner speaks no TLS"}
    plain = {"Type": "AWS::S3::Bucket", "Metadata": {"SecureBucket": {"Exceptions": [exception]}}}
    body = json.dumps({"Resources": {"Plain": plain}})
    top = stack(app)
    cdk.CfnStackSet(top, "Set", stack_set_name="set", permission_model="SELF_MANAGED", template_body=body)


@situation("construct path in the `Metadata` of a template that is not of the app")
def foreign_path(app: cdk.App) -> None:
    top = stack(app)
    excused = s3.Bucket(top, "Excused")
    cdk.Validations.of(excused).acknowledge(
        cdk.Acknowledgment(id="secure-bucket::SB001", reason="the old scanner speaks no TLS")
    )
    plain = {"Type": "AWS::S3::Bucket", "Metadata": {"aws:cdk:path": "Top/Excused/Resource"}}
    body = json.dumps({"Resources": {"Plain": plain}})
    cdk.CfnStackSet(top, "Set", stack_set_name="set", permission_model="SELF_MANAGED", template_body=body)
