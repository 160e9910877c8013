"""Tell which bucket a policy is for, in one world: by name and deployment."""

from __future__ import annotations

import contextlib

from secure_bucket.template.buckets import Bucket, BucketPolicy
from secure_bucket.template.inventory import Inventory
from secure_bucket.template.loops import exists
from secure_bucket.template.references import bucket_name
from secure_bucket.template.resolve import Resolver
from secure_bucket.template.stack import Stack
from secure_bucket.template.text import as_text, compare, holes
from secure_bucket.template.worlds import Fork, Infeasible, Undecidable
from secure_bucket.values.unknown import Text

__all__ = ["applies_to", "is_apart_from", "named_buckets", "targets_of"]


def applies_to(
    inventory: Inventory,
    resolver: Resolver,
    policy: BucketPolicy,
    target: str | Text,
    bucket: Bucket,
    name: str | Text,
) -> bool | None:
    """Tell whether a policy is for a bucket; `None` if that depends on something unknown."""
    same = compare(target, name)
    if same:
        return _is_meant(inventory, resolver, policy, target, bucket)
    if same is False:
        return False
    made_up = policy.stack is bucket.stack and any(hole.generated for hole in holes(name))
    if made_up and all(hole in resolver.given for hole in holes(target)):
        # A parameter of a stack cannot be a name that the stack itself generates.
        return False
    # No two buckets have the same name, so the policy of one is not the policy of another.
    for other in named_buckets(inventory, resolver, target, bucket.stack):
        if other is not bucket and _goes_with(resolver, policy, other, bucket.stack):
            return False
    return None


def _goes_with(resolver: Resolver, policy: BucketPolicy, other: Bucket, near: Stack) -> bool:
    """Tell whether another bucket exists if its policy does; separate deployments split no world."""
    if other.stack.outermost is near.outermost:
        return exists(resolver, other.stack, other.resource)
    if other.stack is policy.stack and not other.resource.members:
        condition = other.resource.body.get("Condition")
        if condition is None or condition == policy.resource.body.get("Condition"):
            return True
    with contextlib.suppress(Fork, Infeasible):
        return exists(resolver, other.stack, other.resource)
    return False


def named_buckets(inventory: Inventory, resolver: Resolver, target: str | Text, near: Stack) -> list[Bucket]:
    """Return the buckets that certainly have a name.

    A bucket that is deployed apart from a stack has the same name in every world: asking in this world could
    only split it.
    """
    named = inventory.names().get(target, ())
    apart = [other for other in named if other.stack.outermost is not near.outermost]
    return apart + [
        other
        for other in inventory.buckets_of(near.outermost)
        if compare(target, bucket_name(resolver, other.stack, other.resource))
    ]


def _is_meant(
    inventory: Inventory, resolver: Resolver, policy: BucketPolicy, target: str | Text, bucket: Bucket
) -> bool | None:
    """Tell which bucket a policy is for if several have the name, each in a separate deployment.

    An app often deploys its stacks to several accounts, with one Stage for each and the same names: the
    policy belongs to the nearest bucket.
    """
    if bucket.stack is policy.stack:
        return True
    if policy.stack.account and bucket.stack.account not in ("", policy.stack.account):
        return False
    distance = _distance(policy.stack, bucket.stack)
    rivals = [
        _distance(policy.stack, other.stack)
        for other in named_buckets(inventory, resolver, target, bucket.stack)
        if other is not bucket and exists(resolver, other.stack, other.resource)
    ]
    nearest = min(rivals, default=distance + 1)
    return None if nearest == distance else distance < nearest


def _distance(one: Stack, other: Stack) -> int:
    """Return the distance of two stacks: the same stack, deployed together, in one Stage, or anywhere."""
    if one is other:
        return 0
    first, second = one.outermost, other.outermost
    if first is second:
        return 1
    return 2 if first.name.rpartition("/")[0] == second.name.rpartition("/")[0] else 3


def is_apart_from(one: Stack, other: Stack) -> bool:
    """Tell whether a stack may be absent if another one is deployed."""
    around = [other]
    while around[-1].parent is not None:
        around.append(around[-1].parent)
    while one not in around:
        if one.is_optional:
            return True
        if one.parent is None:
            return around[-1].is_optional or one.stage != other.stage
        one = one.parent
    return False


def targets_of(
    inventory: Inventory, resolver: Resolver, policy: BucketPolicy, near: Stack
) -> list[str | Text]:
    """Return the names that a policy is for; a separately deployed one has the same in every world."""
    if policy.stack.outermost is not near.outermost:
        with contextlib.suppress(Fork, Infeasible, Undecidable):
            first = inventory.resolver(inventory.start, False)
            return [resolver.world.fix(text) for text in _targets_in(first, policy)]
    return _targets_in(resolver, policy)


def _targets_in(resolver: Resolver, policy: BucketPolicy) -> list[str | Text]:
    known = resolver.targets.get(id(policy))
    if known is not None:
        return known
    target = None
    try:
        target = resolver.property(policy.stack, policy.resource, "Bucket")
    except Infeasible:
        if exists(resolver, policy.stack, policy.resource):
            raise
    # `Bucket` is one name; a list fails at deployment, but is read as names too.
    targets = target if isinstance(target, list) else [target]
    texts = [as_text(item) for item in targets if item is not None]
    resolver.targets[id(policy)] = known = [text for text in texts if text is not None]
    return known
