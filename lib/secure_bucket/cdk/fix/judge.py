"""Judge buckets of a construct tree as the gate will judge their templates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from secure_bucket.checks.check import check_template
from secure_bucket.proof.verdict import Verdict

__all__ = ["judge_resources", "resources_of"]


def resources_of(logical_id: str, name: object, document: object) -> dict[str, Any]:
    """Return a bucket and its policy as the resources of a template.

    Args:
        logical_id: The logical id of the bucket.
        name: The name of the bucket, resolved; `None` where CloudFormation makes it up.
        document: The document of the policy, resolved.
    """
    bucket: dict[str, Any] = {"Type": "AWS::S3::Bucket"}
    if name is not None:
        bucket["Properties"] = {"BucketName": name}
    policy = {"Bucket": {"Ref": logical_id}, "PolicyDocument": document}
    return {
        logical_id: bucket,
        f"{logical_id}Policy": {"Type": "AWS::S3::BucketPolicy", "Properties": policy},
    }


def judge_resources(resources: Mapping[str, Any]) -> dict[str, Verdict]:
    """Return the verdicts on the buckets among the resources of a template, by their logical ids."""
    return {bucket.logical_id: bucket.verdict for bucket in check_template({"Resources": resources}).buckets}
