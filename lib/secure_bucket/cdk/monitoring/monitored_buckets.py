"""Collect the buckets of a monitoring, and check that it can see them from its stack."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3
from constructs import Construct, IConstruct
from msgspec import Struct

from secure_bucket.cdk.buckets.refuse import refuse, shown

__all__ = ["KIND", "Watched", "top_stack", "watch"]

KIND = "secure transport monitoring"


class Watched(Struct, frozen=True):
    """The buckets of a monitoring.

    Args:
        buckets: The buckets; empty for every bucket of the account in its region.
        names: Their names, some of which are known only at deployment.
        arns: Their ARNs.
    """

    buckets: tuple[s3.IBucket | s3.CfnBucket, ...]
    names: tuple[str, ...]
    arns: tuple[str, ...]

    def chunks(self, size: int) -> Iterator[tuple[str, ...]]:
        """Return the names in chunks; one empty chunk if every bucket is watched."""
        for start in range(0, len(self.names) or 1, size):
            yield self.names[start : start + size]


def watch(
    scope: Construct, path: str, buckets: Sequence[s3.IBucket | s3.CfnBucket] | None, all_buckets: bool
) -> Watched:
    """Return the buckets to watch.

    Args:
        scope: The scope of the monitoring.
        path: The path of the monitoring.
        buckets: The buckets, each counted once.
        all_buckets: Whether to watch every bucket of the account in its region instead.

    Raises:
        ConstructError: The list is empty, or holds an item that is not a bucket, or a bucket in another
            account or region.
    """
    if isinstance(buckets, str):
        refuse(
            KIND,
            path,
            f"`buckets={shown(buckets)}` is a text. Write a list of buckets; one of which only the name is "
            'known is `s3.Bucket.from_bucket_name(self, "Theirs", "name")`',
        )
    if _is_bucket(buckets):
        refuse(KIND, path, "`buckets` is a single bucket. Write a list: `buckets=[bucket]`")
    if buckets is not None and not isinstance(buckets, Sequence):
        refuse(KIND, path, f"`buckets={shown(buckets)}` is not a list. Put the buckets into one")
    if all_buckets and buckets:
        refuse(
            KIND,
            path,
            "`all_buckets=True` watches every bucket of the account in this region, and `buckets` names "
            "some. Leave out one of them",
        )
    if not all_buckets and not buckets:
        refuse(
            KIND,
            path,
            "there is nothing to watch. Name the buckets (`buckets=[bucket]`), or write `all_buckets=True` "
            "for every bucket of the account in this region, which CloudTrail charges for each request to "
            "any of them",
        )
    distinct: dict[str, s3.IBucket | s3.CfnBucket] = {}
    stack = cdk.Stack.of(scope)
    for bucket in buckets or ():
        if not _is_bucket(bucket):
            refuse(
                KIND,
                path,
                f"`buckets` holds {shown(bucket)}, which is not a bucket. A bucket of which only the name is "
                'known is `s3.Bucket.from_bucket_name(self, "Theirs", "name")`',
            )
        _demand_same_place(path, stack, bucket)
        distinct.setdefault(bucket.node.path, bucket)
    found = tuple(distinct.values())
    return Watched(
        found,
        tuple(each.ref if isinstance(each, s3.CfnBucket) else each.bucket_name for each in found),
        tuple(each.attr_arn if isinstance(each, s3.CfnBucket) else each.bucket_arn for each in found),
    )


def _is_bucket(value: object) -> bool:
    return isinstance(value, s3.CfnBucket) or hasattr(value, "bucket_arn")


def top_stack(construct: IConstruct) -> str:
    """Return the path of the top-level stack that deploys a construct."""
    stack = cdk.Stack.of(construct)
    while stack.nested_stack_parent is not None:
        stack = stack.nested_stack_parent
    return stack.node.path


def _demand_same_place(path: str, stack: cdk.Stack, bucket: s3.IBucket | s3.CfnBucket) -> None:
    # CloudTrail, EventBridge and AWS Config work in the account and region of the bucket.
    env = cdk.Stack.of(bucket) if isinstance(bucket, s3.CfnBucket) else bucket.env
    for what, there, here in (("region", env.region, stack.region), ("account", env.account, stack.account)):
        if there != here and not cdk.Token.is_unresolved(there) and not cdk.Token.is_unresolved(here):
            refuse(
                KIND,
                path,
                f"bucket `{bucket.node.path}` is in the {what} `{there}`, and a monitoring in `{here}` does "
                f"not see it. Make one in a stack of that {what}",
            )
