"""List the possible deployments of a bucket, each with its policies."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping

from msgspec import Struct

from secure_bucket.template.buckets import Bucket, BucketPolicy
from secure_bucket.template.conditions import obeys_rules
from secure_bucket.template.inventory import Inventory
from secure_bucket.template.loops import exists, go_through_loops
from secure_bucket.template.policy_targets import applies_to, is_apart_from, named_buckets, targets_of
from secure_bucket.template.policy_text import PolicyTextError, read_policy_text
from secure_bucket.template.pseudo_parameters import partition
from secure_bucket.template.receivers import receiver_of
from secure_bucket.template.references import bucket_arn, bucket_name
from secure_bucket.template.resolve import Resolver
from secure_bucket.template.stack import Path, Stack
from secure_bucket.template.text import texts_in
from secure_bucket.template.worlds import (
    PARTITION,
    URL_SUFFIX,
    URL_SUFFIXES,
    Fork,
    Infeasible,
    Undecidable,
    World,
    explore,
)
from secure_bucket.values.unknown import Text, Unknown

__all__ = ["Applied", "Deployment", "deployments_of", "foreign_deployments_of", "source_of"]

# A bucket with more possible policies is undecided.
MAX_POSSIBLE = 32
# About a second of processor time for one bucket: 256 worlds of 1,500 values each.
MAX_BUCKET_VALUES = 400_000
_S3_ARN = re.compile(r"arn:(aws[a-z-]*):s3:")


class Applied(Struct, frozen=True):
    """A policy in one deployment.

    Args:
        policy: The policy.
        document: Its resolved document, with `Text` and `Unknown` for unknown parts.
        bucket_arn: The ARN of the bucket that it is for.
        certain: Whether that is certainly the bucket in question; otherwise it may be.
        is_apart: Whether the bucket can be deployed without it, because it is in another Stage, or in a
            template that may not be deployed: it can make a verdict worse, but proves nothing.
    """

    policy: BucketPolicy
    document: object
    bucket_arn: str | Text
    certain: bool
    is_apart: bool = False


class Deployment(Struct, frozen=True):
    """One possible deployment of a bucket, or of the bucket of a policy.

    Args:
        world: The fixed values of this deployment.
        bucket_arn: Its ARN.
        policies: The policies that are or may be for it.
        website: Whether it is a website; an `Unknown` if that is not known.
        expandable: Whether fixing parameters with listed values would give more information.
        unread: The unreadable resource that may contain a policy for it; `None` if all its policies are
            known.
    """

    world: World
    bucket_arn: str | Text
    policies: tuple[Applied, ...]
    website: bool | Unknown
    expandable: bool
    unread: Unknown | None = None


def deployments_of(inventory: Inventory, bucket: Bucket, *, expand: bool = False) -> Iterator[Deployment]:
    """Return the possible deployments of a bucket that differ.

    Raises:
        Undecidable: There are too many, or they depend on something unknown.
    """

    spent = inventory.assembly.spent

    def question(world: World) -> Deployment | None:
        if inventory.assembly.spent - spent > MAX_BUCKET_VALUES:
            reason = f"its combinations of parameters come to more than {MAX_BUCKET_VALUES:,} values"
            raise Undecidable(Unknown(reason))
        return _deployment(inventory, inventory.resolver(world, expand), bucket)

    for _, deployment in explore(question, inventory.start):
        if deployment is not None:
            yield deployment


def foreign_deployments_of(
    inventory: Inventory, policy: BucketPolicy, *, expand: bool = False
) -> Iterator[Deployment]:
    """Return the possible deployments of a policy for a bucket outside the assembly.

    Raises:
        Undecidable: There are too many, or they depend on something unknown.
    """

    def question(world: World) -> list[Deployment]:
        return _foreign(inventory, inventory.resolver(world, expand), policy)

    for _, found in explore(question, inventory.start):
        yield from found


def source_of(
    inventory: Inventory, world: World, applied: Applied, pointer: str, *, expand: bool = False
) -> Path:
    """Return the place in the source of a part of a resolved policy document."""
    resolver = inventory.resolver(world, expand)
    policy = applied.policy
    path: Path = policy.resource.properties_path
    tokens = [token.replace("~1", "/").replace("~0", "~") for token in pointer.split("/")[1:]]
    try:
        return resolver.source(policy.stack, policy.resource.properties, path, ["PolicyDocument", *tokens])
    except (Fork, Infeasible, Undecidable):
        return path


def _deployment(inventory: Inventory, resolver: Resolver, bucket: Bucket) -> Deployment | None:
    if not exists(resolver, bucket.stack, bucket.resource):
        return None
    name = bucket_name(resolver, bucket.stack, bucket.resource)
    applied: list[Applied] = []
    for policy in inventory.direct.get(id(bucket.resource), ()):
        if exists(resolver, policy.stack, policy.resource):
            arn = bucket_arn(resolver, bucket.stack, name)
            applied.append(Applied(policy, _document(resolver, policy), arn, certain=True))
    for policy in inventory.loose:
        try:
            applied += _loose(inventory, resolver, policy, bucket, name)
        except Infeasible:
            if policy.stack.outermost is bucket.stack.outermost:
                raise
            # The stack of the bucket is deployed although the other stack cannot be.
        if sum(not each.certain for each in applied) > MAX_POSSIBLE:
            reason = f"more than {MAX_POSSIBLE} policies may be for this bucket"
            raise Undecidable(resolver.opaque(bucket.stack, reason, bucket.resource.path))
    unread = receiver_of(inventory, resolver, bucket, name)
    _settle_partition(resolver, bucket.stack, [each for each in applied if not each.is_apart])
    _allow(inventory, resolver, bucket.stack)
    website = resolver.property(bucket.stack, bucket.resource, "WebsiteConfiguration")
    return Deployment(
        resolver.world,
        bucket_arn(resolver, bucket.stack, name),
        tuple(applied),
        website if isinstance(website, Unknown) else website is not None,
        resolver.expandable,
        unread,
    )


def _loose(
    inventory: Inventory, resolver: Resolver, policy: BucketPolicy, bucket: Bucket, name: str | Text
) -> list[Applied]:
    """Return a policy without a plain `Ref` to a bucket, if it is or may be for this bucket."""
    # Check last whether the policy exists, because that may depend on other parameters than the bucket.
    for target in targets_of(inventory, resolver, policy, bucket.stack):
        applies = applies_to(inventory, resolver, policy, target, bucket, name)
        if applies is None and policy.stack.outermost is not bucket.stack.outermost:
            return _apart(resolver, policy, target, bucket.stack)
        if applies is not False and exists(resolver, policy.stack, policy.resource):
            owner, named = (bucket.stack, name) if applies else (policy.stack, target)
            arn = bucket_arn(resolver, owner, named)
            apart = is_apart_from(policy.stack, bucket.stack)
            return [Applied(policy, _document(resolver, policy), arn, applies is True, apart)]
    return []


def _apart(resolver: Resolver, policy: BucketPolicy, target: str | Text, stack: Stack) -> list[Applied]:
    """Return a policy that is deployed apart from a bucket, and may be for it; nothing if it never exists.

    Its parameters split no world: they only add unknowns.
    """
    document: object = resolver.opaque(
        policy.stack, "it depends on the parameters of another template", policy.resource.path
    )
    with contextlib.suppress(Fork):
        if not exists(resolver, policy.stack, policy.resource):
            return []
        document = _document(resolver, policy)
    arn = bucket_arn(resolver, policy.stack, target)
    return [Applied(policy, document, arn, certain=False, is_apart=is_apart_from(policy.stack, stack))]


def _allow(inventory: Inventory, resolver: Resolver, stack: Stack) -> None:
    """Reject a world in which a loop fails, or that the rules of the template forbid."""
    if resolver.world is inventory.start:
        return
    go_through_loops(resolver, stack)
    if not obeys_rules(resolver, stack):
        raise Infeasible(resolver.opaque(stack, "a rule of the template forbids it", ("", "Rules")))


def _foreign(inventory: Inventory, resolver: Resolver, policy: BucketPolicy) -> list[Deployment]:
    if not exists(resolver, policy.stack, policy.resource):
        return []
    found = []
    for target in targets_of(inventory, resolver, policy, policy.stack):
        if named_buckets(inventory, resolver, target, policy.stack):
            continue
        arn = bucket_arn(resolver, policy.stack, target)
        applied = Applied(policy, _document(resolver, policy), arn, certain=True)
        _settle_partition(resolver, policy.stack, [applied])
        _allow(inventory, resolver, policy.stack)
        found.append(Deployment(resolver.world, arn, (applied,), False, resolver.expandable))
    return found


def _document(resolver: Resolver, policy: BucketPolicy) -> object:
    properties = policy.resource.properties
    written = properties.get("PolicyDocument") if isinstance(properties, Mapping) else None
    if isinstance(written, Mapping) and len(written) == 1 and "Fn::ToJsonString" in written:
        # A document with holes can be judged as values, but not as one text.
        path = ((policy.resource.properties_path, "PolicyDocument"), "Fn::ToJsonString")
        return resolver.resolve(policy.stack, written["Fn::ToJsonString"], path)
    document = resolver.property(policy.stack, policy.resource, "PolicyDocument")
    if isinstance(document, str):
        try:
            return read_policy_text(document)
        except PolicyTextError as error:
            path = (policy.resource.properties_path, "PolicyDocument")
            return resolver.opaque(policy.stack, str(error), path)
    return document


def _settle_partition(resolver: Resolver, stack: Stack, applied: list[Applied]) -> None:
    """Fork over the partitions that the policies name, if the partition is still open.

    S3 accepts a policy only in its own partition, so a literal partition shows where the template is
    deployed. Without one, it is the partition `aws`, which also remains possible beside open partitions.
    """
    if not isinstance(partition(resolver, stack), Text):
        return
    named: dict[str, None] = {}
    left_open = False
    for policy in applied:
        for arn in _resources(policy.document):
            match = _S3_ARN.match(arn if isinstance(arn, str) else str(arn.parts[0]))
            if match:
                named[match[1]] = None
            elif isinstance(arn, Text) and PARTITION in arn.parts:
                left_open = True
    if left_open:
        named["aws"] = None
    if any(_compares_partition(text) for each in applied for text in _texts(each)):
        named = dict.fromkeys(URL_SUFFIXES)
    candidates = resolver.world.remaining(PARTITION, tuple(named) or ("aws",))
    known = ("aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-eusc")
    candidates = candidates or resolver.world.remaining(PARTITION, known)[:1]
    resolver.world.choose(PARTITION, candidates)


def _texts(applied: Applied) -> Iterator[str | Text]:
    yield applied.bucket_arn
    yield from texts_in(applied.document)


def _compares_partition(text: str | Text) -> bool:
    """Tell whether a text has the partition elsewhere than at the beginning of an ARN."""
    parts = () if isinstance(text, str) else text.parts
    return any(
        part in (PARTITION, URL_SUFFIX) and not str(before).endswith("arn:")
        for before, part in zip(("", *parts), parts, strict=False)
    )


def _resources(document: object) -> Iterator[str | Text]:
    statements = document.get("Statement") if isinstance(document, dict) else None
    for statement in statements if isinstance(statements, list) else [statements]:
        if isinstance(statement, dict):
            for key in ("Resource", "NotResource"):
                value = statement.get(key)
                for arn in value if isinstance(value, list) else [value]:
                    if isinstance(arn, (str, Text)):
                        yield arn
