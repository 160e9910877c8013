"""Judge buckets of a construct tree as the gate judges their templates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from secure_bucket.checks.check import check_template
from secure_bucket.proof.verdict import Verdict
from secure_bucket.template import Inventory, parse_document, read_document
from secure_bucket.template.policy_targets import targets_of
from secure_bucket.template.worlds import Fork, Infeasible, Undecidable
from secure_bucket.values.unknown import Text

__all__ = ["judge_resources", "name_in", "resources_of"]


def resources_of(logical_id: str, name: object, document: object) -> dict[str, Any]:
    """Return a bucket and its policy as the resources of a template.

    Args:
        logical_id: The logical id of the bucket.
        name: The name of the bucket, resolved; `None` if CloudFormation generates it.
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


def name_in(value: object) -> str | Text | None:
    """Return the name of a bucket as the gate reads it from a resolved `Bucket` without its template.

    Returns:
        The name, with a hole for each unknown part; `None` if nothing is known.
    """
    policy = {"Type": "AWS::S3::BucketPolicy", "Properties": {"Bucket": value}}
    inventory = Inventory(read_document(parse_document({"Resources": {"Policy": policy}})))
    resolver, (found,) = inventory.resolver(inventory.start, False), inventory.policies
    try:
        return next(iter(targets_of(inventory, resolver, found, found.stack)), None)
    except (Fork, Infeasible, Undecidable):
        return None
