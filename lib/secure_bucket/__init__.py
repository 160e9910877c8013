"""Prove that no S3 bucket accepts plain HTTP.

To write the deny: `SecureBucket` has it; `enforce_secure_transport(app, mode=Mode.FIX)`, an Aspect, a mixin
and a property injector add it to an existing app. To judge: `SecureTransportValidation` fails `cdk synth`,
`check_template` and `check_assembly` check CloudFormation templates, `prove_denies_http` decides about one
bucket policy.

Each name is loaded on first use: `import secure_bucket` starts no Node process, and only the constructs need
the AWS CDK.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from secure_bucket.cdk.buckets.bucket import SecureBucket
    from secure_bucket.cdk.buckets.injector import BucketSecureTransportInjector
    from secure_bucket.cdk.buckets.log_buckets import LogSource, SecureLogBucket
    from secure_bucket.cdk.buckets.mfa import BucketMfa, MfaOperation
    from secure_bucket.cdk.buckets.mixin import BucketSecureTransport
    from secure_bucket.cdk.buckets.props import SecureBucketProps
    from secure_bucket.cdk.fix.aspect import Mode, SecureTransportAspect
    from secure_bucket.cdk.fix.enforce import enforce_secure_transport
    from secure_bucket.cdk.gate.validation import SecureTransportValidation
    from secure_bucket.cdk.monitoring.construct import SecureTransportMonitoring
    from secure_bucket.cdk.organization.config_rule import SecureTransportOrganizationRule
    from secure_bucket.cdk.organization.conformance_pack import (
        SecureTransportConformancePack,
        SecureTransportOrganizationConformancePack,
    )
    from secure_bucket.cdk.organization.organization_policy import SecureTransportOrganizationPolicy
    from secure_bucket.checks.check import check_template
    from secure_bucket.checks.cloud_assembly import check_assembly
    from secure_bucket.conformance import conformance_pack
    from secure_bucket.errors import (
        ConstructError,
        MissingDependencyError,
        NotATemplateError,
        NotProvenError,
        SecureBucketError,
        TemplateError,
    )
    from secure_bucket.findings.finding import Finding, JudgedBucket, Level, Report
    from secure_bucket.policy.document import Policy
    from secure_bucket.policy.evaluate import evaluate
    from secure_bucket.policy.parse import parse_policy
    from secure_bucket.policy.request import Request
    from secure_bucket.proof import prove_denies_http
    from secure_bucket.proof.verdict import Proven, Refuted, Undecided, Verdict
    from secure_bucket.values.unknown import Hole, Place, Text, Unknown

    __version__: str

__all__ = [
    "BucketMfa",
    "BucketSecureTransport",
    "BucketSecureTransportInjector",
    "ConstructError",
    "Finding",
    "Hole",
    "JudgedBucket",
    "Level",
    "LogSource",
    "MfaOperation",
    "MissingDependencyError",
    "Mode",
    "NotATemplateError",
    "NotProvenError",
    "Place",
    "Policy",
    "Proven",
    "Refuted",
    "Report",
    "Request",
    "SecureBucket",
    "SecureBucketError",
    "SecureBucketProps",
    "SecureLogBucket",
    "SecureTransportAspect",
    "SecureTransportConformancePack",
    "SecureTransportMonitoring",
    "SecureTransportOrganizationConformancePack",
    "SecureTransportOrganizationPolicy",
    "SecureTransportOrganizationRule",
    "SecureTransportValidation",
    "TemplateError",
    "Text",
    "Undecided",
    "Unknown",
    "Verdict",
    "check_assembly",
    "check_template",
    "conformance_pack",
    "enforce_secure_transport",
    "evaluate",
    "parse_policy",
    "prove_denies_http",
]

_MODULES = {
    "BucketMfa": "cdk.buckets.mfa",
    "BucketSecureTransport": "cdk.buckets.mixin",
    "BucketSecureTransportInjector": "cdk.buckets.injector",
    "ConstructError": "errors",
    "Finding": "findings.finding",
    "Hole": "values.unknown",
    "JudgedBucket": "findings.finding",
    "Level": "findings.finding",
    "LogSource": "cdk.buckets.log_buckets",
    "MfaOperation": "cdk.buckets.mfa",
    "MissingDependencyError": "errors",
    "Mode": "cdk.fix.aspect",
    "NotATemplateError": "errors",
    "NotProvenError": "errors",
    "Place": "values.unknown",
    "Policy": "policy.document",
    "Proven": "proof.verdict",
    "Refuted": "proof.verdict",
    "Report": "findings.finding",
    "Request": "policy.request",
    "SecureBucket": "cdk.buckets.bucket",
    "SecureBucketError": "errors",
    "SecureBucketProps": "cdk.buckets.props",
    "SecureLogBucket": "cdk.buckets.log_buckets",
    "SecureTransportAspect": "cdk.fix.aspect",
    "SecureTransportConformancePack": "cdk.organization.conformance_pack",
    "SecureTransportMonitoring": "cdk.monitoring.construct",
    "SecureTransportOrganizationConformancePack": "cdk.organization.conformance_pack",
    "SecureTransportOrganizationPolicy": "cdk.organization.organization_policy",
    "SecureTransportOrganizationRule": "cdk.organization.config_rule",
    "SecureTransportValidation": "cdk.gate.validation",
    "TemplateError": "errors",
    "Text": "values.unknown",
    "Undecided": "proof.verdict",
    "Unknown": "values.unknown",
    "Verdict": "proof.verdict",
    "check_assembly": "checks.cloud_assembly",
    "check_template": "checks.check",
    "conformance_pack": "conformance",
    "enforce_secure_transport": "cdk.fix.enforce",
    "evaluate": "policy.evaluate",
    "parse_policy": "policy.parse",
    "prove_denies_http": "proof.prove",
}


def __getattr__(name: str) -> object:
    if name == "__version__":
        # Loads in 16 ms, because it needs msgspec.
        from secure_bucket.version import installed_version

        value: object = installed_version()
    elif name in _MODULES:
        module = _MODULES[name]
        if module.startswith("cdk."):
            from secure_bucket.cdk.versions import require_cdk  # The package itself does not load the CDK.

            require_cdk(name)
        try:
            value = getattr(importlib.import_module(f"{__name__}.{module}"), name)
        except AttributeError as error:
            # `from secure_bucket import …` treats an `AttributeError` as a missing name, and drops its
            # message.
            raise ImportError(f"`{name}` cannot be loaded: {error}", name=__name__) from error
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "__version__"})
