"""Read the buckets and the bucket policies of a Stage in as few calls to the jsii kernel as possible.

In Python every call on a construct is a message to another process: an Aspect that visits each construct
takes longer than the whole synthesis. Here one call lists all constructs, two calls read a policy, and one
call for each stack resolves all its policies, to be judged together.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from typing import Any, cast

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3
from constructs import Construct, IConstruct
from msgspec import Struct

from secure_bucket.cdk.fix.denies import denied_in
from secure_bucket.cdk.fix.judge import judge_resources, resources_of
from secure_bucket.cdk.versions import resources_in
from secure_bucket.proof.verdict import Proven

__all__ = ["SeenBucket", "SeenPolicy", "Survey", "path_of"]


_POLICY, _RESOURCE = "/Policy/Resource", "/Resource"


class SeenBucket:
    """A bucket in the construct tree, whose properties are read on first use.

    Args:
        bucket: The bucket.
        path: Its path, if it is known.
        before: The construct before it in the tree: its L2, if it has an unchanged one.
    """

    def __init__(
        self, bucket: s3.CfnBucket, path: str | None = None, before: IConstruct | None = None
    ) -> None:
        self.bucket = bucket
        self.path: str = path_of(bucket) if path is None else path
        self._before = before
        # Whether a survey found it, so that the survey is up to date for it.
        self.is_surveyed = False

    @property
    def path_of_own_policy(self) -> str:
        """The path of the policy that its L2 makes for it."""
        return self.path.removesuffix(_RESOURCE) + _POLICY

    @functools.cached_property
    def stack(self) -> cdk.Stack:
        """Its stack."""
        return cdk.Stack.of(self.bucket)

    @functools.cached_property
    def arn(self) -> str:
        """Its ARN, a token."""
        return self.bucket.attr_arn

    @functools.cached_property
    def logical_id(self) -> str:
        """Its logical id."""
        id: str = self.stack.resolve(self.arn)["Fn::GetAtt"][0]
        return id

    @functools.cached_property
    def properties(self) -> Mapping[str, Any]:
        """Its properties, with names that begin with a small letter, not resolved."""
        return self.bucket._cfn_properties

    @functools.cached_property
    def name(self) -> object:
        """Its name, resolved; `None` if CloudFormation generates it."""
        # INVARIANT: resolve no other property. The L2 writes some as values that are computed once, and later
        # Aspects may still change them.
        name = self.properties.get("bucketName")
        is_literal = name is None or (isinstance(name, str) and "${" not in name)
        return name if is_literal else self.stack.resolve(name)

    @functools.cached_property
    def options(self) -> cdk.ICfnResourceOptions:
        """Its attributes, such as its condition."""
        return self.bucket.cfn_options

    @functools.cached_property
    def attributes(self) -> Mapping[str, Any]:
        """Its attributes, resolved, with names that begin with a small letter."""
        return self.stack.resolve(self.options) or {}

    @functools.cached_property
    def owner(self) -> s3.Bucket | None:
        """The L2 that it is the resource of."""
        outer, before = self.path.removesuffix(_RESOURCE), self._before
        if outer == self.path:
            return None
        if isinstance(before, s3.Bucket) and path_of(before) == outer:
            return before
        owner = self.bucket.node.scope
        return owner if isinstance(owner, s3.Bucket) else None


class SeenPolicy(Struct, frozen=True):
    """A bucket policy in the construct tree.

    Args:
        policy: The policy.
        path: Its path.
        stack: Its stack.
        name: Its `Bucket`, not resolved.
        value: The same, resolved.
        written: Its document, not resolved.
    """

    policy: cdk.CfnResource
    path: str
    stack: cdk.Stack
    name: object
    value: Any
    written: object


class Survey:
    """The buckets and the bucket policies of an App or a Stage, without the Stages inside it.

    A Stage is deployed by itself: no policy outside it can be for a bucket inside.

    Args:
        stage: The App or the Stage.
    """

    def __init__(self, stage: IConstruct) -> None:
        self._stage = stage
        # INVARIANT: the children of a construct directly follow it. (jsii makes a new object whenever it
        # returns a construct that Python did not make: objects cannot be compared.)
        everything = stage.node.find_all()
        self._within: list[IConstruct] = []
        # A Stage inside this one is synthesized by itself.
        self._inner: list[str] = []
        number = 0
        while number < len(everything):
            each = everything[number]
            if number and isinstance(each, cdk.Stage):
                self._inner.append(f"{path_of(each)}/")
                number += len(each.node.find_all())
            else:
                self._within.append(each)
                number += 1
        self.stacks: dict[str, cdk.Stack] = {
            path_of(each): each for each in self._within if isinstance(each, cdk.Stack)
        }

    @functools.cached_property
    def policies(self) -> list[SeenPolicy]:
        """The bucket policies, raw resources included."""
        typed = [each for each in self._within if isinstance(each, s3.CfnBucketPolicy)]
        raw = [
            each
            for each in resources_in(self._stage, "AWS::S3::BucketPolicy")
            if isinstance(each, cdk.CfnResource) and not isinstance(each, s3.CfnBucketPolicy)
        ]
        found: list[tuple[cdk.CfnResource, str, str, Mapping[str, Any]]] = []
        for policy in (*typed, *raw):
            path = path_of(policy)
            stack = self._around(path)
            if stack is not None and not path.startswith(tuple(self._inner)):
                found.append((policy, path, stack, policy._cfn_properties))
        # A raw resource has the names of CloudFormation.
        names = [given.get("bucket", given.get("Bucket")) for *_, given in found]
        values = self._resolved((stack, name) for (_, _, stack, _), name in zip(found, names, strict=True))
        return [
            SeenPolicy(
                policy,
                path,
                self.stacks[stack],
                name,
                value,
                given.get("policyDocument", given.get("PolicyDocument")),
            )
            for (policy, path, stack, given), name, value in zip(found, names, values, strict=True)
        ]

    @functools.cached_property
    def own(self) -> dict[str, SeenPolicy]:
        """The policies that an L2 made for itself, by the path of the bucket."""
        return {
            each.path.removesuffix(_POLICY) + _RESOURCE: each
            for each in self.policies
            if each.path.endswith(_POLICY) and isinstance(each.policy, s3.CfnBucketPolicy)
        }

    @functools.cached_property
    def buckets(self) -> dict[str, SeenBucket]:
        """The buckets, by their paths."""
        owners: dict[IConstruct | None, str] = {each.policy: path for path, each in self.own.items()}
        around = [None, *self._within, None, None]
        found: dict[str, SeenBucket] = {}
        for before, bucket, middle, last in zip(around, around[1:], around[2:], around[3:], strict=False):
            if isinstance(bucket, s3.CfnBucket):
                # An `s3.Bucket` makes its resource first; with the deny, then its policy, and then the
                # resource of the policy. The path of the last one gives the paths of all, without a call.
                path = None
                if isinstance(before, s3.Bucket) and isinstance(middle, s3.BucketPolicy):
                    path = owners.get(last)
                seen = SeenBucket(bucket, path, before)
                stack = self._around(seen.path)
                if stack is not None:
                    seen.stack, seen.is_surveyed = self.stacks[stack], True
                    found[seen.path] = seen
        return found

    @functools.cached_property
    def documents(self) -> dict[str, Any]:
        """The documents of `own`, resolved."""
        paths = list(self.own)
        resolved = self._resolved((self._around(path) or "", self.own[path].written) for path in paths)
        return dict(zip(paths, resolved, strict=True))

    def document_of(self, policy: SeenPolicy) -> Any:
        """Return the document of a policy, resolved."""
        bucket = policy.path.removesuffix(_POLICY) + _RESOURCE
        if bucket in self.own and self.own[bucket] is policy:
            return self.documents[bucket]
        return policy.stack.resolve(policy.written)

    @functools.cached_property
    def proven(self) -> set[str]:
        """The paths of the buckets that their own policy protects; in the end the gate judges all buckets."""
        proven: set[str] = set()
        by_stack: dict[str, dict[str, str]] = {}
        for path, policy in self.own.items():
            match policy.value:
                case {"Ref": str(id)} if id in denied_in(self.documents[path]):
                    proven.add(path)
                case {"Ref": str(id)}:
                    by_stack.setdefault(self._around(path) or "", {})[path] = id
        for ids in by_stack.values():
            resources: dict[str, Any] = {}
            for path, id in ids.items():
                resources |= resources_of(id, None, self.documents[path])
            verdicts = judge_resources(resources)
            proven.update(path for path, id in ids.items() if isinstance(verdicts.get(id), Proven))
        return proven

    def forget_own(self, path: str) -> None:
        """Forget the policy of a bucket that FIX removed."""
        self.own.pop(path, None)

    def read_attributes(self, buckets: Iterable[SeenBucket]) -> None:
        """Read the attributes of buckets, with one call for each and one for each stack."""
        buckets = list(buckets)
        resolved = self._resolved((self._around(each.path) or "", each.options) for each in buckets)
        for bucket, attributes in zip(buckets, resolved, strict=True):
            bucket.attributes = attributes or {}

    def _around(self, path: str) -> str | None:
        while path:
            path = path.rpartition("/")[0]
            if path in self.stacks:
                return path
        return None

    def _resolved(self, values: Iterable[tuple[str, object]]) -> list[Any]:
        """Resolve values, each in its stack, with one call for each stack."""
        by_stack: dict[str, dict[str, object]] = {}
        found: list[Any] = []
        for stack, value in values:
            by_stack.setdefault(stack, {})[str(len(found))] = value
            found.append(None)
        for stack, own in by_stack.items():
            # `resolve` omits undefined values.
            for number, value in (self.stacks[stack].resolve(own) or {}).items():
                found[int(number)] = value
        return found


def path_of(construct: IConstruct) -> str:
    """Return the path of a construct, in one call to the kernel; `construct.node.path` takes two."""
    # A resource adds its type, `Top/Plain/Resource [AWS::S3::Bucket]`; no id ends in a space and brackets by
    # chance.
    text = cast(Construct, construct).to_string()
    head, separator, _ = text.rpartition(" [AWS::")
    path = head if separator else text
    return "" if path == "<root>" else path
