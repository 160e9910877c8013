"""Take the policy that FIX gave a bucket back when the app gives the bucket a child with the same id.

The AWS CDK gives the policy of an `s3.Bucket` the id `Policy`, and raises when a second child gets that id.
Without FIX such a bucket has no policy yet, so that the child of the app comes first, and FIX later writes
the deny elsewhere.
"""

from __future__ import annotations

import functools
from typing import Any

import jsii
from aws_cdk import aws_s3 as s3

from secure_bucket.cdk.fix.survey import SeenBucket, path_of
from secure_bucket.cdk.fix.taking_back import take_back_policy
from secure_bucket.cdk.gate.state import find_state

__all__ = ["give_way"]

_GIVES_WAY = "gives_way_for_secure_bucket"


def give_way() -> None:
    """Let the children that apps give their buckets come before the policies that FIX made."""
    create = jsii.create
    # A wrapper that others put around this one has its attributes too.
    if hasattr(create, _GIVES_WAY):
        return

    # Every construct that Python makes is made here; one that a library in TypeScript makes is not.
    @functools.wraps(create)
    def create_in_place_of_ours(klass: Any, obj: Any, args: list[Any] | None = None) -> Any:
        try:
            return create(klass, obj, args)
        except RuntimeError:
            match args:
                case [s3.Bucket() as bucket, "Policy", *_] if _took_back(bucket):
                    return create(klass, obj, args)
            raise

    setattr(create_in_place_of_ours, _GIVES_WAY, True)
    jsii.create = create_in_place_of_ours


def _took_back(bucket: s3.Bucket) -> bool:
    """Take back the policy of a bucket, if FIX made it and nobody else wrote into it."""
    path = f"{path_of(bucket)}/Resource"
    state = find_state(bucket.node.root)
    resource, made = bucket.node.try_find_child("Resource"), bucket.policy
    if state is None or path not in state.denied or not isinstance(resource, s3.CfnBucket) or made is None:
        return False
    policy = made.node.default_child
    if made.document.statement_count != 1 or not isinstance(policy, s3.CfnBucketPolicy):
        return False
    take_back_policy(policy, SeenBucket(resource, path))
    state.denied.discard(path)
    return True
