"""Remove the deny of FIX from the policy of a bucket, and the policy if it holds nothing else."""

from __future__ import annotations

from aws_cdk import aws_s3 as s3

from secure_bucket.cdk.fix.policy_finder import FoundPolicy, own_policy
from secure_bucket.cdk.fix.policy_writer import without_statement
from secure_bucket.cdk.fix.survey import SeenBucket
from secure_bucket.policy.statements import deny_plain_http

__all__ = ["remove_made", "remove_policy", "take_back", "take_back_policy"]


def take_back(policy: FoundPolicy, bucket: SeenBucket, *, is_all: bool) -> None:
    """Remove the deny that a bucket was made with, and its policy if it holds nothing else."""
    if not is_all:
        deny = deny_plain_http(bucket.arn)
        policy.policy.policy_document = without_statement(policy.written, deny)
    else:
        take_back_policy(policy.policy, bucket)


def take_back_policy(policy: s3.CfnBucketPolicy, bucket: SeenBucket) -> None:
    """Remove the policy that an `s3.Bucket` was made with."""
    if (owner := bucket.owner) is not None:
        remove_policy(policy)
        owner.policy = None
        # Resources that depend on the policy now depend on the bucket.
        policy.override_logical_id(bucket.logical_id)


def remove_policy(policy: s3.CfnBucketPolicy) -> None:
    """Remove the policy that an `s3.Bucket` made for itself."""
    made = policy.node.scope
    owner = made.node.scope if made is not None else None
    if made is not None and owner is not None:
        owner.node.try_remove_child("Policy")
        # Constructs that depend on the policy now depend on nothing, as without a policy.
        made.node.try_remove_child("Resource")


def remove_made(bucket: SeenBucket, id: str) -> None:
    """Remove the policy that FIX made for a bucket: that of its L2, or else the child with an id."""
    policy = own_policy(bucket.owner)
    if policy is None:
        bucket.bucket.node.try_remove_child(id)
    else:
        take_back_policy(policy, bucket)
