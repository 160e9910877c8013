"""A policy that says no has to be there whenever its bucket is, and as long."""

from __future__ import annotations

from aws_cdk import aws_s3 as s3

__all__ = ["condition_differs", "live_as"]


def condition_differs(policy: s3.CfnBucketPolicy, bucket: s3.CfnBucket) -> str:
    """Why a policy would not be there whenever its bucket is; `""` if it would."""
    condition = policy.cfn_options.condition
    if condition is None:
        return ""
    of_bucket = bucket.cfn_options.condition
    if of_bucket is not None and of_bucket.node.path == condition.node.path:
        return ""
    id = condition.node.id
    return f"exists only under the condition `{id}`, and the bucket does not depend on it in the same way"


def live_as(policy: s3.CfnBucketPolicy, bucket: s3.CfnBucket) -> None:
    """Have a policy made and kept as its bucket is.

    It must not outlive the bucket: a `Ref` to a bucket that is not made fails the deployment. Nor a bucket
    its policy: one that is retained would be open once its stack is gone.
    """
    of_bucket, of_policy = bucket.cfn_options, policy.cfn_options
    if of_bucket.condition is not None:
        of_policy.condition = of_bucket.condition
    if of_bucket.deletion_policy is not None:
        of_policy.deletion_policy = of_bucket.deletion_policy
    if of_bucket.update_replace_policy is not None:
        of_policy.update_replace_policy = of_bucket.update_replace_policy
