"""Give the policy of a bucket the lifetime of that bucket."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias
from weakref import WeakKeyDictionary

import aws_cdk as cdk
import jsii
from aws_cdk import aws_s3 as s3
from constructs import Construct, IConstruct, IValidation

__all__ = ["condition_differs", "keep_made", "keep_own", "keep_policy", "keep_through_overrides"]

_Policy: TypeAlias = "s3.BucketPolicy | s3.CfnBucketPolicy"

_ATTRIBUTES = {"DeletionPolicy": "deletion_policy", "UpdateReplacePolicy": "update_replace_policy"}

_REMOVALS: dict[tuple[object, ...], cdk.RemovalPolicy] = {
    (cdk.CfnDeletionPolicy.DELETE, cdk.CfnDeletionPolicy.DELETE): cdk.RemovalPolicy.DESTROY,
    (cdk.CfnDeletionPolicy.RETAIN, cdk.CfnDeletionPolicy.RETAIN): cdk.RemovalPolicy.RETAIN,
}


def condition_differs(policy: s3.CfnBucketPolicy, bucket: s3.CfnBucket) -> str:
    """Return why a policy would not be there whenever its bucket is; `""` if it would."""
    condition = policy.cfn_options.condition
    if condition is None:
        return ""
    of_bucket = bucket.cfn_options.condition
    if of_bucket is not None and of_bucket.node.path == condition.node.path:
        return ""
    id = condition.node.id
    return f"exists only under the condition `{id}`, and the bucket does not depend on it in the same way"


def keep_policy(policy: _Policy, bucket: s3.CfnBucket) -> None:
    """Keep a policy as long as its bucket, also when the lifetime of the bucket changes later.

    A retained bucket whose policy goes with the stack is open from then on. A policy must not outlive the
    bucket either: a `Ref` to a bucket that is not made fails the deployment.

    Args:
        policy: The policy.
        bucket: Its bucket.
    """
    _lifetimes_in(bucket).pairs.append((policy, bucket))


def keep_own(owner: s3.Bucket, scope: Construct) -> None:
    """Keep the policy that an `s3.Bucket` has made for itself as long as that bucket.

    Args:
        owner: The bucket.
        scope: The construct that the bucket belongs to.
    """
    _lifetimes_in(scope).owners.append(owner)


def keep_made(scope: Construct, id: str) -> None:
    """Keep the policy that an `s3.Bucket` makes for itself as long as that bucket.

    Args:
        scope: The construct that the bucket belongs to.
        id: The id of the bucket, which need not exist yet.
    """
    _lifetimes_in(scope).made.append((scope, id))


@jsii.implements(IValidation)
class _Lifetimes:
    """The policies of one Stage that are to live as long as their buckets.

    The AWS CDK validates a Stage after its Aspects have run and before it writes the templates. That is the
    only moment at which the lifetimes are final and can still be followed.
    """

    def __init__(self) -> None:
        self.made: list[tuple[Construct, str]] = []
        self.owners: list[s3.Bucket] = []
        self.pairs: list[tuple[_Policy, s3.CfnBucket]] = []

    def validate(self) -> list[str]:
        """Follow the buckets; the AWS CDK calls this."""
        for policy, bucket in self.pairs:
            _follow(policy, bucket)
        for made, bucket in self._made():
            _follow(made, bucket)
        return []

    def _made(self) -> Iterator[tuple[s3.BucketPolicy, s3.CfnBucket]]:
        found = (scope.node.try_find_child(id) for scope, id in self.made)
        for owner in (*self.owners, *found):
            if isinstance(owner, s3.Bucket):
                policy, bucket = owner.policy, owner.node.default_child
                if policy is not None and isinstance(bucket, s3.CfnBucket):
                    yield policy, bucket


def _follow(policy: _Policy, bucket: s3.CfnBucket) -> None:
    """Give a policy the lifetime of its bucket, in as few calls to the jsii kernel as possible."""
    options = bucket.cfn_options
    condition, values = options.condition, [getattr(options, each) for each in _ATTRIBUTES.values()]
    removal = _REMOVALS.get(tuple(values))
    if removal is not None:
        policy.apply_removal_policy(removal)
    if condition is None and (removal is not None or not any(values)):
        return
    resource = policy if isinstance(policy, s3.CfnBucketPolicy) else policy.node.default_child
    assert isinstance(resource, s3.CfnBucketPolicy)
    given = resource.cfn_options
    if condition is not None:
        given.condition = condition
    for attribute, value in zip(_ATTRIBUTES.values(), values, strict=True):
        if value is not None:
            setattr(given, attribute, value)


# A construct leads to its Stage with calls to the jsii kernel, and many buckets are made in one scope.
_lifetimes: WeakKeyDictionary[IConstruct, _Lifetimes] = WeakKeyDictionary()


def _lifetimes_in(scope: Construct) -> _Lifetimes:
    found = _lifetimes.get(scope)
    if found is None:
        stage = cdk.Stage.of(scope) or scope.node.root
        found = _lifetimes.get(stage)
        if found is None:
            found = _lifetimes[stage] = _Lifetimes()
            stage.node.add_validation(found)
        _lifetimes[scope] = found
    return found


def keep_through_overrides(policy: s3.CfnBucketPolicy, bucket: s3.CfnBucket) -> None:
    """Retain the policy of a bucket that is not retained, once an override decides about the bucket.

    No property tells of an override. But an override takes the place of an earlier one, so that the CDK
    stops asking for the earlier value. What such an override says is not known either: the policy is
    retained, which does no harm where the bucket is deleted, because S3 deletes the policy with it.

    Args:
        policy: The policy.
        bucket: Its bucket, which nobody has overridden yet.
    """
    options = bucket.cfn_options
    for attribute, option in _ATTRIBUTES.items():
        lifetime = _Lifetime(options, option)
        bucket.add_override(attribute, cdk.Lazy.uncached_any(lifetime))
        policy.add_override(attribute, cdk.Lazy.uncached_any(_Followed(lifetime)))


@jsii.implements(cdk.IAnyProducer)
class _Lifetime:
    """One attribute of a bucket, which notes that the CDK asked for it."""

    def __init__(self, options: cdk.ICfnResourceOptions, option: str) -> None:
        self._options = options
        self._option = option
        self.asked = False

    def produce(self, context: cdk.IResolveContext) -> str | None:
        self.asked = True
        return self.value

    @property
    def value(self) -> str | None:
        policy: cdk.CfnDeletionPolicy | None = getattr(self._options, self._option)
        return None if policy is None else policy.name.title().replace("_", "")


@jsii.implements(cdk.IAnyProducer)
class _Followed:
    """The same attribute of its policy."""

    def __init__(self, bucket: _Lifetime) -> None:
        self._bucket = bucket

    def produce(self, context: cdk.IResolveContext) -> str | None:
        # INVARIANT: each time the CDK writes a stack it asks for the bucket before its policy, which the L2
        # makes later.
        asked, self._bucket.asked = self._bucket.asked, False
        return self._bucket.value if asked else "Retain"
