"""Find the CloudFront distributions that request objects of a bucket over plain HTTP.

With the deny in the bucket policy, S3 answers such a request with 403. The CloudFront Developer Guide, read
in November 2026, documents what CloudFront sends:

- An S3 origin: *Require HTTPS for communication between CloudFront and your Amazon S3 origin*: "CloudFront
  forwards requests to S3 by using the protocol that viewers used to submit the requests". The page makes no
  exception for an origin access identity.
- An S3 origin with origin access control: *Restrict access to an Amazon S3 origin*: "communication between
  CloudFront and Amazon S3 is *always* through HTTPS, but only when you choose to *always sign requests*".
  With the other two settings "CloudFront uses the connection protocol that you specified" for viewers.
- A custom origin: *Protocol (custom origins only)*: HTTP only, HTTPS only, or the protocol of the viewer.
- A website endpoint is a custom origin that speaks plain HTTP only. SB004 is about it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from secure_bucket.template.buckets import Bucket
from secure_bucket.template.conditions import named_condition_holds
from secure_bucket.template.inventory import Inventory
from secure_bucket.template.receivers import may_name
from secure_bucket.template.references import bucket_name, get_att, ref
from secure_bucket.template.resolve import Resolver
from secure_bucket.template.stack import Resource, Stack
from secure_bucket.template.worlds import Infeasible, Undecidable, World, explore

__all__ = ["PlainViewers", "distributions_in", "plain_viewers"]

_DOMAINS = ("RegionalDomainName", "DomainName", "DualStackDomainName")
_ROUTES = ("OriginGroups", "DefaultCacheBehavior", "CacheBehaviors")
_VIEWERS_OF_DEFAULT = "allow-all"


class PlainViewers(Struct, frozen=True):
    """A distribution that requests objects of a bucket over plain HTTP.

    Args:
        logical_id: The logical id of the distribution.
        construct_path: The path of its construct; `""` without that metadata.
        why: The reason, as a clause.
        change: The change that prevents it, as a clause.
    """

    logical_id: str
    construct_path: str
    why: str
    change: str

    @property
    def named(self) -> str:
        """The distribution with its construct path, or else its logical id."""
        return f"distribution `{self.construct_path.removesuffix('/Resource') or self.logical_id}`"

    def __str__(self) -> str:
        """Describe in one line what it does and what to change."""
        return f"the CloudFront {self.named} {self.why}: {self.change}"


def distributions_in(inventory: Inventory) -> tuple[tuple[Stack, Resource], ...]:
    """Return the distributions of an assembly, each with its stack."""
    return tuple(
        (stack, resource)
        for stack in inventory.assembly.stacks
        for resource in stack.resources.values()
        if resource.type == "AWS::CloudFront::Distribution"
    )


def plain_viewers(
    inventory: Inventory, bucket: Bucket, distributions: Iterable[tuple[Stack, Resource]]
) -> tuple[PlainViewers, ...]:
    """Return the distributions that request objects of a bucket over plain HTTP in some deployment."""
    found: dict[PlainViewers, None] = {}
    for stack, resource in distributions:
        if not may_name(resource.properties, stack, bucket):
            continue

        def question(world: World, stack: Stack = stack, resource: Resource = resource) -> list[PlainViewers]:
            return list(_plain(inventory.resolver(world, False), stack, resource, bucket))

        with contextlib.suppress(Infeasible, Undecidable):
            for _, viewers in explore(question, inventory.start):
                found.update(dict.fromkeys(viewers))
    return tuple(found)


def _plain(resolver: Resolver, stack: Stack, resource: Resource, bucket: Bucket) -> Iterator[PlainViewers]:
    condition = resource.body.get("Condition")
    if condition is not None and not named_condition_holds(
        resolver, stack, condition, (resource.path, "Condition")
    ):
        return
    # A certificate or an alias that depends on parameters splits no world.
    origins = [
        origin
        for origin in _listed(resolver.property(stack, resource, "DistributionConfig", "Origins"))
        if isinstance(origin, Mapping)
        and _is_domain_of(bucket, origin.get("DomainName"), resolver)
        and not _is_always_signed(origin, resolver)
    ]
    if not origins:
        return
    config = {name: resolver.property(stack, resource, "DistributionConfig", name) for name in _ROUTES}
    behaviors = list(_behaviors(config))
    for origin in origins:
        for behavior, target, viewers in behaviors:
            if target == origin.get("Id"):
                for why, change in _requests(origin, behavior, viewers):
                    yield PlainViewers(resource.logical_id, stack.construct_path(resource), why, change)


def _requests(origin: Mapping[str, object], behavior: str, viewers: object) -> Iterator[tuple[str, str]]:
    """Yield why requests of a behavior come over plain HTTP, and what to change."""
    may_be_plain = viewers not in ("https-only", "redirect-to-https")
    custom = origin.get("CustomOriginConfig")
    if isinstance(custom, Mapping):
        protocol = custom.get("OriginProtocolPolicy")
        if protocol == "http-only" or (protocol != "https-only" and may_be_plain):
            yield (
                f"requests its objects over plain HTTP (`OriginProtocolPolicy` is `{_shown(protocol)}`)",
                "set `OriginProtocolPolicy` of the origin to `https-only`",
            )
    elif may_be_plain:
        yield (
            f"passes on the plain HTTP of viewers (`ViewerProtocolPolicy` of {behavior} is "
            f"`{_shown(viewers)}`)",
            f"set `ViewerProtocolPolicy` of {behavior} to `redirect-to-https` or `https-only`",
        )


def _is_always_signed(origin: Mapping[str, object], resolver: Resolver) -> bool:
    """Tell whether the origin access control of an S3 origin makes CloudFront use HTTPS."""
    id = origin.get("OriginAccessControlId")
    if id is None or "CustomOriginConfig" in origin:
        return False
    for stack in resolver.assembly.stacks:
        for resource in stack.resources.values():
            if resource.type == "AWS::CloudFront::OriginAccessControl" and id in (
                get_att(resolver, stack, resource.logical_id, "Id", resource.path),
                ref(resolver, stack, resource.logical_id, resource.path),
            ):
                config = resolver.property(stack, resource, "OriginAccessControlConfig")
                return isinstance(config, Mapping) and config.get("SigningBehavior") == "always"
    return False


def _shown(value: object) -> str:
    return value if isinstance(value, str) else "known at deployment only"


def _behaviors(config: Mapping[str, object]) -> Iterator[tuple[str, object, object]]:
    """Yield the name, the origin and the viewer protocol of each cache behavior."""
    groups = config.get("OriginGroups")
    members: dict[object, list[object]] = {}
    for group in _listed(groups.get("Items") if isinstance(groups, Mapping) else None):
        if isinstance(group, Mapping) and isinstance(group.get("Members"), Mapping):
            members[group.get("Id")] = [
                member.get("OriginId")
                for member in _listed(group["Members"].get("Items"))
                if isinstance(member, Mapping)
            ]
    named = [("the default behavior", config.get("DefaultCacheBehavior"))]
    for each in _listed(config.get("CacheBehaviors")):
        pattern = each.get("PathPattern") if isinstance(each, Mapping) else None
        named.append((f"the behavior for `{_shown(pattern)}`", each))
    for name, behavior in named:
        if isinstance(behavior, Mapping):
            target = behavior.get("TargetOriginId")
            for origin in members.get(target, [target]) if isinstance(target, str) else [target]:
                yield name, origin, behavior.get("ViewerProtocolPolicy", _VIEWERS_OF_DEFAULT)


def _is_domain_of(bucket: Bucket, value: object, resolver: Resolver) -> bool:
    stack, resource = bucket.stack, bucket.resource
    if value in [get_att(resolver, stack, resource.logical_id, each, resource.path) for each in _DOMAINS]:
        return True
    # `reports.s3.amazonaws.com`, `reports.s3-eu-west-1.amazonaws.com`. No name holds the `<` of a hole.
    text, start = str(value), f"{bucket_name(resolver, stack, resource)}.s3"
    return text.startswith((f"{start}.", f"{start}-")) and not text.startswith(f"{start}-website")


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else []
