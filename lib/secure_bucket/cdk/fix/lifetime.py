"""Give the policy of a bucket the lifetime of that bucket."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias
from weakref import WeakKeyDictionary

import aws_cdk as cdk
import jsii
from aws_cdk import aws_s3 as s3
from constructs import Construct, IConstruct, IValidation

from secure_bucket.cdk.fix.survey import SeenBucket

__all__ = [
    "condition_differs",
    "keep_made",
    "keep_own",
    "keep_policy",
    "keep_through_overrides",
    "removal_policy_of",
]

_Policy: TypeAlias = "s3.BucketPolicy | s3.CfnBucketPolicy"

_ATTRIBUTES = {"DeletionPolicy": "deletion_policy", "UpdateReplacePolicy": "update_replace_policy"}

# By the resolved `DeletionPolicy` and `UpdateReplacePolicy`.
_REMOVALS: dict[tuple[object, object], cdk.RemovalPolicy] = {
    ("Delete", "Delete"): cdk.RemovalPolicy.DESTROY,
    ("Retain", "Retain"): cdk.RemovalPolicy.RETAIN,
}


def condition_differs(policy: s3.CfnBucketPolicy, bucket: s3.CfnBucket) -> str:
    """Return why a policy may be missing although its bucket exists; `""` if it cannot be."""
    condition = policy.cfn_options.condition
    if condition is None:
        return ""
    of_bucket = bucket.cfn_options.condition
    if of_bucket is not None and of_bucket.node.path == condition.node.path:
        return ""
    id = condition.node.id
    return f"exists only under the condition `{id}`, and the bucket does not depend on it in the same way"


def removal_policy_of(attributes: Mapping[str, Any]) -> cdk.RemovalPolicy | None:
    """Return the removal policy that matches resolved attributes; `None` if there is no such policy."""
    lifetime = (attributes.get("deletionPolicy"), attributes.get("updateReplacePolicy"))
    return None if "condition" in attributes else _REMOVALS.get(lifetime)


def keep_policy(
    policy: _Policy,
    bucket: SeenBucket,
    stage: IConstruct | None = None,
    given: cdk.RemovalPolicy | None = None,
) -> None:
    """Give a policy the lifetime of its bucket, also if that changes later.

    A retained bucket is open once its policy is deleted with the stack. A policy must not outlive the bucket
    either: a `Ref` to a missing bucket fails the deployment.

    Args:
        policy: The policy.
        bucket: Its bucket.
        stage: The App or the Stage that the bucket is in (default: the nearest).
        given: The removal policy that the policy was made with.
    """
    _lifetimes_in(bucket.bucket, stage).pairs.append((policy, bucket.options, given))


def keep_own(owner: s3.Bucket, scope: Construct) -> None:
    """Give the policy that an `s3.Bucket` has made for itself the lifetime of that bucket.

    Args:
        owner: The bucket.
        scope: The construct that the bucket belongs to.
    """
    _lifetimes_in(scope).owners.append(owner)


def keep_made(scope: Construct, id: str) -> None:
    """Give the policy that an `s3.Bucket` will make for itself the lifetime of that bucket.

    Args:
        scope: The construct that the bucket belongs to.
        id: The id of the bucket, which need not exist yet.
    """
    _lifetimes_in(scope).made.append((scope, id))


@jsii.implements(IValidation)
class _Lifetimes:
    """The policies of one Stage that follow the lifetime of their buckets.

    The AWS CDK validates a Stage after its Aspects and before it writes the templates: the only moment when
    the lifetimes are final and the policies can still follow them.
    """

    def __init__(self) -> None:
        self.made: list[tuple[Construct, str]] = []
        self.owners: list[s3.Bucket] = []
        self.pairs: list[tuple[_Policy, cdk.ICfnResourceOptions, cdk.RemovalPolicy | None]] = []

    def validate(self) -> list[str]:
        """Copy the lifetimes of the buckets; the AWS CDK calls this."""
        pairs = [*self.pairs, *((policy, bucket.cfn_options, None) for policy, bucket in self._made())]
        if pairs:
            # One call resolves the attributes of all buckets; otherwise each bucket takes six calls.
            options = {str(number): options for number, (_, options, _) in enumerate(pairs)}
            resolved = cdk.Stack.of(pairs[0][0]).resolve(options) or {}
            for number, (policy, bucket, given) in enumerate(pairs):
                attributes = resolved.get(str(number), {})
                if given is None or removal_policy_of(attributes) is not given:
                    _follow(policy, bucket, attributes, anew=given is not None)
        return []

    def _made(self) -> Iterator[tuple[s3.BucketPolicy, s3.CfnBucket]]:
        found = (scope.node.try_find_child(id) for scope, id in self.made)
        for owner in (*self.owners, *found):
            if isinstance(owner, s3.Bucket):
                policy, bucket = owner.policy, owner.node.default_child
                if policy is not None and isinstance(bucket, s3.CfnBucket):
                    yield policy, bucket


def _follow(
    policy: _Policy, theirs: cdk.ICfnResourceOptions, attributes: Mapping[str, Any], *, anew: bool
) -> None:
    """Give a policy the lifetime of its bucket; `anew` removes attributes that the bucket no longer has."""
    removal = removal_policy_of(attributes)
    if removal is not None:
        policy.apply_removal_policy(removal)
        return
    if not anew and not attributes.keys() & {"condition", "deletionPolicy", "updateReplacePolicy"}:
        return
    resource = policy if isinstance(policy, s3.CfnBucketPolicy) else policy.node.default_child
    assert isinstance(resource, s3.CfnBucketPolicy)
    ours = resource.cfn_options
    if "condition" in attributes:
        ours.condition = theirs.condition
    for attribute in _ATTRIBUTES.values():
        value = getattr(theirs, attribute)
        if anew or value is not None:
            setattr(ours, attribute, value)


# Finding the Stage of a construct takes calls to the jsii kernel, and one scope can hold many buckets.
_lifetimes: WeakKeyDictionary[IConstruct, _Lifetimes] = WeakKeyDictionary()


def _lifetimes_in(scope: Construct, stage: IConstruct | None = None) -> _Lifetimes:
    found = _lifetimes.get(scope if stage is None else stage)
    if found is None:
        stage = stage or cdk.Stage.of(scope) or scope.node.root
        found = _lifetimes.get(stage)
        if found is None:
            found = _lifetimes[stage] = _Lifetimes()
            stage.node.add_validation(found)
        _lifetimes[scope] = found
    return found


def keep_through_overrides(policy: s3.CfnBucketPolicy, bucket: s3.CfnBucket) -> None:
    """Retain a policy if an override sets the lifetime of its bucket.

    No property shows an override. But an override replaces an earlier one, and then the CDK stops asking for
    the earlier value. The value of such an override is not known either, so the policy is retained. That does
    no harm if the bucket is deleted, because S3 deletes the policy with it.

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
    """An attribute of a bucket that notes when the CDK asks for it."""

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
        # INVARIANT: each time the CDK writes a stack, it asks for the bucket before its policy, because the
        # L2 makes the policy later.
        asked, self._bucket.asked = self._bucket.asked, False
        return self._bucket.value if asked else "Retain"
