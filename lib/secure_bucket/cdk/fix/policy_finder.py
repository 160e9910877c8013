"""Find the policy of a bucket in the construct tree, before there is a template."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3
from constructs import Construct, IConstruct
from msgspec import Struct

from secure_bucket.cdk.versions import resources_in

__all__ = ["PolicyFinder", "outermost", "own_policy", "path_of"]


class _Target(Struct, frozen=True):
    """What a policy names as its bucket: the path of its construct, or else a value, resolved in a stack."""

    policy: cdk.CfnResource
    path: str | None
    stack: str
    outermost: str
    value: object


class PolicyFinder:
    """Find the policies of the buckets below an App or a Stage.

    A Stage is deployed by itself: no policy outside of it can be meant for a bucket inside.

    Args:
        scope: The App or the Stage.
    """

    def __init__(self, scope: IConstruct) -> None:
        self._scope = scope
        # The policies that name their bucket by a reference, by its path; and the others. Read when the first
        # bucket asks that has no policy of its own.
        self._known: dict[str, list[cdk.CfnResource]] | None = None
        self._others: list[_Target] = []
        self._names: list[tuple[str, object]] | None = None

    def policy_of(
        self, bucket: s3.CfnBucket, path: str, owner: s3.Bucket | None
    ) -> s3.CfnBucketPolicy | str | None:
        """Find the policy of a bucket.

        Args:
            bucket: The bucket.
            path: Its path.
            owner: The L2 that it is the resource of.

        Returns:
            The policy; `None` where the bucket has no policy; a sentence where it cannot be told or changed.
        """
        policy = own_policy(owner)
        if policy is not None:
            return policy
        if self._known is None:
            self._known = self._read()
        found = list(self._known.get(path, ()))
        doubtful: list[cdk.CfnResource] = []
        if self._others:
            self._look(bucket, found, doubtful)
        if len(found) > 1:
            return f"{len(found)} policies are for it, of which the last one wins: {_listed(found)}"
        if doubtful and not found:
            return f"{_listed(doubtful)} may be its policy, which only the deployment tells"
        if not found:
            return None
        if isinstance(found[0], s3.CfnBucketPolicy):
            return found[0]
        return f"its policy {_listed(found)} is a raw `CfnResource`; add the statement there"

    def _read(self) -> dict[str, list[cdk.CfnResource]]:
        known: dict[str, list[cdk.CfnResource]] = {}
        for target in _targets(self._scope):
            if target.path is None:
                self._others.append(target)
            else:
                known.setdefault(target.path, []).append(target.policy)
        return known

    def _look(
        self, bucket: s3.CfnBucket, found: list[cdk.CfnResource], doubtful: list[cdk.CfnResource]
    ) -> None:
        """Find the policies that name a bucket in words, and those that may do so."""
        stack = cdk.Stack.of(bucket)
        here = stack.node.path
        # `resolve` omits undefined values.
        resolved = stack.resolve({"ref": bucket.ref, "name": bucket.bucket_name})
        ours = (resolved["ref"], resolved.get("name"))
        for target in self._others:
            value = target.value
            if isinstance(value, str):
                if value == ours[1]:
                    found.append(target.policy)
            elif value is not None and (
                (target.stack == here and value in ours) or _imports(value, stack, ours)
            ):
                found.append(target.policy)
            elif target.outermost == outermost(stack) and not self._names_another(target):
                # A parameter or an import that might turn out to be the name of this bucket.
                doubtful.append(target.policy)

    def _names_another(self, target: _Target) -> bool:
        """Whether a policy names another bucket of the stack that its value is from."""
        if self._names is None:
            self._names = []
            for bucket in resources_in(self._scope, "AWS::S3::Bucket"):
                if isinstance(bucket, s3.CfnBucket):
                    of_bucket = cdk.Stack.of(bucket)
                    names = of_bucket.resolve([bucket.ref, bucket.bucket_name])
                    self._names += [(of_bucket.node.path, name) for name in names]
        return (target.stack, target.value) in self._names


def own_policy(owner: s3.Bucket | None) -> s3.CfnBucketPolicy | None:
    """Return the policy that an L2 has made by itself, and so knows of."""
    policy = owner.policy if owner else None
    resource = policy.node.default_child if policy else None
    return resource if isinstance(resource, s3.CfnBucketPolicy) else None


def path_of(construct: IConstruct) -> str:
    """Return the path of a construct, in one call to the kernel; `construct.node.path` takes two."""
    # A resource adds its type, `Top/Plain/Resource [AWS::S3::Bucket]`; no id holds a space and a bracket
    # at its end by chance.
    text = cast(Construct, construct).to_string()
    head, separator, _ = text.rpartition(" [AWS::")
    return head if separator else text


def _targets(scope: IConstruct) -> Iterator[_Target]:
    # One call walks everything inside the kernel.
    for policy in resources_in(scope, "AWS::S3::BucketPolicy"):
        if isinstance(policy, s3.CfnBucketPolicy):
            named: object = policy.bucket
        elif isinstance(policy, cdk.CfnResource):
            named = policy._cfn_properties.get("Bucket")
        else:
            continue
        stack = cdk.Stack.of(policy)
        value = stack.resolve(named)
        # The same name in two Stages is two buckets, in two accounts or regions.
        if not isinstance(value, str) or _is_deployed_with(policy, scope):
            stack, value = _passed(stack, value)
            yield _Target(policy, _referenced(named), stack.node.path, outermost(stack), value)


def _is_deployed_with(policy: IConstruct, scope: IConstruct) -> bool:
    stage = cdk.Stage.of(policy)
    return stage is None or stage.node.path == scope.node.path


def _referenced(name: object) -> str | None:
    """The path of the bucket that a `Ref` means."""
    if isinstance(name, str) and cdk.Token.is_unresolved(name):
        fragments = cdk.Tokenization.reverse_string(name)
        token = fragments.first_token
        # INVARIANT: at this time a reference into another stack still resolves to a bare logical id, so
        # that only its target tells which bucket it means.
        if fragments.length == 1 and isinstance(token, cdk.Reference):
            target = token.target
            if isinstance(target, cdk.CfnResource) and token.display_name == "Ref":
                return path_of(target)
    return None


def _passed(stack: cdk.Stack, value: object) -> tuple[cdk.Stack, object]:
    """Follow the parameters of nested stacks outwards, to the stack that gives the value."""
    while isinstance(value, Mapping) and isinstance(value.get("Ref"), str):
        nesting, parent = stack.nested_stack_resource, stack.nested_stack_parent
        if not isinstance(nesting, cdk.CfnStack) or parent is None:
            break
        given = parent.resolve(nesting.parameters) or {}
        if value["Ref"] not in given:
            break
        stack, value = parent, given[value["Ref"]]
    return stack, value


def _imports(value: object, stack: cdk.Stack, ours: tuple[object, ...]) -> bool:
    """Whether a value imports what a stack exports as the name of a bucket."""
    name = value.get("Fn::ImportValue") if isinstance(value, Mapping) else None
    return isinstance(name, str) and any(
        output.export_name == name and stack.resolve(output.value) in ours
        for output in stack.node.find_all()
        if isinstance(output, cdk.CfnOutput) and cdk.Stack.of(output).node.path == stack.node.path
    )


def outermost(stack: cdk.Stack) -> str:
    """Return the path of the stack that is deployed by itself, with the stacks that it nests."""
    while (parent := stack.nested_stack_parent) is not None:
        stack = parent
    return stack.node.path


def _listed(policies: list[cdk.CfnResource]) -> str:
    return ", ".join(f"`{path_of(policy)}`" for policy in policies)
