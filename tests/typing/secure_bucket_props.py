"""Checked by mypy, never run: what an editor completes is what a type checker accepts."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct
from typing_extensions import assert_type

from secure_bucket import (
    BucketSecureTransport,
    BucketSecureTransportInjector,
    Mode,
    Proven,
    Refuted,
    Report,
    SecureBucket,
    SecureBucketProps,
    SecureTransportAspect,
    SecureTransportValidation,
    Undecided,
    check_template,
    enforce_secure_transport,
    prove_denies_http,
)


def every_prop_has_its_type(scope: Construct, key: kms.IKey) -> s3.IBucket:
    bucket = SecureBucket(
        scope,
        "Reports",
        encryption_key=key,
        lifecycle_rules=[s3.LifecycleRule(enabled=True), {"enabled": True}],
        minimum_tls_version=1.3,
        removal_policy=cdk.RemovalPolicy.RETAIN,
        server_access_logs_bucket=bucket_of(scope),
        versioned=True,
    )
    SecureBucket(scope, "Versioned", versioned="yes")  # type: ignore[arg-type]
    SecureBucket(scope, "Misspelt", versionned=True)  # type: ignore[call-arg]
    SecureBucket(scope, "Positional", True)  # type: ignore[call-arg]
    return bucket


def bucket_of(scope: Construct) -> s3.Bucket:
    props: SecureBucketProps = {"versioned": True, "bucket_name": None}
    return SecureBucket(scope, "Shared", **props)


def the_gate_has_few_options(app: cdk.App) -> None:
    cdk.Aspects.of(app).add(SecureTransportAspect(mode=Mode.FIX, undecided="warning", quiet=True))
    cdk.Validations.of(app).add_plugins(SecureTransportValidation(undecided="error"))
    SecureTransportAspect(mode="fix")  # type: ignore[arg-type]
    SecureTransportValidation(undecided="ignore")  # type: ignore[arg-type]


def an_app_that_is_there_is_adopted(bucket: s3.Bucket) -> cdk.App:
    app = cdk.App(property_injectors=[BucketSecureTransportInjector(override=True, websites=True)])
    enforce_secure_transport(app)
    enforce_secure_transport(app, mode=Mode.FIX, undecided="warning", websites=True, quiet=True)
    enforce_secure_transport(bucket)  # type: ignore[arg-type]
    enforce_secure_transport(app, Mode.FIX)  # type: ignore[call-arg]
    cdk.Mixins.of(app).require_any().apply(BucketSecureTransport(websites=True))
    bucket.with_(BucketSecureTransport())
    return app


def verdicts_are_told_apart() -> str:
    assert_type(check_template("template.json"), Report)
    verdict = prove_denies_http({}, bucket_arn="arn:aws:s3:::example-bucket")
    match verdict:
        case Proven():
            return "proven"
        case Refuted(request=request):
            return request.principal
        case Undecided(reasons=reasons):
            return reasons[0].reason
