"""Find what the deny or a new policy would break: the CloudFront distributions and flow logs of a bucket."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import aws_cdk as cdk
from constructs import IConstruct
from msgspec import Struct

from secure_bucket.cdk.fix.policy_finder import FoundPolicy, outermost
from secure_bucket.cdk.fix.survey import SeenBucket, Survey, path_of
from secure_bucket.cdk.versions import resources_in
from secure_bucket.template import Inventory, parse_document, read_document
from secure_bucket.template.distributions import PlainViewers, distributions_in, plain_viewers

__all__ = ["UsersOfBucket"]

_DISTRIBUTION, _FLOW_LOG = "AWS::CloudFront::Distribution", "AWS::EC2::FlowLog"
_ACCESS_CONTROL = "AWS::CloudFront::OriginAccessControl"
_DELIVERY = "delivery.logs.amazonaws.com"


class _User(Struct, frozen=True):
    """A resource that uses buckets, with its properties, resolved."""

    construct: cdk.CfnResource
    stack: cdk.Stack
    properties: Any


class UsersOfBucket:
    """The CloudFront distributions and the flow logs below an App or a Stage.

    Args:
        scope: The App or the Stage.
        survey: The survey of the App or the Stage.
    """

    def __init__(self, scope: IConstruct, survey: Survey) -> None:
        self._scope = scope
        self._survey = survey
        self._users: dict[str, list[_User]] = {}
        self._buckets: set[tuple[str, str]] | None = None

    def plain_viewers(self, bucket: SeenBucket) -> str:
        """Name the distributions that request objects of a bucket over plain HTTP; `""` if no one does."""
        found: list[PlainViewers] = []
        for user in self._users_of(bucket, _DISTRIBUTION):
            properties = {"BucketName": bucket.name} if isinstance(bucket.name, str) else {}
            resources = {
                user.stack.resolve(each.construct.logical_id): _as_written(each)
                for each in (*self._all(_ACCESS_CONTROL), user)
                if each.stack.node.path == user.stack.node.path
            }
            resources |= {bucket.logical_id: {"Type": "AWS::S3::Bucket", "Properties": properties}}
            inventory = Inventory(read_document(parse_document({"Resources": resources})))
            found += plain_viewers(inventory, inventory.buckets[0], distributions_in(inventory))
        return "; ".join(map(str, found))

    def flow_logs(self, bucket: SeenBucket, policy: FoundPolicy | None) -> str:
        """Make flow logs depend on the policy of their bucket.

        Amazon VPC User Guide, *Amazon S3 bucket permissions for flow logs* (read in November 2026): if the
        creator of a flow log may change the bucket policy, AWS attaches a policy for the delivery, which
        "overwrites any existing policy". A policy that is created later replaces that one, and no logs
        arrive. A policy that is created earlier and lets the service deliver stays; this is inferred from the
        constructs of the AWS CDK, which rely on it.

        Returns:
            Why FIX must not write a policy; `""` if it may.
        """
        for user in self._users_of(bucket, _FLOW_LOG):
            if policy is None or not _delivers(policy.document):
                return (
                    f"the flow log `{path_of(user.construct)}` goes to it, and its policy does not let "
                    f"`{_DELIVERY}` deliver: AWS would replace a new policy, or no logs would arrive; make "
                    "it a `SecureLogBucket(source=LogSource.VPC_FLOW)`"
                )
            id = user.stack.resolve(user.construct.logical_id)
            if _refers(policy.document, id):
                return (
                    f"the flow log `{path_of(user.construct)}` goes to it, and its policy refers to the flow "
                    "log: AWS replaces the policy of the bucket when the flow log is made"
                )
            if outermost(user.stack) == outermost(policy.stack):
                user.construct.node.add_dependency(policy.policy)
        return ""

    def _users_of(self, bucket: SeenBucket, type: str) -> Iterator[_User]:
        for user in self._all(type):
            name = bucket.name if isinstance(bucket.name, str) else None
            if _refers(user.properties, bucket.logical_id, name) and not self._means_another(bucket, user):
                yield user

    def _all(self, type: str) -> list[_User]:
        users = self._users.get(type)
        if users is None:
            users = self._users[type] = list(_users(self._scope, type))
        return users

    def _means_another(self, bucket: SeenBucket, user: _User) -> bool:
        """Tell whether the stack of a user has its own bucket with the same logical id.

        A reference into another stack resolves to a bare logical id before the templates are written.
        """
        here = path_of(user.stack)
        if here == path_of(bucket.stack):
            return False
        if self._buckets is None:
            everything = self._survey.buckets.values()
            self._buckets = {(path_of(each.stack), each.logical_id) for each in everything}
        return (here, bucket.logical_id) in self._buckets


def _users(scope: IConstruct, type: str) -> Iterator[_User]:
    for construct in _of_type(scope, type):
        stack = cdk.Stack.of(construct)
        yield _User(construct, stack, _capitalized(stack.resolve(construct._cfn_properties)))


def _as_written(user: _User) -> dict[str, Any]:
    return {
        "Type": user.construct.cfn_resource_type,
        "Properties": user.properties,
        "Metadata": {"aws:cdk:path": path_of(user.construct)},
    }


def _capitalized(value: Any) -> Any:
    """Return properties with the keys of CloudFormation: those of the AWS CDK begin with a small letter."""
    if isinstance(value, Mapping):
        return {f"{key[:1].upper()}{key[1:]}": _capitalized(each) for key, each in value.items()}
    return [_capitalized(each) for each in value] if isinstance(value, list) else value


def _of_type(scope: IConstruct, type: str) -> Iterator[cdk.CfnResource]:
    # One call resolves everything inside the kernel.
    for construct in resources_in(scope, type):
        if isinstance(construct, cdk.CfnResource):
            yield construct


def _refers(value: object, logical_id: str, name: str | None = None) -> bool:
    """Tell whether a resolved value refers to a resource or contains its name."""
    match value:
        case {"Ref": str(id)} | {"Fn::GetAtt": [str(id), *_]}:
            return id == logical_id
        case Mapping():
            return any(_refers(each, logical_id, name) for each in value.values())
        case list():
            return any(_refers(each, logical_id, name) for each in value)
        case str():
            return name is not None and name in value
        case _:
            return False


def _delivers(document: object) -> bool:
    """Tell whether a policy has a statement that lets the service deliver logs."""
    statements = document.get("Statement") if isinstance(document, Mapping) else None
    return any(
        isinstance(each, Mapping)
        and each.get("Effect") == "Allow"
        and _DELIVERY in str(each.get("Principal"))
        for each in (statements if isinstance(statements, list) else [statements])
    )
