"""Remove the policy that FIX gave a bucket when the app gives the bucket a child with the same id.

The AWS CDK gives the policy of an `s3.Bucket` the id `Policy`, and raises when a second child gets that id.
Without FIX such a bucket has no policy yet: the child of the app comes first, and FIX later writes the deny
elsewhere. Python does not see what a construct of a TypeScript library does to its own buckets, so FIX
handles those later (`is_made_here`).
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import Any

import jsii
from aws_cdk import aws_s3 as s3
from constructs import Construct

from secure_bucket.cdk.fix.survey import SeenBucket, path_of
from secure_bucket.cdk.fix.taking_back import take_back_policy
from secure_bucket.cdk.gate.state import find_state

__all__ = ["give_way", "is_made_here"]

_GIVES_WAY = "gives_way_for_secure_bucket"
_BUCKET = "aws-cdk-lib.aws_s3.Bucket"
_TAKEN = "already a Construct with name 'Policy'"
# The kinds and ids of the constructs that Python is making, the innermost last.
_being_made: list[tuple[str, object]] = []


def is_made_here(id: str) -> bool:
    """Tell whether Python code makes the `s3.Bucket` with this id, and not a TypeScript library."""
    return _being_made[-1:] == [(_BUCKET, id)]


def give_way() -> None:
    """Let children that apps give their buckets replace the policies that FIX made."""
    create = jsii.create
    # A wrapper around this one has its attributes too.
    if hasattr(create, _GIVES_WAY):
        return

    # Python makes each of its constructs here; a TypeScript library does not.
    @functools.wraps(create)
    def create_in_place_of_ours(klass: Any, obj: Any, args: list[Any] | None = None) -> Any:
        _being_made.append((getattr(klass, "__jsii_type__", ""), args[1] if args and len(args) > 1 else None))
        try:
            return create(klass, obj, args)
        except RuntimeError as error:
            if _TAKEN in str(error) and _gave_way(args or []):
                return create(klass, obj, args)
            raise
        finally:
            _being_made.pop()

    setattr(create_in_place_of_ours, _GIVES_WAY, True)
    jsii.create = create_in_place_of_ours


def _gave_way(args: list[Any]) -> bool:
    """Remove the policies that made a construct fail from the buckets among its arguments."""
    match args:
        case [s3.Bucket() as bucket, "Policy", *_]:
            return _took_back(bucket)
        case [Construct() as scope, str(id), *given]:
            took_back = [_took_back(each) for each in _buckets_in(given)]
            if any(took_back):
                scope.node.try_remove_child(id)  # It makes its children again after the failure.
                return True
    return False


def _buckets_in(value: object) -> Iterator[s3.Bucket]:
    """Yield the buckets among the arguments of a construct, and in its props."""
    if isinstance(value, s3.Bucket):
        yield value
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _buckets_in(each)
    elif isinstance(value, Mapping):
        yield from _buckets_in(list(value.values()))
    elif not isinstance(value, Construct):
        # The props of a construct are a struct of jsii.
        yield from _buckets_in(getattr(value, "_values", ()))


def _took_back(bucket: s3.Bucket) -> bool:
    """Remove the policy of a bucket if FIX made it and nobody else changed it."""
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
