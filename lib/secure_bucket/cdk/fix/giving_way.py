"""Remove the policy that FIX gave a bucket before somebody else may give the bucket a child with the same id.

The AWS CDK gives the policy of an `s3.Bucket` the id `Policy`, and raises when a second child gets that id.
Without FIX such a bucket has no policy yet: the child of the app comes first, and FIX later writes the deny
elsewhere. Python does not see what the code of a TypeScript library does to a bucket. So FIX takes its policy
back before the app hands the bucket to a library, and fixes the bucket together with those that libraries
make themselves (`is_made_here`). To try the call and repeat it would not do: it may have done half its work.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import aws_cdk as cdk
import jsii
from aws_cdk import aws_s3 as s3
from constructs import Construct

from secure_bucket.cdk.fix.survey import SeenBucket, path_of
from secure_bucket.cdk.fix.taking_back import take_back_policy
from secure_bucket.cdk.gate.state import find_state, states

__all__ = ["give_way", "is_made_here"]

_GIVES_WAY = "gives_way_for_secure_bucket"
_BUCKET = "aws-cdk-lib.aws_s3.Bucket"
# The packages whose code gives no bucket of others a child `Policy`: the CDK adds to the policy that is
# there, and cdk-nag only writes metadata. cdk-nag 2 has to see the deny of a bucket with a suppression.
_KNOWN = ("aws-cdk-lib.", "constructs.", "@aws-cdk/", "cdk-nag.")
# The kinds and ids of the constructs that Python is making, the innermost last.
_being_made: list[tuple[str, object]] = []


def is_made_here(id: str) -> bool:
    """Tell whether Python code makes the `s3.Bucket` with this id, and not a TypeScript library."""
    return _being_made[-1:] == [(_BUCKET, id)]


def give_way() -> None:
    """Let what apps and libraries give buckets replace the policies that FIX made."""
    create = jsii.create
    # A wrapper around this one has its attributes too.
    if hasattr(create, _GIVES_WAY):
        return

    # Python makes each of its constructs here; a TypeScript library does not.
    @functools.wraps(create)
    def create_in_place_of_ours(klass: Any, obj: Any, args: list[Any] | None = None) -> Any:
        match args:
            case [s3.Bucket() as bucket, "Policy", *_]:
                _take_back(bucket)
        # No construct hands what it is given to its scope.
        _leave_to_the_end(klass, (args or [])[1:])
        _being_made.append((getattr(klass, "__jsii_type__", ""), args[1] if args and len(args) > 1 else None))
        try:
            return create(klass, obj, args)
        finally:
            _being_made.pop()

    setattr(create_in_place_of_ours, _GIVES_WAY, True)
    jsii.create = create_in_place_of_ours
    jsii.invoke, jsii.sinvoke, jsii.set = map(_giving_way, (jsii.invoke, jsii.sinvoke, jsii.set))


def _giving_way(call: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a call of a method, or the setting of a property."""

    @functools.wraps(call)
    def calls(receiver: Any, member: str, given: Any = None) -> Any:
        _leave_to_the_end(receiver, given)
        return call(receiver, member, given)

    return calls


def _leave_to_the_end(receiver: object, given: object) -> None:
    """Remove the policies that FIX made from the buckets that a call hands to a TypeScript library."""
    values = given if isinstance(given, list) else [given]
    if not (_is_of_a_library(receiver) or any(map(_is_of_a_library, values))):
        return
    for bucket in _buckets_in([receiver, *values]):
        state, stage = find_state(bucket.node.root), cdk.Stage.of(bucket)
        # Once FIX has handled the Stage, nothing would bring the deny back.
        if state is not None and stage is not None and not state.entered.get(path_of(stage)):
            _take_back(bucket)


def _is_of_a_library(value: object) -> bool:
    """Tell whether a class or an object is from a TypeScript library, and not from the AWS CDK or Python."""
    name = getattr(value if isinstance(value, type) else type(value), "__jsii_type__", None)
    return isinstance(name, str) and not name.startswith(_KNOWN)


def _buckets_in(value: object) -> Iterator[s3.Bucket]:
    """Yield the buckets among the arguments of a call, and in its props."""
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


def _take_back(bucket: s3.Bucket) -> None:
    """Remove the policy of a bucket if FIX made it and nobody else changed it."""
    if not any(state.denied for state in states()):
        return  # Each question is a call to the kernel.
    path = f"{path_of(bucket)}/Resource"
    state = find_state(bucket.node.root)
    resource, made = bucket.node.try_find_child("Resource"), bucket.policy
    if state is None or path not in state.denied or not isinstance(resource, s3.CfnBucket) or made is None:
        return
    policy = made.node.default_child
    if made.document.statement_count != 1 or not isinstance(policy, s3.CfnBucketPolicy):
        return
    take_back_policy(policy, SeenBucket(resource, path))
    state.denied.discard(path)
