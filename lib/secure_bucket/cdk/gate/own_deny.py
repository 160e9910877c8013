"""Explain why the finished template lacks the deny of a `SecureBucket`."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3
from constructs import IConstruct
from msgspec.structs import replace

from secure_bucket.cdk.buckets.bucket import SecureBucket
from secure_bucket.cdk.fix.judge import judge_resources, resources_of
from secure_bucket.cdk.fix.policy_finder import own_policy
from secure_bucket.cdk.fix.survey import path_of
from secure_bucket.cdk.gate.acknowledgments import find_construct
from secure_bucket.findings.finding import Finding
from secure_bucket.findings.rules import REFUTED, UNDECIDED
from secure_bucket.proof.verdict import Proven

__all__ = ["about_own_deny"]


def about_own_deny(app: IConstruct, finding: Finding) -> Finding:
    """Return a finding with other advice than to use a `SecureBucket`, if the bucket is one.

    Args:
        app: The app.
        finding: A finding on any bucket; returned unchanged if the bucket is not a `SecureBucket`.
    """
    if finding.rule not in (REFUTED, UNDECIDED) or not finding.construct_path:
        return finding
    # INVARIANT: jsii returns the same object that Python made for a construct.
    owner = find_construct(app, finding.construct_path.removesuffix("/Resource"))
    if not isinstance(owner, SecureBucket):
        return finding
    policy = own_policy(owner)
    if policy is None or owner.node.try_find_child("Policy") is None:
        what, fix = "later code, which removed its policy", "leave the policy of this `SecureBucket` in place"
    else:
        named = f"`{path_of(policy)}`"
        if _still_denies(policy):
            what = "an override"
            fix = f"remove the override of {named} that takes the deny of this `SecureBucket` away"
        else:
            what = "later code"
            fix = f"leave the deny of this `SecureBucket` in the document of {named}"
    if finding.created_at is not None:
        # The AWS CDK shows the innermost line that made the resource, which is in this library.
        fix += f"; `{finding.created_at.file}:{finding.created_at.line}` makes it"
    return replace(finding, message=f"{finding.message}; its own deny was removed by {what}", fix=fix)


def _still_denies(policy: s3.CfnBucketPolicy) -> bool:
    """Tell whether the policy of a bucket denies plain HTTP in the construct tree, without overrides."""
    bucket, document = cdk.Stack.of(policy).resolve([policy.bucket, policy.policy_document])
    id = bucket.get("Ref") if isinstance(bucket, dict) else None
    if not isinstance(id, str):
        return False
    return isinstance(judge_resources(resources_of(id, None, document))[id], Proven)
